"""The step plan for shelter in dialogue: what a decision waits for, and what urgency does and does not open."""

from __future__ import annotations

from app.catalogue.loader import load_bytes
from app.engine.guards import is_passed_by
from app.resources import stepplans_dir
from tests.builders import RunBuilder, a_run, ref
from tests.engine.refusals import reasons

FILE = stepplans_dir() / "opvang-in-gesprek" / "1.0.0.yaml"
PLAN = load_bytes(FILE.read_bytes(), str(FILE)).plan
RUN = a_run(PLAN, domains=())


def what_it_waits_for(stage: str, run: RunBuilder = RUN) -> list[dict[str, object]]:
    return [dict(reason.params) for reason in reasons(lambda: run.with_stage(stage))]


def test_plan_can_be_done_from_beginning_to_end():
    run = RUN
    for stage in PLAN.stages:
        run = run.with_stage_approved(f"{stage.id}.1")
    assert len(run.run.stages) == len(PLAN.stages)


def test_talks_and_the_log_of_concerns_wait_for_nothing():
    run = RUN.with_stage("vroeg-gesprek.1").with_stage("zorgen.1")
    assert set(run.run.stages) == {ref("vroeg-gesprek.1"), ref("zorgen.1")}


def test_decision_waits_for_what_is_fixed_and_for_talks_and_answers_to_concerns():
    assert what_it_waits_for("besluit.1") == [
        {"stage_1": "vast-en-open"},
        {"stage_1": "vroeg-gesprek", "decision_1": "spoedopvang"},
        {"stage_1": "zorgen", "decision_1": "spoedopvang"},
    ]


def test_urgency_does_not_take_away_that_it_is_told_what_is_fixed():
    urgent = RUN.with_stage("verkennen.1").with_decision("spoedopvang")
    assert what_it_waits_for("besluit.1", urgent) == [{"stage_1": "vast-en-open"}]
    urgent.with_stage_approved("vast-en-open.1").with_stage("besluit.1")


def test_after_urgency_talks_still_have_to_begin():
    urgent = RUN.with_stage("verkennen.1").with_decision("spoedopvang").with_stage_approved("vast-en-open.1")
    decided = urgent.with_stage_approved("besluit.1")
    for stage in ("vroeg-gesprek.1", "zorgen.1"):
        assert not is_passed_by(PLAN, decided.run, ref(stage))
    assert what_it_waits_for("samen-leven.1", decided) == [{"stage_1": "vroeg-gesprek"}, {"stage_1": "zorgen"}]


def test_concern_is_complete_only_with_its_date_response_reason_and_who_decided():
    log = PLAN.stage("zorgen").step("logboek").question("register")
    asked = {column.id for column in log.columns if column.is_required}
    assert asked == {"zorg", "van-wie", "datum", "herkomst", "reactie", "besluit", "reden", "wie"}
    assert {"reactie-op", "teruggekoppeld", "hoe"} <= {column.id for column in log.columns}
