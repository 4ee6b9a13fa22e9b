"""Plans of a municipality: seen by nobody else, released once and for all; the way from one version to another."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col

from app.catalogue.loader import LoadedPlan, load_bytes
from app.catalogue.overlay.loading import load_overlay
from app.storage import local_plans
from app.storage.database import Database
from app.storage.local_plans import LocalPlanNotFound, NationalName, VersionTaken
from app.storage.plan_routes import comparison, newer_of_same_plan, newer_versions, route
from app.storage.plans import UnknownPlan, load_plan, load_plan_to_start, national_plans, pin, pinned_plans
from app.storage.scope import UnscopedQuery, set_scope, unscoped
from app.storage.tables import LocalPlan, Municipality, PlanDocument, User
from tests.catalogue.files import SMALL
from tests.catalogue.overlay.additions import HEAD, loaded

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
QUESTION = """add:
  questions:
    - {id: zd-wijk, step: %s, text: In welke wijken?, type: short_text, addition: true}
"""
ADDITIONS = HEAD + QUESTION % "verkennen/overzicht"


class Two:
    """Two municipalities, each with a user."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ids = {name: uuid.uuid4() for name in ("A", "B")}
        self.users = {name: uuid.uuid4() for name in ("A", "B")}
        with database.write() as session:
            unscoped(session, "makes municipalities")
            for name in self.ids:
                session.add(Municipality(id=self.ids[name], name=name, created_at=NOW))
                session.add(User(id=self.users[name], login=name, name=name, created_at=NOW))
            pin(session, [national()], at=NOW)

    def scoped(self, session: Session, name: str) -> Session:
        set_scope(session, self.ids[name])
        return session

    def keep(self, name: str, plan: LoadedPlan, source: str = ADDITIONS) -> str:
        with self.database.write() as session:
            self.scoped(session, name)
            by = str(self.users[name])
            drafts = [kept.mark for kept in local_plans.local_plans(session) if kept.is_draft]
            based_on = drafts[0] if drafts else ""
            return local_plans.keep_draft(session, plan, source, based_on=based_on, by=by, at=NOW)

    def mark(self, name: str, id: str) -> str:
        with self.database.read() as session:
            return local_plans.local_plan(self.scoped(session, name), id).mark

    def release(self, name: str, plan: LoadedPlan, source: str = ADDITIONS) -> str:
        id = self.keep(name, plan, source)
        with self.database.write() as session:
            self.scoped(session, name)
            by = str(self.users[name])
            local_plans.release(session, id, plan, shown=plan.plan.digest, reason="Goed", by=by, at=NOW)
        return id

    def names(self, name: str) -> list[str]:
        with self.database.read() as session:
            return [plan.name for plan in pinned_plans(self.scoped(session, name))]


def national(version: str = "1.0.0", *edits: tuple[str, str], since: str = "", renamed: str = "") -> LoadedPlan:
    content = SMALL.read_text().replace("version: 1.0.0", f"version: {version}", 1)
    for old, new in edits:
        assert old in content
        content = content.replace(old, new)
    if since:
        head = (
            f"changes:\n  since: {since}\n  summary: {{text: Anders., addition: true}}\n  renamed:\n    - {renamed}\n"
        )
        content = content.replace("\nsources:", f"\n{head}\nsources:", 1)
    return load_bytes(content.encode(), "small.yaml")


def on(base: LoadedPlan, step: str, version: str) -> LoadedPlan:
    content = HEAD.replace("1.0.0", base.plan.version).replace(f"version: {base.plan.version}", f"version: {version}")
    return load_overlay((content + QUESTION % step).encode(), "overlay.yaml", lambda *_: base.document)


@pytest.fixture
def two(database: Database) -> Two:
    return Two(database)


# --- who sees what ---------------------------------------------------------------------------------------------


def test_plan_of_a_municipality_is_seen_by_that_one_only(two: Two):
    found = loaded(ADDITIONS)
    id = two.release("A", found)
    assert two.names("A") == ["klein-plan@1.0.0", "klein-plan-zonnedijk@1.0.0"]
    assert two.names("B") == ["klein-plan@1.0.0"]
    with two.database.read() as session:
        assert load_plan_to_start(two.scoped(session, "A"), found.plan.digest) == found.plan
    with two.database.read() as session:
        two.scoped(session, "B")
        with pytest.raises(UnknownPlan):
            load_plan_to_start(session, found.plan.digest)
        with pytest.raises(LocalPlanNotFound):
            local_plans.local_plan(session, id)
        with pytest.raises(LocalPlanNotFound):
            local_plans.source_of(session, id)
        assert local_plans.local_plans(session) == []


def test_session_without_a_municipality_sees_the_national_plans_and_may_not_look_further(two: Two):
    two.release("A", loaded(ADDITIONS))
    with two.database.read() as session:
        assert [plan.name for plan in pinned_plans(session)] == ["klein-plan@1.0.0"]
        assert pinned_plans(session) == national_plans(session)
        with pytest.raises(UnscopedQuery):
            local_plans.local_plans(session)


def test_table_with_documents_has_nothing_to_list_them_by():
    assert {column.name for column in PlanDocument.__table__.columns} == {"digest", "document"}  # type: ignore[attr-defined]


def test_changes_reach_the_own_municipality_only(two: Two):
    id = two.release("A", loaded(ADDITIONS))
    mark = two.mark("A", id)
    with two.database.write() as session:
        two.scoped(session, "B")
        for change in (
            lambda: local_plans.retire(session, id, based_on=mark, by=str(two.users["B"]), at=NOW),
            lambda: local_plans.use_again(session, id, based_on=mark),
            lambda: local_plans.discard_draft(session, id, based_on=mark),
        ):
            with pytest.raises(LocalPlanNotFound):
                change()


def test_municipalities_share_a_document_and_nothing_else(two: Two):
    found = loaded(ADDITIONS)
    first, second = two.release("A", found), two.release("B", found)
    assert first != second
    with two.database.write() as session:
        mark = two.mark("B", second)
        local_plans.retire(two.scoped(session, "B"), second, based_on=mark, by=str(two.users["B"]), at=NOW)
    with two.database.read() as session:
        assert local_plans.local_plan(two.scoped(session, "A"), first).status == "released"


# --- drafts and releases ---------------------------------------------------------------------------------------


def test_draft_is_no_plan_that_can_be_used(two: Two):
    found = loaded(ADDITIONS)
    two.keep("A", found)
    assert two.names("A") == ["klein-plan@1.0.0"]
    with two.database.read() as session:
        two.scoped(session, "A")
        for loader in (load_plan_to_start, load_plan):
            with pytest.raises(UnknownPlan):
                loader(session, loaded(ADDITIONS.replace("wijken", "buurten")).plan.digest)
        with pytest.raises(UnknownPlan):
            load_plan_to_start(session, found.plan.digest)


def test_same_version_with_another_content_is_refused_once_it_is_released(two: Two):
    other = loaded(ADDITIONS.replace("wijken", "buurten"))
    id = two.keep("A", other)
    assert two.keep("A", loaded(ADDITIONS)) == id
    two.release("A", loaded(ADDITIONS))
    assert two.keep("A", loaded(ADDITIONS)) == id
    with pytest.raises(VersionTaken):
        two.keep("A", other)


@contextmanager
def once_before_insert(table: type[SQLModel], act: Callable[[], object]) -> Iterator[None]:
    """Something that happens in another transaction, right before a row is inserted here."""
    done: list[bool] = []

    def meanwhile(*_: object) -> None:
        if not done:
            done.append(True)
            act()

    event.listen(table, "before_insert", meanwhile)
    try:
        yield
    finally:
        event.remove(table, "before_insert", meanwhile)


def test_same_version_sent_twice_at_once_is_kept_once(postgresql_database: Database):
    """On SQLite the second waits for the first; on PostgreSQL both may find nothing there."""
    two, found = Two(postgresql_database), loaded(ADDITIONS)
    other: list[str] = []

    with once_before_insert(LocalPlan, lambda: other.append(two.keep("A", found))):
        assert [two.keep("A", found)] == other
    with two.database.read() as session:
        assert len(local_plans.local_plans(two.scoped(session, "A"))) == 1


def test_same_document_kept_twice_at_once_is_there_once(postgresql_database: Database):
    two, found = Two(postgresql_database), loaded(ADDITIONS)
    with once_before_insert(PlanDocument, lambda: two.release("B", found)):
        two.release("A", found)
    assert "klein-plan-zonnedijk@1.0.0" in two.names("A")
    assert "klein-plan-zonnedijk@1.0.0" in two.names("B")


def test_id_of_a_national_plan_is_refused(two: Two):
    with pytest.raises(NationalName):
        two.keep("A", national("3.0.0"))


@pytest.mark.parametrize(
    "change", ["source = 'x'", "digest = 'x'", "version = '9.9.9'", "plan_id = 'x'", "released_by = uploaded_by"]
)
def test_released_plan_cannot_be_changed_not_even_by_a_mistake_of_ours(two: Two, change: str):
    id = two.release("A", loaded(ADDITIONS))
    with pytest.raises(IntegrityError), two.database.write() as session:
        two.scoped(session, "A").connection().execute(text(f"UPDATE local_plan SET {change}"))
    with two.database.write() as session:
        two.scoped(session, "A").connection().execute(text("UPDATE local_plan SET reason = ''"))  # can be erased
    with two.database.read() as session:
        kept = local_plans.local_plan(two.scoped(session, "A"), id)
        assert (kept.status, kept.reason) == ("released", "")


def test_who_released_it_must_be_known(two: Two):
    two.keep("A", loaded(ADDITIONS))
    with pytest.raises(IntegrityError, match=r"ck_local_plan_released"), two.database.write() as session:
        two.scoped(session, "A").connection().execute(text("UPDATE local_plan SET status = 'released'"))


def test_what_becomes_national_later_keeps_its_document(two: Two):
    own = national("1.0.0", ("id: klein-plan", "id: eigen-plan"))
    two.release("A", own)
    with two.database.write() as session:
        pin(session, [national(), own], at=NOW)
    with two.database.read() as session:
        assert load_plan(two.scoped(session, "B"), own.plan.digest) == own.plan


def test_source_is_kept_as_it_was_sent(two: Two):
    id = two.release("A", loaded(ADDITIONS))
    with two.database.read() as session:
        two.scoped(session, "A")
        assert local_plans.source_of(session, id) == ADDITIONS
        digests = session.execute(select(col(LocalPlan.digest))).scalars().all()
        assert digests == [loaded(ADDITIONS).plan.digest]


# --- the way to another version --------------------------------------------------------------------------------


def test_run_on_a_national_version_can_go_to_what_its_municipality_made_of_it(two: Two):
    second = national("2.0.0")
    with two.database.write() as session:
        pin(session, [national(), second], at=NOW)
    two.release("A", on(national(), "verkennen/overzicht", "1.0.0"))
    two.release("A", on(second, "verkennen/overzicht", "1.1.0"))
    with two.database.read() as session:
        pinned = pinned_plans(two.scoped(session, "A"))
    first = [plan.key for plan in newer_versions(pinned, "klein-plan", "1.0.0")]
    assert first == ["klein-plan-zonnedijk@1.1.0", "2.0.0", "klein-plan-zonnedijk@1.0.0"]
    assert [plan.key for plan in newer_versions(pinned, "klein-plan", "2.0.0")] == ["klein-plan-zonnedijk@1.1.0"]
    later = newer_versions(pinned, "klein-plan-zonnedijk", "1.0.0")
    assert [plan.key for plan in later] == ["klein-plan-zonnedijk@1.1.0"]
    assert [plan.key for plan in newer_of_same_plan(pinned, "klein-plan", "1.0.0")] == ["2.0.0"]


def test_retired_plan_of_the_municipality_is_not_offered(two: Two):
    id = two.release("A", loaded(ADDITIONS))
    with two.database.write() as session:
        local_plans.retire(two.scoped(session, "A"), id, based_on=two.mark("A", id), by=str(two.users["A"]), at=NOW)
    with two.database.read() as session:
        assert newer_versions(pinned_plans(two.scoped(session, "A")), "klein-plan", "1.0.0") == []


RENAMED = (
    national(
        "1.1.0",
        ("- id: conclusie\n", "- id: slot\n"),
        since="1.0.0",
        renamed="{before: verkennen/conclusie, after: verkennen/slot}",
    ),
    national(
        "1.2.0",
        ("- id: conclusie\n", "- id: einde\n"),
        since="1.1.0",
        renamed="{before: verkennen/slot, after: verkennen/einde}",
    ),
)


def test_answers_follow_over_each_version_of_the_plan_that_is_extended(two: Two):
    """Also those to questions that the municipality added, which are in none of the national versions."""
    with two.database.write() as session:
        pin(session, [national(), *RENAMED], at=NOW)
    old, new = on(national(), "verkennen/conclusie", "1.0.0"), on(RENAMED[1], "verkennen/einde", "1.1.0")
    two.release("A", old)
    two.release("A", new)
    with two.database.read() as session:
        two.scoped(session, "A")
        found = comparison(session, old.plan.digest, new.plan.digest)
        assert found.new.digest == new.plan.digest
        step = ("verkennen", "conclusie")
        assert found.parts.steps[step] == (("verkennen", "einde"),)
        assert found.parts.questions[*step, "eerst"] == ("verkennen", "einde", "eerst")
        assert found.parts.questions[*step, "zd-wijk"] == ("verkennen", "einde", "zd-wijk")
        from_national = route(session, national().plan.digest, new.plan.digest)
        assert [plan.version for plan in from_national] == ["1.0.0", "1.1.0", "1.2.0", "1.1.0"]
        parts = comparison(session, national().plan.digest, new.plan.digest).parts
        assert parts.questions[*step, "eerst"] == ("verkennen", "einde", "eerst")


def test_changes_of_the_plan_that_is_extended_count_from_one_version_to_the_next(two: Two):
    with two.database.write() as session:
        pin(session, [national(), *RENAMED], at=NOW)
    old, new = on(national(), "verkennen/conclusie", "1.0.0"), on(RENAMED[0], "verkennen/slot", "2.0.0")
    two.release("A", old)
    two.release("A", new)
    with two.database.read() as session:
        two.scoped(session, "A")
        plans = route(session, old.plan.digest, new.plan.digest)
        assert [plan.digest for plan in plans] == [old.plan.digest, new.plan.digest]
        found = comparison(session, old.plan.digest, new.plan.digest)
        assert found.parts.questions["verkennen", "conclusie", "zd-wijk"] == ("verkennen", "slot", "zd-wijk")
