"""Plan versions in the database: pinned once, never with another meaning, retired and released again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from app.catalogue.loader import LoadedPlan, load_bytes
from app.catalogue.lock import Lock, Release
from app.startup import prepare
from app.storage.database import Database
from app.storage.plans import (
    PinnedPlan,
    PlanChanged,
    PlanRetired,
    UnknownPlan,
    load_plan,
    load_plan_to_start,
    load_plans,
    newest_of_each,
    pin,
    pinned_plans,
)
from tests.databases import behind

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SMALL = Path("tests/golden/valid/small.yaml")


def a_plan(version: str = "1.0.0", *, id: str = "klein-plan", title: str = "Klein plan") -> LoadedPlan:
    text = SMALL.read_text().replace("id: klein-plan", f"id: {id}").replace("nl: Klein plan", f"nl: {title}")
    return load_bytes(text.replace("version: 1.0.0", f"version: {version}").encode(), "small.yaml")


def statuses(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {plan.name: plan.status for plan in pinned_plans(session)}


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    engines = {database.engine, database.owner}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def test_version_that_is_retired_and_released_again_says_so(database: Database):
    old, new = a_plan(), a_plan("1.1.0")
    for retired, expected in (((), "released"), ((old.plan.digest,), "retired"), ((), "released")):
        with database.write() as session:
            pin(session, [old, new], retired=retired, at=NOW)
        assert statuses(database) == {"klein-plan@1.0.0": expected, "klein-plan@1.1.0": "released"}


def test_version_can_come_in_retired_already(database: Database):
    """In a database that is made years later."""
    with database.write() as session:
        pin(session, [a_plan()], retired=[a_plan().plan.digest], at=NOW)
    assert statuses(database) == {"klein-plan@1.0.0": "retired"}


def test_known_version_with_another_meaning_is_refused(database: Database):
    with database.write() as session:
        pin(session, [a_plan()], at=NOW)
    with pytest.raises(PlanChanged) as refused, database.write() as session:
        pin(session, [a_plan(title="Ander plan")], at=NOW)
    assert (refused.value.plan_id, refused.value.version) == ("klein-plan", "1.0.0")


def test_no_run_starts_on_a_retired_version_and_it_can_still_be_read(database: Database):
    loaded = a_plan()
    with database.write() as session:
        pin(session, [loaded], retired=[loaded.plan.digest], at=NOW)
    with database.read() as session:
        with pytest.raises(PlanRetired):
            load_plan_to_start(session, loaded.plan.digest)
        with pytest.raises(UnknownPlan):
            load_plan_to_start(session, "0" * 64)
        assert load_plan(session, loaded.plan.digest) == loaded.plan


def test_no_other_status_gets_into_the_database(database: Database):
    with database.write() as session:
        pin(session, [a_plan()], at=NOW)
    with pytest.raises(IntegrityError), behind(database).begin() as connection:
        connection.execute(text("UPDATE plan_version SET status = 'draft'"))


def test_pinning_what_is_known_reads_no_documents(database: Database):
    plans = [a_plan(), a_plan("1.1.0")]
    with database.write() as session:
        pin(session, plans, at=NOW)
    with counting(database) as asked, database.write() as session:
        pin(session, plans, at=NOW)
    assert len(asked) == 1
    assert "document" not in asked[0]


def test_any_number_of_plans_takes_one_question(database: Database):
    title = f"Nog niet gelezen {database.engine.dialect.name}"  # compiled plans stay in memory from test to test
    plans = [a_plan(f"3.0.{number}", title=title) for number in range(5)]
    with database.write() as session:
        pin(session, plans, at=NOW)
    digests = [loaded.plan.digest for loaded in plans]
    with database.read() as session, counting(database) as asked:
        assert load_plans(session, digests) == {loaded.plan.digest: loaded.plan for loaded in plans}
    assert len(asked) == 1
    with database.read() as session, counting(database) as asked:
        load_plans(session, digests)
    assert asked == []
    with database.read() as session, pytest.raises(UnknownPlan):
        load_plans(session, ["0" * 64])


def a_pinned(version: str, status: str = "released", plan_id: str = "klein") -> PinnedPlan:
    return PinnedPlan(f"{plan_id}{version}", plan_id, version, plan_id.capitalize(), status, NOW)


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        (("2.0.0", "1.0.0"), "2.0.0"),
        (("2.0.0-rc.1", "1.0.0"), "1.0.0"),
        (("2.0.0-rc.1",), "2.0.0-rc.1"),
        (("2.0.0-rc.2", "2.0.0-rc.1"), "2.0.0-rc.2"),
    ],
)
def test_newest_version_is_a_release_where_there_is_one(versions: tuple[str, ...], newest: str):
    assert [plan.version for plan in newest_of_each(map(a_pinned, versions))] == [newest]


def test_newest_version_is_not_a_retired_one_and_each_plan_has_one():
    plans = [
        a_pinned("2.0.0", "retired"),
        a_pinned("1.0.0"),
        a_pinned("1.0.0", plan_id="groot"),
        a_pinned("1.0.0", "retired", plan_id="oud"),
    ]
    assert [plan.name for plan in newest_of_each(plans)] == ["klein@1.0.0", "groot@1.0.0"]


def test_versions_of_a_plan_stay_together_whatever_they_are_called(database: Database):
    plans = [a_plan(title="Zeer klein"), a_plan("1.1.0", title="Bijna niets"), a_plan(id="midden", title="Midden")]
    with database.write() as session:
        pin(session, plans, at=NOW)
    assert list(statuses(database)) == ["klein-plan@1.1.0", "klein-plan@1.0.0", "midden@1.0.0"]


# --- starting the application ----------------------------------------------------------------------------------------


def put(folder: Path, loaded: LoadedPlan, *, released: bool, retired: bool = False) -> None:
    plan = loaded.plan
    path = folder / plan.id / f"{plan.version}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(SMALL.read_text().replace("version: 1.0.0", f"version: {plan.version}"))
    if released:
        lock = Lock.read(folder).with_release(
            (plan.id, plan.version), Release.of(loaded.document, plan.digest, on=NOW.date())
        )
        (lock.with_retirement((plan.id, plan.version), date(2026, 11, 25)) if retired else lock).write()


def test_only_released_and_retired_versions_reach_the_database(database: Database, tmp_path: Path):
    put(tmp_path, a_plan("1.0.0"), released=True, retired=True)
    put(tmp_path, a_plan("1.1.0"), released=True)
    put(tmp_path, a_plan("1.2.0"), released=False)
    prepare(database, at=NOW, folder=tmp_path)
    assert statuses(database) == {"klein-plan@1.1.0": "released", "klein-plan@1.0.0": "retired"}


def test_start_follows_the_lock_from_one_time_to_the_next(database: Database, tmp_path: Path):
    put(tmp_path, a_plan(), released=True)
    prepare(database, at=NOW, folder=tmp_path)
    Lock.read(tmp_path).with_retirement(("klein-plan", "1.0.0"), date(2026, 11, 25)).write()
    prepare(database, at=NOW, folder=tmp_path)
    assert statuses(database) == {"klein-plan@1.0.0": "retired"}
    Lock.read(tmp_path).with_retirement(("klein-plan", "1.0.0"), None).write()
    prepare(database, at=NOW, folder=tmp_path)
    assert statuses(database) == {"klein-plan@1.0.0": "released"}
