"""What the pages say about their owner: taken from the settings by create_app()."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Site:
    """`public_url` is the address under which people reach this installation, without a slash at the end.

    `security_contact` is a `mailto:` or `https:` address. `theme_class` is the class of a municipal theme that is
    mounted beside the default one.
    """

    public_url: str = "http://127.0.0.1:8000"
    contact_email: str | None = None
    security_contact: str | None = None
    security_policy: str | None = None
    security_expires: date | None = None
    theme_class: str = ""
    source_url: str | None = None
