"""Starting and stopping a mass move; the work itself is in worker.py and mover.py."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from starlette.datastructures import FormData

from app.engine.run import UserId
from app.features.mass_moves import mover
from app.features.mass_moves.choosing import Choice, Wanted, choice_of
from app.features.mass_moves.forms import ALL, StartForm
from app.storage import mass_moves, run_selection
from app.storage.mass_moves import Chosen
from app.web.forms import refuse
from app.web.i18n import N_


class SelectionChanged(Exception):
    """Another number of runs than was shown belongs to the selection now."""


class NoSuchMassMove(Exception):
    """Not in this municipality; whether it exists elsewhere is nobody's business."""


def wanted_by(form: StartForm) -> Wanted:
    return Wanted(form.plan, form.to, form.versions, form.stage, form.domain)


def start(session: Session, posted: FormData, form: StartForm, *, by: UserId, at: datetime) -> None:
    """Writes down what is to be done. Sending the same page twice starts one.  Raises FormInvalid, SelectionChanged."""
    id = str(form.id)
    if mass_moves.find(session, id) is not None:
        return
    choice = choice_of(session, wanted_by(form))
    if choice.target is None or choice.unknown:
        raise SelectionChanged
    runs = _runs(session, posted, form, choice)
    selection = choice.selection
    chosen = {
        "versions": list(selection.versions),
        "stage": selection.stage,
        "domain": selection.domain,
        "all": form.who == ALL,
    }
    try:
        with session.begin_nested():
            mass_moves.add(
                session,
                id,
                plan_id=choice.target.plan_id,
                to_version=choice.target.version,
                to_digest=choice.target.digest,
                chosen=chosen,
                reason=form.reason,
                runs=runs,
                by=by,
                at=at,
            )
    except IntegrityError:
        # The same page was sent twice at the same moment; or the id is not ours, and then it is nowhere.
        if mass_moves.find(session, id) is None:
            raise SelectionChanged from None


def _runs(session: Session, posted: FormData, form: StartForm, choice: Choice) -> list[Chosen]:
    if form.who == ALL:
        runs = list(run_selection.all_of(session, choice.selection))
        if len(runs) != form.shown:
            raise SelectionChanged
        if not runs:
            raise refuse(posted, "wie", N_("There is no trajectory in this selection."))
        return runs
    ticked = form.ticked()
    digests = run_selection.digests_of(session, ticked)
    if not ticked:
        raise refuse(posted, "wie", N_("Tick at least one trajectory."))
    if digests.keys() != ticked.keys():
        raise SelectionChanged
    return [Chosen(id, digests[id], shown) for id, shown in ticked.items()]


def stop(session: Session, id: str, *, by: UserId, at: datetime) -> bool:
    """Whether there was something to stop.  Raises NoSuchMassMove."""
    _assert_known(session, id)
    return mass_moves.stop(session, id, by=by, at=at)


def go_on(session: Session, id: str, *, at: datetime) -> uuid.UUID | None:
    """Claims it at once, so that the next page shows it as busy; None if somebody is at it, or nothing is left.
    Raises NoSuchMassMove."""
    _assert_known(session, id)
    return mover.claim(session, id, at=at)


def _assert_known(session: Session, id: str) -> None:
    if mass_moves.find(session, id) is None:
        raise NoSuchMassMove(id)
