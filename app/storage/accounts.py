"""Queries on municipalities, users, their roles, sessions and sign-in attempts; for the web and the command line.

Callers begin and end the transaction. None of these tables belongs to one municipality: they are what decides
in which municipality somebody may work.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.policy import LIMITED_ALWAYS, Role
from app.storage.answered_forms import Answered
from app.storage.auditor_limits import dutch_day
from app.storage.open_sessions import Via, close_other_sessions, columns_of, renew_sessions
from app.storage.passwords import hash_password
from app.storage.scope import Prepared
from app.storage.tables import (
    AnsweredForm,
    AuditorLimit,
    LoginAttempt,
    LoginSession,
    Membership,
    Municipality,
    Operator,
    User,
)

LOGIN_LENGTH_MAX: Final = 254  # characters, as an e-mail address (RFC 5321)
ATTEMPTS_KEPT: Final = timedelta(hours=24)  # the longest window in which they are counted
DEVICE_LENGTH_MAX: Final = 300  # characters of what a browser says of itself


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
class OtherTime:
    """A municipality of which somebody is an auditor, but not today, or that is closed."""

    municipality_name: str
    starts_on: date | None
    ends_on: date | None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """A session that is still valid, with its user. `memberships` are ordered by name of the municipality;
    `municipality_id` is the chosen one: None before a choice, and possibly one that the user lost since."""

    session_id: str
    user_id: uuid.UUID
    user_name: str
    csrf_token: str
    municipality_id: uuid.UUID | None
    seen_at: datetime
    memberships: tuple[MunicipalityRoles, ...]
    other_times: tuple[OtherTime, ...] = ()
    is_operator: bool = False
    is_renewal_due: bool = False  # the roles changed since the session got its id
    provider: str | None = None  # that opened it; then `memberships` holds one municipality at most
    answered: Answered | None = None  # what the form of this request got before


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


# --- sessions -----------------------------------------------------------------------------------------------------

_LOGIN_QUERY: Final[Any] = (
    sa.select(
        col(LoginSession.user_id),
        col(User.name),
        col(LoginSession.csrf_token),
        col(LoginSession.municipality_id),
        col(LoginSession.seen_at),
        col(LoginSession.renew_since),
        col(LoginSession.provider),
        col(Membership.municipality_id).label("member_of"),
        col(Municipality.name).label("municipality_name"),
        col(Membership.role),
        col(AuditorLimit.chosen_runs_only),
        col(AuditorLimit.starts_on),
        col(AuditorLimit.ends_on),
        col(Municipality.closed_at),
        col(Operator.added_at).label("operator_since"),
    )
    .join(User, col(User.id) == col(LoginSession.user_id))
    .outerjoin(
        Membership,
        sa.and_(
            col(Membership.user_id) == col(User.id),
            sa.or_(
                col(LoginSession.limited_to).is_(None),
                col(Membership.municipality_id) == col(LoginSession.limited_to),
            ),
        ),
    )
    .outerjoin(Municipality, col(Municipality.id) == col(Membership.municipality_id))
    .outerjoin(
        AuditorLimit,
        sa.and_(
            col(AuditorLimit.user_id) == col(Membership.user_id),
            col(AuditorLimit.municipality_id) == col(Membership.municipality_id),
            col(Membership.role) == Role.AUDITOR.value,
        ),
    )
    .outerjoin(
        Operator, sa.and_(col(Operator.user_id) == col(LoginSession.user_id), col(Operator.disabled_at).is_(None))
    )
    .where(
        col(LoginSession.id) == sa.bindparam("session_id"),
        col(LoginSession.expires_at) > sa.bindparam("at"),
        col(LoginSession.seen_at) > sa.bindparam("seen_after"),
        col(User.disabled_at).is_(None),
    )
    .order_by(col(Municipality.name), col(Membership.municipality_id))
)


_LOGIN: Final = Prepared(_LOGIN_QUERY)
# With the answer that a form of this user got before, for what the request that asks is about to do.
_OF_FORM: Final = sa.and_(
    col(AnsweredForm.user_id) == col(LoginSession.user_id), col(AnsweredForm.key) == sa.bindparam("form_key")
)
_ANSWER: Final[tuple[Any, ...]] = (AnsweredForm.content, AnsweredForm.address, AnsweredForm.notice)
_LOGIN_AND_ANSWER: Final = Prepared(_LOGIN_QUERY.add_columns(*_ANSWER).outerjoin(AnsweredForm, _OF_FORM))


def find_login(
    session: Session, session_id: str, *, at: datetime, seen_after: datetime, form_key: str | None = None
) -> OpenLogin | None:
    """The session with its user and roles, in one query; None if it has ended or its user is disabled.
    `form_key`: of a form that may have been answered before."""
    values = {"session_id": session_id, "at": at, "seen_after": seen_after}
    if form_key is None:
        rows = _LOGIN.run(session, values).all()
    else:
        rows = _LOGIN_AND_ANSWER.run(session, {**values, "form_key": form_key}).all()
    if not rows:
        return None
    first, today = rows[0], dutch_day(at)
    current = [row for row in rows if _is_within(row, today)]
    answered = None
    if form_key is not None and first.content is not None:
        answered = Answered(first.content, first.address, first.notice)
    return OpenLogin(
        session_id=session_id,
        user_id=first.user_id,
        user_name=first.name,
        csrf_token=first.csrf_token,
        municipality_id=first.municipality_id,
        seen_at=first.seen_at,
        memberships=tuple(_current_memberships(current)),
        other_times=tuple(
            OtherTime(r.municipality_name, r.starts_on, r.ends_on, is_closed=r.closed_at is not None)
            for r in rows
            if not _is_within(r, today)
        ),
        # A provider is believed about its own municipality; an operator is one for all of them.
        is_operator=first.operator_since is not None and first.provider is None,
        is_renewal_due=first.renew_since is not None,
        provider=first.provider,
        answered=answered,
    )


def _is_within(row: Any, today: date) -> bool:
    has_begun, has_ended = row.starts_on is None or row.starts_on <= today, row.ends_on and row.ends_on < today
    return has_begun and not has_ended and row.closed_at is None


def _current_memberships(rows: Sequence[Any]) -> Iterator[MunicipalityRoles]:
    """Rows of one login, in order of municipality: what counts today, and within what bounds."""
    limits = {row.member_of: row for row in rows if row.chosen_runs_only is not None}
    for each in _memberships([(row.member_of, row.municipality_name, row.role) for row in rows]):
        limit = limits.get(each.municipality_id)
        limited = each.roles & LIMITED_ALWAYS
        if limit is not None and limit.chosen_runs_only:
            limited |= {Role.AUDITOR}
        yield replace(each, limited=limited, auditor_until=limit.ends_on if limit is not None else None)


def open_session(
    session: Session,
    session_id: str,
    *,
    user_id: uuid.UUID,
    municipality_id: uuid.UUID | None,
    csrf_token: str,
    at: datetime,
    expires_at: datetime,
    address: str | None = None,
    device: str | None = None,
    via: Via | None = None,
) -> None:
    session.add(
        LoginSession(
            id=session_id,
            user_id=user_id,
            municipality_id=municipality_id,
            csrf_token=csrf_token,
            created_at=at,
            seen_at=at,
            expires_at=expires_at,
            address=address,
            device=device[:DEVICE_LENGTH_MAX].replace("\x00", "") if device else None,
            **columns_of(via),
        )
    )
    session.flush()


def touch_session(session: Session, session_id: str, *, at: datetime) -> None:
    session.execute(sa.update(LoginSession).where(col(LoginSession.id) == session_id).values(seen_at=at))


def close_session(session: Session, session_id: str) -> None:
    session.execute(sa.delete(LoginSession).where(col(LoginSession.id) == session_id))


def close_ended_sessions(session: Session, *, at: datetime, seen_before: datetime) -> None:
    """Remove rows of sessions that nobody can use any more."""
    ended = sa.or_(col(LoginSession.expires_at) <= at, col(LoginSession.seen_at) <= seen_before)
    session.execute(sa.delete(LoginSession).where(ended))


def choose_municipality(session: Session, session_id: str, municipality_id: uuid.UUID, *, at: datetime) -> None:
    """Other roles count there, so the session gets a new id, as when roles change."""
    chosen = sa.update(LoginSession).where(col(LoginSession.id) == session_id)
    session.execute(chosen.values(municipality_id=municipality_id, renew_since=at))


def last_municipality(session: Session, session_id: str, user_id: uuid.UUID) -> uuid.UUID | None:
    """Where this user worked in an earlier session of the same browser, also when that session has ended."""
    query = select(LoginSession.municipality_id).where(LoginSession.id == session_id, LoginSession.user_id == user_id)
    return session.exec(query).one_or_none()


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
    return _memberships(rows.all())


def renew_password_hash(session: Session, user_id: uuid.UUID, password_hash: str) -> None:
    session.execute(sa.update(User).where(col(User.id) == user_id).values(password_hash=password_hash))


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """At most so many failed attempts under `key` in `window`. One key may have several."""

    key: str
    most: int
    window: timedelta


def claim_attempt(
    session: Session, limits: Sequence[AttemptLimit], *, at: datetime
) -> tuple[list[uuid.UUID], datetime | None]:
    """Count a sign-in attempt under each key, unless one of the limits is reached.

    Gives the ids of the counted attempts, or no ids and the moment from which it can be tried again.
    The count precedes the check of the password, so that many attempts at once can't slip past the limit.
    """
    keys = list(dict.fromkeys(limit.key for limit in limits))
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer at a time; here two transactions could both count nine. Sorted: no deadlock.
        for lock in sorted(int(key[:15], 16) for key in keys):
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    forget_old_attempts(session, at=at)
    waits: list[datetime] = []
    for limit in limits:
        recent = select(LoginAttempt.at).where(LoginAttempt.key == limit.key, LoginAttempt.at > at - limit.window)
        times = session.exec(recent.order_by(col(LoginAttempt.at).desc()).limit(limit.most)).all()
        if len(times) == limit.most:
            waits.append(times[-1] + limit.window)
    if waits:
        return [], max(waits)
    attempts = [LoginAttempt(key=key, at=at) for key in keys]
    ids = [attempt.id for attempt in attempts]
    session.add_all(attempts)
    session.flush()
    return ids, None


def forget_old_attempts(session: Session, *, at: datetime) -> None:
    session.execute(sa.delete(LoginAttempt).where(col(LoginAttempt.at) <= at - ATTEMPTS_KEPT))


def forget_attempt(session: Session, ids: Sequence[uuid.UUID]) -> None:
    """It succeeded, so it does not count."""
    session.execute(sa.delete(LoginAttempt).where(col(LoginAttempt.id).in_(ids)))


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
        held = _memberships([row[1:] for row in group])
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


def _memberships(
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
