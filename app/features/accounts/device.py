"""What a browser says of itself, in words that somebody recognises. Never used to decide anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# In this order: most browsers also name the ones that they descend from.
BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """Names of products; None for what is not recognised."""

    browser: str | None
    system: str | None


def device_of(user_agent: str | None) -> Device:
    return Device(_first(BROWSERS, user_agent or ""), _first(SYSTEMS, user_agent or ""))


def _first(known: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for mark, name in known if mark in text), None)
