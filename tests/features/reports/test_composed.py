"""A report is composed once, until anything that it is made from is another."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from app.engine import events as e
from app.engine.run import Run, StageRef
from app.features.reports.composed import CHAPTERS_KEPT_MAX, Composed, KeptReports, composed
from app.storage import run_store
from app.storage.answer_store import answers_of_run, current_answers
from app.storage.database import Database
from app.storage.memory import remember_in
from app.storage.scope import set_scope, unscoped
from app.storage.tables import AnswerRow, EvidenceRow, User
from app.storage.texts import write_text
from app.web.i18n import LANGUAGE_COOKIE
from tests.features.client import a_world
from tests.features.moving import a_full_room, moved
from tests.features.steps.pages import form_data
from tests.features.steps.room import Room
from tests.security.prepared import prepare

VERKENNEN = StageRef("verkennen")


@pytest.fixture
def room(database: Database) -> Room:
    return a_full_room(database)


def report(room: Room, **how: Any) -> Composed:
    """In the memory of the application, as for a page."""
    with room.world.reading() as session:
        remember_in(session, room.world.database._memory)
        return composed(session, room.run, **{"at": room.world.clock(), **how})


def test_the_next_reader_gets_what_was_composed_with_another_name_and_time_on_it(room: Room):
    address = f"/trajecten/{room.run}/rapport"
    anna = room.browser("anna").get(address).text
    first = report(room)
    room.world.clock.advance(minutes=3)
    emma = room.browser("emma").get(address).text
    assert report(room) is first
    assert "Gemaakt</dt><dd>Anna de Wit, " in anna
    assert "Gemaakt</dt><dd>Emma Kok, " in emma
    assert "Het is gemaakt door Emma Kok" in emma
    assert "Het is gemaakt door Anna de Wit" not in emma


@pytest.mark.parametrize("what", ["answer", "title of evidence", "name", "event", "version of the plan"])
def test_another_one_is_composed_when_something_in_it_changes(room: Room, what: str):
    first, world = report(room), room.world
    of_run = uuid.UUID(room.run)
    if what == "version of the plan":
        moved(world, room.run, "2.0.0")
    else:
        with world.database.write() as session:
            if what == "name":
                unscoped(session, "a name is of the whole installation")
                anna = uuid.UUID(world.users["anna"])
                session.execute(update(User).where(col(User.id) == anna).values(name="Anna Wit-Zwart"))
            else:
                set_scope(session, world.municipalities["Zonnedijk"])
            match what:
                case "answer":
                    session.execute(update(AnswerRow).where(col(AnswerRow.run_id) == of_run).values(value=None))
                case "title of evidence":
                    session.execute(update(EvidenceRow).where(col(EvidenceRow.run_id) == of_run).values(title="Merel"))
                case "event":
                    plan, run = run_store.load_run(session, room.run, for_change=True)
                    changed = e.TeamChanged(
                        team=run.team, manager=world.users["dirk"], by=world.users["anna"], at=world.clock()
                    )
                    run_store.record(session, plan, run, changed)
    second = report(room)
    assert second.contents != first.contents
    assert report(room) is second


def test_what_a_transaction_took_back_is_in_no_report(database: Database):
    """Of a withdrawn request a run holds neither who, when nor why: another withdrawal leads to an equal run."""
    room = a_full_room(database, is_approved=False)
    world, anna, asking = room.world, room.browser("anna"), f"{room.stage}/akkoord-vragen"
    asked = anna.post(asking, form_data(anna.get(asking).text, asking), follow_redirects=False)
    assert asked.status_code == 303, asked.text

    def withdrawn(session: Session, why: str) -> Run:
        set_scope(session, world.municipalities["Zonnedijk"])
        remember_in(session, world.database._memory)
        plan, run = run_store.load_run(session, room.run, for_change=True)
        request, by, at = run.stages[VERKENNEN].request, world.users["anna"], world.clock()
        assert request is not None
        reason = write_text(session, room.run, why, by=by, at=at)
        event = e.RequestWithdrawn(ref=VERKENNEN, request=request.id, reason=reason, by=by, at=at)
        return run_store.record(session, plan, run, event)

    class TakenBack(Exception):
        pass

    with pytest.raises(TakenBack), world.database.write() as session:
        lost = withdrawn(session, "Te vroeg.")
        composed(session, room.run, at=world.clock())
        raise TakenBack
    world.clock.advance(minutes=5)
    with world.database.write() as session:
        assert withdrawn(session, "Te laat.") == lost
    shown = [line for stage in report(room).contents.stages for line in stage.decisions]
    assert [(line.remarks, line.at) for line in shown] == [(((None, "Te laat."),), world.clock())]


def test_what_is_late_depends_on_the_day(room: Room):
    first = report(room)
    room.world.clock.advance(days=1)
    assert report(room) is not first
    assert report(room).contents == first.contents


def test_what_is_confidential_is_only_in_what_was_composed_with_it(room: Room):
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        of_run = col(EvidenceRow.run_id) == uuid.UUID(room.run)
        session.execute(update(EvidenceRow).where(of_run).values(confidentiality="confidential", note="Merel"))
    with_it, without = report(room), report(room, with_confidential=False)
    assert {line.note for line in with_it.contents.evidence} == {"Merel"}
    assert {line.note for line in without.contents.evidence} == {None}
    assert (report(room), report(room, with_confidential=False)) == (with_it, without)


def test_each_language_has_its_own(room: Room):
    anna, address = room.browser("anna"), f"/trajecten/{room.run}/rapport"
    for language, words in (("nl", "Open punten"), ("en", "Open points"), ("nl", "Open punten")):
        anna.client.cookies.set(LANGUAGE_COOKIE, language)
        page = anna.get(address).text
        assert f">{words}</h2>" in page, language


def test_a_page_of_enormous_texts_is_not_kept(room: Room):
    anna, address = room.browser("anna"), f"/trajecten/{room.run}/rapport"
    anna.get(address)
    assert report(room)._chapters.keys() == {"nl"}
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        of_text = (col(AnswerRow.run_id) == uuid.UUID(room.run), col(AnswerRow.question) == "opdracht")
        session.execute(update(AnswerRow).where(*of_text).values(value="a" * CHAPTERS_KEPT_MAX))
    assert "a" * CHAPTERS_KEPT_MAX in anna.get(address).text
    assert report(room)._chapters == {}


def test_an_earlier_day_is_composed_each_time(room: Room):
    today = room.world.clock().date()
    first = report(room, on=today)
    assert report(room, on=today) is not first
    assert first.contents.on == today
    assert report(room).contents.on is None


def test_readers_share_one(database: Database):
    world = a_world(database)
    run = prepare(world, officer="anna", manager="carla", word="merel").run
    for login in ("anna", "carla", "emma"):
        assert world.browser(login).get(f"/trajecten/{run}/rapport").status_code == 200
    kept = world.database._memory.of(KeptReports)._kept
    assert [key for key in kept if key[0] == run] == [(run, True)]


def test_the_command_line_keeps_nothing(room: Room):
    with room.world.reading() as session:
        first = composed(session, room.run, at=room.world.clock())
        assert composed(session, room.run, at=room.world.clock()) is not first


def test_answers_that_are_the_same_are_not_read_again(room: Room):
    with room.world.reading() as session:
        first = answers_of_run(session, room.run, known=None)
        assert answers_of_run(session, room.run, known=first) is first
    assert first.by_place
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        session.execute(update(AnswerRow).where(col(AnswerRow.run_id) == uuid.UUID(room.run)).values(value=None))
    with room.world.reading() as session:
        second = answers_of_run(session, room.run, known=first)
        assert second.by_place == current_answers(session, room.run) != first.by_place
