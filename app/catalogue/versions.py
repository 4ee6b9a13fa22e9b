"""The order of versions, by Semantic Versioning 2.0.0."""

from __future__ import annotations

Precedence = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def precedence(version: str) -> Precedence:
    """Sorts as versions do: 1.10.0 after 1.9.0, 2.0.0-rc.1 before 2.0.0. `version` has the form that schema.VERSION
    says."""
    release, _, pre_release = version.partition("-")
    identifiers = pre_release.split(".") if pre_release else []
    return (
        tuple(int(part) for part in release.split(".")),
        not identifiers,
        # Numbers compare as numbers and come before words.
        tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in identifiers),
    )
