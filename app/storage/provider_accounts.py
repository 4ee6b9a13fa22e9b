"""Accounts as providers know them (OpenID Connect), and the roles that come from there.

An account is found by issuer and subject together. Never by an e-mail address: whoever could make a provider say one
would have the account behind it. Callers begin and end the transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.policy import Role
from app.storage.accounts import LOGIN_LENGTH_MAX, LoginTaken
from app.storage.open_sessions import close_sessions_via, renew_sessions
from app.storage.tables import Membership, Municipality, ProviderAccount, ProviderRole, User


class AlreadyLinked(Exception):
    """This person at the provider belongs to another account here, or the account to another person there."""


@dataclass(frozen=True, slots=True)
class Linked:
    """`provider`: its key in the settings. It gave the link; others that share its issuer open the account too."""

    provider: str
    issuer: str
    subject: str
    made_account: bool
    linked_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    user_id: uuid.UUID
    is_disabled: bool


def find_known(session: Session, issuer: str, subject: str) -> Known | None:
    """Nobody ends the link before the transaction does; one that is being ended is waited for, and not found."""
    query = select(User.id, User.disabled_at).join(ProviderAccount, col(ProviderAccount.user_id) == col(User.id))
    query = query.where(ProviderAccount.issuer == issuer, ProviderAccount.subject == subject)
    row = session.exec(query.with_for_update(of=ProviderAccount)).one_or_none()
    return Known(row[0], row[1] is not None) if row else None


def linked_of(session: Session, user_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Linked]]:
    """Per user, the oldest link first."""
    query = select(ProviderAccount).where(col(ProviderAccount.user_id).in_(user_ids))
    found: dict[uuid.UUID, list[Linked]] = {}
    for row in session.exec(query.order_by(col(ProviderAccount.linked_at), col(ProviderAccount.subject))):
        linked = Linked(row.provider, row.issuer, row.subject, row.made_account, row.linked_at, row.seen_at)
        found.setdefault(row.user_id, []).append(linked)
    return found


def municipality_called(session: Session, id_or_name: str) -> uuid.UUID | None:
    """As the settings call it."""
    try:
        called = Municipality.id == uuid.UUID(id_or_name)
    except ValueError:
        called = Municipality.name == " ".join(id_or_name.split())
    return session.exec(select(Municipality.id).where(called)).one_or_none()


def was_seen(session: Session, issuer: str, subject: str, *, at: datetime) -> None:
    theirs = sa.update(ProviderAccount).where(
        col(ProviderAccount.issuer) == issuer, col(ProviderAccount.subject) == subject
    )
    session.execute(theirs.values(seen_at=at))


def make_account(
    session: Session, *, issuer: str, subject: str, provider: str, login: str, name: str, at: datetime
) -> uuid.UUID:
    """A new account without a password, at the first sign-in. Of two such sign-ins at once the second finds the account
    of the first.  Raises LoginTaken: there is an account with this login, which is not linked by itself."""
    user = User(login=login[:LOGIN_LENGTH_MAX], name=name, created_at=at)
    try:
        with session.begin_nested():
            session.add(user)
            session.flush()
            session.add(_row(issuer, subject, user.id, provider, at, made_account=True))
    except IntegrityError:
        known = find_known(session, issuer, subject)
        if known is None:
            raise LoginTaken(login) from None
        return known.user_id
    return user.id


def link(session: Session, user_id: uuid.UUID, *, issuer: str, subject: str, provider: str, at: datetime) -> None:
    """Raises AlreadyLinked."""
    earlier = select(ProviderAccount.subject).where(
        ProviderAccount.user_id == user_id, ProviderAccount.provider == provider
    )
    if session.exec(earlier).first() is not None:
        raise AlreadyLinked
    try:
        with session.begin_nested():
            session.add(_row(issuer, subject, user_id, provider, at, made_account=False))
    except IntegrityError:
        raise AlreadyLinked from None


def unlink(session: Session, user_id: uuid.UUID, provider: str, *, siblings: Collection[str], at: datetime) -> bool:
    """Also ends the roles that were said of this person there, by whichever provider, and the sessions that it opened.
    `siblings`: providers with the same issuer, `provider` among them. Whether there was a link."""
    chosen = (col(ProviderAccount.user_id) == user_id, col(ProviderAccount.provider) == provider)
    links = session.exec(select(ProviderAccount.issuer, ProviderAccount.subject).where(*chosen).with_for_update()).all()
    if not links:
        return False
    _lock(session, user_id)
    for issuer, subject in links:
        _end_roles(session, user_id, issuer, subject, at=at)
    session.execute(sa.delete(ProviderAccount).where(*chosen))
    close_sessions_via(session, siblings, user_id=user_id)
    return True


def _row(
    issuer: str, subject: str, user_id: uuid.UUID, provider: str, at: datetime, *, made_account: bool
) -> ProviderAccount:
    return ProviderAccount(
        issuer=issuer,
        subject=subject,
        user_id=user_id,
        provider=provider,
        made_account=made_account,
        linked_at=at,
        seen_at=at,
    )


# --- roles --------------------------------------------------------------------------------------------------------


def roles_held(session: Session, user_id: uuid.UUID, municipality_id: uuid.UUID) -> frozenset[Role]:
    query = select(Membership.role).where(Membership.user_id == user_id, Membership.municipality_id == municipality_id)
    return frozenset(Role(role) for role in session.exec(query))


def roles_from_providers(
    session: Session, municipality_id: uuid.UUID, user_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, frozenset[Role]]:
    """What nobody changes here, since the next sign-in would change it back."""
    query = select(ProviderRole.user_id, ProviderRole.role).where(
        ProviderRole.municipality_id == municipality_id, col(ProviderRole.user_id).in_(user_ids)
    )
    found: dict[uuid.UUID, frozenset[Role]] = {}
    for user_id, role in session.exec(query):
        found[user_id] = found.get(user_id, frozenset()) | {Role(role)}
    return found


@dataclass(frozen=True, slots=True)
class SaidBy:
    """A provider, and of which person there it said something: what it says of another one stands apart, also when
    both are linked to one account here."""

    provider: str
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class RolesFromProvider:
    """What a provider says of one person in one municipality, beside what was there. A role that was given here stays,
    whatever it says; what it gave earlier goes when it does not say so any more."""

    user_id: uuid.UUID
    municipality_id: uuid.UUID
    said_by: SaidBy
    before: frozenset[Role]
    after: frozenset[Role]
    given: frozenset[Role]  # of `after`, by this provider


def compare_roles(
    session: Session, user_id: uuid.UUID, municipality_id: uuid.UUID, roles: Iterable[Role], *, said_by: SaidBy
) -> RolesFromProvider:
    """Changes nothing; nobody else changes them either until the transaction ends."""
    _lock(session, user_id)
    columns = (ProviderRole.role, ProviderRole.provider, ProviderRole.issuer, ProviderRole.subject)
    query = select(*columns).where(ProviderRole.user_id == user_id, ProviderRole.municipality_id == municipality_id)
    said = [(Role(role), SaidBy(*who)) for role, *who in session.exec(query)]
    before = roles_held(session, user_id, municipality_id)
    local = before - {role for role, _ in said}
    given = frozenset(roles) - local
    others = {role for role, who in said if who != said_by}
    return RolesFromProvider(user_id, municipality_id, said_by, before, local | given | others, given)


def take_roles(session: Session, change: RolesFromProvider, *, at: datetime) -> None:
    """Open sessions get a new id when roles differ."""
    ids: dict[str, Any] = {"user_id": change.user_id, "municipality_id": change.municipality_id}
    said_by = asdict(change.said_by)
    gone = [role.value for role in change.before - change.after]
    session.execute(sa.delete(ProviderRole).filter_by(**ids, **said_by))
    session.execute(sa.delete(Membership).filter_by(**ids).where(col(Membership.role).in_(gone)))
    new = sorted(change.after - change.before)
    session.add_all(ProviderRole(**ids, **said_by, role=role.value) for role in sorted(change.given))
    session.add_all(Membership(**ids, role=role.value, created_at=at) for role in new)
    session.flush()
    if change.before != change.after:
        renew_sessions(session, change.user_id, at=at)


def _end_roles(session: Session, user_id: uuid.UUID, issuer: str, subject: str, *, at: datetime) -> None:
    """Those that nobody else said, and that were not given here."""
    theirs: Any = (ProviderRole.municipality_id, ProviderRole.role)
    said = set(session.exec(select(*theirs).where(ProviderRole.issuer == issuer, ProviderRole.subject == subject)))
    session.execute(sa.delete(ProviderRole).filter_by(issuer=issuer, subject=subject))
    left = set(session.exec(select(*theirs).where(ProviderRole.user_id == user_id)))
    for municipality_id, role in said - left:
        ended = {"user_id": user_id, "municipality_id": municipality_id, "role": role}
        session.execute(sa.delete(Membership).filter_by(**ended))
    if said - left:
        renew_sessions(session, user_id, at=at)


def _lock(session: Session, user_id: uuid.UUID) -> None:
    """Two sign-ins of one person at once: the second waits here, and then sees what the first did."""
    session.execute(sa.select(col(User.id)).where(col(User.id) == user_id).with_for_update())
