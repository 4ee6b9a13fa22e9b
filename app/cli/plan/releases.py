"""Releasing and retiring versions, as the lock beside the plans keeps them."""

from __future__ import annotations

from typing import Annotated

import typer

from app.catalogue.catalogue import lint
from app.catalogue.lock import Lock, Release, Status
from app.catalogue.versions import precedence
from app.cli.common import complain, fail, now, say
from app.cli.plan.folder import Folder, Version, find, load, open_folder


def release(wanted: Version, folder: Folder = None) -> None:
    """Release a draft: from then on it never changes.

    Runs can start on it after the next start of the application.
    """
    plans = open_folder(folder)
    name, path = find(plans, wanted)
    problems = lint([path])
    for problem in problems:
        complain(problem.sentence())
    if any(not problem.is_warning for problem in problems):
        raise fail(f"{wanted} cannot be released: mend the errors above first")
    if plans.lock.status(name) is not Status.DRAFT:
        raise fail(f"{wanted} was released on {plans.lock.releases[name].released}: make a new version")
    loaded = load(plans, path)
    if (loaded.plan.id, loaded.plan.version) != name:
        raise fail(f"{path} says that it is {loaded.plan.id}@{loaded.plan.version}: give it the place of that name")
    newest = plans.lock.newest(name[0])
    if newest is not None and precedence(name[1]) <= precedence(newest):
        raise fail(f"{name[0]}@{newest} was released already, so this one needs a higher version")
    digest = loaded.plan.digest
    _write(plans.lock.with_release(name, Release.of(loaded.document, digest, on=now().date(), data=path.read_bytes())))
    say(f"Released {wanted}\tsha256:{digest}")


def retire(
    wanted: Version,
    undo: Annotated[bool, typer.Option("--undo", help="Let runs start on it again.")] = False,
    folder: Folder = None,
) -> None:
    """Retire a released version: no run starts on it any more.

    Runs that follow it go on. It holds after the next start of the application.
    """
    plans = open_folder(folder)
    name, _ = find(plans, wanted)
    status = plans.lock.status(name)
    if status is Status.DRAFT:
        raise fail(f"{wanted} is a draft: nobody works with it, so there is nothing to retire")
    if status is (Status.RELEASED if undo else Status.RETIRED):
        raise fail(f"{wanted} is {status} already")
    _write(plans.lock.with_retirement(name, None if undo else now().date()))
    say(f"{wanted} can be used again" if undo else f"Retired {wanted}")


def _write(lock: Lock) -> None:
    try:
        lock.write()
    except OSError as error:
        raise fail(f"{lock.file} cannot be written: {error.strerror}") from None
