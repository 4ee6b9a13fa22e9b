"""What the engine is told when somebody decides: which accounts are one person's, and which mandates are in force.

One query, which also brings the texts and names that a page asks for. It is the same for one run and for a list of
them, so that a list knows as much of a mandate as the page to which it leads.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.engine.people import ONE_ACCOUNT_EACH, Mandate, People
from app.engine.run import Run, StageInstance, TextId, UserId
from app.policy import LIMITED_ALWAYS, Role, deciding_roles
from app.storage.auditor_limits import dutch_day
from app.storage.mandates import IN_FORCE, as_mandate
from app.storage.people import names_and_persons, persons_of
from app.storage.scope import Prepared, municipality_of
from app.storage.tables import EventRow, MandateRow, Membership, TextRow, User
from app.storage.types import IdText, UTCDateTime


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody who stands in for the manager of the run now."""

    mandate: Mandate
    first_day: date
    last_day: date
    ground: str


@dataclass(frozen=True, slots=True)
class Who:
    """`stand_ins`: for the manager of the run, who is absent then; `approvers`: who has one of the roles that were
    asked for, and that counts on this run. `names` has theirs too."""

    people: People = ONE_ACCOUNT_EACH
    stand_ins: tuple[StandIn, ...] = ()
    approvers: tuple[UserId, ...] = ()
    texts: Mapping[TextId, str] = field(default_factory=dict)
    names: Mapping[UserId, str] = field(default_factory=dict)

    def mandates_of(self, user: UserId) -> tuple[Mandate, ...]:
        return tuple(each.mandate for each in self.stand_ins if each.mandate.deputy == user)


@dataclass(frozen=True, slots=True)
class Managed:
    """A run, as far as standing in for its manager is about it. `is_shared`: with that manager, as an adviser."""

    run: str
    manager: UserId
    is_shared: bool


@dataclass(frozen=True, slots=True)
class WhoInList:
    """Of a list of runs: the names and persons that were asked for, and by run the mandates of whoever looks."""

    names: Mapping[UserId, str]
    people: People
    mandates: Mapping[str, tuple[Mandate, ...]]


def accounts_in(run: Run) -> set[UserId]:
    """Everybody who had a hand in a run, as far as four eyes ask for it."""
    found = {run.manager, run.proposal.by if run.proposal else None}
    parked = (item.stage for item in run.parked if item.stage)
    for instance in (*run.stages.values(), *parked):
        found |= _accounts_at(instance)
    return {user for user in found if user}


def _accounts_at(instance: StageInstance) -> set[UserId | None]:
    voices = (voice for approval in instance.approvals for voice in approval.voices)
    return {*instance.contributors, *(recusal.by for recusal in instance.recusals), *voices}


def persons_in(session: Session, run: Run, by: UserId) -> People:
    """Which accounts of those who had a hand in the run, and of `by`, are one person's."""
    return persons_of(session, accounts_in(run) | {by})


_NO_ID, _NO_DAY = sa.cast(sa.null(), sa.Uuid()), sa.cast(sa.null(), sa.Date())
_NO_MOMENT = sa.cast(sa.null(), UTCDateTime)
_OF_MANAGER = (col(MandateRow.mandator_id).in_(sa.bindparam("managers", expanding=True)), *IN_FORCE)
# Who made whom the manager of a run; asked only where somebody stands in for a present one.
_MANAGER_CHOSEN = (
    col(EventRow.run_id).in_(sa.bindparam("runs", expanding=True)),
    # Nothing is added to the kind, so that SQLite finds the events of some runs by their key: by the index on the kind
    # it would read those of all runs of the municipality.
    col(EventRow.kind).concat("").in_(("RunStarted", "TeamChanged")),
    sa.exists(sa.select(sa.literal(1)).select_from(MandateRow).where(*_OF_MANAGER)),
)


def _id(column: Any) -> Any:
    return sa.type_coerce(column, IdText)


# Of what has no days, no moment, and no manager or run that it is about.
_NOTHING: tuple[Any, ...] = (_NO_DAY, _NO_DAY, _NO_MOMENT, sa.literal(0), _id(_NO_ID))


_WHO = Prepared(
    sa.union_all(
        sa.select(
            sa.literal("mandate").label("kind"),
            _id(col(MandateRow.id)).label("id"),
            col(MandateRow.ground).label("text"),
            _id(col(MandateRow.deputy_id)).label("other"),
            col(MandateRow.first_day),
            col(MandateRow.last_day),
            col(MandateRow.recorded_at).label("at"),
            sa.literal(0).label("number"),
            _id(col(MandateRow.mandator_id)).label("about"),
        ).where(*_OF_MANAGER),
        sa.select(
            sa.literal("chosen"),
            _id(_NO_ID),
            col(EventRow.data)["manager"].as_string(),
            _id(col(EventRow.by)),
            *(_NO_DAY, _NO_DAY, col(EventRow.at), col(EventRow.sequence), _id(col(EventRow.run_id))),
        ).where(*_MANAGER_CHOSEN),
        sa.select(sa.literal("role"), _id(col(Membership.user_id)), col(Membership.role), _id(_NO_ID), *_NOTHING)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            col(Membership.user_id).in_(sa.bindparam("managers", expanding=True)),
            col(Membership.municipality_id) == sa.bindparam("here"),
            col(User.disabled_at).is_(None),
        ),
        sa.select(sa.literal("name"), _id(col(User.id)), col(User.name), _id(col(User.person_id)), *_NOTHING).where(
            col(User.id).in_(sa.bindparam("people", expanding=True))
            | col(User.id).in_(sa.select(col(MandateRow.deputy_id)).where(*_OF_MANAGER))
            | col(User.id).in_(sa.select(col(EventRow.by)).where(*_MANAGER_CHOSEN))
        ),
        sa.select(sa.literal("approver"), _id(col(User.id)), col(User.name), _id(_NO_ID), *_NOTHING).where(
            col(User.disabled_at).is_(None),
            col(User.id).in_(
                sa.select(col(Membership.user_id)).where(
                    col(Membership.municipality_id) == sa.bindparam("here"),
                    col(Membership.role).in_(sa.bindparam("approvers", expanding=True)),
                    col(Membership.role).not_in(LIMITED_ALWAYS)
                    | col(Membership.user_id).in_(sa.bindparam("advisers", expanding=True)),
                )
            ),
        ),
        sa.select(sa.literal("text"), _id(col(TextRow.id)), col(TextRow.text), _id(_NO_ID), *_NOTHING).where(
            col(TextRow.id).in_(sa.bindparam("texts", expanding=True))
        ),
    )
)


def who(
    session: Session,
    run: Run,
    *,
    by: UserId,
    at: datetime,
    texts: Iterable[TextId | None] = (),
    people: Iterable[UserId | None] = (),
    approvers: Iterable[str] = (),
) -> Who:
    """`by`: who decides, or looks at the page. `approvers`: roles, to name who has one. An erased text is absent."""
    managed = Managed(run.id, run.manager, run.manager in run.advisers) if run.manager else None
    rows = _ask(
        session,
        [managed] if managed else [],
        at=at,
        people={*accounts_in(run), *people, by},
        texts=texts,
        approvers=approvers,
        advisers=run.advisers,
    )
    return Who(
        people=_people(rows),
        stand_ins=_stand_ins(rows, managed) if managed else (),
        approvers=tuple(row.id for row in sorted(rows, key=lambda row: row.text or "") if row.kind == "approver"),
        texts={row.id: row.text for row in rows if row.kind == "text" and row.text is not None},
        names=_names(rows),
    )


def who_in_list(
    session: Session, runs: Collection[Managed], *, by: UserId, at: datetime, people: Iterable[UserId | None]
) -> WhoInList:
    """One query, whatever the number of runs. `runs`: those where `by` stands in for the manager. Who made that manager
    their manager is among the persons too."""
    if not runs:
        names, persons = names_and_persons(session, [*people, by])
        return WhoInList(names, persons, {})
    rows = _ask(session, runs, at=at, people={*people, by})
    mandates = {
        managed.run: tuple(each.mandate for each in _stand_ins(rows, managed) if each.mandate.deputy == by)
        for managed in runs
    }
    return WhoInList(_names(rows), _people(rows), mandates)


def _ask(
    session: Session,
    runs: Iterable[Managed],
    *,
    at: datetime,
    people: Iterable[UserId | None],
    texts: Iterable[TextId | None] = (),
    approvers: Iterable[str] = (),
    advisers: Iterable[UserId] = (),
) -> Sequence[Any]:
    values = {
        "runs": _keys(each.run for each in runs),
        "managers": _keys(each.manager for each in runs),
        "here": municipality_of(session),
        "today": dutch_day(at),
        "people": _keys(people),
        "approvers": [*approvers],
        "advisers": _keys(advisers),
        "texts": _keys(texts),
    }
    return _WHO.run(session, values).all()


def _keys(ids: Iterable[str | None]) -> list[uuid.UUID]:
    return [uuid.UUID(id) for id in sorted({id for id in ids if id})]


def _people(rows: Iterable[Any]) -> People:
    return People({row.id: row.other for row in rows if row.kind == "name" and row.other})


def _names(rows: Iterable[Any]) -> dict[UserId, str]:
    return {row.id: row.text for row in rows if row.kind in ("name", "approver")}


def _stand_ins(rows: Sequence[Any], managed: Managed) -> tuple[StandIn, ...]:
    """For the manager of this run."""
    held = [Role(row.text) for row in rows if row.kind == "role" and row.id == managed.manager]
    roles = deciding_roles(held, is_shared=managed.is_shared)
    chosen_by, chosen_at = _who_chose([row for row in rows if row.kind == "chosen" and row.about == managed.run])
    return tuple(
        StandIn(
            as_mandate(
                *(row.id, managed.manager, row.other, row.first_day, row.last_day, roles),
                chosen_by=chosen_by if chosen_at and chosen_at >= row.at else None,
            ),
            row.first_day,
            row.last_day,
            row.text,
        )
        for row in rows
        if row.kind == "mandate" and row.about == managed.manager
    )


def _who_chose(rows: Iterable[Any]) -> tuple[UserId | None, datetime | None]:
    """Who made the present manager of the run its manager, and when; asked for a run with somebody who stands in."""
    manager, by, at = None, None, None
    for row in sorted(rows, key=lambda row: row.number):
        if row.text != manager:
            manager, by, at = row.text, row.other, row.at
    return by, at
