"""Personal data that goes: finding it, erasing it, leaving no trace, and erasing it again after an older backup."""
