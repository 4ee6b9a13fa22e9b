"""The log of accounts: who did what about whom, when and from where. Written here and nowhere else.

An event is told to every municipality that the account works for, in a row of its own: reading is limited to one
municipality like everything else (app/storage/scope.py). Ids and roles only, so that names can be erased.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlmodel import Session, col, select

from app.storage.straight import Straight
from app.storage.tables import AccountEvent, Membership, User

log = structlog.get_logger(__name__)


@unique
class Act(StrEnum):
    SIGNED_IN = "signed_in"
    SIGNED_IN_WITH_PASSKEY = "signed_in_with_passkey"
    SIGNED_IN_WITH_PROVIDER = "signed_in_with_provider"
    PROVIDER_SIGN_IN_REFUSED = "provider_sign_in_refused"
    SESSIONS_ENDED_BY_PROVIDER = "sessions_ended_by_provider"
    USER_ADDED_BY_PROVIDER = "user_added_by_provider"
    ROLES_CHANGED_BY_PROVIDER = "roles_changed_by_provider"
    PROVIDER_LINKED = "provider_linked"
    PROVIDER_UNLINKED = "provider_unlinked"
    SIGN_IN_REFUSED = "sign_in_refused"
    CODE_REFUSED = "code_refused"
    RECOVERY_CODE_USED = "recovery_code_used"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # what happened
    PASSWORD_SET_BY_LINK = "password_set_by_link"  # noqa: S105
    LINK_MADE = "link_made"
    USER_ADDED = "user_added"
    NAME_CHANGED = "name_changed"
    ROLES_CHANGED = "roles_changed"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    SECOND_FACTOR_LOCKED = "second_factor_locked"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    ACCOUNTS_CONNECTED = "accounts_connected"
    ACCOUNTS_DISCONNECTED = "accounts_disconnected"
    MANDATE_RECORDED = "mandate_recorded"
    MANDATE_WITHDRAWN = "mandate_withdrawn"
    MANDATE_USED = "mandate_used"
    AUDITOR_LIMITED = "auditor_limited"
    # By operators of the installation; migrations/versions/0016_operators.py knows the first four.
    MUNICIPALITY_ADDED = "municipality_added"
    MUNICIPALITY_RENAMED = "municipality_renamed"
    MUNICIPALITY_CLOSED = "municipality_closed"
    MUNICIPALITY_REOPENED = "municipality_reopened"
    ADMINISTRATOR_INVITED = "administrator_invited"
    # Sensitive content that an auditor saw; `detail` says which (app/web/read_log.py).
    READ_REPORT = "read_report"
    TOOK_REPORT = "took_report"
    READ_EVIDENCE = "read_evidence"
    TOOK_EVIDENCE = "took_evidence"
    READ_ADVICE = "read_advice"
    READ_HISTORY = "read_history"
    TOOK_HISTORY = "took_history"
    PERSONAL_DATA_TAKEN = "personal_data_taken"
    ERASURE_ASKED = "erasure_asked"
    ERASURE_DECLINED = "erasure_declined"
    PERSONAL_DATA_ERASED = "personal_data_erased"
    ACCOUNT_ERASED = "account_erased"


@dataclass(frozen=True, slots=True)
class Trace:
    """Who acts, when and from where. `by` is None for whoever is not signed in yet, and for the command line."""

    by: uuid.UUID | None
    at: datetime
    address: str | None


@dataclass(frozen=True, slots=True)
class ToldEvent:
    act: Act
    about: str
    by: str | None
    at: datetime
    place: str
    detail: Mapping[str, Any]


_INSERT: Final = Straight(sa.insert(AccountEvent), check=lambda sql: None)


def note(
    session: Session,
    act: Act,
    *,
    about: uuid.UUID,
    trace: Trace,
    municipality_id: uuid.UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """`municipality_id`: the only one that this concerns, for roles in it; without it all that `about` works for."""
    if structlog.is_configured():  # the command line has an output of its own
        log.info("account_event", act=act.value, about=str(about), by=str(trace.by) if trace.by else None)
    where = [municipality_id] if municipality_id else _municipalities_of(session, about)
    rows = [
        {
            "id": uuid.uuid4(),
            "municipality_id": each,
            "act": act.value,
            "about": about,
            "by": trace.by,
            "at": trace.at,
            "place": shortened(trace.address),
            "detail": dict(detail) if detail else None,
        }
        for each in where
    ]
    if rows:
        # Below the limit to one municipality, on purpose: before signing in there is none, and it may be several.
        session.flush()
        _INSERT.run(session.connection(), rows)


def _municipalities_of(session: Session, user_id: uuid.UUID) -> Sequence[uuid.UUID]:
    query = select(Membership.municipality_id).where(Membership.user_id == user_id).distinct()
    return session.exec(query.order_by(col(Membership.municipality_id))).all()


def shortened(address: str | None) -> str:
    """Enough to recognise a place, not a household: the first three numbers of IPv4, /48 of IPv6. Empty if unknown."""
    try:
        ip = ipaddress.ip_address((address or "").split("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return f"{ipaddress.ip_network((int(ip), 48), strict=False).network_address}/48"
        ip = ip.ipv4_mapped
    return f"{str(ip).rpartition('.')[0]}.*"


def events(
    session: Session, *, since: datetime, acts: Collection[Act], about: uuid.UUID | None, limit: int, offset: int
) -> tuple[list[ToldEvent], int]:
    """Newest first, of the municipality of the session, and how many there are. No `acts` means all of them."""
    chosen = [col(AccountEvent.at) >= since]
    if acts:
        chosen.append(col(AccountEvent.act).in_([act.value for act in acts]))
    if about is not None:
        chosen.append(sa.or_(col(AccountEvent.about) == about, col(AccountEvent.by) == about))
    query = select(AccountEvent).where(*chosen).order_by(col(AccountEvent.at).desc(), col(AccountEvent.id))
    rows = session.exec(query.limit(limit).offset(offset)).all()
    names = _names(session, {id for row in rows for id in (row.about, row.by) if id})
    found = [
        ToldEvent(
            act=Act(row.act),
            about=names[row.about],
            by=names[row.by] if row.by else None,
            at=row.at,
            place=row.place,
            detail=row.detail or {},
        )
        for row in rows
    ]
    count = session.execute(sa.select(sa.func.count()).select_from(AccountEvent).where(*chosen)).scalar_one()
    return found, count


def _names(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(session.exec(select(User.id, User.name).where(col(User.id).in_(ids))).all())
