"""For whoever runs the installation: does it answer, and can it do its work? Both without data or login."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse

from app.storage.database import Database
from app.storage.upgrade import is_current
from app.web.access import public
from app.web.room import Room

router = Room(dependencies=[public])


@router.get("/healthz")
def alive() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(request: Request) -> PlainTextResponse:
    """503 while the database cannot be reached or its schema is not the one of this version."""
    database: Database = request.app.state.database
    try:
        current = is_current(database.engine)
    except SQLAlchemyError:
        current = False
    return PlainTextResponse("ok\n" if current else "not ready\n", 200 if current else 503)
