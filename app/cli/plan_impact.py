"""`stappenplan impact`: which runs a newer version of a step plan would hit, and how."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlmodel import Session

from app.catalogue.problems import suggestion
from app.catalogue.versions import precedence
from app.cli.common import database, each_municipality, fail
from app.cli.plan.folder import Folder, open_folder
from app.cli.plan_impact_output import Asked, JsonWriter, Target, TextWriter, Totals, Writer
from app.cli.plan_versions import Chosen, Newer, choose, must_be_one_plan
from app.engine.definition import StepPlan
from app.engine.run_migration.compare import compare
from app.storage.plans import PinnedPlan, load_plan, pinned_plans
from app.storage.run_impact import count_runs, run_impacts
from app.storage.scope import municipality_of

Municipality = Annotated[str | None, typer.Option("--municipality", help="Only this municipality.")]
Known = Mapping[tuple[str, str], PinnedPlan]
Older = Annotated[str, typer.Argument(help="ID@VERSION that runs follow, or its file.", metavar="OLDER")]


def impact(
    older: Older,
    newer: Newer,
    municipality: Municipality = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON in place of text.")] = False,
    folder: Folder = None,
) -> None:
    """Show which runs a newer version would hit, and how.

    Nothing moves. All runs count of which the version leads to the newer one: that version is OLDER, or one before it,
    or one between. What is counted is what is proposed; a team can choose otherwise.
    """
    with database() as opened:
        with opened.read() as session:
            asked = ask(session, older, newer, folder)
        any(each_municipality(opened, municipality))  # an unknown name is told before anything else is printed
        writer: Writer = JsonWriter(asked) if as_json else TextWriter(asked)
        writer.open()
        everything = Totals()
        with _progress() as progress:
            for name, session in each_municipality(opened, municipality):
                task = progress.add_task(name, total=count_runs(session, asked.comparisons))
                ours = Totals()
                writer.begin(name)
                for each in run_impacts(opened, _municipality(session), asked.comparisons):
                    ours.add(each)
                    if each.is_hit or each.blocked:
                        writer.run(each)
                    progress.advance(task)
                everything.counts += ours.counts
                writer.end(ours)
                progress.remove_task(task)
        writer.close(everything)


def _municipality(session: Session) -> uuid.UUID:
    found = municipality_of(session)
    assert found is not None, "each_municipality gives sessions that are limited to one"
    return found


def _progress() -> Progress:
    """On a terminal only; what is printed meanwhile appears above the bar."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


# --- the versions ----------------------------------------------------------------------------------------------


def ask(session: Session, older: str, newer: str, folder: Path | None) -> Asked:
    """Ends the command for versions that are not there, or of which the one does not come after the other."""
    pinned = pinned_plans(session)
    known = {(plan.plan_id, plan.version): plan for plan in pinned}
    begin = load_plan(session, _pinned(older, pinned, folder).digest)
    end, file = _newer(session, newer, known, folder)
    must_be_one_plan(begin, end.plan)
    if precedence(end.plan.version) <= precedence(begin.version):
        raise fail(f"{end.plan.version} does not come after {begin.version}: name the older version first")
    row = _row(session, end.plan, file, known)
    if begin.digest not in {plan.digest for plan in row}:
        row = [begin, end.plan]
    followed = {plan.digest for plan in pinned}
    comparisons = {
        plan.digest: compare(row[number:]) for number, plan in enumerate(row[:-1]) if plan.digest in followed
    }
    return Asked(end, comparisons)


def _pinned(wanted: str, pinned: list[PinnedPlan], folder: Path | None) -> PinnedPlan:
    name = wanted
    if Path(wanted).suffix == ".yaml":
        plan = choose(wanted, folder).plan
        name = f"{plan.id}@{plan.version}"
    by_name = {plan.name: plan for plan in pinned}
    if name in by_name:
        return by_name[name]
    near = suggestion(name, list(by_name))
    hint = f", did you mean {near}?" if near else f". Known: {', '.join(by_name) or 'none'}"
    raise fail(f"No run follows {name}: the database does not know it{hint}")


def _newer(session: Session, wanted: str, known: Known, folder: Path | None) -> tuple[Target, Chosen | None]:
    """With its file, unless only the database has it."""
    plan_id, _, version = wanted.partition("@")
    pinned = known.get((plan_id, version))
    if pinned is not None and (plan_id, version) not in open_folder(folder).files:
        return Target(load_plan(session, pinned.digest), pinned.status), None
    file = choose(wanted, folder)
    return Target(file.plan, file.status.value), file


def _row(session: Session, newer: StepPlan, file: Chosen | None, known: Known) -> list[StepPlan]:
    """The newer version, and before it those that lead to it, by what each says it changed since: as runs have them,
    or else as the files say."""
    row, seen = [newer], {newer.version}
    while (changes := row[0].changes) is not None and changes.since not in seen:
        pinned = known.get((newer.id, changes.since))
        sibling = file.sibling(changes.since) if pinned is None and file is not None else None
        earlier = load_plan(session, pinned.digest) if pinned is not None else sibling
        if earlier is None:
            break
        row.insert(0, earlier)
        seen.add(earlier.version)
    return row
