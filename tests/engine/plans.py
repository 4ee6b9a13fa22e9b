"""Small plans of every shape that the format allows: the graph has no cycles, conditions look back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from app.engine.definition import (
    Across,
    Column,
    Condition,
    Decision,
    DecisionRequired,
    EvidenceDemand,
    Grade,
    Question,
    QuestionType,
    Reached,
    Requirement,
    Round,
    Stage,
    StageRequired,
    Step,
    StepPlan,
)
from app.engine.guards import GATE_GUARDS
from tests.builders import a_gate, a_plan, a_question, a_stage, a_statement, a_step, an_item, text

OPTIONS = ("a", "b", "c")
WITH_CHOICES = (QuestionType.SINGLE_CHOICE, QuestionType.MULTIPLE_CHOICE, QuestionType.ASSESSMENT)

columns = st.builds(
    lambda first, others: (
        Column("wat", text("Wat"), first, is_required=True),
        *(Column(f"k{n}", text(f"K{n}"), type) for n, type in enumerate(others)),
    ),
    st.just(QuestionType.LONG_TEXT),
    st.lists(st.sampled_from([QuestionType.DATE, QuestionType.NUMBER]), max_size=2),
)
demands = st.lists(
    st.builds(
        EvidenceDemand,
        kind=st.sampled_from(["verslag", "besluit"]),
        minimum=st.integers(1, 2),
        may_be_link=st.booleans(),
    ),
    max_size=2,
    unique_by=lambda demand: demand.kind,
)


@st.composite
def conditions(draw: st.DrawFn, earlier: Sequence[Question]) -> Condition | None:
    if not earlier or not draw(st.booleans()):
        return None
    question = draw(st.sampled_from(earlier))
    if question.type not in WITH_CHOICES or draw(st.booleans()):
        return Condition(question.id)
    known = [grade.value for grade in Grade] if question.type is QuestionType.ASSESSMENT else OPTIONS
    return Condition(question.id, tuple(draw(st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True))))


@st.composite
def steps(draw: st.DrawFn, id: str) -> Step:
    questions: list[Question] = []
    for n, type in enumerate(draw(st.lists(st.sampled_from(QuestionType), max_size=4))):
        questions.append(
            a_question(
                f"q{n}",
                type,
                is_required=draw(st.booleans()),
                options=OPTIONS if type in WITH_CHOICES[:2] else (),
                columns=draw(columns) if type is QuestionType.TABLE else (),
                rows_min=draw(st.integers(0, 2)) if type is QuestionType.TABLE else 0,
                shown_when=draw(conditions(questions)),
            )
        )
    return a_step(id, *questions, is_required=draw(st.booleans()), evidence=tuple(draw(demands)))


@st.composite
def requirements(draw: st.DrawFn, stages: Sequence[str], decisions: Sequence[str]) -> tuple[Requirement, ...]:
    options: list[st.SearchStrategy[StageRequired | DecisionRequired]] = []
    if stages:
        options.append(
            st.builds(
                StageRequired,
                st.sampled_from(stages),
                st.sampled_from(Round),
                st.sampled_from(Reached),
                st.sampled_from(Across),
            )
        )
    if decisions:
        options.append(st.builds(DecisionRequired, st.sampled_from(decisions)))
    if not options:
        return ()
    requirement = st.builds(Requirement, st.lists(st.one_of(options), min_size=1, max_size=2).map(tuple))
    return tuple(draw(st.lists(requirement, max_size=2)))


quorums = st.sampled_from(
    [
        a_gate(),
        a_gate(approvals=2),
        a_gate(approvals=2, approvers=("manager", "auditor"), of_which={"auditor": 1}),
        a_gate(approvals=3, approvers=("manager", "auditor"), of_which={"manager": 2, "auditor": 1}),
    ]
)


@st.composite
def stages(draw: st.DrawFn, id: str, earlier: Sequence[str], others: Sequence[str], decisions: Sequence[str]) -> Stage:
    grounds = draw(st.lists(st.sampled_from(["leeftijd", "inkomen", "samenloop"]), max_size=2))
    complete = draw(st.lists(st.sampled_from([*GATE_GUARDS]), unique=True))
    return a_stage(
        id,
        *(draw(steps(f"stap{n}")) for n in range(draw(st.integers(1, 3)))),
        gate=replace(draw(quorums), complete=tuple(complete)),
        statements=tuple(a_statement(f"st{n}", ground) for n, ground in enumerate(grounds)),
        requires=draw(requirements(earlier, decisions)),
        advised_after=draw(st.lists(st.sampled_from(others), max_size=2, unique=True)) if others else (),
        is_optional=draw(st.booleans()),
        is_repeatable=draw(st.booleans()),
        is_per_domain=draw(st.booleans()),
        is_continuous=draw(st.booleans()),
    )


@st.composite
def plans(draw: st.DrawFn) -> StepPlan:
    """Stages look back for what they require, and anywhere for advice; a decision comes before the stages it opens."""
    ids = [f"fase{n}" for n in range(draw(st.integers(1, 5)))]
    found: list[Stage] = []
    decisions: list[Decision] = []
    for n, id in enumerate(ids):
        if len(decisions) < 2 and draw(st.booleans()):
            decisions.append(
                Decision(
                    f"besluit{n}",
                    text(f"Besluit {n}"),
                    an_item("Uitleg."),
                    is_per_domain=draw(st.booleans()),
                    requires=draw(requirements(ids[:n], [decision.id for decision in decisions])),
                )
            )
        others = [other for other in ids if other != id]
        found.append(draw(stages(id, ids[:n], others, [decision.id for decision in decisions])))
    return a_plan(*found, decisions=tuple(decisions))
