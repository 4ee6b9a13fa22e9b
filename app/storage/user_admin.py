"""What the administrator of a municipality does with the people who work for it.

Everything takes the municipality; somebody who does not work for it does not exist here. What concerns the account as
a whole (password, second factor, whether it is enabled) is only for accounts that work nowhere else: otherwise the
administrator of one municipality could get into another.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.policy import Role
from app.storage import accounts, open_sessions
from app.storage.marks import mark
from app.storage.provider_accounts import linked_of, roles_from_providers
from app.storage.tables import AuthenticatorApp, LoginSession, Membership, Municipality, Operator, PendingSignIn, User

LIST_MAX = 500  # people; a municipality with more searches


class UserNotFound(Exception):
    """Nobody with this id works for this municipality."""


class LastAdministrator(Exception):
    """After this nobody could administer the users of this municipality."""


class WorksElsewhere(Exception):
    """The account also works for another municipality, whose administrator has a say in it too."""


@dataclass(frozen=True, slots=True)
class Managed:
    id: uuid.UUID
    login: str
    name: str
    roles: frozenset[Role]
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    has_second_factor: bool
    works_elsewhere: bool
    providers: tuple[str, ...]  # keys of those that the account is linked to
    provider_roles: frozenset[Role]  # of `roles`, what those gave: nobody changes them here

    @property
    def is_of_provider(self) -> bool:
        """It came with an organisation, and has no password of its own."""
        return bool(self.providers) and not self.has_password

    @property
    def name_mark(self) -> str:
        return mark(self.name)

    @property
    def roles_mark(self) -> str:
        return mark(sorted(self.roles))

    @property
    def access_mark(self) -> str:
        """Whether this person gets in, and with what."""
        return mark([self.disabled_at is not None, self.has_second_factor, sorted(self.providers)])


def people(session: Session, municipality_id: uuid.UUID, *, search: str = "") -> list[Managed]:
    """By name; at most LIST_MAX."""
    query = _people(municipality_id).order_by(col(User.name), col(User.id)).limit(LIST_MAX * len(Role))
    if search:
        query = query.where(
            sa.or_(
                col(User.name).icontains(search, autoescape=True), col(User.login).icontains(search, autoescape=True)
            )
        )
    return _managed(session, query, municipality_id)[:LIST_MAX]


def person(session: Session, municipality_id: uuid.UUID, user_id: uuid.UUID) -> Managed:
    """Raises UserNotFound."""
    found = _managed(session, _people(municipality_id).where(col(User.id) == user_id), municipality_id)
    if not found:
        raise UserNotFound(user_id)
    return found[0]


def find_by_login(session: Session, municipality_id: uuid.UUID, login: str) -> uuid.UUID | None:
    """Of somebody who works for this municipality; whether the login exists elsewhere is nobody's business."""
    found = _people(municipality_id).where(col(User.login) == accounts.normal_login(login))
    row = session.execute(found.limit(1)).first()
    return row[0].id if row else None


def person_for_change(session: Session, municipality_id: uuid.UUID, user_id: uuid.UUID) -> Managed:
    """As `person`; other administrators of the municipality wait until this transaction ends, so that what was
    compared with a page stays true.  Raises UserNotFound."""
    lock(session, municipality_id)
    return person(session, municipality_id, user_id)


def add_person(
    session: Session, municipality_id: uuid.UUID, *, login: str, name: str, roles: Collection[Role], at: datetime
) -> uuid.UUID:
    """Without a password: a link sets it.  Raises LoginInvalid, LoginTaken."""
    login = accounts.checked_login(login)
    if session.exec(select(User.id).where(User.login == login)).first():
        raise accounts.LoginTaken(f"login {login!r} is taken")
    user = User(login=login, name=name, created_at=at)
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:  # somebody else was first, at the same moment
        raise accounts.LoginTaken(f"login {login!r} is taken") from None
    _give(session, user.id, municipality_id, roles, at)
    return user.id


def set_name(session: Session, user_id: uuid.UUID, name: str) -> None:
    session.execute(sa.update(User).where(col(User.id) == user_id).values(name=name))


def set_roles(
    session: Session, municipality_id: uuid.UUID, user_id: uuid.UUID, roles: Collection[Role], *, at: datetime
) -> None:
    """Counts at the next request of the user, whose sessions get a new id then. What a provider gave stays as it is.

    Raises LastAdministrator."""
    lock(session, municipality_id)
    fixed = roles_from_providers(session, municipality_id, [user_id]).get(user_id, frozenset())
    held = sa.delete(Membership).where(
        col(Membership.user_id) == user_id,
        col(Membership.municipality_id) == municipality_id,
        col(Membership.role).not_in([role.value for role in fixed]),
    )
    session.execute(held)
    _give(session, user_id, municipality_id, frozenset(roles) - fixed, at)
    _check_administrators(session, municipality_id)
    open_sessions.renew_sessions(session, user_id, at=at)


def disable(session: Session, municipality_id: uuid.UUID, user_id: uuid.UUID, *, at: datetime) -> None:
    """Out at the next request.  Raises LastAdministrator."""
    lock(session, municipality_id)
    user = sa.update(User).where(col(User.id) == user_id, col(User.disabled_at).is_(None))
    session.execute(user.values(disabled_at=at))
    _check_administrators(session, municipality_id)
    for table in (LoginSession, PendingSignIn):
        session.execute(sa.delete(table).where(col(table.user_id) == user_id))


def enable(session: Session, user_id: uuid.UUID) -> None:
    session.execute(sa.update(User).where(col(User.id) == user_id).values(disabled_at=None))


def _people(municipality_id: uuid.UUID) -> sa.Select[User, str]:
    """A row per role in this municipality."""
    return (
        sa.select(User, col(Membership.role))
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(col(Membership.municipality_id) == municipality_id)
    )


def _managed(session: Session, query: sa.Select[User, str], municipality_id: uuid.UUID) -> list[Managed]:
    rows = session.execute(query).all()
    ids = {row[0].id for row in rows}
    confirmed = select(AuthenticatorApp.user_id).where(col(AuthenticatorApp.confirmed_at).is_not(None))
    protected = set(session.exec(confirmed.where(col(AuthenticatorApp.user_id).in_(ids))))
    other = select(Membership.user_id).where(Membership.municipality_id != municipality_id)
    # An operator too: whoever sets the password of the account, is in for the whole installation.
    operators = select(Operator.user_id).where(col(Operator.user_id).in_(ids))
    elsewhere = set(session.exec(other.where(col(Membership.user_id).in_(ids)))) | set(session.exec(operators))
    linked = linked_of(session, ids)
    fixed = roles_from_providers(session, municipality_id, ids)
    return [
        Managed(
            id=user.id,
            login=user.login,
            name=user.name,
            roles=frozenset(Role(row[1]) for row in group),
            created_at=user.created_at,
            disabled_at=user.disabled_at,
            has_password=user.password_hash is not None,
            has_second_factor=user.id in protected,
            works_elsewhere=user.id in elsewhere,
            providers=tuple(each.provider for each in linked.get(user.id, [])),
            provider_roles=fixed.get(user.id, frozenset()),
        )
        for user, group in groupby(rows, key=lambda row: row[0])
    ]


def _give(
    session: Session, user_id: uuid.UUID, municipality_id: uuid.UUID, roles: Collection[Role], at: datetime
) -> None:
    session.add_all(
        Membership(user_id=user_id, municipality_id=municipality_id, role=role.value, created_at=at)
        for role in sorted(set(roles))
    )
    session.flush()


def lock(session: Session, municipality_id: uuid.UUID) -> None:
    """Two administrators who take each other's role at the same moment come one after the other. SQLite has one
    writer anyway. Who only refers to the municipality does not wait, and so never for somebody who waits in turn."""
    row = sa.select(col(Municipality.id)).where(col(Municipality.id) == municipality_id)
    session.execute(row.with_for_update(key_share=True))


def _check_administrators(session: Session, municipality_id: uuid.UUID) -> None:
    left = (
        select(Membership.user_id)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            Membership.municipality_id == municipality_id,
            Membership.role == Role.ADMINISTRATOR.value,
            col(User.disabled_at).is_(None),
        )
    )
    if session.exec(left).first() is None:
        raise LastAdministrator
