"""Runs on the command line: list them, report on one, verify their history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import col, select

from app.cli.common import database, each_municipality, err, fail, now, out
from app.features.reports import service as reports
from app.features.reports.service import ReportFormat
from app.storage.run_header import RunNotFound
from app.storage.tables import RunRow
from app.storage.verify import verify_all
from app.web.render import dutch_templates

app = typer.Typer(help="List the runs (trajecten).", no_args_is_help=True)

Municipality = Annotated[str | None, typer.Option("--municipality", help="Only this municipality.")]


@app.command(name="list")
def list_runs(municipality: Municipality = None) -> None:
    """List all runs: id, municipality, plan, last change, name."""
    with database() as opened:
        for name, session in each_municipality(opened, municipality):
            query = select(RunRow.id, RunRow.name, RunRow.plan_version, RunRow.changed_at).order_by(col(RunRow.name))
            for row in session.execute(query):
                out.print(f"{row.id}\t{name}\t{row.plan_version}\t{row.changed_at:%Y-%m-%d}\t{row.name}", markup=False)


def report(
    run: Annotated[str, typer.Argument(help="Id of the run; see `stappenplan runs list`.")],
    format: Annotated[ReportFormat, typer.Option(help="What to make.")] = ReportFormat.HTML,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; without it, standard output.")
    ] = None,
) -> None:
    """Make the progress report of one run."""
    with database() as opened:
        for name, session in each_municipality(opened):
            try:
                content = reports.make(
                    session, run, format, municipality=name, by="stappenplan", at=now(), templates=dutch_templates
                )
            except RunNotFound:
                continue
            if output is None:
                typer.get_binary_stream("stdout").write(content)
            else:
                try:
                    output.write_bytes(content)
                except OSError as refused:
                    raise fail(f"{output} cannot be written: {refused.strerror}") from None
                err.print(f"Wrote {output} ({len(content)} bytes)", markup=False)
            return
    raise fail(f"There is no run {run!r}. See: stappenplan runs list")


def verify_history(municipality: Municipality = None) -> None:
    """Replay the history of every run and compare it with what the tables say; exits 1 when anything differs."""
    runs = events = 0
    problems = 0
    with database() as opened:
        for name, session in each_municipality(opened, municipality):
            for verified in verify_all(session):
                runs, events = runs + 1, events + verified.events
                for finding in verified.findings:
                    problems += 1
                    err.print(f"{name}: run {finding.run_id}: {finding.place}: {finding.problem}", markup=False)
    if problems:
        raise fail(f"{problems} differences in {runs} runs")
    out.print(f"{runs} runs, {events} events: the history and the tables agree")
