"""The engine with its pragmas, and sessions for reading and writing. One request is one transaction.

Reading and writing sessions both start their transaction at the first statement. A reading one sees one moment of
the database, on PostgreSQL too. A writing one takes SQLite's write lock at once (BEGIN IMMEDIATE), so that it waits
at the start instead of failing halfway.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from sqlite3 import Connection as SQLiteConnection
from typing import Annotated, Any

import anyio.to_thread
from anyio import CancelScope, CapacityLimiter
from fastapi import Depends, Request
from psycopg.pq import TransactionStatus
from pydantic_core import from_json  # reads ten times as fast as the standard library; a report has hundreds of values
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.orm import ORMExecuteState, SessionTransaction, UOWTransaction, sessionmaker
from sqlmodel import Session

from app.engine.log import Origin
from app.settings import Settings
from app.storage.grown import Keeper, forget, grown_in, note
from app.storage.memory import Memory, remember_in
from app.storage.scope import enforce_scope
from app.storage.tickets import Tickets, see_all

BUSY_TIMEOUT = 5000  # ms that SQLite waits for another process's write lock
# Requests with a session at the same moment, and connections kept for what opens one outside of a request's own.
REQUESTS_AT_ONCE = 20
SPARE_CONNECTIONS = 20
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def create_engine_for(settings_or_url: Settings | str) -> Engine:
    url = make_url(settings_or_url.url if isinstance(settings_or_url, Settings) else settings_or_url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            json_serializer=_compact_json,
            json_deserializer=from_json,
            pool_size=REQUESTS_AT_ONCE,
            max_overflow=SPARE_CONNECTIONS,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        json_serializer=_compact_json,
        json_deserializer=from_json,
        pool_size=REQUESTS_AT_ONCE,
        max_overflow=SPARE_CONNECTIONS,
        pool_pre_ping=True,
    )


def create_owner_engine_for(url: str) -> Engine:
    """On PostgreSQL, for what is about the whole installation. That is rare, so no connection waits for it."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        json_serializer=_compact_json,
        json_deserializer=from_json,
        poolclass=NullPool,
    )


def _compact_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _prepare_sqlite(connection: SQLiteConnection, _record: object) -> None:
    # SQLAlchemy says BEGIN, in _begin_sqlite; the driver of Python 3.11 would only do so before some statements.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # an acknowledged save survives a power cut
    connection.execute("PRAGMA secure_delete = ON")  # what was erased is overwritten; most builds do so anyway
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")


def _begin_sqlite(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    # Straight to the driver: every request begins once, and as a statement of SQLAlchemy it costs ten times as much.
    driver.execute(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def open_database(settings: Settings) -> "Database":
    owner = settings.database_owner_url
    return Database(create_engine_for(settings), create_owner_engine_for(owner) if owner else None)


class TransactionLost(Exception):
    """Nothing of it was stored, and nobody may be told otherwise."""


class Database:
    """What the application keeps in `app.state.database`; the command line and the tests use the same.

    `engine` is for everything that is limited to one municipality. `owner` is for migrations and for sessions that
    are about the whole installation (scope.unscoped). SQLite has one for both. On PostgreSQL they are two roles, or
    one and the same where only one is given; also then a transaction sees all only if it says so."""

    def __init__(self, engine: Engine, owner: Engine | None = None) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.owner = engine if self.is_sqlite else owner or create_owner_engine_for(_url_of(engine))
        self.has_one_role = self.owner.url.username == engine.url.username
        # Runs before the transaction of a changing request. The web layer reads the form here: somebody who sends
        # slowly must not keep all other writers waiting.
        self.before_writing: Callable[[Request], Awaitable[None]] | None = None
        # Of the logs of municipalities: at the commit of a transaction that added to one.
        self.keeper: Keeper | None = None
        self._memory = Memory()
        snapshot: dict[str, Any] = (
            {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        writing: dict[str, Any] = {"sqlite_begin": "IMMEDIATE"}
        shared: dict[str, Any] = {}
        if not self.is_sqlite:
            see_all(self.owner)
            tickets = Tickets(self.owner)
            shared["show_ticket"] = tickets.show
        # Objects stay readable after the commit, so that an answer can be made from them; nothing else may happen.
        self._reading = sessionmaker(
            engine.execution_options(**snapshot),
            class_=Session,
            autoflush=False,
            expire_on_commit=False,
            info={"is_reading": True, "installation": self.owner.execution_options(**snapshot), **shared},
        )
        self._writing = sessionmaker(
            engine.execution_options(**writing),
            class_=Session,
            expire_on_commit=False,
            info={"installation": self.owner.execution_options(**writing), **shared},
        )
        for sessions in (self._reading, self._writing):
            enforce_scope(sessions, engine)
            if not self.is_sqlite:
                event.listen(sessions, "after_begin", _show_ticket)
        event.listen(self._writing, "before_commit", self._keep)
        event.listen(self._writing, "after_soft_rollback", _forget_what_grew)
        event.listen(self._reading, "before_flush", _refuse_flush)
        event.listen(self._reading, "do_orm_execute", _refuse_change)
        self._turns = _Turns(writers=1 if self.is_sqlite else None)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that can't change anything."""
        session = self._reading()
        try:
            yield session
            _assert_unchanged(session)
        finally:
            session.close()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed at the end of the block, or rolled back when the block raises."""
        session = self._writing()
        try:
            yield session
            session.commit()
        finally:
            session.close()
        self._tell_of(session)

    @asynccontextmanager
    async def reading_request(self) -> AsyncIterator[Session]:
        async with self._turns.to_read():
            session = self._reading()
            remember_in(session, self._memory)
            try:
                yield session
                _assert_unchanged(session)
            finally:
                if self.is_sqlite:  # giving up a snapshot waits for nobody, and a thread would cost more
                    session.close()
                else:
                    await _in_thread(session.close)

    @asynccontextmanager
    async def writing_request(self) -> AsyncIterator[Session]:
        async with self._turns.to_write():
            session = self._writing()
            remember_in(session, self._memory)
            try:
                yield session
            except BaseException:
                await _in_thread(session.close)
                raise
            await _in_thread(partial(self._commit_and_close, session))

    def _commit_and_close(self, session: Session) -> None:
        with session:
            session.commit()
        self._tell_of(session)

    def _keep(self, session: Session) -> None:
        if self.keeper is None or session.in_nested_transaction():
            return
        if (grown := grown_in(session)) is not None and not grown.is_signed:
            note(session, self.keeper.before_commit(session, grown))
            if not self._is_open(session):
                raise TransactionLost("the database took the transaction back while its log was kept")

    def _is_open(self, session: Session) -> bool:
        """Else a commit does nothing, and says nothing: SQLite takes a transaction back by itself when the disk is
        full, PostgreSQL when a statement failed."""
        driver: Any = session.connection().connection.driver_connection
        if self.is_sqlite:
            return bool(driver.in_transaction)
        return bool(driver.info.transaction_status == TransactionStatus.INTRANS)

    def _tell_of(self, committed: Session) -> None:
        if self.keeper is not None and (grown := grown_in(committed)) is not None:
            self.keeper.after_commit(grown)

    def dispose(self) -> None:
        self.engine.dispose()
        self.owner.dispose()


class _Turns:
    """Requests wait here, before they have a session, and not in a thread: threads full of requests that wait for
    a connection, or for SQLite's one write lock, leave none for the request that has it and could finish."""

    def __init__(self, *, writers: int | None) -> None:
        self._writers = writers
        self._loop: asyncio.AbstractEventLoop | None = None

    def to_read(self) -> asyncio.Semaphore:
        self._adopt_loop()
        return self._read

    def to_write(self) -> asyncio.Semaphore:
        self._adopt_loop()
        return self._write

    def _adopt_loop(self) -> None:
        """A semaphore belongs to the event loop where it was first waited for; tests come with one each."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._loop = loop
            self._read = asyncio.Semaphore(REQUESTS_AT_ONCE)
            self._write = self._read if self._writers is None else asyncio.Semaphore(self._writers)


async def _in_thread(finish: Callable[[], None]) -> None:
    # Own limiter: the end of a transaction never queues behind requests that wait for that very transaction.
    # Shielded: a client that hangs up must not leave a transaction open.
    with CancelScope(shield=True):
        await anyio.to_thread.run_sync(finish, limiter=CapacityLimiter(1))


def _forget_what_grew(session: Session, taken_back: SessionTransaction) -> None:
    if not taken_back.nested:
        forget(session)


def _show_ticket(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """With each transaction of a session that has its municipality already; set_scope does it for the current one."""
    municipality = session.info.get("municipality_id")
    if municipality is not None and not transaction.nested:
        session.info["show_ticket"](connection, municipality)


def _url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def _refuse_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    _assert_unchanged(session)


def _refuse_change(state: ORMExecuteState) -> None:
    changes = state.is_insert or state.is_update or state.is_delete
    assert not changes, f"a reading session may not run {state.statement}"


def _assert_unchanged(session: Session) -> None:
    changed = [*session.new, *session.dirty, *session.deleted]
    assert not changed, f"a reading session was left with changes: {changed}"


async def _request_session(request: Request) -> AsyncIterator[Session]:
    database: Database = request.app.state.database
    if request.method in SAFE_METHODS:
        async with database.reading_request() as session:
            yield session
        return
    if database.before_writing is not None:
        await database.before_writing(request)
    async with database.writing_request() as session:
        session.info["origin"] = Origin.REQUEST
        request.state.session = session  # for what ends the transaction along with its answer, see app/web/once.py
        yield session


# scope="function": the commit happens before the answer leaves, so nobody is told "saved" too early.
RequestSession = Annotated[Session, Depends(_request_session, scope="function")]


async def _write_session(request: Request, session: RequestSession) -> Session:
    assert request.method not in SAFE_METHODS, f"{request.method} {request.url.path} may not change anything"
    return session


# One session per request, whoever asks: what finds out the user shares it with the route.
ReadSession = RequestSession
WriteSession = Annotated[Session, Depends(_write_session, scope="function")]
