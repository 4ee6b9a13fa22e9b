"""What each event does to a run, and that the run is nothing but its events."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from typing import get_args

import pytest

from app.engine import events as e
from app.engine.apply import apply, replay
from app.engine.run import (
    Approval,
    Decided,
    DecisionTaken,
    EvidenceForm,
    Followed,
    Move,
    MoveProposal,
    Parked,
    ParkedKind,
    ParkedWhy,
    Request,
    Run,
    StageInstance,
    StageRef,
    StageStatus,
    StepStatus,
)
from tests.builders import (
    ANNA,
    BRAM,
    CHRIS,
    FRIDAY,
    MARIAM,
    MAX,
    MONDAY,
    OVERVIEW,
    PLAN,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    RunBuilder,
    a_condition,
    a_plan,
    a_run,
    a_stage,
    a_step,
    marks,
    ref,
    text,
)
from tests.engine.run_migration.moving import changed, moved, undone

V1 = ref("verkennen.1")
D1 = ref("draagvlak.1")

AGENDA = marks(PLAN.stage("draagvlak").step("agenderen"), {"moment": "1-3-2027"})
MOVE_PROPOSED = e.MoveProposed(
    proposal="p",
    to_version="2.0.0",
    to_digest="d",
    outcome="o",
    choices={"a": "keep"},
    reasons={"a": "t"},
    by=BRAM,
    at=THURSDAY,
)

ERASED = e.PersonalDataErased(
    erasure="x",
    ground="unlawful",
    answers={},
    texts={"p": "c"},
    evidence={},
    asked_by=MAX,
    by=MARIAM,
    at=THURSDAY,
)
ADVICE = (
    e.RunShared(adviser=MAX, question="t", by=ANNA, at=THURSDAY),
    e.AdviceGiven(advice="a", ref=V1, text="t", grounds=("leeftijd",), by=MAX, at=THURSDAY),
    e.AdviceAnswered(advice="a", followed=Followed.PARTLY, reason="t", by=ANNA, at=THURSDAY),
    e.SharingEnded(adviser=MAX, by=ANNA, at=THURSDAY),
)


def everything() -> RunBuilder:
    """A run in which every kind of event happened."""
    built = (
        a_run()
        .then(e.RunRenamed(name="n", purpose="p", by=ANNA, at=MONDAY))
        .with_team(ANNA, BRAM, MAX)
        .with_domains("wonen", "werk", "jeugd")
        .with_stage("verkennen.1")
        .with_evidence("verkennen.1", "overzicht", id="e")
        .with_evidence_withdrawn("verkennen.1", "overzicht", "e")
        .with_work_done("verkennen.1")
        .with_request("verkennen.1")
        .with_request_withdrawn("verkennen.1")
        .with_request("verkennen.1")
        .with_sent_back("verkennen.1", {"overzicht": "f"})
        .with_step_completed("verkennen.1", "overzicht")
        .with_request("verkennen.1")
        .with_approval("verkennen.1")
        .with_decision("bestaand-volstaat", "wonen")
        .with_decision_withdrawn("bestaand-volstaat", "wonen")
        .with_skip("werkgroep.1")
        .with_skip_undone("werkgroep.1")
        .with_stage_approved("draagvlak.1")
        .with_answers("draagvlak.1", "agenderen", {"moment": "1-3-2027"})
        .with_step_completed("draagvlak.1", "agenderen")
        .with_request("draagvlak.1")
        .with_approval("draagvlak.1", conditions=[a_condition()])
        .with_point_reported("draagvlak.1", "punt")
        .with_point_returned("draagvlak.1", "punt", by=CHRIS)
        .with_point_changed("draagvlak.1", "punt", owner=BRAM, due=date(2027, 1, 8), by=CHRIS)
        .with_point_reported("draagvlak.1", "punt", by=BRAM)
        .with_point_closed("draagvlak.1", "punt", by=CHRIS)
    )
    built = built.with_approval_withdrawn("verkennen.1")
    built = built.with_recusal("verkennen.1", at=FRIDAY).with_recusal_taken_back("verkennen.1", at=FRIDAY)
    built = built.then(
        e.AnswersProposed(
            ref=D1,
            step="agenderen",
            answers={"moment": replace(AGENDA["moment"], is_proposal=True)},
            by=ANNA,
            at=THURSDAY,
        )
    )
    other_date = changed(PLAN, "draagvlak/agenderen/moment", text=text("Welke dag?"))
    built = built.then(MOVE_PROPOSED).then(
        e.MoveProposalWithdrawn(proposal=MOVE_PROPOSED.proposal, by=MARIAM, at=THURSDAY)
    )
    for event in ADVICE:
        built = built.then(event)
    built = built.then(ERASED)
    return undone(moved(built, other_date), PLAN)


def test_every_event_is_tried_here():
    assert {type(event) for event in everything().events} == set(get_args(e.Event))


def test_replay_gives_the_run_that_the_events_made():
    built = everything()

    assert replay(built.events) == built.run


def test_erasing_changes_nothing_but_the_revision():
    run = everything().run

    assert apply(run, ERASED) == replace(run, revision=run.revision + 1)


def test_revision_counts_the_events():
    built = everything()

    for n in range(1, len(built.events) + 1):
        assert replay(built.events[:n]).revision == n


def test_applying_an_event_leaves_the_run_before_it_as_it_was():
    run: Run | None = None
    for n, event in enumerate(everything().events):
        before, copy = run, replay(everything().events[:n]) if n else None
        run = apply(run, event)
        assert before == copy


def test_values_of_a_run_cannot_be_edited_in_place():
    run = everything().run

    for mapping in (run.stages, run.stages[V1].steps, run.stages[V1].step("overzicht").answers):
        with pytest.raises(TypeError):
            mapping["x"] = None  # type: ignore[index]  # that it cannot is the point


def test_no_events_make_no_run():
    with pytest.raises(ValueError, match="no events"):
        replay([])


def test_first_event_starts_the_run_and_no_later_one_does():
    started = a_run().events[0]

    with pytest.raises(ValueError, match="must start it"):
        replay([e.RunRenamed(name="n", purpose="p", by=ANNA, at=MONDAY)])
    with pytest.raises(ValueError, match="starts once"):
        replay([started, started])


def test_event_about_a_stage_that_was_never_started_cannot_follow():
    completed = e.StepCompleted(ref=V1, step="overzicht", by=ANNA, at=MONDAY)

    with pytest.raises(ValueError, match=r"verkennen\.1 was never started"):
        apply(a_run().run, completed)


def test_stage_cannot_be_started_over_its_own_work():
    started = e.StageStarted(ref=V1, by=ANNA, at=MONDAY)

    with pytest.raises(ValueError, match=r"verkennen\.1 was started before"):
        apply(a_run().with_stage("verkennen.1").run, started)


@pytest.mark.parametrize("built", [a_run(), a_run().with_stage("werkgroep.1")])
def test_skip_that_never_was_cannot_be_undone(built: RunBuilder):
    with pytest.raises(ValueError, match=r"werkgroep\.1 was not skipped"):
        apply(built.run, e.SkipUndone(ref=ref("werkgroep.1"), by=ANNA, at=MONDAY))


# --- one event at a time: exactly these fields change ------------------------------------------------------------


def changed_fields(before: object, after: object) -> dict[str, object]:
    """Names and new values of the fields that differ between two values of one class."""
    assert type(before) is type(after)
    return {
        field.name: getattr(after, field.name)
        for field in fields(before)  # type: ignore[arg-type]  # dataclasses only
        if getattr(before, field.name) != getattr(after, field.name)
    }


def on_run(before: RunBuilder, event: e.Event) -> dict[str, object]:
    changed = changed_fields(before.run, apply(before.run, event))
    assert changed.pop("revision") == before.run.revision + 1
    return changed


def on_stage(before: RunBuilder, event: e.Event, at: StageRef = V1) -> dict[str, object]:
    after = apply(before.run, event)
    assert set(on_run(before, event)) == {"stages"}
    assert {r: i for r, i in after.stages.items() if r != at} == {r: i for r, i in before.run.stages.items() if r != at}
    return changed_fields(before.run.stages[at], after.stages[at])


def on_step(before: RunBuilder, event: e.Event, step: str = "overzicht") -> dict[str, object]:
    changed = on_stage(before, event)
    assert set(changed) <= {"steps", "contributors"}
    after = apply(before.run, event).stages[V1]
    assert {**after.steps, step: None} == {**before.run.stages[V1].steps, step: None}
    return changed_fields(before.run.stages[V1].step(step), after.step(step))


def test_renaming_changes_name_and_purpose():
    assert on_run(a_run(), e.RunRenamed(name="n", purpose="p", by=BRAM, at=TUESDAY)) == {"name": "n", "purpose": "p"}


def test_team_changed():
    event = e.TeamChanged(team=(BRAM,), manager=MAX, by=ANNA, at=TUESDAY)

    assert on_run(a_run(), event) == {"team": (BRAM,), "manager": MAX}


def test_domains_changed():
    assert on_run(a_run(), e.DomainsChanged(domains=("jeugd",), by=ANNA, at=TUESDAY)) == {"domains": ("jeugd",)}


def test_decision_recorded_and_withdrawn():
    recorded = e.DecisionRecorded(decision="d", domain="wonen", reason="r", by=MARIAM, at=TUESDAY)
    other = replace(recorded, domain="werk")
    both = a_run().then([recorded, other])

    taken = DecisionTaken("d", "wonen", MARIAM, TUESDAY, "r")
    assert on_run(a_run(), recorded) == {"decisions": (taken,)}
    assert on_run(both, e.DecisionWithdrawn(decision="d", domain="werk", reason="r", by=MAX, at=THURSDAY)) == {
        "decisions": (taken,)
    }


def test_stage_started():
    event = e.StageStarted(ref=V1, unmet_advice=("visie",), early_reason="t", by=BRAM, at=TUESDAY)

    assert on_run(a_run(), event) == {
        "stages": {V1: StageInstance(V1, started_by=BRAM, started_at=TUESDAY, early_reason="t", contributors=(BRAM,))}
    }


def test_stage_skipped_before_and_after_it_began():
    event = e.StageSkipped(ref=V1, reason="r", by=BRAM, at=TUESDAY)

    assert on_run(a_run(), event) == {
        "stages": {V1: StageInstance(V1, status=StageStatus.SKIPPED, skip_reason="r", decided_at=TUESDAY)}
    }
    assert on_stage(a_run().with_stage("verkennen.1"), event) == {
        "status": StageStatus.SKIPPED,
        "skip_reason": "r",
        "decided_at": TUESDAY,
    }


def test_step_saved():
    answers = marks(OVERVIEW, {"naam": "x"})
    event = e.StepSaved(ref=V1, step="overzicht", answers=answers, by=BRAM, at=TUESDAY)
    begun = a_run().with_stage("verkennen.1")

    assert on_step(begun, event) == {
        "status": StepStatus.BUSY,
        "revision": 1,
        "answers": answers,
        "changed_by": BRAM,
        "changed_at": TUESDAY,
    }
    assert on_stage(begun, event)["contributors"] == (ANNA, BRAM)


def test_step_completed():
    event = e.StepCompleted(ref=V1, step="overzicht", by=BRAM, at=TUESDAY)

    assert on_step(a_run().with_stage("verkennen.1"), event) == {
        "status": StepStatus.COMPLETED,
        "completed_by": BRAM,
        "completed_at": TUESDAY,
    }


def test_evidence_added_and_withdrawn():
    added = e.EvidenceAdded(
        ref=V1,
        step="overzicht",
        evidence="e",
        kind="verslag",
        form=EvidenceForm.NOTE,
        commitment="c",
        grounds=("inkomen",),
        by=BRAM,
        at=TUESDAY,
    )
    withdrawn = e.EvidenceWithdrawn(ref=V1, step="overzicht", evidence="e", reason="r", by=MAX, at=WEDNESDAY)
    begun = a_run().with_stage("verkennen.1")

    changed = on_step(begun, added)
    assert set(changed) == {"status", "evidence", "changed_by", "changed_at"}
    assert on_stage(begun, added)["contributors"] == (ANNA, BRAM)
    assert set(on_step(begun.then(added), withdrawn)) == {"evidence", "changed_by", "changed_at"}
    (item,) = begun.then([added, withdrawn]).state("verkennen.1", "overzicht").evidence
    assert (item.withdrawn_by, item.added_by, item.grounds, item.commitment) == (MAX, BRAM, ("inkomen",), "c")


def test_approval_requested_and_request_withdrawn():
    begun = a_run().with_stage("verkennen.1")
    asked = e.ApprovalRequested(ref=V1, request="r", seal="s", message="m", by=BRAM, at=TUESDAY)

    assert on_stage(begun, asked) == {
        "status": StageStatus.SUBMITTED,
        "request": Request("r", BRAM, TUESDAY, "s", "m"),
        "contributors": (ANNA, BRAM),
    }
    assert on_stage(begun.then(asked), e.RequestWithdrawn(ref=V1, request="r", by=BRAM, at=TUESDAY)) == {
        "status": StageStatus.OPEN,
        "request": None,
    }


def test_stage_approved_finally_and_not_yet():
    asked = a_run().with_work_done("verkennen.1").with_request("verkennen.1")
    final = e.StageApproved(ref=V1, request="r", seal="s", is_final=True, remark="m", by=MARIAM, at=WEDNESDAY)
    approval = Approval("r", MARIAM, WEDNESDAY, "s", "m")

    assert on_stage(asked, final) == {
        "status": StageStatus.APPROVED,
        "request": None,
        "approvals": (approval,),
        "passed": True,
        "decided_at": WEDNESDAY,
        "decided": Decided(True, MARIAM, WEDNESDAY, "s"),
    }
    assert on_stage(asked, replace(final, is_final=False)) == {"approvals": (approval,)}


def test_stage_sent_back():
    asked = a_run().with_work_done("verkennen.1").with_request("verkennen.1")
    event = e.StageSentBack(ref=V1, request="r", findings={"overzicht": "f"}, by=MARIAM, at=WEDNESDAY)

    assert set(on_stage(asked, event)) == {"status", "request", "decided_at", "decided", "steps"}
    after = asked.then(event).instance("verkennen.1")
    assert changed_fields(asked.state("verkennen.1", "overzicht"), after.step("overzicht")) == {
        "status": StepStatus.REVISIT,
        "finding": "f",
    }
    assert after.step("gesprekken") == asked.state("verkennen.1", "gesprekken")
    assert MARIAM not in after.contributors


def test_stage_reopened():
    approved = a_run().with_stage_approved("verkennen.1").with_stage_approved("draagvlak.1")

    assert on_stage(approved, e.StageReopened(ref=D1, by=BRAM, at=THURSDAY), D1) == {"status": StageStatus.OPEN}


def test_approval_withdrawn():
    approved = a_run().with_stage_approved("verkennen.1")
    event = e.ApprovalWithdrawn(ref=V1, reason="r", by=MAX, at=THURSDAY)

    (approval,) = approved.instance("verkennen.1").approvals
    assert on_stage(approved, event) == {
        "status": StageStatus.OPEN,
        "passed": False,
        "decided_at": THURSDAY,
        "approvals": (replace(approval, withdrawn_by=MAX),),
    }


def test_approval_that_was_withdrawn_before_keeps_who_did_it():
    twice = (
        a_run()
        .with_stage_approved("verkennen.1")
        .with_approval_withdrawn("verkennen.1", by=MAX)
        .with_request("verkennen.1")
        .with_approval("verkennen.1")
        .with_approval_withdrawn("verkennen.1", by=MARIAM)
    )

    assert [approval.withdrawn_by for approval in twice.instance("verkennen.1").approvals] == [MAX, MARIAM]


@pytest.mark.parametrize(
    ("act", "is_changed"),
    [
        (lambda b: b.with_answers("draagvlak.1", "agenderen", {"moment": "1-3-2027"}), True),
        (lambda b: b.with_evidence("draagvlak.1", "agenderen"), True),
        (lambda b: b.with_answers("draagvlak.1", "checklist", {"iedereen-steunt": {"grade": "no"}}), True),
        (lambda b: b, False),
    ],
)
def test_only_changed_content_counts_as_changed_since_the_approval(
    act: Callable[[RunBuilder], RunBuilder], is_changed: bool
):
    approved = a_run().with_stage_approved("verkennen.1").with_stage_approved("draagvlak.1")

    assert act(approved).instance("draagvlak.1").changed_since_approval == is_changed


def test_what_was_changed_since_the_approval_stays_so_until_the_next():
    approved = a_run().with_stage_approved("verkennen.1").with_stage_approved("draagvlak.1")
    changed = approved.with_answers("draagvlak.1", "agenderen", {"moment": "1-3-2027"})
    completed = changed.with_step_completed("draagvlak.1", "agenderen")

    assert completed.instance("draagvlak.1").changed_since_approval
    assert completed.with_request("draagvlak.1").instance("draagvlak.1").changed_since_approval
    again = completed.with_request("draagvlak.1").with_approval("draagvlak.1")
    assert not again.instance("draagvlak.1").changed_since_approval


def test_completing_a_step_changes_no_content():
    plan = a_plan(a_stage("s", a_step("x"), a_step("mag", is_required=False), is_continuous=True))
    approved = a_run(plan).with_stage("s.1").with_step_completed("s.1", "x").with_request("s.1").with_approval("s.1")
    more = approved.with_step_completed("s.1", "mag")

    assert more.instance("s.1").status is StageStatus.OPEN
    assert not more.instance("s.1").changed_since_approval
    assert more.seal("s.1") == approved.seal("s.1")


def test_work_during_a_request_that_one_of_two_approved_is_not_changed_after_approval():
    built = (
        a_run()
        .with_stage_approved("verkennen.1")
        .with_work_done("visie.1")
        .with_request("visie.1")
        .with_approval("visie.1", by=MARIAM)
        .with_evidence("visie.1", "toetsen")
    )

    assert not built.instance("visie.1").changed_since_approval


# --- proposals and moves -----------------------------------------------------------------------------------------


def test_answers_proposed_are_work_of_nobody():
    begun = a_run().with_stage("verkennen.1", by=BRAM)
    answers = {"naam": replace(marks(OVERVIEW, {"naam": "x"})["naam"], is_proposal=True)}
    event = e.AnswersProposed(ref=V1, step="overzicht", answers=answers, by=ANNA, at=TUESDAY)

    assert on_step(begun, event) == {"status": StepStatus.BUSY, "revision": 1, "answers": answers}
    assert on_stage(begun, event).keys() == {"steps"}


def test_answers_proposed_leave_what_was_answered_already():
    own = marks(OVERVIEW, {"naam": "van ons"})["naam"]
    begun = a_run().with_stage("verkennen.1").with_answers("verkennen.1", "overzicht", {"naam": "van ons"})
    theirs = replace(marks(OVERVIEW, {"naam": "van hen"})["naam"], is_proposal=True)
    event = e.AnswersProposed(ref=V1, step="overzicht", answers={"naam": theirs}, by=ANNA, at=TUESDAY)

    assert begun.then(event).state("verkennen.1", "overzicht").answers == {"naam": own}


def test_move_proposed_and_withdrawn():
    proposal = MoveProposal("p", "2.0.0", "d", "o", {"a": "keep"}, {"a": "t"}, BRAM, THURSDAY)

    assert on_run(a_run(), MOVE_PROPOSED) == {"proposal": proposal}
    withdrawn = e.MoveProposalWithdrawn(proposal="p", by=MARIAM, at=THURSDAY)
    assert on_run(a_run().then(MOVE_PROPOSED), withdrawn) == {"proposal": None}


def a_move(**changes: object) -> e.RunMoved:
    values: dict[str, object] = {
        "move": "m",
        "from_version": PLAN.version,
        "from_digest": PLAN.digest,
        "to_plan": PLAN.id,
        "to_version": "2.0.0",
        "to_digest": "d2",
        "outcome": "o",
        "choices": {},
        "reasons": {},
        "stages": (),
        "gone": (),
        "domains": ("wonen", "werk"),
        "decisions": (),
        "parked": (),
        "returned": (),
        "by": BRAM,
        "at": THURSDAY,
    }
    return e.RunMoved(**{**values, **changes})  # type: ignore[arg-type]  # each by its name


def undoing(move: e.RunMoved, **changes: object) -> e.MoveUndone:
    values: dict[str, object] = {
        "move": move.move,
        "plan_id": PLAN.id,
        "to_version": move.from_version,
        "to_digest": move.from_digest,
        "stages": (),
        "gone": (),
        "domains": move.domains,
        "decisions": (),
        "parked": (),
        "returned": (),
        "by": MAX,
        "at": THURSDAY,
    }
    return e.MoveUndone(**{**values, **changes})  # type: ignore[arg-type]  # each by its name


def test_run_moved_says_what_is_different_and_leaves_the_rest():
    begun = a_run().with_stage("verkennen.1").with_stage("werkgroep.1").then(MOVE_PROPOSED)
    other = StageInstance(ref("werkgroep.1"), started_by=MAX, started_at=TUESDAY)
    taken = DecisionTaken("d", None, MARIAM, TUESDAY, "r")
    item = Parked("m.0001", ParkedKind.DECISION, ParkedWhy.GONE, "1.0.0", "d1", None, decision=taken)
    event = a_move(stages=(other,), gone=(V1,), domains=("werk",), decisions=(taken,), parked=(item,))

    assert on_run(begun, event) == {
        "plan_version": "2.0.0",
        "plan_digest": "d2",
        "stages": {other.ref: other},
        "domains": ("werk",),
        "decisions": (taken,),
        "parked": (item,),
        "proposal": None,
        "moves": (Move("m", "1.0.0", PLAN.digest, "2.0.0", "d2", BRAM, THURSDAY, begun.run.revision + 1),),
    }


def test_move_undone_takes_back_what_was_parked_and_says_who_did_it():
    item = Parked("m.0001", ParkedKind.TEXT, ParkedWhy.GONE, "1.0.0", "d1", V1, key="t")
    move = a_move(parked=(item,))
    there = a_run().then(move)

    changed_ones = on_run(there, undoing(move, returned=("m.0001",)))
    assert changed_ones.keys() == {"plan_version", "plan_digest", "parked", "moves"}
    after = there.then(undoing(move, returned=("m.0001",))).run
    assert (after.parked, after.plan_version, after.last_move) == ((), "1.0.0", None)
    assert [(m.undone_by, m.undone_at) for m in after.moves] == [(MAX, THURSDAY)]


def test_run_of_another_version_cannot_move_so():
    with pytest.raises(ValueError, match="another version"):
        apply(a_run().run, a_move(from_version="1.1.0"))
    with pytest.raises(ValueError, match="another version"):
        apply(a_run().run, a_move(from_digest="x"))


def test_only_the_last_move_can_be_undone():
    first, second = a_move(), a_move(move="m2", from_version="2.0.0", from_digest="d2", to_digest="d3")

    with pytest.raises(ValueError, match="only the last move"):
        apply(a_run().run, undoing(first))
    with pytest.raises(ValueError, match="only the last move"):
        apply(a_run().then([first, second]).run, undoing(first))
    undone_once = a_run().then([first, undoing(first)])
    with pytest.raises(ValueError, match="only the last move"):
        apply(undone_once.run, undoing(first))
    assert a_run().then([first, second, undoing(second), undoing(first)]).run.last_move is None
