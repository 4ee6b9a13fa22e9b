"""Transactions: what is saved when, what a reading session may do, and that waiting writers do not block each other."""

import asyncio
import sqlite3
import threading
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import httpx2
import pytest
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, delete, insert, select, update

from app.storage.database import Database, ReadSession, RequestSession, WriteSession, create_engine_for
from app.storage.tables import Municipality


def a_municipality(name: str = "Zuiderdam") -> Municipality:
    return Municipality(name=name, created_at=datetime(2027, 3, 1, 9, 0, tzinfo=UTC))


def names(session: Session) -> list[str]:
    return list(session.exec(select(Municipality.name).order_by(Municipality.name)))


def saved_names(database: Database) -> list[str]:
    with database.read() as session:
        return names(session)


def test_writing_is_saved_at_the_end_of_the_block(database: Database):
    with database.write() as session:
        session.add(a_municipality())

    assert saved_names(database) == ["Zuiderdam"]


def test_writing_that_fails_leaves_nothing(database: Database):
    with pytest.raises(LookupError), database.write() as session:
        session.add(a_municipality())
        session.flush()
        raise LookupError

    assert saved_names(database) == []


def test_objects_stay_readable_after_the_commit(database: Database):
    with database.write() as session:
        session.add(written := a_municipality())

    assert written.name == "Zuiderdam"


def test_reading_session_sees_one_moment(database: Database):
    with database.read() as reading:
        assert names(reading) == []
        with database.write() as session:
            session.add(a_municipality())
        assert names(reading) == []


def test_reading_session_left_with_a_new_object_is_a_bug(database: Database):
    with pytest.raises(AssertionError, match="left with changes"), database.read() as session:
        session.add(a_municipality())


def test_reading_session_left_with_a_changed_object_is_a_bug(database: Database):
    with database.write() as session:
        session.add(a_municipality())

    with pytest.raises(AssertionError, match="left with changes"), database.read() as session:
        session.exec(select(Municipality)).one().name = "Noorderdam"

    assert saved_names(database) == ["Zuiderdam"]


def test_reading_session_refuses_to_flush(database: Database):
    with pytest.raises(AssertionError, match="left with changes"), database.read() as session:
        session.add(a_municipality())
        session.flush()


@pytest.mark.parametrize(
    "statement",
    [
        insert(Municipality).values(name="x"),
        update(Municipality).values(name="x"),
        delete(Municipality),
    ],
    ids=["insert", "update", "delete"],
)
def test_reading_session_refuses_statements_that_change(database: Database, statement):
    with pytest.raises(AssertionError, match="may not run"), database.read() as session:
        session.exec(statement)


def test_reading_session_keeps_no_change_made_in_plain_sql(sqlite_database: Database):
    with sqlite_database.write() as session:
        session.add(a_municipality())

    with sqlite_database.read() as session:
        session.connection().execute(text("UPDATE municipality SET name = 'x'"))

    assert saved_names(sqlite_database) == ["Zuiderdam"]


def test_foreign_keys_are_enforced(database: Database):
    with pytest.raises(IntegrityError), database.write() as session:
        session.connection().execute(
            text("INSERT INTO membership VALUES (:id, :id, 'manager', '2027-03-01')"), {"id": "0" * 32}
        )


def test_sqlite_connections_are_durable_and_patient(sqlite_database: Database):
    with sqlite_database.engine.connect() as connection:

        def pragma(name: str) -> object:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2, "FULL"
        assert pragma("foreign_keys") == 1
        assert pragma("busy_timeout") == 5000


def test_writing_session_takes_the_write_lock_with_its_first_statement(sqlite_database: Database):
    def try_to_write() -> None:
        other = sqlite3.connect(str(sqlite_database.engine.url.database), timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        finally:
            other.close()

    with sqlite_database.write() as session:
        names(session)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            try_to_write()

    with sqlite_database.read() as session:
        names(session)
        try_to_write()


def test_two_writers_in_threads_take_turns_without_losing_an_update(database: Database):
    with database.write() as session:
        session.add(a_municipality("0"))

    def add_one() -> None:
        for _ in range(10):
            with database.write() as session:
                row = session.exec(select(Municipality).with_for_update()).one()
                row.name = str(int(row.name) + 1)

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert saved_names(database) == ["40"]


# In requests.


def an_app(database: Database) -> FastAPI:
    app = FastAPI()
    app.state.database = database

    def caller(session: RequestSession) -> str:
        # What finds out who is calling shares the session of the route.
        return f"{len(names(session))} known"

    @app.get("/")
    def read(session: ReadSession, who: Annotated[str, Depends(caller)]) -> list[str]:
        return [who, *names(session)]

    @app.post("/")
    def write(session: WriteSession, name: str, who: Annotated[str, Depends(caller)]) -> str:
        session.add(a_municipality(name))
        return who

    @app.post("/refused")
    def refused(session: WriteSession) -> None:
        session.add(a_municipality())
        session.flush()
        raise HTTPException(409)

    @app.post("/clash")
    def clash(session: WriteSession) -> None:
        session.add(a_municipality("same"))
        session.add(a_municipality("same"))

    @app.get("/wrong")
    def wrong(session: WriteSession) -> None:
        raise AssertionError("never reached")

    return app


def a_client(database: Database) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(an_app(database))
    return httpx2.AsyncClient(transport=transport, base_url="http://test")


def test_request_is_saved_before_its_answer_leaves(database: Database):
    order: list[str] = []
    event.listen(database.engine, "commit", lambda _: order.append("commit"))
    app = an_app(database)

    async def send(message: MutableMapping[str, Any]) -> None:
        order.append(str(message["type"]))

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"name=a", "headers": [], "root_path": ""}
    asyncio.run(app(scope, receive, send))

    assert order == ["commit", "http.response.start", "http.response.body"]


def test_request_that_is_refused_saves_nothing(database: Database):
    async def ask() -> int:
        async with a_client(database) as client:
            return (await client.post("/refused")).status_code

    assert asyncio.run(ask()) == 409
    assert saved_names(database) == []


def test_clash_at_the_commit_is_no_silent_success(database: Database):
    async def ask() -> None:
        async with a_client(database) as client:
            await client.post("/clash")

    with pytest.raises(IntegrityError):
        asyncio.run(ask())
    assert saved_names(database) == []


def test_route_for_get_can_not_ask_for_a_writing_session(database: Database):
    async def ask() -> None:
        async with a_client(database) as client:
            await client.get("/wrong")

    with pytest.raises(AssertionError, match="may not change anything"):
        asyncio.run(ask())


def test_route_and_identity_share_one_session(database: Database):
    statements: list[str] = []
    event.listen(database.engine, "begin", lambda _: statements.append("begin"))

    async def ask() -> object:
        async with a_client(database) as client:
            return (await client.get("/")).json()

    assert asyncio.run(ask()) == ["0 known"]
    assert statements == ["begin"]


def test_more_writing_requests_than_threads_all_succeed(database: Database):
    """Without turns, requests that wait for a connection or a lock hold all 40 threads."""

    async def ask() -> list[int]:
        async with a_client(database) as client:
            answers = await asyncio.gather(*(client.post("/", params={"name": f"{n:03}"}) for n in range(120)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200] * 120
    assert len(saved_names(database)) == 120


def test_more_reading_requests_than_threads_all_succeed(database: Database):
    async def ask() -> list[int]:
        async with a_client(database) as client:
            answers = await asyncio.gather(*(client.get("/") for _ in range(120)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200] * 120


def test_client_that_hangs_up_leaves_no_transaction_open(database: Database):
    async def ask() -> None:
        async with a_client(database) as client:
            with anyio.move_on_after(0.02) as patience:
                async with anyio.create_task_group() as calls:
                    for n in range(60):
                        calls.start_soon(partial(client.post, "/", params={"name": str(n)}))
            assert patience.cancelled_caught
            assert (await client.post("/", params={"name": "after"})).status_code == 200

    asyncio.run(ask())

    assert "after" in saved_names(database)
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # QueuePool has it


def test_json_is_stored_as_utf_8(tmp_path: Path):
    engine = create_engine_for(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    serialize: Any = engine.dialect._json_serializer
    assert serialize({"a": "één"}) == '{"a":"één"}'
    engine.dispose()
