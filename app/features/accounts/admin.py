"""What an administrator does about a user: the rules around it, and the line in the log."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from sqlmodel import Session

from app.features.accounts import provider_links
from app.features.accounts.service import Visit
from app.openid.client import ProviderClient
from app.policy import Role
from app.storage import account_links, account_log, open_sessions, people, second_factors, user_admin
from app.storage.account_log import Act
from app.storage.user_admin import Managed, WorksElsewhere
from app.web.identity import Caller


class OwnAccount(Exception):
    """An administrator does not do this to the own account: another administrator looks along."""


class NoRolesLeft(Exception):
    """Somebody without a role here is nobody here; whoever should not get in is disabled."""


class HasNoPassword(Exception):
    """The account came with an organisation, which also keeps the password."""


def add(session: Session, caller: Caller, *, login: str, name: str, roles: Collection[Role], visit: Visit) -> uuid.UUID:
    """Raises LoginInvalid, LoginTaken."""
    here = caller.municipality_id
    user_id = user_admin.add_person(session, here, login=login, name=name, roles=roles, at=visit.at)
    _note(session, Act.USER_ADDED, user_id, caller, visit, roles=sorted(roles))
    return user_id


def make_link(session: Session, caller: Caller, user: Managed, visit: Visit) -> str:
    """The token of a link to set a password.  Raises WorksElsewhere, HasNoPassword."""
    _must_be_ours(user)
    if user.is_of_provider:
        raise HasNoPassword
    by = uuid.UUID(caller.user_id)
    token = account_links.make_link(session, user.id, made_by=by, at=visit.at)
    _note(session, Act.LINK_MADE, user.id, caller, visit)
    return token


def rename(session: Session, caller: Caller, user: Managed, name: str, visit: Visit) -> None:
    """Raises WorksElsewhere."""
    _must_be_ours(user)
    if name != user.name:
        user_admin.set_name(session, user.id, name)
        _note(session, Act.NAME_CHANGED, user.id, caller, visit)


def change_roles(session: Session, caller: Caller, user: Managed, roles: Collection[Role], visit: Visit) -> None:
    """Raises OwnAccount, NoRolesLeft, LastAdministrator."""
    _must_be_another(caller, user)
    roles = frozenset(roles) | user.provider_roles
    if not roles and not user.works_elsewhere:
        raise NoRolesLeft
    if frozenset(roles) == user.roles:
        return
    # Noted first: afterwards somebody without a role here would not belong to this municipality any more.
    _note(session, Act.ROLES_CHANGED, user.id, caller, visit, before=sorted(user.roles), roles=sorted(roles))
    user_admin.set_roles(session, caller.municipality_id, user.id, roles, at=visit.at)


def disable(session: Session, caller: Caller, user: Managed, visit: Visit) -> None:
    """Raises OwnAccount, WorksElsewhere, LastAdministrator."""
    _must_be_another(caller, user)
    _must_be_ours(user)
    if user.disabled_at is None:
        user_admin.disable(session, caller.municipality_id, user.id, at=visit.at)
        _note(session, Act.USER_DISABLED, user.id, caller, visit)


def enable(session: Session, caller: Caller, user: Managed, visit: Visit) -> None:
    """Raises WorksElsewhere."""
    _must_be_ours(user)
    if user.disabled_at is not None:
        user_admin.enable(session, user.id)
        _note(session, Act.USER_ENABLED, user.id, caller, visit)


def reset_second_factor(session: Session, caller: Caller, user: Managed, visit: Visit) -> None:
    """Open sessions end too: whoever has the lost telephone may also have a session.  Raises OwnAccount,
    WorksElsewhere."""
    _must_be_another(caller, user)
    _must_be_ours(user)
    second_factors.remove_all(session, user.id)
    open_sessions.close_other_sessions(session, user.id, but=None)
    _note(session, Act.SECOND_FACTOR_RESET, user.id, caller, visit)


def unlink(
    session: Session,
    caller: Caller,
    user: Managed,
    provider: str,
    clients: Mapping[str, ProviderClient],
    visit: Visit,
) -> bool:
    """Whether it was linked.  Raises OwnAccount, WorksElsewhere."""
    _must_be_another(caller, user)
    _must_be_ours(user)
    return provider_links.unlink(session, user.id, provider, clients, visit, by=uuid.UUID(caller.user_id))


class NobodyHere(Exception):
    """No account with this login name works for this municipality."""


def connect(session: Session, caller: Caller, user: Managed, login: str, visit: Visit) -> None:
    """Both accounts belong to one person.  Raises NobodyHere."""
    other = user_admin.find_by_login(session, caller.municipality_id, login)
    if other is None or other == user.id:
        raise NobodyHere
    here, by = caller.municipality_id, uuid.UUID(caller.user_id)
    if people.connect(session, user.id, other, municipality_id=here, by=by, at=visit.at):
        _note_both(session, Act.ACCOUNTS_CONNECTED, user.id, other, caller, visit)


def disconnect(session: Session, caller: Caller, user: Managed, other: uuid.UUID, visit: Visit) -> None:
    """Nobody makes two people of oneself: that would be the way around four eyes.  Raises OwnAccount, UserNotFound."""
    user_admin.person(session, caller.municipality_id, other)
    if people.persons_of(session, [caller.user_id, str(user.id), str(other)]).is_among(
        caller.user_id, [str(user.id), str(other)]
    ):
        raise OwnAccount
    here, by = caller.municipality_id, uuid.UUID(caller.user_id)
    if people.disconnect(session, user.id, other, municipality_id=here, by=by, at=visit.at):
        _note_both(session, Act.ACCOUNTS_DISCONNECTED, user.id, other, caller, visit)


def _note_both(session: Session, act: Act, one: uuid.UUID, other: uuid.UUID, caller: Caller, visit: Visit) -> None:
    """Told about each, so that whoever looks at one of them finds it; only here, where both are known."""
    trace = visit.trace(uuid.UUID(caller.user_id))
    for about, with_whom in ((one, other), (other, one)):
        account_log.note(
            session,
            act,
            about=about,
            trace=trace,
            municipality_id=caller.municipality_id,
            detail={"other": str(with_whom)},
        )


def _must_be_ours(user: Managed) -> None:
    if user.works_elsewhere:
        raise WorksElsewhere


def _must_be_another(caller: Caller, user: Managed) -> None:
    if caller.user_id == str(user.id):
        raise OwnAccount


def _note(
    session: Session, act: Act, about: uuid.UUID, caller: Caller, visit: Visit, **detail: Collection[str]
) -> None:
    trace = visit.trace(uuid.UUID(caller.user_id))
    told = {name: [str(value) for value in values] for name, values in detail.items()}
    account_log.note(
        session, act, about=about, trace=trace, municipality_id=caller.municipality_id, detail=told or None
    )
