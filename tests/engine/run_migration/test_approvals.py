"""What becomes of approvals when a run moves, and who may move it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.engine.apply import replay
from app.engine.definition import CHECKLIST, Ground, StepPlan
from app.engine.events import StageApproved
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import StageStatus, StepStatus
from app.engine.run_migration.compare import compare
from app.engine.run_migration.items import plan_run_migration
from app.engine.run_migration.moves import (
    MoveChanged,
    decide_outcome,
    move_run,
    mover_reasons,
    propose_move,
    withdraw_move_proposal,
)
from app.engine.seal import seal
from tests.builders import (
    ANNA,
    BRAM,
    CHRIS,
    MANAGER,
    MARIAM,
    MAX,
    OFFICER,
    PLAN,
    THURSDAY,
    RunBuilder,
    a_gate,
    a_plan,
    a_question,
    a_run,
    a_stage,
    a_statement,
    a_step,
    ref,
    text,
)
from tests.engine.refusals import why_not
from tests.engine.run_migration.moving import (
    adding,
    changed,
    moved,
    outcome_of,
    planned,
    version,
    with_part,
    with_question,
    with_stage,
    without,
)

OVERVIEW = "verkennen/overzicht"
HERE = "verkennen.1"
APPROVED = a_run().with_stage_approved(HERE)
ANOTHER_NAME = changed(PLAN, f"{OVERVIEW}/naam", text=text("Hoe heet het nu?"))


# --- standing and reopened -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "newer",
    [
        version(PLAN),
        changed(PLAN, f"{OVERVIEW}/naam", help=text("Hulp")),
        changed(PLAN, f"{OVERVIEW}/naam", text=text("Naam?"), cosmetic=[f"{OVERVIEW}/naam"]),
        changed(PLAN, f"{OVERVIEW}/naam", is_required=False),
        changed(PLAN, f"{OVERVIEW}/naam", id="titel"),
        changed(PLAN, OVERVIEW, id="beeld"),
        version(adding(PLAN, OVERVIEW, a_question("extra"))),
        version(adding(PLAN, "verkennen", a_step("extra", a_question("q", is_required=True), is_required=False))),
        version(without(PLAN, f"{OVERVIEW}/inbreng")),
        version(without(PLAN, "verkennen/gesprekken")),
        version(without(PLAN, f"verkennen/{CHECKLIST}")),
        changed(PLAN, OVERVIEW, evidence=()),
        changed(PLAN, "visie/opschrijven", title=text("Anders")),
        version(PLAN, grounds=(*PLAN.grounds, Ground("taal", text("Taal")))),
    ],
)
def test_approval_stands_where_nothing_is_asked_again(newer: StepPlan):
    result = outcome_of(APPROVED, newer)
    after = result.run.stages[ref(HERE)]

    assert (result.reopened, result.needs_manager) == ((), False)
    assert (after.status, after.changed_since_approval) == (StageStatus.APPROVED, False)
    assert after.approvals == APPROVED.instance(HERE).approvals


def test_manager_confirms_that_an_approved_stage_goes():
    newer = version(without(PLAN, "verkennen"))
    result = outcome_of(APPROVED, newer)
    [stage] = [item.stage for item in result.parked if item.stage is not None]

    assert (result.reopened, result.needs_manager) == ((), True)
    assert stage.approvals == APPROVED.instance(HERE).approvals
    assert why_not(lambda: move(APPROVED, newer, ANNA, OFFICER)) == ["move_needs_manager", "move_not_proposed"]


@pytest.mark.parametrize(
    "newer",
    [
        ANOTHER_NAME,
        changed(PLAN, f"{OVERVIEW}/laatste-besluit", text=text("Anders")),
        changed(PLAN, f"{OVERVIEW}/toelichting", is_required=True),
        changed(PLAN, OVERVIEW, title=text("Anders")),
        changed(PLAN, "verkennen", title=text("Anders")),
        changed(PLAN, "verkennen", gate=a_gate(approvals=2)),
        changed(PLAN, "verkennen/gesprekken", is_required=True),
        version(adding(PLAN, OVERVIEW, a_question("extra", is_required=True))),
        version(adding(PLAN, "verkennen", a_step("extra"))),
        version(adding(PLAN, f"verkennen/{CHECKLIST}", a_statement("extra", "inkomen"))),
        changed(PLAN, f"verkennen/{CHECKLIST}/rondkomen", text=text("Anders")),
        version(PLAN, grounds=(replace(PLAN.grounds[0], title=text("Jong en oud")), *PLAN.grounds[1:])),
    ],
)
def test_stage_is_approved_again_where_something_is_asked_or_decided_again(newer: StepPlan):
    result = outcome_of(APPROVED, newer)
    after = result.run.stages[ref(HERE)]

    assert (result.reopened, result.needs_manager) == ((ref(HERE),), True)
    assert (after.status, after.passed, after.changed_since_approval) == (StageStatus.OPEN, True, True)
    assert after.approvals == APPROVED.instance(HERE).approvals


def test_keeping_the_answer_does_not_keep_the_approval():
    result = outcome_of(APPROVED, ANOTHER_NAME, choices={f"{HERE}/overzicht/naam": "keep"})

    assert result.reopened == (ref(HERE),)
    assert result.run.stages[ref(HERE)].step("overzicht").status is StepStatus.COMPLETED


def test_ground_of_a_question_in_a_step_counts_as_that_of_a_statement():
    plan = with_question(PLAN, "visie/opschrijven/visie", ground="inkomen")
    approved = a_run(plan).with_stage_approved(HERE).with_stage_approved("visie.1")
    grounds = tuple(replace(g, title=text("Geld")) if g.id == "inkomen" else g for g in plan.grounds)
    keep = {"visie.1/opschrijven/visie": "keep"}

    assert ref("visie.1") in outcome_of(approved, version(plan, grounds=grounds), choices=keep).reopened


TWO = a_plan(
    a_stage("een", a_step("x", a_question("a"), a_question("b")), a_step("klaar")),
    a_stage("twee", a_step("y", a_question("c"))),
)


@pytest.mark.parametrize(
    ("newer", "is_reopened"),
    [
        (version(adding(without(TWO, "een/x/a"), "twee/y", a_question("a")), moved=[("een/x/a", "twee/y/a")]), True),
        (version(adding(without(TWO, "een/x"), "twee", TWO.stage("een").step("x")), moved=[("een/x", "twee/x")]), True),
        (
            version(adding(without(TWO, "een/klaar"), "twee", a_step("klaar")), moved=[("een/klaar", "twee/klaar")]),
            True,
        ),
        (version(without(TWO, "een/x/a")), False),
    ],
)
def test_approval_does_not_cover_what_comes_from_another_stage(newer: StepPlan, is_reopened: bool):
    both = a_run(TWO).with_stage_approved("een.1").with_stage_approved("twee.1")
    result = outcome_of(both, newer)

    assert result.reopened == ((ref("twee.1"),) if is_reopened else ())
    assert result.run.stages[ref("een.1")].status is StageStatus.APPROVED


def test_required_step_that_nobody_did_does_not_come_under_an_approval():
    built = a_run(TWO).with_stage("een.1").with_stage_approved("twee.1")
    plan = version(adding(without(TWO, "een/klaar"), "twee", a_step("klaar")), moved=[("een/klaar", "twee/klaar")])

    assert outcome_of(built, plan).reopened == (ref("twee.1"),)


def test_continuous_stage_that_was_approved_is_approved_again_too():
    working = APPROVED.with_stage_approved("draagvlak.1").with_evidence("draagvlak.1", "agenderen")
    settled = a_run().with_stage_approved(HERE).with_stage_approved("draagvlak.1")
    newer = changed(PLAN, "draagvlak/agenderen/moment", text=text("Welke dag?"))

    assert outcome_of(settled, newer).reopened == (ref("draagvlak.1"),)
    # It was changed since its approval already: nothing is let go of that was not open.
    assert outcome_of(working, newer).reopened == ()


def test_later_stages_go_on_where_an_approval_is_asked_again():
    after = moved(APPROVED, ANOTHER_NAME)

    assert after.with_stage("visie.1").instance("visie.1").status is StageStatus.OPEN


def test_stage_is_approved_again_after_somebody_looked():
    after = moved(APPROVED, ANOTHER_NAME)
    assert why_not(lambda: after.with_request(HERE)) == ["step_open"]

    again = (
        after.with_answers(HERE, "overzicht", {"naam": "Ja, zo heet het"})
        .with_step_completed(HERE, "overzicht")
        .with_request(HERE)
        .with_approval(HERE)
    )

    assert (again.instance(HERE).status, again.instance(HERE).changed_since_approval) == (StageStatus.APPROVED, False)
    assert len(again.instance(HERE).approvals) == 2


def test_who_worked_on_what_came_along_does_not_approve_it():
    built = (
        a_run(TWO, team=(ANNA, MAX))
        .with_stage("een.1", by=MAX)
        .with_step_done("een.1", "x", by=MAX)
        .with_stage("twee.1")
        .with_step_done("twee.1", "y")
    )
    plan = version(adding(without(TWO, "een/x/a"), "twee/y", a_question("a")), moved=[("een/x/a", "twee/y/a")])

    asked = moved(built, plan).with_request("twee.1")

    assert why_not(lambda: asked.with_approval("twee.1", by=MAX)) == ["approver_did_the_work"]


def test_earlier_approval_stays_provable_against_what_it_sealed():
    plan = version(
        with_part(without(PLAN, f"{OVERVIEW}/inbreng"), "verkennen", id="kijken"), moved=[("verkennen", "kijken")]
    )
    after = moved(moved(APPROVED, plan), version(without(plan, "kijken"), "3.0.0", since="2.0.0"))

    (at,) = [n for n, event in enumerate(after.events) if isinstance(event, StageApproved)]
    (header,) = [item.stage for item in after.run.parked if item.stage]
    assert seal(replay(after.events[:at]), ref(HERE)) == header.approvals[0].seal


# --- who moves -------------------------------------------------------------------------------------------------


def move(built: RunBuilder, newer: StepPlan, by: str, roles: frozenset[str], **more: Any) -> Any:
    result = outcome_of(built, newer)
    how = {"shown": result.digest, "reasons": {}, "people": ONE_ACCOUNT_EACH, **more}
    return move_run(planned(built, newer), result, move="m", by=by, roles=roles, at=THURSDAY, **how)


def proposed(built: RunBuilder, newer: StepPlan, by: str = ANNA) -> RunBuilder:
    result = outcome_of(built, newer)
    return built.then(
        propose_move(
            planned(built, newer), result, proposal="p", shown=result.digest, reasons={"a": "t"}, by=by, at=THURSDAY
        )
    )


def test_anybody_in_the_team_moves_a_run_where_no_approval_is_touched():
    assert move(APPROVED, version(PLAN), ANNA, OFFICER).by == ANNA
    assert why_not(lambda: move(APPROVED, version(PLAN), CHRIS, OFFICER)) == ["not_in_team"]


def test_where_an_approval_is_touched_one_proposes_and_a_manager_confirms():
    assert why_not(lambda: move(APPROVED, ANOTHER_NAME, ANNA, OFFICER)) == ["move_needs_manager", "move_not_proposed"]
    assert why_not(lambda: move(APPROVED, ANOTHER_NAME, MARIAM, MANAGER)) == ["move_not_proposed"]

    waiting = proposed(APPROVED, ANOTHER_NAME)
    assert why_not(lambda: move(waiting, ANOTHER_NAME, BRAM, OFFICER)) == ["move_needs_manager"]
    event = move(waiting, ANOTHER_NAME, MARIAM, MANAGER)
    assert (event.by, event.proposed_by) == (MARIAM, ANNA)
    assert waiting.then(event).run.proposal is None


def test_manager_does_not_confirm_an_own_proposal():
    waiting = proposed(APPROVED, ANOTHER_NAME, by=MARIAM)

    assert why_not(lambda: move(waiting, ANOTHER_NAME, MARIAM, MANAGER)) == ["move_proposed_by_you"]
    assert move(waiting, ANOTHER_NAME, MAX, MANAGER).by == MAX


def test_only_the_team_proposes():
    assert why_not(lambda: proposed(APPROVED, ANOTHER_NAME, by=CHRIS)) == ["not_in_team"]


def test_proposal_to_another_version_or_for_another_outcome_is_not_confirmed():
    waiting = proposed(APPROVED, ANOTHER_NAME)
    other = changed(PLAN, f"{OVERVIEW}/naam", text=text("Nog anders"))
    worked_on = waiting.with_stage("werkgroep.1")

    assert why_not(lambda: move(waiting, other, MARIAM, MANAGER)) == ["move_not_proposed"]
    assert why_not(lambda: move(worked_on, ANOTHER_NAME, MARIAM, MANAGER)) == ["move_proposal_outdated"]


def test_proposal_is_withdrawn_or_declined_once():
    waiting = proposed(APPROVED, ANOTHER_NAME)
    withdrawn = waiting.then(withdraw_move_proposal(waiting.run, reason=None, by=MARIAM, at=THURSDAY))

    assert withdrawn.run.proposal is None
    assert why_not(lambda: withdraw_move_proposal(withdrawn.run, reason=None, by=MARIAM, at=THURSDAY)) == [
        "move_not_proposed"
    ]


def test_what_is_carried_out_is_what_was_shown():
    with pytest.raises(MoveChanged) as refused:
        move(APPROVED, version(PLAN), ANNA, OFFICER, shown="iets anders")
    assert refused.value.shown == "iets anders"

    result = outcome_of(APPROVED, ANOTHER_NAME)
    with pytest.raises(MoveChanged):
        propose_move(planned(APPROVED, ANOTHER_NAME), result, proposal="p", shown="x", reasons={}, by=ANNA, at=THURSDAY)


def test_administrator_moves_many_runs_as_far_as_no_approval_is_touched():
    assert move(APPROVED, version(PLAN), CHRIS, OFFICER, is_for_many=True).by == CHRIS
    assert "move_not_proposed" in why_not(lambda: move(APPROVED, ANOTHER_NAME, CHRIS, MANAGER, is_for_many=True))


def test_reasons_why_not_are_told_before_anybody_tries():
    result = outcome_of(APPROVED, ANOTHER_NAME)

    assert [r.code for r in mover_reasons(APPROVED.run, result, by=ANNA, roles=OFFICER, people=ONE_ACCOUNT_EACH)] == [
        "move_needs_manager",
        "move_not_proposed",
    ]


def test_event_tells_only_what_is_different():
    built = APPROVED.with_stage("werkgroep.1")
    event = move(proposed(built, ANOTHER_NAME), ANOTHER_NAME, MARIAM, MANAGER)

    assert [str(instance.ref) for instance in event.stages] == [HERE]
    assert (event.gone, event.parked, event.returned) == ((), (), ())
    assert event.choices == {f"{HERE}/overzicht/naam": "again"}


# --- one step or two -------------------------------------------------------------------------------------------


def test_moving_in_two_steps_ends_where_moving_at_once_does():
    one = version(
        with_stage(with_part(PLAN, f"{OVERVIEW}/naam", id="titel"), "visie", id="beeld"),
        "1.1.0",
        moved=[(f"{OVERVIEW}/naam", f"{OVERVIEW}/titel"), ("visie", "beeld")],
    )
    two = changed(one, OVERVIEW, number="2.0.0", id="overzien")
    built = a_run().with_stage_approved(HERE).with_stage_approved("visie.1")

    stepwise, at_once = moved(moved(built, one), two), moved(built, one, two)

    for at in ("verkennen.1", "beeld.1"):
        here, there = stepwise.instance(at), at_once.instance(at)
        assert {s: (x.status, x.answers, x.evidence) for s, x in here.steps.items()} == {
            s: (x.status, x.answers, x.evidence) for s, x in there.steps.items()
        }
        assert (here.status, here.approvals) == (there.status, there.approvals)


def test_choices_are_decided_on_the_plan_that_they_are_about():
    migration = plan_run_migration(APPROVED.run, compare([PLAN, version(PLAN)]))

    assert decide_outcome(migration, {}, {}, move="m").choices == {}
