"""What the versions of the Stappenplan Inclusief Beleid do to the one before, as their author means it."""

from pathlib import Path

import pytest

from app.catalogue.catalogue import lint
from app.catalogue.loader import load_file
from app.engine.definition import StepPlan
from app.engine.run import Run
from app.engine.run_migration.compare import Change, ChangeClass, Comparison, PartKind, What, compare
from app.engine.run_migration.items import plan_run_migration
from app.engine.run_migration.outcome import Outcome, outcome
from app.engine.run_migration.part_map import questions_of
from app.resources import stepplans_dir
from tests.builders import a_run

VERSIONS = ("1.0.0", "1.1.0", "2.0.0")


def file_of(version: str) -> Path:
    return stepplans_dir() / "inclusief-beleid" / f"{version}.yaml"


@pytest.fixture(scope="module")
def plans() -> list[StepPlan]:
    return [load_file(file_of(version)) for version in VERSIONS]


def counted(comparison: Comparison) -> dict[str, int]:
    return {each.code: n for each, n in comparison.counted().items()}


def told(comparison: Comparison, path: str) -> Change:
    """The one change that is about this part of the newer version, or of the older one where it is gone."""
    (found,) = [
        change for change in comparison.changes if path in (change.after, change.before if not change.after else "")
    ]
    return found


def test_all_versions_lint_without_a_word():
    assert lint([file_of(version) for version in VERSIONS]) == []


def test_second_version_asks_nothing_of_anybody(plans: list[StepPlan]):
    comparison = compare(plans[:2])
    assert counted(comparison) == {"cosmetic": 8, "safe": 30, "answer_again": 0, "approve_again": 0}
    added = {change.after for change in comparison.changes if change.what is What.ADDED}
    assert added == {"beleid-ontwikkelen/doelen/eerste-meting", "monitoren-borgen/bijstellen/terugkoppeling"}
    assert list(comparison.parts.questions) == list(comparison.parts.questions.values())
    declared = plans[1].changes
    assert declared is not None
    cosmetic = {
        c.after for c in comparison.changes if any(d.change_class is ChangeClass.COSMETIC for d in c.differences)
    }
    assert cosmetic == declared.cosmetic


def test_third_version_asks_what_it_says_it_asks(plans: list[StepPlan]):
    comparison = compare(plans[1:])
    assert counted(comparison) == {"cosmetic": 1, "safe": 17, "answer_again": 4, "approve_again": 1}
    asking = {(c.what, c.after): c.change_class for c in comparison.changes if c.change_class > ChangeClass.SAFE}
    again = ChangeClass.ANSWER_AGAIN
    assert asking == {
        (What.MERGED, "visie/keuze-per-grond/geen-hokjes"): again,
        (What.CHANGED, "visie/vaststellen/leesbaar"): again,
        (What.ADDED, "draagvlak/bestuur-en-afdelingen/vervanging"): again,
        (What.ADDED, "draagvlak/checklist/weten-van-geletterdheid"): again,
        (What.CHANGED, "beleid-ontwikkelen"): ChangeClass.APPROVE_AGAIN,
    }


def test_third_version_gives_a_reason_for_all_that_is_asked_moved_or_gone(plans: list[StepPlan]):
    for change in compare(plans[1:]).changes:
        moved_with_its_step = change.kind is PartKind.QUESTION and (change.after or "").startswith("betrekken/")
        if change.what is not What.CHANGED and not moved_with_its_step:
            assert change.reason is not None, change
        if change.change_class > ChangeClass.SAFE:
            assert change.reason is not None, change


def test_gate_of_policy_takes_two_approvals_and_the_first_result_may_come_later(plans: list[StepPlan]):
    comparison = compare(plans[1:])
    gate = told(comparison, "beleid-ontwikkelen")
    assert gate.kind is PartKind.GATE
    assert [(each.name, each.before, each.after) for each in gate.differences[:1]] == [("approvals", "1", "2")]
    result = told(comparison, "draagvlak/moment-en-boodschap/opbrengst")
    assert result.change_class is ChangeClass.SAFE
    assert [each.name for each in result.differences] == ["required", "help"]


def test_split_merges_and_renames_carry_everything_along(plans: list[StepPlan]):
    parts = compare(plans[1:]).parts
    pieces = (("betrekken", "inbreng"), ("betrekken", "terugkoppeling"))
    assert parts.steps["betrekken", "inbreng-en-terugkoppeling"] == pieces
    for step in ("opdracht", "werkwijze"):
        assert parts.steps["werkgroep", step] == (("werkgroep", "opdracht"),)
    for question in ("samenloop", "terugval"):
        assert parts.questions["visie", "keuze-per-grond", question] == ("visie", "keuze-per-grond", "geen-hokjes")
    renamed = ("verkennen", "signalen", "wie-kan-niet-meedoen")
    assert parts.questions["verkennen", "signalen", "buiten-de-boot"] == renamed
    assert parts.questions["visie", "wat-inwoners-merken", "ankers"] == ("visie", "waarom", "ankers")
    assert told(compare(plans[1:]), "/".join(renamed)).change_class is ChangeClass.COSMETIC


def test_only_the_double_question_and_the_headcount_are_gone(plans: list[StepPlan]):
    whole = compare(plans).parts
    gone = [path for path in questions_of(plans[0]) if path not in whole.questions]
    assert gone == [("visie", "waarom", "waarom-nu"), ("betrekken", "bereik", "aantal")]
    assert {stage.id for stage in plans[0].stages} == set(whole.stages)


def test_way_over_the_second_version_leads_to_the_same_places(plans: list[StepPlan]):
    first, second, whole = (compare(each).parts for each in (plans[:2], plans[1:], plans))
    for path in questions_of(plans[0]):
        over = first.questions.get(path)
        assert whole.questions.get(path) == (second.questions.get(over) if over else None)
    for step, pieces in whole.steps.items():
        assert pieces == tuple(last for middle in first.steps[step] for last in second.steps.get(middle, ()))
    assert whole.stages == {old: second.stages[middle] for old, middle in first.stages.items()}
    assert whole.decisions == {old: second.decisions[middle] for old, middle in first.decisions.items()}


def test_words_that_only_became_clearer_stay_so_over_two_versions(plans: list[StepPlan]):
    whole = compare(plans)
    asking = {c.after for c in whole.changes if c.change_class > ChangeClass.SAFE}
    assert asking == {c.after for c in compare(plans[1:]).changes if c.change_class > ChangeClass.SAFE}
    assert told(whole, "monitoren-borgen/verslag-aan-bestuur/keer-per-jaar").change_class is ChangeClass.COSMETIC


# --- a run that did everything ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(plans: list[StepPlan]) -> Run:
    built = a_run(plans[0], domains=("wonen",))
    for stage in plans[0].stages:
        built = built.with_stage_approved(f"{stage.id}.wonen.1" if stage.is_per_domain else f"{stage.id}.1")
    return built.run


def moved(run: Run, plans: list[StepPlan]) -> Outcome:
    return outcome(plan_run_migration(run, compare(plans)), {}, move="m")


def test_run_that_did_everything_goes_to_the_second_version_as_it_is(run: Run, plans: list[StepPlan]):
    after = moved(run, plans[:2])
    assert (after.reopened, after.look_again, after.parked) == ((), (), ())


def test_run_that_did_everything_goes_to_the_third_version_for_three_approvals(run: Run, plans: list[StepPlan]):
    after = moved(run, plans)
    assert list(map(str, after.reopened)) == ["beleid-ontwikkelen.wonen.1", "draagvlak.1", "visie.1"]
    assert [(str(ref), step) for ref, step in after.look_again] == [
        ("draagvlak.1", "bestuur-en-afdelingen"),
        ("visie.1", "keuze-per-grond"),
        ("visie.1", "vaststellen"),
    ]
    assert [(item.step, item.key) for item in after.parked] == [
        ("bereik", "aantal"),
        ("keuze-per-grond", "terugval"),
        ("waarom", "waarom-nu"),
    ]
