"""Where the folders are that are not Python: beside `app` in a checkout, inside it (app/_bundled) in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# Made by hatchling, see tool.hatch.build.targets.wheel.sources in pyproject.toml.
_BUNDLED = _PACKAGE / "_bundled"
_BESIDE = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent


def templates_dir() -> Path:
    return _BESIDE / "templates"


def locale_dir() -> Path:
    return _BESIDE / "locale"


def stepplans_dir() -> Path:
    return _BESIDE / "stepplans"


def migrations_dir() -> Path:
    return _BESIDE / "migrations"


def static_dir() -> Path:
    """Our own files, and below vendor/ those that scripts/vendor_assets.py copied."""
    return _PACKAGE / "static"
