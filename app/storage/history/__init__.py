"""A history that can be checked without trusting us: the log, its signed heads, witnesses, verification, export."""
