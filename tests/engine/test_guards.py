"""Each rule by itself: when it gives a reason, which one, and with what."""

from dataclasses import replace

import pytest

from app.engine import deciders, guards
from app.engine.definition import (
    CHECKLIST,
    Across,
    Decision,
    DecisionRequired,
    EvidenceDemand,
    Reached,
    Requirement,
    Round,
)
from app.engine.definition import StageRequired as S
from app.engine.errors import Reason
from app.engine.guards import NoSuchPart
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import EvidenceForm, Run, StageInstance, StageStatus
from tests.builders import (
    ANNA,
    AUDITOR,
    BRAM,
    CHRIS,
    MANAGER,
    MARIAM,
    MAX,
    OVERVIEW,
    PLAN,
    VERKENNEN,
    RunBuilder,
    a_gate,
    a_plan,
    a_question,
    a_run,
    a_stage,
    a_state,
    a_step,
    after,
    an_item,
    ref,
    text,
)
from tests.engine.refusals import why_not


def codes(reasons: object) -> list[str]:
    return [reason.code for reason in reasons]  # type: ignore[attr-defined]  # an iterator of reasons


# --- what exists -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "absent",
    [
        "bestaat-niet.1",
        "verkennen.wonen.1",
        "beleid.1",
        "beleid.jeugd.1",
        "beleid.onzin.1",
        "verkennen.2",
        "beleid.wonen.2",
    ],
)
def test_stage_that_this_run_cannot_have_is_not_found(absent: str):
    with pytest.raises(NoSuchPart):
        guards.find_stage(PLAN, a_run().run, ref(absent))


def test_first_round_and_the_round_after_the_latest_are_found():
    run = a_run().with_stage("verkennen.1").run

    assert guards.find_stage(PLAN, run, ref("verkennen.1")) is VERKENNEN
    assert guards.find_stage(PLAN, run, ref("verkennen.2")) is VERKENNEN
    with pytest.raises(NoSuchPart):
        guards.find_stage(PLAN, run, ref("verkennen.3"))


def test_step_is_found_by_its_id_and_the_checklist_where_there_are_statements():
    run = a_run().run

    assert guards.find_step(PLAN, run, ref("verkennen.1"), "overzicht") is OVERVIEW
    assert guards.find_step(PLAN, run, ref("verkennen.1"), CHECKLIST) is VERKENNEN.checklist
    with pytest.raises(NoSuchPart):
        guards.find_step(PLAN, run, ref("verkennen.1"), "opschrijven")
    with pytest.raises(NoSuchPart):
        guards.find_step(PLAN, run, ref("visie.1"), CHECKLIST)


@pytest.mark.parametrize(
    ("decision", "domain"),
    [("onbekend", None), ("bestaand-volstaat", None), ("raad-akkoord", "wonen"), ("bestaand-volstaat", "jeugd")],
)
def test_decision_that_this_run_cannot_take_is_not_found(decision: str, domain: str | None):
    with pytest.raises(NoSuchPart):
        guards.find_decision(PLAN, a_run().run, decision, domain)


# --- the graph -------------------------------------------------------------------------------------------------

FIRST = a_stage("eerst", a_step("doen"), is_repeatable=True, is_optional=True, is_continuous=True)
EACH = a_stage("elk", a_step("doen"), is_repeatable=True, is_per_domain=True)
GRAPH = a_plan(
    FIRST,
    EACH,
    decisions=(
        Decision("heel", text("Heel"), an_item("Uitleg."), is_per_domain=False),
        Decision("deel", text("Deel"), an_item("Uitleg."), is_per_domain=True),
    ),
)


def is_met(run: Run, *alternatives: S | DecisionRequired, domain: str | None = None) -> bool:
    return not [*guards.unmet_requirements(GRAPH, run, (Requirement(alternatives),), domain)]


@pytest.fixture
def empty() -> RunBuilder:
    return a_run(GRAPH)


def test_required_stage_is_met_once_it_is_approved(empty: RunBuilder):
    busy = empty.with_stage("eerst.1")
    asked = busy.with_work_done("eerst.1").with_request("eerst.1")

    assert not is_met(empty.run, S("eerst"))
    assert not is_met(busy.run, S("eerst"))
    assert not is_met(asked.run, S("eerst"))
    assert is_met(asked.with_approval("eerst.1").run, S("eerst"))


def test_required_stage_that_must_be_started_is_met_from_its_start(empty: RunBuilder):
    started = S("eerst", reached=Reached.STARTED)

    assert not is_met(empty.run, started)
    assert is_met(empty.with_stage("eerst.1").run, started)
    assert is_met(empty.with_stage_approved("eerst.1").run, started)


@pytest.mark.parametrize("reached", Reached)
def test_skipped_stage_stands_in_nobodys_way(empty: RunBuilder, reached: Reached):
    skipped = empty.with_skip("eerst.1")

    assert is_met(skipped.run, S("eerst", reached=reached))
    assert not is_met(skipped.with_skip_undone("eerst.1").run, S("eerst", reached=reached))


def test_withdrawn_approval_no_longer_meets_the_requirement(empty: RunBuilder):
    run = empty.with_stage_approved("eerst.1").with_approval_withdrawn("eerst.1").run

    assert not is_met(run, S("eerst"))


def test_reopened_continuous_stage_still_meets_the_requirement(empty: RunBuilder):
    run = empty.with_stage_approved("eerst.1").with_evidence("eerst.1", "doen").run

    assert run.stages[ref("eerst.1")].status is StageStatus.OPEN
    assert is_met(run, S("eerst"))


def test_new_round_keeps_the_first_met_and_the_latest_not_until_it_is_approved(empty: RunBuilder):
    second = empty.with_stage_approved("eerst.1").with_stage("eerst.2")

    assert is_met(second.run, S("eerst", Round.FIRST))
    assert not is_met(second.run, S("eerst", Round.LATEST))
    assert is_met(second.with_stage_approved("eerst.2").run, S("eerst", Round.LATEST))


def test_per_domain_stages_look_at_their_own_domain(empty: RunBuilder):
    run = empty.with_stage_approved("elk.wonen.1").run

    assert is_met(run, S("elk"), domain="wonen")
    assert not is_met(run, S("elk"), domain="werk")


def test_stage_without_domains_asks_for_any_or_for_all_chosen_domains(empty: RunBuilder):
    one = empty.with_stage_approved("elk.wonen.1")
    both = one.with_stage_approved("elk.werk.1")

    assert not is_met(empty.run, S("elk"))
    assert is_met(one.run, S("elk"))
    assert not is_met(one.run, S("elk", across=Across.ALL))
    assert is_met(both.run, S("elk", across=Across.ALL))
    assert not is_met(both.with_domains("wonen", "werk", "jeugd").run, S("elk", across=Across.ALL))


def test_all_domains_of_none_is_not_met():
    no_domains = Run("r", GRAPH.id, GRAPH.version, GRAPH.digest)

    assert not is_met(no_domains, S("elk", across=Across.ALL))
    assert not is_met(no_domains, S("elk"))


def test_per_domain_stage_can_require_one_without_domains(empty: RunBuilder):
    assert not is_met(empty.run, S("eerst"), domain="wonen")
    assert is_met(empty.with_stage_approved("eerst.1").run, S("eerst"), domain="wonen")


def test_required_decision_is_met_while_it_stands(empty: RunBuilder):
    taken = empty.with_decision("heel")

    assert not is_met(empty.run, DecisionRequired("heel"))
    assert is_met(taken.run, DecisionRequired("heel"))
    assert is_met(taken.run, DecisionRequired("heel"), domain="wonen")
    assert not is_met(taken.with_decision_withdrawn("heel").run, DecisionRequired("heel"))


def test_decision_of_a_domain_counts_there_and_for_stages_without_domains(empty: RunBuilder):
    run = empty.with_decision("deel", "wonen").run

    assert is_met(run, DecisionRequired("deel"), domain="wonen")
    assert not is_met(run, DecisionRequired("deel"), domain="werk")
    assert is_met(run, DecisionRequired("deel"))
    assert not is_met(empty.run, DecisionRequired("deel"))


def test_one_alternative_is_enough(empty: RunBuilder):
    assert not is_met(empty.run, S("eerst"), DecisionRequired("heel"))
    assert is_met(empty.with_stage_approved("eerst.1").run, S("eerst"), DecisionRequired("heel"))
    assert is_met(empty.with_decision("heel").run, S("eerst"), DecisionRequired("heel"))


@pytest.mark.parametrize(
    ("alternatives", "reason"),
    [
        ((S("eerst"),), Reason("needs_stage_approved", params={"stage_1": "eerst"})),
        ((S("eerst", reached=Reached.STARTED),), Reason("needs_stage_started", params={"stage_1": "eerst"})),
        ((DecisionRequired("heel"),), Reason("needs_decision", params={"decision_1": "heel"})),
        (
            (DecisionRequired("heel"), S("elk"), S("eerst")),
            Reason("needs_one_of", params={"stage_1": "elk", "stage_2": "eerst", "decision_1": "heel"}),
        ),
    ],
)
def test_reason_says_what_is_needed(empty: RunBuilder, alternatives: tuple[S | DecisionRequired, ...], reason: Reason):
    assert [*guards.unmet_requirements(GRAPH, empty.run, (Requirement(alternatives),), None)] == [reason]


def test_every_unmet_requirement_gives_its_reason(empty: RunBuilder):
    requires = (after("eerst"), Requirement((DecisionRequired("heel"),)), after("elk"))

    assert codes(guards.unmet_requirements(GRAPH, empty.run, requires, None)) == [
        "needs_stage_approved",
        "needs_decision",
        "needs_stage_approved",
    ]
    assert codes(guards.unmet_requirements(GRAPH, empty.with_decision("heel").run, requires, None)) == [
        "needs_stage_approved",
        "needs_stage_approved",
    ]


def test_advice_that_is_not_followed_is_named_in_the_order_of_the_plan():
    begun = a_run().with_stage_approved("verkennen.1").with_stage_approved("visie.1")
    beleid = PLAN.stage("beleid")

    assert guards.unmet_advice(PLAN, begun.run, beleid, "wonen") == ["draagvlak", "werkgroep"]
    assert guards.unmet_advice(PLAN, begun.with_skip("werkgroep.1").run, beleid, "wonen") == ["draagvlak"]
    assert guards.unmet_advice(PLAN, begun.run, PLAN.stage("draagvlak"), None) == []


def test_domain_that_the_run_no_longer_has_gets_no_new_round():
    """The engine keeps domains with work in them; this is what protects a run that came from elsewhere."""
    built = a_run(GRAPH).with_stage_approved("elk.wonen.1")
    without = replace(built.run, domains=("werk",))

    assert codes(guards.cannot_start(GRAPH, without, ref("elk.wonen.2"))) == ["domain_not_chosen"]
    assert codes(guards.cannot_start(GRAPH, built.run, ref("elk.wonen.2"))) == []


# --- people ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("person", "expected"), [(ANNA, []), (MARIAM, []), (CHRIS, ["not_in_team"])])
def test_the_team_and_the_manager_of_the_run_work_on_it(person: str, expected: list[str]):
    assert codes(guards.not_in_team(a_run().run, person)) == expected


def did_the_work(instance: StageInstance, by: str) -> list[str]:
    return codes(deciders.approver_did_the_work(instance, by, ONE_ACCOUNT_EACH))


def test_who_did_anything_in_a_stage_does_not_decide_on_it():
    built = (
        a_run(team=(ANNA, BRAM, CHRIS, MAX))
        .with_stage("verkennen.1", by=ANNA)
        .with_answers("verkennen.1", "overzicht", {"naam": "x"}, by=BRAM)
        .with_evidence("verkennen.1", "overzicht", by=CHRIS, id="e")
    )
    withdrawn = built.with_evidence_withdrawn("verkennen.1", "overzicht", "e", by=MAX)

    for person in (ANNA, BRAM, CHRIS):
        assert did_the_work(built.instance("verkennen.1"), person) == ["approver_did_the_work"]
    assert did_the_work(built.instance("verkennen.1"), MAX) == []
    assert did_the_work(withdrawn.instance("verkennen.1"), MAX) == ["approver_did_the_work"]
    assert did_the_work(withdrawn.instance("verkennen.1"), MARIAM) == []


def test_who_completed_a_step_or_asked_for_approval_does_not_decide():
    ready = a_run().with_work_done("verkennen.1", by=ANNA)
    completed = ready.with_request("verkennen.1", by=BRAM)
    step = a_run().with_stage("werkgroep.1", by=ANNA).with_step_filled("werkgroep.1", "samenstellen", by=ANNA)

    assert did_the_work(ready.instance("verkennen.1"), BRAM) == []
    assert did_the_work(completed.instance("verkennen.1"), BRAM) == ["approver_did_the_work"]
    done = step.with_step_completed("werkgroep.1", "samenstellen", by=MARIAM)
    assert did_the_work(done.instance("werkgroep.1"), MARIAM) == ["approver_did_the_work"]


def test_only_the_roles_that_the_gate_names_approve():
    stage = a_stage("s", a_step("x"), gate=a_gate(approvers=("manager", "college")))

    assert codes(deciders.approver_lacks_role(stage, ref("s.1"), MANAGER | AUDITOR)) == []
    assert codes(deciders.approver_lacks_role(stage, ref("s.1"), frozenset({"college"}))) == []
    assert codes(deciders.approver_lacks_role(stage, ref("s.1"), AUDITOR)) == ["approver_lacks_role"]
    assert codes(deciders.approver_lacks_role(stage, ref("s.1"), frozenset())) == ["approver_lacks_role"]


# --- a step ----------------------------------------------------------------------------------------------------


def open_for_work(built: RunBuilder, at_ref: str) -> list[str]:
    stage = PLAN.stage(ref(at_ref).stage)
    return codes(guards.not_open_for_work(stage, built.run, ref(at_ref)))


def test_work_needs_a_started_stage_that_is_not_skipped_or_closed():
    assert open_for_work(a_run(), "verkennen.1") == ["not_started"]
    assert open_for_work(a_run().with_stage("verkennen.1"), "verkennen.1") == []
    assert open_for_work(a_run().with_skip("werkgroep.1"), "werkgroep.1") == ["stage_skipped"]
    assert open_for_work(a_run().with_stage_approved("verkennen.1"), "verkennen.1") == ["stage_approved"]


def test_work_goes_on_while_approval_is_asked():
    asked = a_run().with_work_done("verkennen.1").with_request("verkennen.1")

    assert open_for_work(asked, "verkennen.1") == []


def test_continuous_stage_opens_for_work_after_approval_until_its_next_round():
    approved = a_run().with_stage_approved("verkennen.1").with_stage_approved("draagvlak.1")

    assert open_for_work(approved, "draagvlak.1") == ["reopen_first"]
    assert open_for_work(approved.with_stage_reopened("draagvlak.1"), "draagvlak.1") == []
    assert open_for_work(approved.with_stage("draagvlak.2"), "draagvlak.1") == ["later_round_exists"]
    assert open_for_work(approved.with_stage("draagvlak.2"), "draagvlak.2") == []


HERE = ref("verkennen.1")


def test_required_answers_that_are_missing_are_named_in_the_order_of_the_form():
    missing = [*guards.missing_answers(OVERVIEW, a_state(OVERVIEW), HERE)]

    assert missing == [
        Reason("answer_missing", stage="verkennen.1", step="overzicht", question=question)
        for question in ("naam", "is-er-visie", "steun")
    ]


def test_required_question_that_is_hidden_is_not_missing_and_shown_it_is():
    no = a_state(OVERVIEW, naam="x", steun={"grade": "yes"}, is_er_visie="nee")
    yes = a_state(OVERVIEW, naam="x", steun={"grade": "yes"}, is_er_visie="ja")

    assert [*guards.missing_answers(OVERVIEW, no, HERE)] == []
    assert [reason.question for reason in guards.missing_answers(OVERVIEW, yes, HERE)] == ["wie-kent-visie"]


def test_given_answer_that_lacks_something_is_incomplete_even_if_nobody_had_to_give_it():
    state = a_state(
        OVERVIEW,
        naam="x",
        is_er_visie="nee",
        steun={"grade": "not_applicable"},
        inbreng=[{"op": "1-3-2027"}],
    )

    assert [(r.code, r.question) for r in guards.missing_answers(OVERVIEW, state, HERE)] == [
        ("answer_incomplete", "steun"),
        ("answer_incomplete", "inbreng"),
    ]


def test_emptied_answer_is_missing():
    state = a_state(OVERVIEW, naam="", is_er_visie="nee", steun={"grade": "yes"})

    assert [(r.code, r.question) for r in guards.missing_answers(OVERVIEW, state, HERE)] == [("answer_missing", "naam")]


def test_evidence_counts_by_kind_and_says_how_much_there_is():
    built = a_run().with_stage("verkennen.1").with_evidence("verkennen.1", "overzicht", "foto")

    assert [*guards.missing_evidence(OVERVIEW, built.state("verkennen.1", "overzicht"), HERE)] == [
        Reason(
            "evidence_missing",
            stage="verkennen.1",
            step="overzicht",
            params={"kind": kind, "present": 0, "required": 1},
        )
        for kind in ("verslag", "besluit")
    ]


@pytest.mark.parametrize(("form", "missing"), [("file", []), ("link", ["besluit"]), ("note", ["besluit"])])
def test_link_or_note_counts_only_where_the_plan_allows_it(form: str, missing: list[str]):
    built = a_run().with_stage("verkennen.1")
    for kind in ("verslag", "besluit"):
        built = built.with_evidence("verkennen.1", "overzicht", kind, form=EvidenceForm(form))

    found = guards.missing_evidence(OVERVIEW, built.state("verkennen.1", "overzicht"), HERE)
    assert [reason.params["kind"] for reason in found] == missing


def test_as_many_pieces_of_evidence_as_the_step_asks_for():
    step = a_step("s", evidence=(EvidenceDemand("verslag", minimum=2),))
    built = a_run(a_plan(a_stage("f", step))).with_stage("f.1").with_evidence("f.1", "s", "verslag")

    (reason,) = guards.missing_evidence(step, built.state("f.1", "s"), ref("f.1"))
    assert (reason.params["present"], reason.params["required"]) == (1, 2)
    two = built.with_evidence("f.1", "s", "verslag")
    assert [*guards.missing_evidence(step, two.state("f.1", "s"), ref("f.1"))] == []


def test_withdrawn_evidence_no_longer_counts():
    built = a_run().with_stage("verkennen.1").with_evidence("verkennen.1", "overzicht", "verslag", id="a")
    withdrawn = built.with_evidence_withdrawn("verkennen.1", "overzicht", "a")

    def missing(of: RunBuilder) -> list[object]:
        state = of.state("verkennen.1", "overzicht")
        return [reason.params["kind"] for reason in guards.missing_evidence(OVERVIEW, state, HERE)]

    assert missing(built) == ["besluit"]
    assert missing(withdrawn) == ["verslag", "besluit"]


# --- the gate --------------------------------------------------------------------------------------------------

TWO = a_stage(
    "s",
    a_step("moet", a_question("a", is_required=True)),
    a_step("mag", a_question("b", is_required=True), is_required=False),
    statements=VERKENNEN.statements,
)


def open_points(instance: StageInstance, *complete: str) -> list[tuple[str, str | None]]:
    stage = a_stage("s", *TWO.steps, statements=TWO.statements, gate=a_gate(*complete, names_nothing=True))
    return [(reason.code, reason.step) for reason in guards.gate_open_points(stage, instance)]


@pytest.fixture
def begun() -> RunBuilder:
    return a_run(a_plan(TWO), domains=()).with_stage("s.1")


def test_gate_asks_for_required_steps_even_if_it_names_nothing(begun: RunBuilder):
    assert open_points(begun.instance("s.1")) == [("step_open", "moet")]
    assert open_points(begun.with_step_done("s.1", "moet").instance("s.1")) == []


def test_gate_asks_once_a_step_whatever_it_names(begun: RunBuilder):
    every = ("required_steps_completed", "all_steps_completed", "checklist_answered")

    assert open_points(begun.instance("s.1"), *every) == [
        ("step_open", "moet"),
        ("step_open", "mag"),
        ("checklist_open", CHECKLIST),
    ]


def test_gate_can_ask_for_optional_steps_too(begun: RunBuilder):
    done = begun.with_step_done("s.1", "moet")

    assert open_points(done.instance("s.1"), "required_steps_completed") == []
    assert open_points(done.instance("s.1"), "all_steps_completed") == [("step_open", "mag")]
    assert open_points(done.with_step_done("s.1", "mag").instance("s.1"), "all_steps_completed") == []


def test_optional_step_that_was_begun_must_be_finished_or_emptied(begun: RunBuilder):
    busy = begun.with_step_done("s.1", "moet").with_answers("s.1", "mag", {"b": "half"})
    emptied = busy.with_answers("s.1", "mag", {"b": ""})
    finished = busy.with_step_completed("s.1", "mag")

    assert open_points(busy.instance("s.1")) == [("step_open", "mag")]
    assert open_points(emptied.instance("s.1")) == []
    assert open_points(finished.instance("s.1")) == []


def test_optional_step_with_evidence_only_is_begun_until_it_is_withdrawn(begun: RunBuilder):
    busy = begun.with_step_done("s.1", "moet").with_evidence("s.1", "mag", id="e")

    assert open_points(busy.instance("s.1")) == [("step_open", "mag")]
    assert open_points(busy.with_evidence_withdrawn("s.1", "mag", "e").instance("s.1")) == []


def test_required_step_that_was_changed_after_completion_is_open_again(begun: RunBuilder):
    changed = begun.with_step_done("s.1", "moet").with_answers("s.1", "moet", {"a": "anders"})

    assert open_points(changed.instance("s.1")) == [("step_open", "moet")]


def test_checklist_counts_the_statements_without_a_full_answer(begun: RunBuilder):
    done = begun.with_step_done("s.1", "moet")
    some = done.with_answers(
        "s.1",
        CHECKLIST,
        {"jong-en-oud": {"grade": "unknown"}, "rondkomen": {"grade": "not_applicable"}},
    )

    assert [r.params["n"] for r in guards.checklist_answered(TWO, done.instance("s.1"))] == [3]
    assert [r.params["n"] for r in guards.checklist_answered(TWO, some.instance("s.1"))] == [2]
    filled = some.with_step_filled("s.1", CHECKLIST)
    assert [*guards.checklist_answered(TWO, filled.instance("s.1"))] == []


def test_stage_without_statements_has_no_checklist_to_answer():
    stage = a_stage("s", a_step("x"))

    assert [*guards.checklist_answered(stage, StageInstance(ref("s.1")))] == []


def test_checklist_that_nobody_has_to_answer_is_not_left_half_answered(begun: RunBuilder):
    done = begun.with_step_done("s.1", "moet")
    half = done.with_answers("s.1", CHECKLIST, {"jong-en-oud": {"grade": "yes"}})

    assert open_points(done.instance("s.1")) == []
    assert open_points(half.instance("s.1")) == [("checklist_open", CHECKLIST)]
    assert open_points(half.with_step_filled("s.1", CHECKLIST).instance("s.1")) == []


@pytest.mark.parametrize("step", ["moet", "mag", CHECKLIST])
def test_step_that_was_sent_back_is_open_until_somebody_looked_at_it(begun: RunBuilder, step: str):
    sent_back = begun.with_work_done("s.1").with_request("s.1").with_sent_back("s.1", {step: "anders"})

    assert open_points(sent_back.instance("s.1")) == [("step_open", step)]
    assert open_points(sent_back.with_step_completed("s.1", step).instance("s.1")) == []


def test_every_rule_that_a_gate_can_name_is_there():
    assert set(guards.GATE_GUARDS) == {"required_steps_completed", "all_steps_completed", "checklist_answered"}


def test_reasons_come_all_at_once():
    step = a_run().with_stage("verkennen.1")

    assert why_not(lambda: step.with_step_completed("verkennen.1", "overzicht", by=CHRIS)) == [
        "not_in_team",
        "answer_missing",
        "answer_missing",
        "answer_missing",
        "evidence_missing",
        "evidence_missing",
    ]
