"""What is held about somebody, to take along: by that person, or by an administrator who was asked for it.

Each is a change, since the log of accounts tells of it: no page of another site can make somebody ask for it."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Annotated

from fastapi import Request
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.accounts.data_file import About, write_data
from app.features.accounts.visit import visit_of
from app.policy import Action
from app.storage import account_log, user_admin
from app.storage.account_log import Act
from app.storage.database import WriteSession
from app.storage.logins import OpenLogin
from app.storage.personal_data import parts_about
from app.storage.scope import set_scope
from app.storage.user_admin import UserNotFound
from app.web.access import allowed, signed_in
from app.web.after_storing import AfterStoring
from app.web.clock import now
from app.web.download import made_file, zip_download
from app.web.i18n import language_of
from app.web.identity import Caller, caller_of
from app.web.room import Room

router = Room()

Login = Annotated[OpenLogin, signed_in]
Administrator = Annotated[Caller, allowed(Action.ADMINISTER_USERS)]


@router.post("/account/gegevens")
def download_own(request: Request, session: WriteSession, login: Login) -> Response:
    """Of the municipality in which somebody works now; without one, of the account."""
    caller = caller_of(login)
    place = (caller.municipality_id, caller.municipality_name) if caller else (None, "")
    about = About(login.user_name, place[1], now(request), language_of(request))
    return _download(request, session, login.user_id, about, by=login.user_id, place=place[0], whole_account=True)


@router.post("/beheer/gebruikers/{user_id}/gegevens")
def download_of_user(request: Request, user_id: str, session: WriteSession, caller: Administrator) -> Response:
    """For who cannot get in, or asks on paper."""
    try:
        user = user_admin.person(session, caller.municipality_id, uuid.UUID(user_id))
    except (ValueError, UserNotFound):
        raise HTTPException(404) from None
    about = About(user.name, caller.municipality_name, now(request), language_of(request))
    by, whole = uuid.UUID(caller.user_id), not user.works_elsewhere
    return _download(request, session, user.id, about, by=by, place=caller.municipality_id, whole_account=whole)


def _download(
    request: Request,
    session: Session,
    user_id: uuid.UUID,
    about: About,
    *,
    by: uuid.UUID,
    place: uuid.UUID | None,
    whole_account: bool,
) -> Response:
    """Noted here; read and packed once that is stored, of one moment, while others go on writing. Nothing is remembered
    as the answer to this form (app/web/once.py): who clicks twice gets the file twice."""
    account_log.note(
        session, Act.PERSONAL_DATA_TAKEN, about=user_id, trace=visit_of(request).trace(by), municipality_id=place
    )

    def pack(reading: Session) -> Response:
        if place is not None:
            set_scope(reading, place)
        parts = partial(parts_about, reading, user_id, is_own=by == user_id, whole_account=whole_account)
        file, _ = made_file(lambda file: write_data(file, about, parts))
        return zip_download(file, f"gegevens-{user_id}.zip")

    return AfterStoring(request.app.state.database, pack)
