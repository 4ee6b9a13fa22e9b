"""An answer that came along from earlier is a proposal: it shows, and counts once somebody made it their own."""

from dataclasses import replace

from app.engine import events as e
from app.engine import guards
from app.engine.answers import Raw, is_shown
from app.engine.definition import CHECKLIST
from app.engine.progress import Progress, ground_progress, is_done, missing_in_step, stage_progress, step_progress
from app.engine.run import StepStatus
from tests.builders import ANNA, MONDAY, OVERVIEW, PLAN, VERKENNEN, RunBuilder, a_question, a_run, a_step, marks, ref
from tests.engine.refusals import why_not

HERE = "verkennen.1"
V1 = ref(HERE)


def proposing(step: str, **answers: Raw) -> RunBuilder:
    """A run in which these answers came along when its first stage began."""
    given = marks(VERKENNEN.step(step), {id.replace("_", "-"): raw for id, raw in answers.items()})
    proposals = {id: replace(mark, is_proposal=True) for id, mark in given.items()}
    return a_run().with_stage(HERE).then(e.AnswersProposed(ref=V1, step=step, answers=proposals, by=ANNA, at=MONDAY))


def test_proposal_is_no_answer_yet():
    here = proposing("gesprekken", verslag="Van vorig jaar").state(HERE, "gesprekken")

    (reason,) = guards.missing_answers(VERKENNEN.step("gesprekken"), here, V1)

    assert (reason.code, reason.step, reason.question) == ("answer_unconfirmed", "gesprekken", "verslag")
    assert not here.answers["verslag"].counts


def test_proposal_to_an_optional_question_waits_for_confirmation_too():
    step = a_step("x", a_question("mag"))
    proposal = replace(marks(step, {"mag": "x"})["mag"], is_proposal=True)
    here = replace(a_run().with_stage(HERE).state(HERE, "x"), answers={"mag": proposal})

    assert [reason.code for reason in missing_in_step(step, here, V1)] == ["answer_unconfirmed"]


def test_proposal_is_told_as_unconfirmed_rather_than_incomplete():
    here = proposing("overzicht", steun={"grade": "not_applicable"}).state(HERE, "overzicht")

    codes = {r.question: r.code for r in guards.missing_answers(OVERVIEW, here, V1)}

    assert codes["steun"] == "answer_unconfirmed"


def test_proposal_shows_the_questions_that_depend_on_it():
    here = proposing("overzicht", is_er_visie="ja").state(HERE, "overzicht")

    assert is_shown(OVERVIEW, here, OVERVIEW.question("wie-kent-visie"))


def test_step_with_a_proposal_cannot_be_completed_until_it_is_saved():
    came_along = proposing("gesprekken", verslag="Van vorig jaar")

    assert why_not(lambda: came_along.with_step_completed(HERE, "gesprekken")) == ["answer_unconfirmed"]

    saved = came_along.with_answers(HERE, "gesprekken", {"verslag": "Van vorig jaar"})
    assert saved.with_step_completed(HERE, "gesprekken").state(HERE, "gesprekken").status is StepStatus.COMPLETED


def test_proposals_in_an_optional_step_keep_the_gate_closed():
    ready = a_run().with_work_done(HERE)
    proposals = {"verslag": replace(marks(VERKENNEN.step("gesprekken"), {"verslag": "x"})["verslag"], is_proposal=True)}
    begun = a_run().with_stage(HERE).with_step_done(HERE, "overzicht").with_step_filled(HERE, CHECKLIST)
    came_along = begun.then(e.AnswersProposed(ref=V1, step="gesprekken", answers=proposals, by=ANNA, at=MONDAY))

    assert [*guards.gate_open_points(VERKENNEN, ready.instance(HERE))] == []
    assert [r.step for r in guards.gate_open_points(VERKENNEN, came_along.instance(HERE))] == ["gesprekken"]


def test_proposal_is_not_counted_in_progress():
    before = a_run().with_stage(HERE)
    after = proposing("overzicht", naam="x", steun={"grade": "yes"})

    assert step_progress(OVERVIEW, after.state(HERE, "overzicht")) == Progress(0, 5)
    assert stage_progress(VERKENNEN, after.instance(HERE)) == stage_progress(VERKENNEN, before.instance(HERE))


def test_checklist_of_proposals_is_not_done_and_leaves_the_gate_closed():
    yes = {"grade": "yes"}
    came_along = proposing(CHECKLIST, jong_en_oud=yes, rondkomen=yes, stapeling=yes)
    here, checklist = came_along.state(HERE, CHECKLIST), VERKENNEN.checklist
    assert checklist is not None

    assert not is_done(checklist, here)
    (reason,) = guards.checklist_answered(VERKENNEN, came_along.instance(HERE))
    assert (reason.code, reason.params) == ("checklist_open", {"n": 3})


def test_grounds_do_not_count_proposals():
    begun = {progress.ground: progress for progress in ground_progress(PLAN, a_run().with_stage(HERE).run)}
    came_along = proposing(CHECKLIST, jong_en_oud={"grade": "yes"})

    for progress in ground_progress(PLAN, came_along.run):
        assert progress == begun[progress.ground]
        assert not progress.grades
