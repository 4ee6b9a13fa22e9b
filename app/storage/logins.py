"""Who is asking: the session of a request with its user and roles, from opening it until it ends.

Callers begin and end the transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.policy import LIMITED_ALWAYS, Role
from app.storage.accounts import MunicipalityRoles, grouped
from app.storage.answered_forms import Answered
from app.storage.auditor_limits import dutch_day
from app.storage.open_sessions import Via, columns_of
from app.storage.scope import Prepared
from app.storage.tables import (
    AnsweredForm,
    AuditorLimit,
    LoginSession,
    Membership,
    Municipality,
    Operator,
    User,
)

DEVICE_LENGTH_MAX: Final = 300  # characters of what a browser says of itself


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
    for each in grouped([(row.member_of, row.municipality_name, row.role) for row in rows]):
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
