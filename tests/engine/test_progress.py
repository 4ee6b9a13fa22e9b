"""How complete a step, a stage, a ground and a run are."""

import pytest

from app.engine.definition import CHECKLIST, Grade
from app.engine.progress import (
    NOTHING,
    GroundProgress,
    Progress,
    checklist_progress,
    counted_stage_progress,
    current_refs,
    ground_progress,
    is_done,
    missing_in_step,
    run_progress,
    stage_progress,
    step_progress,
)
from app.engine.run import Run, StageStatus, StepState
from tests.builders import (
    OVERVIEW,
    PLAN,
    VERKENNEN,
    RunBuilder,
    a_plan,
    a_run,
    a_stage,
    a_state,
    a_step,
    ref,
)

HERE = "verkennen.1"


@pytest.mark.parametrize(
    ("done", "total", "percent"), [(0, 3, 0), (1, 3, 33), (2, 3, 66), (3, 3, 100), (199, 200, 99), (0, 0, 100)]
)
def test_a_hundred_per_cent_means_everything(done: int, total: int, percent: int):
    assert Progress(done, total).percent == percent


def test_progress_adds_up():
    assert Progress(1, 2) + Progress(2, 5) + NOTHING == Progress(3, 7)


# --- a step ----------------------------------------------------------------------------------------------------


def test_step_counts_what_is_asked_for_and_shown():
    assert step_progress(OVERVIEW, StepState()) == Progress(0, 5)
    assert step_progress(OVERVIEW, a_state(OVERVIEW, naam="x")) == Progress(1, 5)
    assert step_progress(OVERVIEW, a_state(OVERVIEW, is_er_visie="nee")) == Progress(1, 5)
    assert step_progress(OVERVIEW, a_state(OVERVIEW, is_er_visie="ja")) == Progress(1, 6)
    assert step_progress(OVERVIEW, a_state(OVERVIEW, is_er_visie="ja", wie_kent_visie=["inwoners"])) == Progress(2, 7)


def test_answers_that_nobody_asked_for_do_not_count():
    assert step_progress(OVERVIEW, a_state(OVERVIEW, toelichting="x", aantal="3")) == Progress(0, 5)


def test_incomplete_or_emptied_answer_does_not_count():
    assert step_progress(OVERVIEW, a_state(OVERVIEW, steun={"grade": "not_applicable"}, naam="")) == Progress(0, 5)


def test_evidence_counts_up_to_what_is_asked_for():
    built = a_run().with_stage(HERE)
    for _ in range(3):
        built = built.with_evidence(HERE, "overzicht", "verslag")

    assert step_progress(OVERVIEW, built.state(HERE, "overzicht")) == Progress(1, 5)


def test_step_without_demands_has_nothing_to_do():
    assert step_progress(a_step("x"), StepState()) == Progress(0, 0)


def test_missing_in_step_is_empty_exactly_when_progress_is_full():
    built = a_run().with_stage(HERE)
    half = built.with_answers(HERE, "overzicht", {"naam": "x"})
    full = built.with_step_filled(HERE, "overzicht")

    for each in (half, full):
        state = each.run.stages[ref(HERE)].step("overzicht")
        progress = step_progress(OVERVIEW, state)
        assert (missing_in_step(OVERVIEW, state, ref(HERE)) == []) == (progress.done == progress.total)


def test_step_is_done_when_completed_and_the_checklist_when_answered():
    filled = a_run().with_stage(HERE).with_step_filled(HERE, "overzicht").with_step_filled(HERE, CHECKLIST)
    checklist = VERKENNEN.step(CHECKLIST)

    assert not is_done(OVERVIEW, filled.state(HERE, "overzicht"))
    assert is_done(OVERVIEW, filled.with_step_completed(HERE, "overzicht").state(HERE, "overzicht"))
    assert is_done(checklist, filled.state(HERE, CHECKLIST))
    assert not is_done(checklist, StepState())


# --- a stage ---------------------------------------------------------------------------------------------------


def test_stage_counts_required_steps_and_the_checklist_as_one():
    assert VERKENNEN.required_parts == 2
    assert PLAN.stage("visie").required_parts == 2
    assert PLAN.stage("beleid").required_parts == 2


def in_stage(built: RunBuilder, at_ref: str = HERE) -> Progress:
    return stage_progress(PLAN.stage(ref(at_ref).stage), built.run.instance(ref(at_ref)))


def test_stage_progresses_with_its_parts():
    begun = a_run().with_stage(HERE)
    step = begun.with_step_done(HERE, "overzicht")
    optional = step.with_step_done(HERE, "gesprekken")
    all_parts = step.with_step_filled(HERE, CHECKLIST)

    assert in_stage(a_run()) == Progress(0, 2)
    assert in_stage(begun) == Progress(0, 2)
    assert in_stage(step) == Progress(1, 2)
    assert in_stage(optional) == Progress(1, 2), "an optional step adds nothing"
    assert in_stage(all_parts) == Progress(2, 2)


def test_step_that_is_open_again_counts_no_more():
    done = a_run().with_work_done(HERE)

    assert in_stage(done) == Progress(2, 2)
    assert in_stage(done.with_answers(HERE, "overzicht", {"naam": "x"})) == Progress(1, 2)
    assert in_stage(done.with_request(HERE).with_sent_back(HERE, {"overzicht": "?"})) == Progress(1, 2)


def test_skipped_stage_is_complete():
    assert in_stage(a_run().with_skip("werkgroep.1"), "werkgroep.1") == Progress(1, 1)
    assert in_stage(a_run().with_stage("werkgroep.1").with_skip("werkgroep.1"), "werkgroep.1") == Progress(1, 1)


@pytest.mark.parametrize(
    ("status", "done", "expected"),
    [
        (None, 0, Progress(0, 2)),
        (StageStatus.OPEN, 1, Progress(1, 2)),
        (StageStatus.OPEN, 9, Progress(2, 2)),
        (StageStatus.SUBMITTED, 2, Progress(2, 2)),
        (StageStatus.APPROVED, 0, Progress(2, 2)),
        (StageStatus.SKIPPED, 0, Progress(2, 2)),
    ],
)
def test_counted_progress_says_the_same_without_the_steps(status: StageStatus | None, done: int, expected: Progress):
    assert counted_stage_progress(VERKENNEN, status, done) == expected


def test_checklist_progress_counts_statements():
    some = (
        a_run()
        .with_stage(HERE)
        .with_answers(HERE, CHECKLIST, {"rondkomen": {"grade": "unknown"}, "stapeling": {"grade": "not_applicable"}})
    )

    assert checklist_progress(VERKENNEN, some.state(HERE, CHECKLIST)) == Progress(1, 3)
    assert checklist_progress(PLAN.stage("visie"), StepState()) == NOTHING


# --- the run ---------------------------------------------------------------------------------------------------


def test_run_counts_the_latest_round_of_every_stage_in_every_domain():
    assert [str(at) for at in current_refs(PLAN, a_run().run)] == [
        "verkennen.1",
        "visie.1",
        "draagvlak.1",
        "werkgroep.1",
        "beleid.wonen.1",
        "beleid.werk.1",
        "uitvoeren.wonen.1",
        "uitvoeren.werk.1",
        "monitoren.1",
        "verantwoorden.1",
    ]
    second = a_run().with_stage_approved(HERE).with_stage("verkennen.2")
    assert next(iter(current_refs(PLAN, second.run))) == ref("verkennen.2")


def test_run_progress_is_the_sum_of_its_stages():
    assert run_progress(PLAN, a_run().run) == Progress(0, 2 + 2 + 2 + 1 + 2 * 2 + 2 * 1 + 1 + 1)
    assert run_progress(PLAN, a_run().with_skip("werkgroep.1").run) == Progress(1, 15)
    approved = a_run().with_stage_approved(HERE)
    assert run_progress(PLAN, approved.run) == Progress(2, 15)
    assert run_progress(PLAN, approved.with_stage("verkennen.2").run) == Progress(0, 15)


def test_more_domains_mean_more_to_do():
    assert run_progress(PLAN, a_run(domains=("wonen",)).run).total == 12
    assert run_progress(PLAN, a_run(domains=("wonen", "werk", "jeugd")).run).total == 18


def test_run_of_a_plan_without_required_work_is_complete():
    plan = a_plan(a_stage("s", a_step("x", is_required=False)))

    assert run_progress(plan, Run("r", plan.id, plan.version, plan.digest)).percent == 100


# --- the grounds -----------------------------------------------------------------------------------------------


def test_grounds_count_answers_and_what_is_empty_in_the_order_of_the_plan():
    built = (
        a_run()
        .with_stage(HERE)
        .with_answers(
            HERE,
            CHECKLIST,
            {"jong-en-oud": {"grade": "partly"}, "rondkomen": {"grade": "unknown"}, "stapeling": {"reason": "?"}},
        )
    )

    age, income, crossing = ground_progress(PLAN, built.run)
    assert age == GroundProgress("leeftijd", {Grade.PARTLY: 1}, empty=0)
    assert income == GroundProgress("inkomen", {Grade.UNKNOWN: 1}, empty=0)
    assert crossing == GroundProgress("samenloop", {}, empty=1)
    assert (age.total, income.total, crossing.total) == (1, 1, 1)
    assert (age.blind_spots, income.blind_spots, crossing.blind_spots) == (0, 1, 1)


def test_what_nobody_asked_yet_is_no_blind_spot():
    assert [ground.total for ground in ground_progress(PLAN, a_run().run)] == [0, 0, 0]


def test_grounds_add_up_over_stages_and_domains():
    built = a_run().with_stage_approved(HERE).with_stage_approved("visie.1").with_stage("draagvlak.1")
    built = built.with_stage_approved("beleid.wonen.1").with_stage("beleid.werk.1")

    age, income, _ = ground_progress(PLAN, built.run)
    assert age == GroundProgress("leeftijd", {Grade.YES: 1}, empty=1)
    assert income == GroundProgress("inkomen", {Grade.YES: 2}, empty=1)


def test_grounds_look_at_the_latest_round():
    second = a_run().with_stage_approved(HERE).with_stage("verkennen.2")

    assert ground_progress(PLAN, second.run)[0] == GroundProgress("leeftijd", {}, empty=1)


def test_statements_of_a_skipped_stage_do_not_count():
    plan = a_plan(a_stage("s", a_step("x"), statements=VERKENNEN.statements, is_optional=True))

    begun = a_run(plan).with_stage("s.1")

    assert [ground.total for ground in ground_progress(plan, begun.run)] == [1, 1, 1]
    assert [ground.total for ground in ground_progress(plan, begun.with_skip("s.1").run)] == [0, 0, 0]
