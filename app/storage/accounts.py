"""Queries on municipalities, users and their roles; for the web and the command line.

Callers begin and end the transaction. None of these tables belongs to one municipality: they are what decides
in which municipality somebody may work.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.policy import Role
from app.storage.open_sessions import close_other_sessions, renew_sessions
from app.storage.passwords import hash_password
from app.storage.tables import (
    Membership,
    Municipality,
    User,
)

LOGIN_LENGTH_MAX: Final = 254  # characters, as an e-mail address (RFC 5321)


class AccountError(Exception):
    """A request about accounts that can't be carried out; the message says why and what to do."""


class LoginTaken(AccountError): ...


class LoginInvalid(AccountError): ...


class UnknownUser(AccountError): ...


class UnknownMunicipality(AccountError): ...


class MunicipalityExists(AccountError): ...


class NoRoles(AccountError): ...


@dataclass(frozen=True, slots=True)
class MunicipalityRoles:
    """A municipality in which somebody may work, and as what."""

    municipality_id: uuid.UUID
    municipality_name: str
    roles: frozenset[Role]
    limited: frozenset[Role] = frozenset()  # those of them that count on some runs only
    auditor_until: date | None = None  # the last day on which the role of auditor counts


@dataclass(frozen=True, slots=True)
class Credentials:
    user_id: uuid.UUID
    password_hash: str | None
    is_demonstration: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody sees of the own account."""

    id: uuid.UUID
    login: str
    name: str
    language: str
    password_hash: str | None
    is_demonstration: bool


@dataclass(frozen=True, slots=True)
class UserLine:
    id: uuid.UUID
    login: str
    name: str
    created_at: datetime
    disabled_at: datetime | None
    memberships: tuple[MunicipalityRoles, ...]


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demonstration data, whose password is no secret: the sign-in page shows it. Without roles it is
    an operator's, and `municipality` is empty."""

    login: str
    password: str
    name: str
    municipality: str
    roles: tuple[Role, ...]

    @property
    def work(self) -> str:
        """As the command line tells it."""
        return f"{self.municipality}: {', '.join(self.roles)}" if self.roles else "this installation: operator"


def normal_login(login: str) -> str:
    """As stored: trimmed, lower case."""
    return login.strip().lower()


# --- signing in ---------------------------------------------------------------------------------------------------


def find_credentials(session: Session, login: str) -> Credentials | None:
    """Of an enabled user, or None."""
    wanted = normal_login(login)
    if not _could_be_login(wanted):
        return None
    query = select(User.id, User.password_hash, User.is_demonstration)
    row = session.exec(query.where(User.login == wanted, col(User.disabled_at).is_(None))).one_or_none()
    return Credentials(*row) if row else None


def account_of(session: Session, user_id: uuid.UUID) -> Account:
    row = session.exec(select(User).where(User.id == user_id)).one()
    return Account(row.id, row.login, row.name, row.language, row.password_hash, row.is_demonstration)


def set_language(session: Session, user_id: uuid.UUID, language: str) -> None:
    session.execute(sa.update(User).where(col(User.id) == user_id).values(language=language))


def memberships_of(session: Session, user_id: uuid.UUID) -> tuple[MunicipalityRoles, ...]:
    rows = session.exec(
        select(Membership.municipality_id, Municipality.name, Membership.role)
        .join(Municipality, col(Municipality.id) == col(Membership.municipality_id))
        .where(Membership.user_id == user_id)
        .order_by(Municipality.name, col(Membership.municipality_id))
    )
    return grouped(rows.all())


def renew_password_hash(session: Session, user_id: uuid.UUID, password_hash: str) -> None:
    session.execute(sa.update(User).where(col(User.id) == user_id).values(password_hash=password_hash))


# --- municipalities and users -------------------------------------------------------------------------------------


def municipalities(session: Session) -> list[str]:
    return list(session.exec(select(Municipality.name).order_by(Municipality.name)))


def municipality_ids(session: Session) -> Sequence[tuple[str, uuid.UUID]]:
    """Names with ids, by name."""
    return session.exec(select(Municipality.name, Municipality.id).order_by(Municipality.name)).all()


def add_municipality(session: Session, name: str, *, at: datetime) -> uuid.UUID:
    """Raises MunicipalityExists."""
    name = _one_line(name)
    if not name:
        raise AccountError("a municipality needs a name")
    municipality = Municipality(name=name, created_at=at)
    try:
        with session.begin_nested():
            session.add(municipality)
    except IntegrityError:  # the database decides: somebody else may be first, at the same moment
        raise MunicipalityExists(f"municipality {name!r} exists already") from None
    return municipality.id


def add_user(
    session: Session,
    *,
    login: str,
    name: str,
    password: str,
    municipality: str,
    roles: Collection[Role],
    at: datetime,
    is_demonstration: bool = False,
) -> uuid.UUID:
    """A new user with roles in one municipality (by name; it must exist). Takes about 0.13 s for the hash.

    Raises LoginInvalid, LoginTaken, UnknownMunicipality, NoRoles, and PasswordRefused of app.storage.passwords.
    """
    login, name = checked_login(login), _one_line(name)
    if not name:
        raise AccountError(f"user {login!r} needs a name, as colleagues will see it")
    municipality_id = _municipality_id(session, municipality)
    if session.exec(select(User.id).where(User.login == login)).first():
        raise LoginTaken(
            f"login {login!r} is taken; choose another, or give that account roles with: stappenplan user add-roles"
        )
    user = User(
        login=login,
        name=name,
        password_hash=hash_password(password, about=(login, name, municipality)),
        is_demonstration=is_demonstration,
        created_at=at,
    )
    session.add(user)
    session.flush()
    _give(session, user.id, municipality_id, roles, at)
    return user.id


def checked_login(login: str) -> str:
    """As stored.  Raises LoginInvalid."""
    wanted = normal_login(login)
    if not _could_be_login(wanted):
        raise LoginInvalid(
            f"login {wanted!r} can't be used: give 1 to {LOGIN_LENGTH_MAX} visible characters without spaces"
        )
    return wanted


def add_roles(
    session: Session, *, login: str, municipality: str, roles: Collection[Role], at: datetime
) -> tuple[uuid.UUID, uuid.UUID]:
    """Roles for an existing user in one (more) municipality; those already held stay. Gives the ids of both.

    Raises UnknownUser, UnknownMunicipality, NoRoles.
    """
    user_id, municipality_id = user_id_of(session, login), _municipality_id(session, municipality)
    _give(session, user_id, municipality_id, roles, at)
    renew_sessions(session, user_id, at=at)
    return user_id, municipality_id


def disable_user(session: Session, login: str, *, at: datetime) -> None:
    """Ends all sessions of the user, who can't sign in any more. Doing it twice keeps the first moment.

    Raises UnknownUser.
    """
    user_id = user_id_of(session, login)
    disabled = sa.update(User).where(col(User.id) == user_id, col(User.disabled_at).is_(None))
    session.execute(disabled.values(disabled_at=at))
    close_other_sessions(session, user_id, but=None)


def list_users(session: Session) -> list[UserLine]:
    """All users with their municipalities and roles, by login."""
    rows = session.exec(
        select(User, Membership.municipality_id, Municipality.name, Membership.role)
        .join(Membership, col(Membership.user_id) == col(User.id), isouter=True)
        .join(Municipality, col(Municipality.id) == col(Membership.municipality_id), isouter=True)
        .order_by(User.login, Municipality.name, col(Membership.municipality_id))
    )
    lines = []
    for user, group in groupby(rows, key=lambda row: row[0]):
        held = grouped([row[1:] for row in group])
        lines.append(UserLine(user.id, user.login, user.name, user.created_at, user.disabled_at, held))
    return lines


def _give(
    session: Session, user_id: uuid.UUID, municipality_id: uuid.UUID, roles: Collection[Role], at: datetime
) -> None:
    if not roles:
        raise NoRoles(f"give at least one role: {', '.join(Role)}")
    query = select(Membership.role).where(Membership.user_id == user_id, Membership.municipality_id == municipality_id)
    held = session.exec(query).all()
    for role in sorted(role for role in set(roles) if role.value not in held):
        session.add(Membership(user_id=user_id, municipality_id=municipality_id, role=role.value, created_at=at))
    session.flush()


def user_id_of(session: Session, login: str) -> uuid.UUID:
    """Raises UnknownUser."""
    found = session.exec(select(User.id).where(User.login == normal_login(login))).one_or_none()
    if found is None:
        raise UnknownUser(f"no user with login {normal_login(login)!r}")
    return found


def _municipality_id(session: Session, name: str) -> uuid.UUID:
    found = session.exec(select(Municipality.id).where(Municipality.name == _one_line(name))).one_or_none()
    if found is None:
        known = ", ".join(municipalities(session)) or "none yet"
        raise UnknownMunicipality(f"no municipality {name!r}; known: {known}")
    return found


def grouped(
    rows: Sequence[tuple[uuid.UUID | None, str | None, str | None]],
) -> tuple[MunicipalityRoles, ...]:
    """Rows of (municipality, its name, role), in order of municipality; empty ones come from an outer join."""
    held: dict[uuid.UUID, tuple[str, set[Role]]] = {}
    for municipality_id, name, role in rows:
        if municipality_id is not None and name is not None and role is not None:
            held.setdefault(municipality_id, (name, set()))[1].add(Role(role))
    return tuple(MunicipalityRoles(id, name, frozenset(roles)) for id, (name, roles) in held.items())


def _could_be_login(login: str) -> bool:
    """Also keeps characters away that PostgreSQL refuses, such as NUL."""
    return 0 < len(login) <= LOGIN_LENGTH_MAX and login.isprintable() and " " not in login


def _one_line(text: str) -> str:
    return " ".join(text.split())
