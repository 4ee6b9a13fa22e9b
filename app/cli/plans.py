"""Step plans on the command line: check files, list what the database knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.catalogue.catalogue import lint as lint_files
from app.cli.common import complain, database, fail, say
from app.resources import stepplans_dir
from app.storage.plans import pinned_plans


def lint(files: Annotated[list[Path], typer.Argument(help="Step plans to check (YAML).", metavar="FILE…")]) -> None:
    """Check files with step plans, or with additions to one.

    Names every problem with file, line, column, place and remedy; exits 1 when there is one.
    """
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise fail(f"No such file: {', '.join(missing)}")
    problems = lint_files(files, also_in=[stepplans_dir()])
    for problem in problems:
        complain(problem.sentence())
    if any(not problem.is_warning for problem in problems):
        raise typer.Exit(1)
    say(f"{len(files)} file{'s' if len(files) > 1 else ''} without {'errors' if problems else 'problems'}")


def list_plans() -> None:
    """List the step plans that runs can use.

    Newest version first: plan@version, title, digest; and "retired" where only running trajects go on with it.
    """
    with database() as opened, opened.read() as session:
        for plan in pinned_plans(session):
            retired = "\tretired" if plan.is_retired else ""
            say(f"{plan.name}\t{plan.title}\tsha256:{plan.digest}{retired}")
