"""The municipalities of an installation, as its operators see them: names and numbers, never what is in them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.policy import Role
from app.storage import account_links, accounts, user_admin
from app.storage.accounts import MunicipalityExists
from app.storage.database import Database
from app.storage.marks import mark
from app.storage.scope import unscoped
from app.storage.tables import Membership, Municipality, Operator, RunRow, User

NAME_LENGTH_MAX = 100


class MunicipalityNotFound(Exception):
    """No municipality has this id."""


class HasAdministrator(Exception):
    """Who administers this municipality decides who gets in; an operator has no say in that any more."""


@dataclass(frozen=True, slots=True)
class MunicipalityLine:
    id: uuid.UUID
    name: str
    created_at: datetime
    closed_at: datetime | None
    users: int
    runs: int
    has_administrator: bool

    @property
    def name_mark(self) -> str:
        return mark(self.name)


def municipalities(database: Database, *, only: uuid.UUID | None = None) -> list[MunicipalityLine]:
    """By name, with how many people have a role there and how many runs there are."""
    with database.read() as session:
        unscoped(session, "operators see how many users and runs each municipality has, and nothing else of them")
        query = select(Municipality).order_by(Municipality.name)
        rows = session.exec(query.where(Municipality.id == only) if only else query).all()
        users = _counts(
            session, sa.select(col(Membership.municipality_id), sa.func.count(col(Membership.user_id).distinct()))
        )
        runs = _counts(session, sa.select(col(RunRow.municipality_id), sa.func.count(col(RunRow.id))))
        administered = set(session.exec(_administered()))
        return [
            MunicipalityLine(
                row.id,
                row.name,
                row.created_at,
                row.closed_at,
                users.get(row.id, 0),
                runs.get(row.id, 0),
                row.id in administered,
            )
            for row in rows
        ]


def _counts(session: Session, query: sa.Select[uuid.UUID, int]) -> dict[uuid.UUID, int]:
    place = query.selected_columns[0]
    return {row[0]: row[1] for row in session.execute(query.group_by(place))}


def _administered() -> SelectOfScalar[uuid.UUID]:
    """Municipalities where somebody can manage the users."""
    found = select(Membership.municipality_id).join(User, col(User.id) == col(Membership.user_id))
    return found.where(Membership.role == Role.ADMINISTRATOR.value, col(User.disabled_at).is_(None))


def municipality(database: Database, id: str) -> MunicipalityLine:
    """Raises MunicipalityNotFound."""
    try:
        key = uuid.UUID(id)
    except ValueError:
        raise MunicipalityNotFound(id) from None
    found = municipalities(database, only=key)
    if not found:
        raise MunicipalityNotFound(id)
    return found[0]


def name_for_change(session: Session, id: uuid.UUID) -> str:
    """Other operators wait until this transaction ends, so that what was compared with a page stays true."""
    return session.exec(select(Municipality.name).where(Municipality.id == id).with_for_update()).one()


def rename(session: Session, id: uuid.UUID, name: str) -> None:
    """Raises MunicipalityExists."""
    try:
        with session.begin_nested():
            session.execute(sa.update(Municipality).where(col(Municipality.id) == id).values(name=name))
    except IntegrityError:  # the database decides: somebody else may be first, at the same moment
        raise MunicipalityExists(f"municipality {name!r} exists already") from None


def set_closed(session: Session, id: uuid.UUID, *, at: datetime | None) -> bool:
    """Closed: nobody works there from the next request on, and nothing of it is removed. None opens it again. Gives
    whether that changed anything."""
    row = session.get_one(Municipality, id)
    if (row.closed_at is None) == (at is None):
        return False
    row.closed_at = at
    session.flush()
    return True


def invite_administrator(
    session: Session, id: uuid.UUID, *, login: str, name: str, by: uuid.UUID, at: datetime
) -> tuple[uuid.UUID, str]:
    """The first administrator, with the token of a link to choose a password. Gives the account too.

    Raises HasAdministrator, LoginInvalid, LoginTaken."""
    user_admin.lock(session, id)
    if session.exec(_administered().where(Membership.municipality_id == id)).first() is not None:
        raise HasAdministrator
    user_id = user_admin.add_person(session, id, login=login, name=name, roles=[Role.ADMINISTRATOR], at=at)
    return user_id, account_links.make_link(session, user_id, made_by=by, at=at)


# --- operators ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OperatorLine:
    login: str
    name: str
    added_at: datetime
    disabled_at: datetime | None


def operators(session: Session) -> list[OperatorLine]:
    rows = session.exec(
        select(User, Operator).join(Operator, col(Operator.user_id) == col(User.id)).order_by(User.login)
    )
    return [
        OperatorLine(user.login, user.name, row.added_at, row.disabled_at or user.disabled_at) for user, row in rows
    ]


def add_operator(session: Session, *, login: str, name: str | None, at: datetime) -> tuple[uuid.UUID, bool]:
    """An account that exists, or a new one when `name` is given. Gives its id, and whether it has a password: without
    one nobody gets here, since the organisation that lets somebody in opens its own municipality only.

    Raises LoginInvalid, UnknownUser."""
    wanted = accounts.checked_login(login)
    user = session.exec(select(User).where(User.login == wanted)).one_or_none()
    if user is None:
        if not name:
            raise accounts.UnknownUser(f"no user with login {wanted!r}; give --name to make the account")
        user = User(login=wanted, name=name, created_at=at)
        session.add(user)
        session.flush()
    row = session.get(Operator, user.id)
    if row is None:
        session.add(Operator(user_id=user.id, added_at=at))
    elif row.disabled_at is not None:
        row.added_at, row.disabled_at = at, None
    session.flush()
    return user.id, user.password_hash is not None


def disable_operator(session: Session, login: str, *, at: datetime) -> uuid.UUID:
    """Counts at the next request. The account itself stays.  Raises UnknownUser."""
    user_id = accounts.user_id_of(session, login)
    row = session.get(Operator, user_id)
    if row is None:
        raise accounts.UnknownUser(f"{login!r} is no operator")
    if row.disabled_at is None:
        row.disabled_at = at
    session.flush()
    return user_id
