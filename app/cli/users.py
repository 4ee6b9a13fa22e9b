"""Accounts on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.common import database, fail, now, say
from app.policy import Role
from app.storage import accounts
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
    """Add an account with one or more roles in a municipality."""
    with database() as opened, opened.write() as session:
        try:
            if create and municipality not in accounts.municipalities(session):
                accounts.add_municipality(session, municipality, at=now())
            accounts.add_user(
                session, login=login, name=name, password=password, municipality=municipality, roles=role, at=now()
            )
        except (AccountError, PasswordRefused) as refused:
            raise fail(str(refused)) from None
    say(f"Added {login} to {municipality}")


@app.command()
def add_roles(
    login: Annotated[str, typer.Argument(help="Name that the account signs in with.")],
    municipality: Annotated[str, typer.Option(help="Municipality that the roles are for; it must exist.")],
    role: Annotated[list[Role], typer.Option(help="Role in that municipality; may be given more than once.")],
) -> None:
    """Give an account more roles, in the same municipality or another."""
    with database() as opened, opened.write() as session:
        try:
            accounts.add_roles(session, login=login, municipality=municipality, roles=role, at=now())
        except AccountError as refused:
            raise fail(str(refused)) from None
    say(f"{login} now has {', '.join(role)} in {municipality}")


@app.command(name="list")
def list_accounts() -> None:
    """List all accounts with their municipalities and roles."""
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
        except AccountError as refused:
            raise fail(str(refused)) from None
    say(f"Disabled {login}")
