"""Erasing again what an older backup brought back, and what could not be finished."""

from __future__ import annotations

import typer

from app.cli.common import database, say
from app.cli.preparing import erase_again

app = typer.Typer(help="Erasures of personal data.", no_args_is_help=True)


@app.callback()
def erasures() -> None:
    """Erasures of personal data."""


@app.command()
def apply() -> None:
    """Compare the register of erasures with the database.

    What the register says and the database still holds, after an older backup was put back, is erased again; traces and
    files that could not be removed before are removed. `stappenplan serve` does the same before it serves.
    """
    with database(must_be_erased=False) as opened:
        compared = erase_again(opened)
    say(
        f"{len(compared.again)} erased again, {len(compared.added)} added to the register, "
        f"{compared.elsewhere} of municipalities that are not in this database"
    )
