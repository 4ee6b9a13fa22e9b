"""A change whose answer takes long to make, and needs nothing of the change but that it was stored."""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.storage.database import Database


class AfterStoring(Response):
    """The transaction of a request ends before its answer leaves: what is made here keeps no writer waiting, and sees
    one moment of the database. When `make` fails nothing was sent yet, so it is a failure like any other; what the
    request stored stays. `make`: in a thread, with a session that only reads and has no municipality yet."""

    def __init__(self, database: Database, make: Callable[[Session], Response]) -> None:
        super().__init__()
        self._database = database
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._database.reading_request() as session:
            answer = await run_in_threadpool(self._make, session)
        await answer(scope, receive, send)
        if self.background is not None:
            await self.background()
