"""Undoing a move: exactly as it was before, or it says what was done since and sets that aside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.engine.definition import CHECKLIST
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import Parked, ParkedKind, ParkedWhy, Run, StageStatus, StepStatus
from app.engine.run_migration.moves import undo_move, undoer_reasons
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
    a_plan,
    a_question,
    a_run,
    a_stage,
    a_step,
    ref,
    text,
)
from tests.engine.refusals import reasons, why_not
from tests.engine.run_migration.account import account
from tests.engine.run_migration.moving import (
    adding,
    changed,
    moved,
    undo_of,
    undone,
    version,
    where,
    with_part,
    with_stage,
    without,
)

OVERVIEW = "verkennen/overzicht"
HERE = "verkennen.1"
ANSWER, EVIDENCE, TEXT = ParkedKind.ANSWER, ParkedKind.EVIDENCE, ParkedKind.TEXT
APPROVAL, STAGE, DECISION = ParkedKind.APPROVAL, ParkedKind.STAGE, ParkedKind.DECISION

FILLED = a_run().with_stage(HERE).with_step_done(HERE, "overzicht")
APPROVED = a_run().with_stage_approved(HERE)
ANOTHER_NAME = changed(PLAN, f"{OVERVIEW}/naam", text=text("Hoe heet het nu?"))


def as_it_was(now: Run, then: Run) -> bool:
    """But for what only counts up."""

    def bare(run: Run) -> Run:
        stages = {
            at: replace(i, steps={id: replace(state, revision=0) for id, state in i.steps.items()})
            for at, i in run.stages.items()
        }
        return replace(run, stages=stages, revision=0, moves=(), proposal=None)

    return bare(now) == bare(then)


def later(built: RunBuilder) -> list[tuple[ParkedKind, str]]:
    return [(item.kind, where(item)) for item in undo_of(built, PLAN).later]


# --- nothing was done since ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "newer",
    [
        version(PLAN),
        ANOTHER_NAME,
        changed(PLAN, "verkennen", id="kijken"),
        changed(PLAN, OVERVIEW, id="beeld"),
        version(without(PLAN, "verkennen")),
        version(without(PLAN, OVERVIEW)),
        version(with_stage(PLAN, "verkennen", is_per_domain=True)),
        version(PLAN, decisions=()),
        version(PLAN, domains=PLAN.domains[1:]),
        changed(PLAN, "werkgroep", is_optional=False),
    ],
)
def test_undone_at_once_the_run_is_as_it_was(newer: object):
    built = (
        a_run()
        .with_stage_approved(HERE)
        .with_stage("verkennen.2")
        .with_decision("bestaand-volstaat", "wonen")
        .with_stage("uitvoeren.wonen.1")
        .with_skip("werkgroep.1")
    )
    after = moved(built, newer)  # type: ignore[arg-type]  # a plan

    back = undone(after, PLAN)

    assert as_it_was(back.run, built.run)
    assert undo_of(after, PLAN).later == ()


def test_approval_is_back_and_covers_what_is_there():
    after = moved(APPROVED, ANOTHER_NAME)
    undo = undo_of(after, PLAN)
    back = undone(after, PLAN)

    assert (undo.restored, undo.approved) == ((ref(HERE),), (ref(HERE),))
    instance = back.instance(HERE)
    assert (instance.status, instance.changed_since_approval) == (StageStatus.APPROVED, False)
    assert seal(back.run, ref(HERE)) == instance.approvals[0].seal


def test_approval_that_was_never_touched_is_not_told_as_back():
    after = moved(APPROVED, version(without(PLAN, f"{OVERVIEW}/inbreng")))
    undo = undo_of(after, PLAN)

    assert (undo.restored, undo.approved) == ((ref(HERE),), ())


def test_form_that_was_opened_in_between_is_not_taken_for_a_current_one():
    after = moved(FILLED, ANOTHER_NAME)
    back = undone(after, PLAN)

    between, now = after.state(HERE, "overzicht").revision, back.state(HERE, "overzicht").revision
    assert FILLED.state(HERE, "overzicht").revision < between < now


def test_what_came_back_with_the_move_is_set_aside_again():
    gone = moved(FILLED, version(without(PLAN, f"{OVERVIEW}/inbreng"), "1.1.0"))
    brought_back = moved(gone, version(PLAN, "2.0.0", since="1.1.0"))

    back = undone(brought_back, gone.plan)

    assert as_it_was(back.run, gone.run)


def test_moves_are_undone_one_by_one():
    first = moved(FILLED, ANOTHER_NAME)
    second = moved(first, changed(ANOTHER_NAME, OVERVIEW, number="3.0.0", id="beeld"))

    back_one = undone(second, ANOTHER_NAME)
    assert as_it_was(back_one.run, first.run)
    back_two = undone(back_one, PLAN)
    assert as_it_was(back_two.run, FILLED.run)
    assert back_two.run.last_move is None
    assert [move.undone_by for move in back_two.run.moves] == [MARIAM, MARIAM]


def test_run_moves_again_after_undoing():
    once = moved(FILLED, ANOTHER_NAME)
    again = moved(undone(once, PLAN), ANOTHER_NAME)

    assert as_it_was(again.run, once.run)
    assert [move.undone_by is None for move in again.run.moves] == [False, True]


def test_name_team_and_manager_stay_as_they_are_now():
    after = moved(FILLED, ANOTHER_NAME).with_team(ANNA, manager=MAX)

    back = undone(after, PLAN, by=MAX)

    assert (back.run.team, back.run.manager) == ((ANNA,), MAX)


# --- work since ------------------------------------------------------------------------------------------------


def test_later_work_is_told_and_undoing_is_refused_until_it_may_be_set_aside():
    after = moved(FILLED, ANOTHER_NAME).with_answers(HERE, "overzicht", {"naam": "Nieuw"})

    assert later(after) == [(ANSWER, f"{HERE}/overzicht/naam")]
    (reason,) = reasons(lambda: undone(after, PLAN))
    assert (reason.code, reason.params) == ("later_work", {"n": 1})

    back = undone(after, PLAN, park_later=True)
    assert back.state(HERE, "overzicht").answers == FILLED.state(HERE, "overzicht").answers
    (item,) = back.run.parked
    assert (item.why, item.plan_version) == (ParkedWhy.UNDONE, "2.0.0")
    assert item.answer == after.state(HERE, "overzicht").answers["naam"]


def test_later_evidence_is_set_aside():
    after = moved(FILLED, ANOTHER_NAME).with_evidence(HERE, "overzicht", id="later")

    assert later(after) == [(EVIDENCE, f"{HERE}/overzicht/later")]
    assert "later" not in [e.id for e in undone(after, PLAN, park_later=True).state(HERE, "overzicht").evidence]


def test_later_approval_is_set_aside_and_a_manager_does_it():
    after = moved(APPROVED, ANOTHER_NAME).with_answers(HERE, "overzicht", {"naam": "Nieuw"})
    again = after.with_step_completed(HERE, "overzicht").with_request(HERE).with_approval(HERE, by=MAX)

    assert [kind for kind, _ in later(again)] == [ANSWER, APPROVAL]
    back = undone(again, PLAN, park_later=True)
    assert [approval.by for approval in back.instance(HERE).approvals] == [MARIAM]
    assert [item.approval.by for item in back.run.parked if item.approval] == [MAX]


def test_later_finding_is_set_aside():
    after = (
        moved(APPROVED, ANOTHER_NAME, choices={f"{HERE}/overzicht/naam": "keep"})
        .with_request(HERE)
        .with_sent_back(HERE, {"overzicht": "let op"})
    )

    assert later(after) == [(TEXT, f"{HERE}/overzicht/let op")]


def test_later_reason_to_skip_is_set_aside():
    begun = a_run().with_stage("werkgroep.1").with_answers("werkgroep.1", "samenstellen", {"leden": "x"})
    after = moved(begun, changed(PLAN, "werkgroep/samenstellen/leden", id="wie")).with_skip("werkgroep.1", reason="s")

    assert later(after) == [(TEXT, "werkgroep.1/s")]
    assert undone(after, PLAN, park_later=True).instance("werkgroep.1").status is StageStatus.OPEN


def test_stage_that_began_since_stays_if_the_old_version_has_it():
    after = moved(APPROVED, ANOTHER_NAME).with_stage("werkgroep.1")
    after = after.with_answers("werkgroep.1", "samenstellen", {"leden": "x"})

    assert later(after) == []
    back = undone(after, PLAN)
    assert back.instance("werkgroep.1") == after.instance("werkgroep.1")
    assert back.instance(HERE) == undone(moved(APPROVED, ANOTHER_NAME), PLAN).instance(HERE)


def test_stage_that_the_old_version_does_not_have_is_set_aside_whole():
    newer = version(adding(PLAN, "", a_stage("nieuw", a_step("x", a_question("q")))))
    after = moved(FILLED, newer).with_stage("nieuw.1").with_answers("nieuw.1", "x", {"q": "y"})

    assert later(after) == [(ANSWER, "nieuw.1/x/q"), (STAGE, "nieuw.1")]
    back = undone(after, PLAN, park_later=True)
    assert as_it_was(replace(back.run, parked=()), FILLED.run)
    again = moved(back, newer)
    assert again.state("nieuw.1", "x").answers == after.state("nieuw.1", "x").answers
    assert again.run.parked == ()


def test_work_in_a_renamed_stage_that_began_since_goes_back_under_the_old_name():
    after = moved(APPROVED, changed(PLAN, "werkgroep", id="ploeg")).with_stage("ploeg.1")
    after = after.with_answers("ploeg.1", "samenstellen", {"leden": "x"})

    assert later(after) == []
    back = undone(after, PLAN)
    assert back.state("werkgroep.1", "samenstellen").answers == after.state("ploeg.1", "samenstellen").answers


def test_words_that_only_looked_different_do_not_ask_again_on_the_way_back():
    cosmetic = changed(
        PLAN, "werkgroep/samenstellen/leden", text=text("Leden?"), cosmetic=["werkgroep/samenstellen/leden"]
    )
    begun = a_run().with_stage("werkgroep.1").with_step_done("werkgroep.1", "samenstellen")
    after = moved(begun, cosmetic).with_evidence("werkgroep.1", "samenstellen", id="later")

    assert undone(after, PLAN).instance("werkgroep.1") == after.instance("werkgroep.1")


def test_later_answer_to_a_question_that_was_another_is_a_proposal_on_the_way_back():
    after = moved(APPROVED, changed(PLAN, "werkgroep/samenstellen/leden", text=text("Wie dan?"))).with_stage(
        "werkgroep.1"
    )
    after = after.with_answers("werkgroep.1", "samenstellen", {"leden": "x"})

    assert undone(after, PLAN).state("werkgroep.1", "samenstellen").answers["leden"].is_proposal


def test_round_that_began_on_an_approval_that_goes_is_set_aside():
    plan = a_plan(a_stage("s", a_step("x", a_question("a")), is_repeatable=True))
    built = a_run(plan).with_stage("s.1").with_step_done("s.1", "x")
    newer = changed(plan, "s/x/a", text=text("Anders"))
    after = moved(built, newer).with_step_done("s.1", "x").with_request("s.1").with_approval("s.1")
    after = after.with_stage("s.2").with_answers("s.2", "x", {"a": "tweede"})

    back = undone(after, plan, park_later=True)

    assert [str(at) for at in back.run.stages] == ["s.1"]
    assert as_it_was(replace(back.run, parked=()), built.run)
    assert account(after.run) - account(back.run) == {}


# --- what was withdrawn since stays so -------------------------------------------------------------------------


def test_evidence_that_was_withdrawn_since_stays_withdrawn_and_its_approval_does_not_cover_that():
    after = moved(APPROVED, ANOTHER_NAME)
    (first, *_) = after.state(HERE, "overzicht").evidence
    withdrawn = after.with_evidence_withdrawn(HERE, "overzicht", first.id, by=BRAM)

    back = undone(withdrawn, PLAN)

    instance = back.instance(HERE)
    assert [item.withdrawn_by for item in instance.step("overzicht").evidence] == [BRAM, None]
    assert instance.step("overzicht").status is StepStatus.BUSY
    assert (instance.status, instance.passed, instance.changed_since_approval) == (StageStatus.OPEN, True, True)
    assert BRAM in instance.contributors


def test_evidence_that_was_parked_before_and_withdrawn_since_stays_withdrawn():
    gone = moved(FILLED, version(without(PLAN, OVERVIEW), "1.1.0"))
    brought_back = moved(gone, version(PLAN, "2.0.0", since="1.1.0"))
    (first, *_) = brought_back.state(HERE, "overzicht").evidence
    withdrawn = brought_back.with_evidence_withdrawn(HERE, "overzicht", first.id, by=BRAM)

    back = undone(withdrawn, gone.plan)

    marks = {item.evidence.id: item.evidence for item in back.run.parked if item.evidence}
    assert marks[first.id].withdrawn_by == BRAM


def test_approval_that_was_withdrawn_since_stays_withdrawn():
    after = moved(APPROVED, version(without(PLAN, f"{OVERVIEW}/inbreng"))).with_approval_withdrawn(HERE, by=MAX)

    instance = undone(after, PLAN).instance(HERE)

    assert (instance.status, instance.passed) == (StageStatus.OPEN, False)
    assert [approval.withdrawn_by for approval in instance.approvals] == [MAX]


def test_skipped_round_on_a_round_that_is_open_again_is_set_aside():
    plan = a_plan(a_stage("s", a_step("x", a_question("a")), is_optional=True, is_repeatable=True))
    built = a_run(plan).with_stage_approved("s.1").with_skip("s.2", reason="niet nodig")
    after = moved(built, changed(plan, "s", is_optional=False)).with_answers("s.1", "x", {"a": "meer"})
    after = after.with_evidence("s.1", "x", id="e")
    back = undone(after, plan, park_later=True)

    assert as_it_was(replace(back.run, parked=()), built.run)
    assert account(after.run) - account(back.run) == {}


# --- decisions and domains -------------------------------------------------------------------------------------


def test_decision_that_was_taken_since_stays_if_the_old_version_knows_it():
    after = moved(APPROVED, ANOTHER_NAME).with_decision("raad-akkoord")

    assert undone(after, PLAN).run.decisions == after.run.decisions


def test_decision_that_the_old_version_does_not_know_is_set_aside():
    plan = version(PLAN, decisions=(*PLAN.decisions, replace(PLAN.decisions[1], id="nieuw")))
    after = moved(APPROVED, plan).with_decision("nieuw")

    assert later(after) == [(DECISION, "nieuw")]


def test_decision_that_was_withdrawn_since_stays_withdrawn():
    taken = APPROVED.with_decision("raad-akkoord")
    after = moved(taken, ANOTHER_NAME).with_decision_withdrawn("raad-akkoord")

    assert undone(after, PLAN).run.decisions == ()


def test_decision_that_was_taken_again_since_is_set_aside_for_the_earlier_one():
    taken = APPROVED.with_decision("raad-akkoord", reason="eerst")
    other = version(PLAN, decisions=(PLAN.decisions[0], replace(PLAN.decisions[1], title=text("Iets anders"))))
    after = moved(taken, other).with_decision("raad-akkoord", reason="later")

    back = undone(after, PLAN, park_later=True)

    assert [decision.reason for decision in back.run.decisions] == ["eerst"]
    assert [item.decision.reason for item in back.run.parked if item.decision] == ["later"]


def test_domains_are_those_of_before_with_what_was_chosen_since():
    built = a_run(domains=("wonen", "werk"))
    after = moved(built, version(PLAN, domains=PLAN.domains[:1] + PLAN.domains[2:])).with_domains("wonen", "jeugd")

    assert after.run.domains == ("wonen", "jeugd")
    assert undone(after, PLAN).run.domains == ("wonen", "werk", "jeugd")


def test_domain_in_use_is_there_again_even_if_it_was_let_go_since():
    built = a_run(domains=("wonen", "werk")).with_stage_approved(HERE).with_decision("bestaand-volstaat", "werk")
    after = moved(built, version(PLAN, decisions=())).with_domains("wonen")

    back = undone(after, PLAN)

    assert (back.run.domains, back.run.decisions) == (("wonen", "werk"), built.run.decisions)


# --- who and when ----------------------------------------------------------------------------------------------


def why_not_undo(built: RunBuilder, by: str, roles: frozenset[str]) -> list[str]:
    return [
        reason.code
        for reason in undoer_reasons(built.run, undo_of(built, PLAN), by=by, roles=roles, people=ONE_ACCOUNT_EACH)
    ]


def test_somebody_in_the_team_undoes_what_touched_no_approval():
    after = moved(FILLED, ANOTHER_NAME)

    assert why_not_undo(after, ANNA, OFFICER) == []
    assert why_not_undo(after, CHRIS, OFFICER) == ["not_in_team"]


def test_manager_undoes_where_an_approval_comes_back():
    after = moved(APPROVED, ANOTHER_NAME)

    assert why_not_undo(after, ANNA, OFFICER) == ["undo_needs_manager"]
    assert why_not_undo(after, MARIAM, MANAGER) == []


def test_manager_undoes_where_a_later_approval_goes():
    built = a_run().with_stage(HERE).with_step_done(HERE, "overzicht").with_step_filled(HERE, CHECKLIST)
    after = moved(built, changed(PLAN, OVERVIEW, id="beeld")).with_request(HERE).with_approval(HERE)

    assert why_not_undo(after, ANNA, OFFICER) == ["undo_needs_manager"]


def test_request_for_approval_blocks_undoing():
    after = moved(APPROVED, version(PLAN)).with_work_done("werkgroep.1").with_request("werkgroep.1")

    assert why_not(lambda: undone(after, PLAN)) == ["move_while_requested"]


def test_without_a_move_there_is_nothing_to_undo():
    undo = undo_of(moved(FILLED, ANOTHER_NAME), PLAN)

    refused = why_not(
        lambda: undo_move(
            FILLED.run, undo, park_later=True, reason=None, by=ANNA, roles=OFFICER, at=THURSDAY, people=ONE_ACCOUNT_EACH
        )
    )

    assert refused == ["no_move_to_undo"]


def test_parked_items_of_an_undoing_have_ids_of_their_own():
    after = moved(FILLED, version(with_part(without(PLAN, f"{OVERVIEW}/inbreng"), f"{OVERVIEW}/naam", text=text("X"))))
    after = after.with_answers(HERE, "overzicht", {"naam": "Nieuw"}).with_evidence(HERE, "overzicht", id="e")
    parked: tuple[Parked, ...] = undone(after, PLAN, park_later=True).run.parked

    assert len({item.id for item in parked}) == len(parked) == 2
