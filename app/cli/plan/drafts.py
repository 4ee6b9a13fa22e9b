"""Beginning a step plan, or its next version."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from app.catalogue import schema
from app.catalogue.drafts import FIRST_VERSION, NotCopied, copied_draft, small_draft
from app.catalogue.loader import load_bytes, read_file
from app.catalogue.problems import PlanInvalid, suggestion
from app.catalogue.versions import precedence
from app.cli.common import fail, say
from app.cli.plan.folder import Folder, Plans, find, open_folder, refused


def new(
    plan_id: Annotated[str, typer.Argument(help="Lowercase letters, digits and hyphens.", metavar="ID")],
    copy_from: Annotated[
        str | None, typer.Option("--from", help="Begin with a copy of this version.", metavar="OTHER@VERSION")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the new plan, in Dutch.")] = None,
    version: Annotated[
        str | None, typer.Option(help="Next version of a plan that exists: a copy of its newest file.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Begin a step plan, or the next version of one.

    Writes a draft that lints clean. Nobody works with it until it is released.
    """
    plans = open_folder(folder)
    if not re.fullmatch(schema.SLUG, plan_id) or len(plan_id) > schema.ID_MAX:
        raise fail(f'"{plan_id}" cannot be an id: use lowercase letters, digits and single hyphens')
    if version and (not re.fullmatch(schema.VERSION, version) or len(version) > schema.ID_MAX):
        raise fail(f'"{version}" is no version: use three numbers and maybe a pre-release, such as 1.2.0 or 2.0.0-rc.1')
    if copy_from and title:
        raise fail("Give --from or --title, not both: a copy keeps the title until you change it")
    if version:
        if copy_from or title:
            raise fail("The next version is a copy of the newest file: leave out --from and --title")
        text = _next_version(plans, plan_id, version)
    else:
        _must_be_free(plans, plan_id)
        text = _first_version(plans, plan_id, copy_from, title)
    _write(plans, plan_id, version or FIRST_VERSION, text)


def _must_be_free(plans: Plans, plan_id: str) -> None:
    if known := plans.versions(plan_id):
        raise fail(f"{plan_id} exists already, its newest version is {known[-1]}: name the next one with --version")


def _first_version(plans: Plans, plan_id: str, copy_from: str | None, title: str | None) -> str:
    if copy_from:
        return _copy(plans, copy_from, plan_id, FIRST_VERSION)
    return small_draft(plan_id, FIRST_VERSION, title or plan_id.replace("-", " ").capitalize())


def _next_version(plans: Plans, plan_id: str, version: str) -> str:
    known = plans.versions(plan_id)
    if not known:
        near = suggestion(plan_id, plans.ids())
        hint = f", did you mean {near}?" if near else ": leave out --version to begin it"
        raise fail(f"There is no step plan {plan_id}{hint}")
    if version in known or precedence(version) < precedence(known[-1]):
        raise fail(f"The newest version of {plan_id} is {known[-1]}: choose a higher one")
    return _copy(plans, f"{plan_id}@{known[-1]}", plan_id, version, since=known[-1])


def _copy(plans: Plans, source: str, plan_id: str, version: str, *, since: str = "") -> str:
    _, path = find(plans, source)
    try:
        return copied_draft(read_file(path), plan_id=plan_id, version=version, since=since)
    except PlanInvalid:
        raise fail(f"{path} has errors; mend them first, see: stappenplan lint {path}") from None
    except NotCopied:
        raise fail(f"{path} cannot be copied: write plan.id and plan.version as plain text without anchors") from None


def _write(plans: Plans, plan_id: str, version: str, text: str) -> None:
    path = plans.folder / plan_id / f"{version}.yaml"
    try:
        load_bytes(text.encode(), str(path))
    except PlanInvalid as invalid:  # for instance a title of two lines
        raise refused(invalid.problems) from None
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise fail(f"{path} cannot be written: {error.strerror}") from None
    say(f"Wrote {path}")
