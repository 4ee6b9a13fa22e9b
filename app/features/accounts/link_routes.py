"""A one-time link of the administrator: choose a password with it."""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.accounts.new_password import chosen_password, unfit_sentence
from app.features.accounts.visit import checks_of, database_of, form_with, visit_of
from app.storage import account_links, account_log
from app.storage.account_links import Invited
from app.storage.account_log import Act
from app.storage.passwords import PasswordRefused
from app.web.access import public
from app.web.clock import now
from app.web.forms import FormState, Posted
from app.web.i18n import N_
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room

router = Room()
register({"password_set": N_("Your password has been saved. Log in with it now.")})

LINK_LENGTH_MAX: Final = 100  # of a token; ours are shorter


@router.get("/wachtwoord/{link}", dependencies=[public])
async def show_link(request: Request, link: str) -> Response:
    """Looking does not use it up: mail programs look too."""
    return _page(request, await _invited(request, link), FormState())


@router.post("/wachtwoord/{link}", dependencies=[public])
async def set_password(request: Request, link: str, posted: Posted) -> Response:
    invited = await _invited(request, link)
    if invited is None:
        return _page(request, None, FormState())
    new, errors = chosen_password(posted)
    if errors:
        return _page(request, invited, form_with(request, errors), status=422)
    try:
        password_hash = await checks_of(request).hash(new, about=(invited.login, invited.name))
    except PasswordRefused as refused:
        errors = {"nieuw-wachtwoord": unfit_sentence(refused.why)}
        return _page(request, invited, form_with(request, errors), status=422)
    visit = visit_of(request)
    async with database_of(request).writing_request() as session:
        use = partial(account_links.use_link, session, link, password_hash=password_hash, at=visit.at)
        if not await run_in_threadpool(use):
            return _page(request, None, FormState())
        trace = visit.trace(invited.user_id)
        note = partial(account_log.note, session, Act.PASSWORD_SET_BY_LINK, about=invited.user_id, trace=trace)
        await run_in_threadpool(note)
    return see_other("/inloggen", notice="password_set")


async def _invited(request: Request, link: str) -> Invited | None:
    if len(link) > LINK_LENGTH_MAX:
        raise HTTPException(404)
    async with database_of(request).reading_request() as session:
        return await run_in_threadpool(partial(account_links.find_link, session, link, at=now(request)))


def _page(request: Request, invited: Invited | None, form: FormState, *, status: int = 200) -> Response:
    if invited is None:
        # The same whether it was used, is too old or never was.
        return render(request, "accounts/link_ended.html", status=404)
    return render(request, "accounts/link.html", status=status, invited=invited, form=form)
