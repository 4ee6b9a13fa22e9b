"""Runs on the command line: list them, report on one, verify their history."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy
import typer
from sqlmodel import col

from app.cli.common import complain, database, each_municipality, fail, now, say
from app.features.reports import service as reports
from app.features.reports.service import ReportFormat
from app.storage.run_at import NotBegunYet
from app.storage.run_header import RunNotFound
from app.storage.tables import RunRow
from app.storage.verify import verify_all
from app.web.formats import day_of
from app.web.render import dutch_templates

app = typer.Typer(help="List the runs (trajecten).", no_args_is_help=True)

Municipality = Annotated[str | None, typer.Option("--municipality", help="Only this municipality.")]


COLUMNS: tuple[Any, ...] = (RunRow.id, RunRow.name, RunRow.plan_id, RunRow.plan_version, RunRow.changed_at)


@app.command(name="list")
def list_runs(municipality: Municipality = None) -> None:
    """List all runs.

    Id, municipality, plan@version, last change, name.
    """
    with database() as opened:
        for name, session in each_municipality(opened, municipality):
            for row in session.execute(sqlalchemy.select(*COLUMNS).order_by(col(RunRow.name))):
                plan = f"{row.plan_id}@{row.plan_version}"
                say(f"{row.id}\t{name}\t{plan}\t{row.changed_at:%Y-%m-%d}\t{row.name}")


def report(
    run: Annotated[str, typer.Argument(help="Id of the run; see `stappenplan runs list`.")],
    format: Annotated[ReportFormat, typer.Option(help="What to make.")] = ReportFormat.HTML,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As it stood at the end of that day in the Netherlands, not now."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; without it, standard output.")
    ] = None,
) -> None:
    """Make the progress report of one run."""
    day = on.date() if on else None
    if day is not None and day > day_of(now()):
        raise fail(f"{day} is still to come")
    with database() as opened:
        for name, session in each_municipality(opened):
            try:
                content = reports.make(
                    session,
                    run,
                    format,
                    municipality=name,
                    by="stappenplan",
                    at=now(),
                    on=day,
                    templates=dutch_templates,
                )
            except RunNotFound:
                continue
            except NotBegunYet as early:
                raise fail(f"The run had not begun on {day}; it began on {day_of(early.began_at)}") from None
            if output is None:
                typer.get_binary_stream("stdout").write(content)
            else:
                try:
                    output.write_bytes(content)
                except OSError as refused:
                    raise fail(f"{output} cannot be written: {refused.strerror}") from None
                complain(f"Wrote {output} ({len(content)} bytes)")
            return
    raise fail(f"There is no run {run!r}. See: stappenplan runs list")


def verify_history(municipality: Municipality = None) -> None:
    """Check that the history and the tables agree.

    Replays every run from its history; names what differs, and exits 1 when anything does.
    """
    runs = events = 0
    problems = 0
    with database(must_be_erased=False) as opened:
        for name, session in each_municipality(opened, municipality):
            for verified in verify_all(session):
                runs, events = runs + 1, events + verified.events
                for finding in verified.findings:
                    problems += 1
                    complain(f"{name}: run {finding.run_id}: {finding.place}: {finding.problem}")
    if problems:
        raise fail(f"{problems} differences in {runs} runs")
    say(f"{runs} runs, {events} events: the history and the tables agree")
