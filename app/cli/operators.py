"""Operators of the installation on the command line: the only way to become one."""

from __future__ import annotations

from typing import Annotated

import structlog
import typer

from app.cli.common import complain, database, fail, now, say, settings
from app.storage import account_links, account_log, installation
from app.storage.account_log import Act, Trace
from app.storage.accounts import AccountError
from app.storage.scope import unscoped

app = typer.Typer(
    help="Add, list and disable operators of this installation.",
    no_args_is_help=True,
)
log = structlog.get_logger(__name__)
WHY = "operators belong to no municipality"

Login = Annotated[str, typer.Argument(help="Name to sign in with, for instance an e-mail address.")]


@app.command()
def add(
    login: Login,
    name: Annotated[str | None, typer.Option(help="Name, to make an account that is not there yet.")] = None,
) -> None:
    """Make an account an operator.

    An account without a password, such as a new one, gets a link to choose one with; it works once, within three days.
    """
    with database() as opened, opened.write() as session:
        unscoped(session, WHY)
        try:
            user_id, has_password = installation.add_operator(session, login=login, name=name, at=now())
        except AccountError as refused:
            raise fail(str(refused)) from None
        token = None if has_password else account_links.make_link(session, user_id, made_by=None, at=now())
        if token:
            trace = Trace(by=None, at=now(), address=None)
            account_log.note(session, Act.LINK_MADE, about=user_id, trace=trace)
    log.info("operator_added", about=str(user_id))
    if token:
        complain(
            f"{login} is an operator, and chooses a password with this link: the area of operators opens with a "
            f"password or a passkey only. For another link: stappenplan user link {login}"
        )
        say(f"{settings().public_url}/wachtwoord/{token}")
    else:
        say(f"{login} is an operator")


@app.command(name="list")
def list_operators() -> None:
    """List the operators, also those that were disabled."""
    with database() as opened, opened.read() as session:
        unscoped(session, WHY)
        found = installation.operators(session)
    for each in found:
        state = f"disabled {each.disabled_at:%Y-%m-%d}" if each.disabled_at else f"since {each.added_at:%Y-%m-%d}"
        say(f"{each.login}\t{each.name}\t{state}")
    if not found:
        say("There are no operators. Make one with: stappenplan operator add")


@app.command()
def disable(login: Login) -> None:
    """End somebody's being an operator, from the next request on.

    The account itself stays; see: stappenplan user disable.
    """
    with database() as opened, opened.write() as session:
        unscoped(session, WHY)
        try:
            user_id = installation.disable_operator(session, login, at=now())
        except AccountError as refused:
            raise fail(str(refused)) from None
    log.info("operator_disabled", about=str(user_id))
    say(f"{login} is no operator any more")
