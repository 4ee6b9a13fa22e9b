"""Names of users for screens and reports, and which accounts belong to one person.

That two accounts are one person's is said by an administrator of a municipality that both work for, or found out by
the installation. It counts for deciding everywhere, and is shown only to who sees both accounts anyway.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, or_, select, update
from sqlmodel import Session, col

from app.engine.people import People
from app.engine.run import UserId
from app.storage.scope import Prepared
from app.storage.tables import Membership, SamePerson, User

# Any number will do as long as it is the same in every process, and not that of app/storage/upgrade.py.
_CONNECTING: Final = 7_418_203_366


@dataclass(frozen=True, slots=True)
class Person:
    id: UserId
    name: str


_columns: tuple[Any, ...] = (User.id, User.name)
_NAMES = Prepared(select(*_columns).where(col(User.id).in_(bindparam("ids", expanding=True))))


def names_of(session: Session, ids: Iterable[UserId | None]) -> dict[UserId, str]:
    """Names by user id, in one query."""
    keys = [uuid.UUID(id) for id in {*ids} if id]
    if not keys:
        return {}
    return {str(id): name for id, name in _NAMES.run(session, {"ids": keys})}


def members_with_role(session: Session, role: str) -> list[Person]:
    """Enabled users with a role in the municipality of this session, by name."""
    rows = session.execute(
        select(*_columns)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            col(Membership.municipality_id) == session.info["municipality_id"],
            col(Membership.role) == role,
            col(User.disabled_at).is_(None),
        )
        .order_by(col(User.name))
    )
    return [Person(str(id), name) for id, name in rows]


# --- one person, several accounts --------------------------------------------------------------------------------


def persons_of(session: Session, ids: Iterable[UserId | None]) -> People:
    """Which of these accounts belong to one person, in one query."""
    keys = [uuid.UUID(id) for id in sorted({id for id in ids if id})]
    if not keys:
        return People()
    return People({str(id): str(person) for id, _, person in _NAMES_AND_PERSONS.run(session, {"ids": keys}) if person})


def names_and_persons(session: Session, ids: Iterable[UserId | None]) -> tuple[dict[UserId, str], People]:
    """As `names_of` and `persons_of`, in one query together."""
    keys = [uuid.UUID(id) for id in sorted({id for id in ids if id})]
    if not keys:
        return {}, People()
    rows = _NAMES_AND_PERSONS.run(session, {"ids": keys}).all()
    persons = People({str(id): str(person) for id, _, person in rows if person})
    return {str(id): name for id, name, _ in rows}, persons


_with_person: tuple[Any, ...] = (*_columns, User.person_id)
_NAMES_AND_PERSONS = Prepared(select(*_with_person).where(col(User.id).in_(bindparam("ids", expanding=True))))


def connect(
    session: Session,
    one: uuid.UUID,
    other: uuid.UUID,
    *,
    municipality_id: uuid.UUID | None,
    by: uuid.UUID | None,
    at: datetime,
) -> bool:
    """Both accounts are one person's from now on. `municipality_id`: whose administrator says so; None when the
    installation found out. Whether that was not said there already."""
    assert one != other, "one account is one person's anyway"
    _one_at_a_time(session)
    first, second = sorted((one, other))
    known = _said(first, second, municipality_id)
    if session.execute(select(col(SamePerson.id)).where(*known)).first() is not None:
        return False
    session.add(SamePerson(one=first, other=second, municipality_id=municipality_id, recorded_by=by, recorded_at=at))
    session.flush()
    _recount(session, {one, other})
    return True


def connect_by_email(
    session: Session, user_id: uuid.UUID, email: str, *, municipality_id: uuid.UUID, at: datetime
) -> None:
    """The provider of a municipality vouches for the address of this account: with another one under that address it is
    one person's. Not with an account that works for other municipalities only: of those it knows nothing, and it could
    make one person of two colleagues there. Who sees neither of them is told nothing."""
    address = email.strip().lower()
    same = or_(col(User.login) == address, col(User.login).endswith(f"/{address}", autoescape=True))
    works = select(col(Membership.user_id)).where(col(Membership.user_id) == col(User.id))
    is_theirs = or_(works.where(col(Membership.municipality_id) == municipality_id).exists(), ~works.exists())
    found = select(col(User.id)).where(same, is_theirs, col(User.id) != user_id)
    for other in session.execute(found).scalars().all():
        connect(session, user_id, other, municipality_id=None, by=None, at=at)


def disconnect(
    session: Session, one: uuid.UUID, other: uuid.UUID, *, municipality_id: uuid.UUID, by: uuid.UUID, at: datetime
) -> bool:
    """Takes back what this municipality said; what another one said, or the installation found out, stands. Whether
    there was something to take back."""
    _one_at_a_time(session)
    first, second = sorted((one, other))
    ended = update(SamePerson).where(*_said(first, second, municipality_id)).values(ended_by=by, ended_at=at)
    changed = session.execute(ended.execution_options(synchronize_session=False))
    _recount(session, {one, other})
    return bool(changed.rowcount)  # type: ignore[attr-defined]  # of an update it is there


def _said(first: uuid.UUID, second: uuid.UUID, municipality_id: uuid.UUID | None) -> tuple[Any, ...]:
    return (
        col(SamePerson.one) == first,
        col(SamePerson.other) == second,
        col(SamePerson.municipality_id).is_(None)
        if municipality_id is None
        else col(SamePerson.municipality_id) == municipality_id,
        col(SamePerson.ended_at).is_(None),
    )


def said_mark(session: Session, one: uuid.UUID, other: uuid.UUID, *, municipality_id: uuid.UUID) -> str:
    """What this municipality said last about these two; empty when it says nothing. Said anew it is another."""
    first, second = sorted((one, other))
    id = session.execute(select(col(SamePerson.id)).where(*_said(first, second, municipality_id))).scalar()
    return str(id) if id else ""


def _one_at_a_time(session: Session) -> None:
    """Whoever says that A and B are one person, and at the same moment B and C, makes one person of all three: the
    second sees what the first wrote. SQLite has one writer anyway. Until the transaction ends, so after other locks."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_CONNECTING)))


def _recount(session: Session, accounts: set[uuid.UUID]) -> None:
    """Writes down whose accounts these are, with all that hang together with them."""
    around: dict[uuid.UUID, set[uuid.UUID]] = {account: set() for account in accounts}
    ahead = set(accounts)
    while ahead:
        pairs: Any = (SamePerson.one, SamePerson.other)
        near = or_(col(SamePerson.one).in_(ahead), col(SamePerson.other).in_(ahead))
        found = session.execute(select(*pairs).where(near, col(SamePerson.ended_at).is_(None))).all()
        known = set(around)
        for one, other in found:
            around.setdefault(one, set()).add(other)
            around.setdefault(other, set()).add(one)
        ahead = set(around) - known
    for group in _groups(around):
        person = min(group) if len(group) > 1 else None
        session.execute(update(User).where(col(User.id).in_(group)).values(person_id=person))


def _groups(around: dict[uuid.UUID, set[uuid.UUID]]) -> Iterator[set[uuid.UUID]]:
    left = set(around)
    while left:
        group, ahead = set(), {left.pop()}
        while ahead:
            account = ahead.pop()
            group.add(account)
            ahead |= around[account] - group
        left -= group
        yield group


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """An account of the same person, in the same municipality. `said`: what `said_mark` gives."""

    id: UserId
    name: str
    login: str
    said: str

    @property
    def is_ours(self) -> bool:
        """This municipality said so, and can take it back."""
        return self.said != ""


def other_accounts(session: Session, municipality_id: uuid.UUID, user_id: uuid.UUID) -> list[OtherAccount]:
    """Of the same person, as far as they work for this municipality."""
    person = select(col(User.person_id)).where(col(User.id) == user_id).scalar_subquery()
    works_here = select(col(Membership.user_id)).where(col(Membership.municipality_id) == municipality_id)
    columns: Any = (User.id, User.name, User.login)
    rows = session.execute(
        select(*columns)
        .where(col(User.person_id) == person, col(User.id) != user_id, col(User.id).in_(works_here))
        .order_by(col(User.name), col(User.id))
    ).all()
    pairs: Any = (SamePerson.id, SamePerson.one, SamePerson.other)
    said = session.execute(
        select(*pairs).where(
            or_(col(SamePerson.one) == user_id, col(SamePerson.other) == user_id),
            col(SamePerson.municipality_id) == municipality_id,
            col(SamePerson.ended_at).is_(None),
        )
    ).all()
    ours = {account: str(id) for id, *pair in said for account in pair}
    return [OtherAccount(str(id), name, login, ours.get(id, "")) for id, name, login in rows]
