"""Moving many runs on the command line: going on with what was interrupted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from threading import Event

import typer

from app.cli.common import database, fail, now, say
from app.features.mass_moves.worker import carry_on
from app.storage import mass_moves
from app.storage.mass_moves import Progress, RunOutcome
from app.storage.scope import set_scope
from app.web.logs import configure_logs

app = typer.Typer(help="Go on with moving many runs.", no_args_is_help=True)

BREATH = timedelta(milliseconds=20)  # after each run on SQLite: about as long as a run keeps others from writing


@app.callback()
def moves() -> None:
    """Go on with moving many runs."""


@app.command()
def resume() -> None:
    """Go on with mass moves that were interrupted.

    Those on which work is left and that no process is at; exits 1 when one of them did not come to its end. A process
    that ended without saying so is given up after a minute.
    """
    configure_logs()
    unfinished = 0
    with database() as opened:
        with opened.read() as session:
            found = mass_moves.left_alone(session, at=now())
        breath = BREATH if opened.is_sqlite else timedelta(0)
        for id, municipality in found:
            asyncio.run(carry_on(opened, id, municipality, clock=now, stopping=Event(), breath=breath))
            with opened.read() as session:
                set_scope(session, municipality)
                mass = mass_moves.find(session, id)
                counts = mass_moves.counts(session, [id])[id]
            unfinished += mass is not None and mass.progress(now()) in (Progress.BUSY, Progress.INTERRUPTED)
            told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in RunOutcome if counts[outcome])
            say(f"{id}\t{told}")
    if unfinished:
        raise fail(f"{unfinished} of {len(found)} did not come to an end; the log lines above say why")
    say(f"{len(found)} mass moves went on")
