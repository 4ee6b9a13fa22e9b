"""The step plan for change from within: no talk before it is safe, and nothing in it that points at someone."""

from __future__ import annotations

from app.catalogue.loader import load_bytes
from app.engine.definition import QuestionType
from app.engine.guards import is_passed_by
from app.resources import stepplans_dir
from tests.builders import RunBuilder, a_run, ref
from tests.engine.refusals import reasons

FILE = stepplans_dir() / "verandering-van-binnenuit" / "1.0.0.yaml"
PLAN = load_bytes(FILE.read_bytes(), str(FILE)).plan
RUN = a_run(PLAN, domains=())

POINTS_AT_SOMEONE = {"naam", "namen", "adres", "plaats", "telefoon", "e-mail", "leeftijd", "geboortedatum", "geloof"}


def what_it_waits_for(stage: str, run: RunBuilder = RUN) -> list[dict[str, object]]:
    return [dict(reason.params) for reason in reasons(lambda: run.with_stage(stage))]


def test_plan_can_be_done_from_beginning_to_end():
    run = RUN
    for stage in PLAN.stages:
        run = run.with_stage_approved(f"{stage.id}.1")
    assert len(run.run.stages) == len(PLAN.stages)


def test_no_talk_begins_before_help_is_ready_and_leaders_are_trained():
    assert what_it_waits_for("gesprekken.1") == [
        {"stage_1": "veilig-gesprek"},
        {"stage_1": "gespreksleiders", "decision_1": "gespreksleiders-zijn-er-al"},
    ]


def test_nothing_is_prepared_before_the_agreements_on_privacy_are_approved():
    for stage in ("gespreksleiders.1", "veilig-gesprek.1"):
        assert what_it_waits_for(stage) == [{"stage_1": "opdracht"}]


def test_trained_leaders_who_are_there_already_take_the_place_of_training_only():
    run = RUN.with_stage_approved("opdracht.1").with_decision("gespreksleiders-zijn-er-al")
    assert is_passed_by(PLAN, run.run, ref("gespreksleiders.1"))
    assert what_it_waits_for("gesprekken.1", run) == [{"stage_1": "veilig-gesprek"}]
    run.with_stage_approved("veilig-gesprek.1").with_stage("gesprekken.1")


def test_no_question_asks_who_someone_is():
    for stage in PLAN.stages:
        for step in stage.steps:
            for question in step.questions:
                assert question.id not in POINTS_AT_SOMEONE
                assert not POINTS_AT_SOMEONE & {column.id for column in question.columns}


def test_talks_are_kept_by_quarter_and_kind_of_place_without_a_day():
    days = set()
    for step in PLAN.stage("gesprekken").steps:
        for question in step.questions:
            if question.type is QuestionType.DATE:
                days.add((step.id, question.id))
            days |= {(step.id, column.id) for column in question.columns if column.type is QuestionType.DATE}
    # When the discussion leader got an answer, and when somebody last looked whether anyone can be recognised.
    assert days == {("vragen-aan-gemeente", "teruggekoppeld"), ("veiligheid-volgen", "gecontroleerd")}
