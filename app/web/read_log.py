"""Reading sensitive content by an auditor is recorded, in the log of accounts. What counts as sensitive, and who is
recorded, is in docs/decisions/0020-reading-is-recorded.md."""

from __future__ import annotations

import uuid

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from app.policy import is_reading_recorded
from app.storage import account_log
from app.storage.account_log import Act, Trace
from app.storage.database import Database
from app.storage.scope import set_scope
from app.web.clock import now
from app.web.identity import Caller
from app.web.sender import sender_of

log = structlog.get_logger(__name__)


def note_read(request: Request, caller: Caller, act: Act, **what: str) -> None:
    """Before the answer leaves, in a short transaction of its own: the page itself only reads. `what`: ids.

    If it cannot be written (another process holds SQLite's lock for seconds), the log of the application has all of it,
    as an error, and the page is shown all the same."""
    if not is_reading_recorded(caller.roles):
        return
    database: Database = request.app.state.database
    reader = uuid.UUID(caller.user_id)
    try:
        with database.write() as session:
            set_scope(session, caller.municipality_id)
            account_log.note(
                session,
                act,
                about=reader,
                trace=Trace(by=reader, at=now(request), address=sender_of(request)),
                municipality_id=caller.municipality_id,
                detail=what or None,
            )
    except SQLAlchemyError:
        log.exception(
            "reading_not_recorded",
            act=act.value,
            by=caller.user_id,
            municipality=str(caller.municipality_id),
            at=now(request).isoformat(),
            what=what,
        )
