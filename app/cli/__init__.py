"""The console command `stappenplan`. One file per subject; `common.py` turns failures into one clear line."""

from __future__ import annotations

from app.cli.root import main

__all__ = ["main"]
