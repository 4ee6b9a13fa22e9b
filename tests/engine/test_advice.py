"""Sharing, advice and its answer: who may, what is recorded, and that it is nobody's work on a stage."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.engine import advice as rules
from app.engine import events as e
from app.engine.apply import apply
from app.engine.errors import Blocked
from app.engine.guards import NoSuchPart
from app.engine.run import Followed, Run, StageRef
from app.storage import codec
from tests.builders import ANNA, MONDAY, PLAN, TUESDAY, an_id
from tests.builders import a_run as a_builder

KEES = an_id("kees")


def a_run() -> Run:
    return a_builder().run


def a_shared_run() -> Run:
    run = a_run()
    return after(run, *rules.share_run(run, KEES, question="q", wanted_by=date(2027, 4, 1), by=ANNA, at=MONDAY))


def after(run: Run, *events: e.Event) -> Run:
    for event in events:
        kind, data = codec.encode_event(event)
        assert codec.decode_event(kind, data, by=event.by, at=event.at) == event
        run = apply(run, event)
    assert replace(run, **codec.decode_run(codec.encode_run(run))) == run
    return run


def codes(refused: pytest.ExceptionInfo[Blocked]) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def give(run: Run, **changes: Any) -> e.AdviceGiven:
    given: dict[str, Any] = {"ref": None, "text": "t", "grounds": (), "by": KEES, "at": TUESDAY} | changes
    return rules.give_advice(PLAN, run, "advies-1", **given)


def test_sharing_again_replaces_the_question_and_ending_it_takes_the_adviser_away():
    run = a_shared_run()
    run = after(run, *rules.share_run(run, KEES, question="q2", wanted_by=None, by=ANNA, at=TUESDAY))
    assert [(shared.adviser, shared.question) for shared in run.shared] == [(KEES, "q2")]
    run = after(run, *rules.end_sharing(run, KEES, by=ANNA, at=TUESDAY))
    assert run.advisers == ()
    assert rules.end_sharing(run, KEES, by=ANNA, at=TUESDAY) == []


def test_who_is_not_in_the_team_shares_nothing_and_answers_nothing():
    run = after(a_shared_run(), give(a_shared_run()))
    with pytest.raises(Blocked) as refused:
        rules.share_run(run, "piet", question=None, wanted_by=None, by="zoe", at=MONDAY)
    assert codes(refused) == ["not_in_team"]
    with pytest.raises(Blocked) as refused:
        rules.end_sharing(run, KEES, by=KEES, at=MONDAY)
    assert codes(refused) == ["not_in_team"]
    with pytest.raises(Blocked) as refused:
        rules.answer_advice(run, "advies-1", followed=Followed.NOT, reason=None, by=KEES, at=MONDAY)
    assert codes(refused) == ["not_in_team", "reason_missing"]


def test_team_member_cannot_be_adviser_of_the_own_run():
    with pytest.raises(Blocked) as refused:
        rules.share_run(a_run(), ANNA, question=None, wanted_by=None, by=ANNA, at=MONDAY)
    assert codes(refused) == ["adviser_in_team"]


def test_advice_takes_sharing_a_text_and_known_parts():
    with pytest.raises(Blocked) as refused:
        give(a_run(), text=None)
    assert codes(refused) == ["not_shared", "advice_missing"]
    with pytest.raises(NoSuchPart):
        give(a_shared_run(), grounds=("bestaat-niet",))
    with pytest.raises(NoSuchPart):
        give(a_shared_run(), ref=StageRef("bestaat-niet"))
    with pytest.raises(NoSuchPart):
        rules.answer_advice(a_shared_run(), "geen", followed=Followed.NOT, reason="r", by=ANNA, at=MONDAY)


def test_advice_changes_no_stage_and_its_last_answer_counts():
    run = a_shared_run()
    advised = after(run, give(run))
    assert advised.stages == run.stages
    for followed in (Followed.NOT, Followed.WHOLLY):
        answer = rules.answer_advice(advised, "advies-1", followed=followed, reason="r", by=ANNA, at=TUESDAY)
        advised = after(advised, answer)
    [only] = advised.advice
    assert only.answer is not None
    assert only.answer.followed is Followed.WHOLLY
    assert advised.revision == run.revision + 3
