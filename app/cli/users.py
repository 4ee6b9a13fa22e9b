"""Accounts on the command line. Everything that changes one stands in the log of accounts, without a name behind it."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer
from sqlmodel import Session

from app.cli.common import database, fail, now, say, settings
from app.policy import Role
from app.storage import account_links, account_log, accounts, open_sessions, second_factors, user_admin
from app.storage.account_log import Act, Trace
from app.storage.accounts import AccountError
from app.storage.passwords import PasswordRefused

app = typer.Typer(help="Add, list and disable accounts, and give them roles.", no_args_is_help=True)


@app.command()
def add(
    login: Annotated[str, typer.Argument(help="Name to sign in with, for instance an e-mail address.")],
    name: Annotated[str, typer.Option(help="Name as colleagues see it.")],
    municipality: Annotated[str, typer.Option(help="Municipality; made when it does not exist and --create is given.")],
    role: Annotated[list[Role], typer.Option(help="Role in that municipality; may be given more than once.")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when not given.")
    ],
    create: Annotated[bool, typer.Option("--create", help="Make the municipality if it does not exist.")] = False,
) -> None:
    """Add an account with roles in a municipality."""
    with database() as opened, opened.write() as session:
        try:
            if create and municipality not in accounts.municipalities(session):
                accounts.add_municipality(session, municipality, at=now())
            user_id = accounts.add_user(
                session, login=login, name=name, password=password, municipality=municipality, roles=role, at=now()
            )
            _note(session, Act.USER_ADDED, user_id, roles=role)
        except (AccountError, PasswordRefused) as refused:
            raise fail(str(refused)) from None
    say(f"Added {login} to {municipality}")


@app.command()
def add_roles(
    login: Annotated[str, typer.Argument(help="Name that the account signs in with.")],
    municipality: Annotated[str, typer.Option(help="Municipality that the roles are for; it must exist.")],
    role: Annotated[list[Role], typer.Option(help="Role in that municipality; may be given more than once.")],
) -> None:
    """Give an account more roles, here or elsewhere.

    In the same municipality or another.
    """
    with database() as opened, opened.write() as session:
        try:
            user_id, place = accounts.add_roles(session, login=login, municipality=municipality, roles=role, at=now())
            _note(session, Act.ROLES_CHANGED, user_id, roles=role, only_in=place)
        except AccountError as refused:
            raise fail(str(refused)) from None
    say(f"{login} now has {', '.join(role)} in {municipality}")


@app.command(name="list")
def list_accounts() -> None:
    """List all accounts with their roles."""
    with database() as opened, opened.read() as session:
        for user in accounts.list_users(session):
            places = "; ".join(f"{m.municipality_name}: {', '.join(sorted(m.roles))}" for m in user.memberships)
            state = f"disabled {user.disabled_at:%Y-%m-%d}" if user.disabled_at else "enabled"
            say(f"{user.login}\t{user.name}\t{state}\t{places}")


@app.command()
def disable(login: Annotated[str, typer.Argument(help="Name that the account signs in with.")]) -> None:
    """Disable an account; its open sessions end at once."""
    with database() as opened, opened.write() as session:
        try:
            accounts.disable_user(session, login, at=now())
            _note(session, Act.USER_DISABLED, accounts.user_id_of(session, login))
        except AccountError as refused:
            raise fail(str(refused)) from None
    say(f"Disabled {login}")


@app.command()
def enable(login: Annotated[str, typer.Argument(help="Name that the account signs in with.")]) -> None:
    """Enable a disabled account again."""
    with database() as opened, opened.write() as session:
        user_id = _user_id(session, login)
        user_admin.enable(session, user_id)
        _note(session, Act.USER_ENABLED, user_id)
    say(f"Enabled {login}")


@app.command()
def link(login: Annotated[str, typer.Argument(help="Name that the account signs in with.")]) -> None:
    """Make a link to choose a password with.

    It works once, within three days.
    """
    with database() as opened, opened.write() as session:
        user_id = _user_id(session, login)
        token = account_links.make_link(session, user_id, made_by=None, at=now())
        _note(session, Act.LINK_MADE, user_id)
    say(f"{settings().public_url}/wachtwoord/{token}")


@app.command()
def reset_second_factor(login: Annotated[str, typer.Argument(help="Name that the account signs in with.")]) -> None:
    """Remove the second factors of an account.

    The app, recovery codes and passkeys; its open sessions end at once.
    """
    with database() as opened, opened.write() as session:
        user_id = _user_id(session, login)
        second_factors.remove_all(session, user_id)
        open_sessions.close_other_sessions(session, user_id, but=None)
        _note(session, Act.SECOND_FACTOR_RESET, user_id)
    say(f"Removed the second factor of {login}")


def _user_id(session: Session, login: str) -> uuid.UUID:
    try:
        return accounts.user_id_of(session, login)
    except AccountError as refused:
        raise fail(str(refused)) from None


def _note(
    session: Session,
    act: Act,
    about: uuid.UUID,
    *,
    roles: list[Role] | None = None,
    only_in: uuid.UUID | None = None,
) -> None:
    detail = {"roles": sorted(role.value for role in roles)} if roles else None
    trace = Trace(by=None, at=now(), address=None)
    account_log.note(session, act, about=about, trace=trace, municipality_id=only_in, detail=detail)
