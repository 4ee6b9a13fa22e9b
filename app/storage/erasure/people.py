"""An account that goes: who somebody was, and everything with which they got in. What they did stays, under the id."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.policy import Role
from app.storage.attempt_keys import keys_of
from app.storage.tables import (
    AccountEvent,
    AccountLink,
    AnsweredForm,
    AuditorLimit,
    AuthenticatorApp,
    LoginAttempt,
    LoginSession,
    Membership,
    Operator,
    Passkey,
    PendingSignIn,
    ProviderAccount,
    ProviderFlow,
    ProviderRole,
    RecoveryCode,
    RunMember,
    RunRow,
    User,
)

# Rows that go, by the column that names the user. A test compares this and STAYS with all foreign keys.
GOES: Final[tuple[Any, ...]] = (
    col(LoginSession.user_id),
    col(PendingSignIn.user_id),
    col(AuthenticatorApp.user_id),
    col(RecoveryCode.user_id),
    col(Passkey.user_id),
    col(AccountLink.user_id),
    col(Membership.user_id),
    col(AuditorLimit.user_id),
    col(ProviderRole.user_id),
    col(ProviderAccount.user_id),  # after the roles that hang on it
    col(ProviderFlow.user_id),
    col(AnsweredForm.user_id),
)
# The history keeps the id: who did something is told from who did something else.
STAYS: Final[frozenset[str]] = frozenset(
    {
        "account_event.about",
        "account_event.by",
        "account_link.made_by",
        "answer.saved_by",
        "erasure.asked_by",
        "erasure.decided_by",
        "evidence.added_by",
        "evidence.withdrawn_by",
        "local_plan.released_by",
        "local_plan.retired_by",
        "local_plan.uploaded_by",
        "mass_move.started_by",
        "mass_move.stopped_by",
        "mandate.deputy_id",
        "mandate.mandator_id",
        "mandate.recorded_by",
        "mandate.withdrawn_by",
        "open_point.owner_id",
        "operator.user_id",
        "run.manager_id",
        "run_access.user_id",
        "run.started_by",
        "run_event.by",
        "run_member.user_id",
        "run_text.written_by",
        "same_person.ended_by",
        "same_person.one",
        "same_person.other",
        "same_person.recorded_by",
    }
)


class AccountNotFound(Exception):
    """Nobody with this id works or worked for this municipality, and for no other."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is held about one account. `runs`: those that it leads or works on now, with their names."""

    id: str
    login: str
    name: str
    created_at: datetime
    roles: tuple[str, ...]
    sessions: int
    passkeys: int
    has_password: bool
    has_second_factor: bool
    runs: tuple[tuple[str, str], ...]
    is_erased: bool


def name_of_erased(id: uuid.UUID) -> str:
    return f"een voormalig medewerker ({id.hex[:8]})"


def _login_of_erased(id: uuid.UUID) -> str:
    return f"gewist-{id}"


def find_account(session: Session, user_id: str) -> Account:
    """Of whoever works for this municipality, or did and works nowhere now.  Raises AccountNotFound."""
    try:
        key = uuid.UUID(user_id)
    except ValueError:
        raise AccountNotFound(user_id) from None
    user = session.execute(sa.select(*_USER).where(col(User.id) == key)).one_or_none()
    here: uuid.UUID = session.info["municipality_id"]
    held = session.exec(select(Membership.municipality_id, Membership.role).where(Membership.user_id == key)).all()
    # An operator too: the account counts for the whole installation.
    is_elsewhere = any(municipality != here for municipality, _ in held) or session.get(Operator, key) is not None
    is_known = bool(held) or session.exec(select(AccountEvent.id).where(AccountEvent.about == key).limit(1)).first()
    if user is None or is_elsewhere or not is_known:
        raise AccountNotFound(user_id)
    return Account(
        id=str(key),
        login=user.login,
        name=user.name,
        created_at=user.created_at,
        roles=tuple(sorted(role for _, role in held)),
        sessions=_count(session, LoginSession, key),
        passkeys=_count(session, Passkey, key),
        has_password=user.password_hash is not None,
        has_second_factor=_count(session, AuthenticatorApp, key) > 0,
        runs=_runs(session, key),
        is_erased=user.login == _login_of_erased(key),
    )


_USER: tuple[Any, ...] = (User.login, User.name, User.created_at, User.password_hash)


def _count(session: Session, table: Any, user_id: uuid.UUID) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(col(table.user_id) == user_id)
    return int(session.execute(query).scalar_one())


def _runs(session: Session, user_id: uuid.UUID) -> tuple[tuple[str, str], ...]:
    member = sa.select(col(RunMember.run_id)).where(col(RunMember.user_id) == user_id)
    columns: tuple[Any, ...] = (RunRow.id, RunRow.name)
    query = sa.select(*columns).where((col(RunRow.manager_id) == user_id) | col(RunRow.id).in_(member))
    return tuple((str(id), name) for id, name in session.execute(query.order_by(col(RunRow.name))))


def others_administer(session: Session, user_id: str) -> bool:
    """Whether the municipality has an administrator without this account."""
    others = (
        select(Membership.user_id)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            Membership.municipality_id == session.info["municipality_id"],
            Membership.role == Role.ADMINISTRATOR.value,
            col(User.disabled_at).is_(None),
            col(User.id) != uuid.UUID(user_id),
        )
    )
    return session.exec(others.limit(1)).first() is not None


def is_known(session: Session, user_id: uuid.UUID) -> bool:
    """An older backup may not know an account yet."""
    return session.exec(select(User.id).where(User.id == user_id)).first() is not None


def erase_account(session: Session, user_id: str, *, at: datetime) -> None:
    """Nobody can get in with it any more. Nothing happens where it is gone already."""
    key = uuid.UUID(user_id)
    _forget_attempts(session, key)  # first: what they are counted under is still known
    for column in GOES:
        session.execute(sa.delete(column.class_).where(column == key).execution_options(synchronize_session=False))
    values: dict[str, Any] = {
        "name": name_of_erased(key),
        "login": _login_of_erased(key),
        "password_hash": None,
        "language": "nl",
    }
    session.execute(sa.update(User).where(col(User.id) == key).values(**values, disabled_at=at))


def _forget_attempts(session: Session, user_id: uuid.UUID) -> None:
    """A hash of a login is found again by whoever tries logins."""
    login = session.exec(select(User.login).where(User.id == user_id)).first()
    passkeys = session.exec(select(Passkey.credential_id).where(Passkey.user_id == user_id)).all()
    keys = list(keys_of(user_id, login=login or "", passkeys=passkeys))
    gone = sa.delete(LoginAttempt).where(col(LoginAttempt.key).in_(keys))
    session.execute(gone.execution_options(synchronize_session=False))


def ensure_users(session: Session, ids: set[str], *, at: datetime) -> None:
    """Accounts that an older backup does not know yet: what they decided stays theirs, and nobody gets in."""
    keys = {uuid.UUID(id) for id in ids}
    known = set(session.exec(select(User.id).where(col(User.id).in_(keys))))
    for key in sorted(keys - known):
        session.add(User(id=key, login=_login_of_erased(key), name=name_of_erased(key), created_at=at, disabled_at=at))
    session.flush()
