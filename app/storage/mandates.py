"""Mandates for who is absent: who decides in whose name, from when until when, and on what ground. Days are Dutch days.

Overlapping mandates are fine; a deputy's deputy is not: who stands in for somebody cannot be absent at the same time.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.engine.people import Mandate
from app.engine.run import UserId
from app.policy import MAY_STAND_IN, Role
from app.storage.auditor_limits import DUTCH, dutch_day
from app.storage.people import persons_of
from app.storage.scope import Prepared, municipality_of
from app.storage.tables import MandateRow, Membership, Municipality, RunRow, User

LIST_MAX = 200
GROUND_LENGTH_MAX = 300
AHEAD_MAX = timedelta(days=5 * 366)  # further on it is a mistake in typing


class MandateRefused(Exception):
    """`code`: not_a_manager, not_a_worker, one_person, ends_before_it_begins, over_already, too_far_ahead,
    mandator_stands_in, deputy_is_absent."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NoSuchMandate(Exception):
    """Not in this municipality."""


@dataclass(frozen=True, slots=True)
class Told:
    """A mandate as pages show it."""

    id: str
    mandator: UserId
    mandator_name: str
    deputy: UserId
    deputy_name: str
    first_day: date
    last_day: date
    ground: str
    recorded_by: str
    recorded_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None

    def state(self, today: date) -> str:
        if self.withdrawn_at is not None:
            return "withdrawn"
        if today < self.first_day:
            return "coming"
        return "in_force" if today <= self.last_day else "over"


def as_mandate(
    id: str,
    mandator: UserId,
    deputy: UserId,
    first_day: date,
    last_day: date,
    roles: frozenset[str],
    *,
    chosen_by: UserId | None,
) -> Mandate:
    """What the engine knows of a mandate that was not withdrawn. It ends with its last day."""
    begins = datetime.combine(first_day, time(), DUTCH)
    ends = datetime.combine(last_day + timedelta(days=1), time(), DUTCH)
    return Mandate(id, mandator, deputy, begins, ends, roles, chosen_by=chosen_by)


def record(
    session: Session,
    *,
    mandator: uuid.UUID,
    deputy: uuid.UUID,
    first_day: date,
    last_day: date,
    ground: str,
    by: uuid.UUID,
    at: datetime,
) -> uuid.UUID:
    """Raises MandateRefused."""
    here = municipality_of(session)
    assert here is not None
    # Two who record at the same moment come one after the other, or together they could make a chain.
    session.execute(sa.select(col(Municipality.id)).where(col(Municipality.id) == here).with_for_update())
    if last_day < first_day:
        raise MandateRefused("ends_before_it_begins")
    if last_day < dutch_day(at):
        raise MandateRefused("over_already")
    if last_day > dutch_day(at) + AHEAD_MAX:
        raise MandateRefused("too_far_ahead")
    if Role.MANAGER not in roles_here(session, mandator):
        raise MandateRefused("not_a_manager")
    if not roles_here(session, deputy) & MAY_STAND_IN:
        raise MandateRefused("not_a_worker")
    if persons_of(session, [str(mandator), str(deputy)]).is_same(str(mandator), str(deputy)):
        raise MandateRefused("one_person")
    meanwhile = sa.select(sa.func.count()).where(
        col(MandateRow.withdrawn_at).is_(None),
        col(MandateRow.first_day) <= last_day,
        col(MandateRow.last_day) >= first_day,
    )
    if session.execute(meanwhile.where(col(MandateRow.deputy_id) == mandator)).scalar_one():
        raise MandateRefused("mandator_stands_in")
    if session.execute(meanwhile.where(col(MandateRow.mandator_id) == deputy)).scalar_one():
        raise MandateRefused("deputy_is_absent")
    row = MandateRow(
        municipality_id=here,
        mandator_id=mandator,
        deputy_id=deputy,
        first_day=first_day,
        last_day=last_day,
        ground=ground,
        recorded_by=by,
        recorded_at=at,
    )
    id = row.id
    session.add(row)
    session.flush()
    return id


def roles_here(session: Session, user_id: uuid.UUID) -> set[Role]:
    """Of an enabled account, in the municipality of this session."""
    held = (
        sa.select(col(Membership.role))
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            col(Membership.user_id) == user_id,
            col(Membership.municipality_id) == municipality_of(session),
            col(User.disabled_at).is_(None),
        )
    )
    return {Role(role) for role in session.execute(held).scalars()}


def withdraw(session: Session, id: str, *, by: uuid.UUID, at: datetime) -> bool:
    """Whether there was something to withdraw; twice keeps the first moment."""
    ended = sa.update(MandateRow).where(col(MandateRow.id) == _key(id), col(MandateRow.withdrawn_at).is_(None))
    changed = session.execute(
        ended.values(withdrawn_by=by, withdrawn_at=at).execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]  # of an update it is there


_Mandator, _Deputy, _Recorder, _Withdrawer = (aliased(User) for _ in range(4))


def _key(id: str) -> uuid.UUID:
    try:
        return uuid.UUID(id)
    except ValueError:
        raise NoSuchMandate(id) from None


def all_of(session: Session, *, only: str | None = None) -> list[Told]:
    """Of the municipality, what ends last first; at most LIST_MAX.  `only`: the one with this id."""
    columns: tuple[Any, ...] = (
        MandateRow,
        _Mandator.name,
        _Deputy.name,
        _Recorder.name,
        _Withdrawer.name,
    )
    query = (
        sa.select(*columns)
        .join(_Mandator, col(_Mandator.id) == col(MandateRow.mandator_id))
        .join(_Deputy, col(_Deputy.id) == col(MandateRow.deputy_id))
        .join(_Recorder, col(_Recorder.id) == col(MandateRow.recorded_by))
        .outerjoin(_Withdrawer, col(_Withdrawer.id) == col(MandateRow.withdrawn_by))
        .order_by(col(MandateRow.last_day).desc(), col(MandateRow.first_day).desc(), col(MandateRow.id))
        .limit(LIST_MAX)
    )
    if only is not None:
        query = query.where(col(MandateRow.id) == _key(only))
    return [
        Told(
            id=str(row.id),
            mandator=str(row.mandator_id),
            mandator_name=mandator,
            deputy=str(row.deputy_id),
            deputy_name=deputy,
            first_day=row.first_day,
            last_day=row.last_day,
            ground=row.ground,
            recorded_by=recorder,
            recorded_at=row.recorded_at,
            withdrawn_by=withdrawer,
            withdrawn_at=row.withdrawn_at,
        )
        for row, mandator, deputy, recorder, withdrawer in session.execute(query)
    ]


def find(session: Session, id: str) -> Told:
    """Raises NoSuchMandate."""
    found = all_of(session, only=id)
    if not found:
        raise NoSuchMandate(id)
    return found[0]


_GROUNDS_COLUMNS: tuple[Any, ...] = (col(MandateRow.id), col(MandateRow.ground))
_GROUNDS = Prepared(sa.select(*_GROUNDS_COLUMNS).where(col(MandateRow.id).in_(sa.bindparam("ids", expanding=True))))


def grounds_of(session: Session, ids: Collection[str]) -> dict[str, str]:
    """By id, also of mandates that are over. Asks nothing for none."""
    if not ids:
        return {}
    return {str(id): ground for id, ground in _GROUNDS.run(session, {"ids": [uuid.UUID(id) for id in ids]})}


IN_FORCE = (
    col(MandateRow.first_day) <= sa.bindparam("today"),
    col(MandateRow.last_day) >= sa.bindparam("today"),
    col(MandateRow.withdrawn_at).is_(None),
)
_STANDS_IN = Prepared(
    sa.select(sa.literal(1))
    .select_from(MandateRow)
    .join(RunRow, col(RunRow.manager_id) == col(MandateRow.mandator_id))
    .where(
        col(RunRow.id) == sa.bindparam("of_run"),
        col(MandateRow.deputy_id) == sa.bindparam("deputy"),
        *IN_FORCE,
    )
    .limit(1)
)


def stands_in(session: Session, deputy: uuid.UUID, run_id: str, *, at: datetime) -> bool:
    """Whether somebody has a mandate now of the manager of this run."""
    try:
        key = uuid.UUID(run_id)
    except ValueError:
        return False
    found = _STANDS_IN.run(session, {"of_run": key, "deputy": deputy, "today": dutch_day(at)})
    return found.first() is not None


_OWN_ACCOUNTS = sa.select(col(User.id)).where(
    (col(User.id) == sa.bindparam("deputy"))
    | (
        col(User.person_id)
        == sa.select(col(_Deputy.person_id)).where(col(_Deputy.id) == sa.bindparam("deputy")).scalar_subquery()
    )
)
_STANDS_IN_FOR = Prepared(
    sa.select(sa.literal(1))
    .select_from(MandateRow)
    .where(
        col(MandateRow.mandator_id) == sa.bindparam("mandator"), col(MandateRow.deputy_id).in_(_OWN_ACCOUNTS), *IN_FORCE
    )
    .limit(1)
)


def stands_in_for(session: Session, mandator: UserId, deputy: UserId, *, at: datetime) -> bool:
    """Whether somebody, with whatever account, has a mandate now of this manager."""
    values = {"mandator": uuid.UUID(mandator), "deputy": uuid.UUID(deputy), "today": dutch_day(at)}
    return _STANDS_IN_FOR.run(session, values).first() is not None
