"""The console command `stappenplan`. One file per subject; `common.py` turns failures into one clear line."""

from __future__ import annotations

import gc


def main() -> None:
    """Nearly all that importing makes stays as long as the process: looking for garbage meanwhile, and ever after among
    all that, would cost a fifth of the time that a start takes."""
    gc.disable()
    from app.cli.root import main as command

    gc.freeze()
    gc.enable()
    command()
