"""Every difference between two versions can be told in words, in both languages, and never as a code."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.definition import (
    Advice,
    Changes,
    Column,
    Condition,
    EvidenceDemand,
    Item,
    Option,
    QuestionType,
    Requirement,
    Round,
    Stage,
    StageRequired,
    StepPlan,
    Text,
)
from app.engine.guards import GATE_GUARDS
from app.engine.run_migration.compare import Change, ChangeClass, PartKind, What, compare
from app.web import change_values, change_words
from app.web.change_words import ChangeWords, changes_by_stage
from app.web.i18n import LANGUAGES, Language
from tests.builders import a_gate, a_plan, a_question, a_stage, a_statement, a_step, an_item, text
from tests.engine.plans import plans

OLD = a_plan(
    a_stage(
        "verkennen",
        a_step(
            "overzicht",
            a_question("naam"),
            a_question("soort", QuestionType.SINGLE_CHOICE, options=("ja", "nee")),
            a_question("aantal", QuestionType.NUMBER, minimum=0, maximum=1_234_567.5),
            a_question("lijst", QuestionType.TABLE, columns=(Column("wat", text("Wat"), QuestionType.SHORT_TEXT),)),
            evidence=(EvidenceDemand("verslag"),),
        ),
        a_step("gesprek", a_question("wie")),
        statements=(a_statement("jong", "leeftijd"),),
    ),
    a_stage("visie", a_step("schrijven", a_question("tekst"))),
)
CODE = re.compile(r"\b(true|false|[a-z]+_[a-z_]+|None|Requirement|StageRequired|Advice)\b|e\+\d")


def changed(stage: Stage, **properties: object) -> StepPlan:
    """The plan with another first stage."""
    after = replace(stage, **properties)  # type: ignore[arg-type]  # each its own type
    return replace(OLD, version="2.0.0", stages=(after, *OLD.stages[1:]))


def told(new: StepPlan, kind: PartKind, name: str, *, language: Language = "nl") -> tuple[str, str, str]:
    """Name, before and after of one difference."""
    found = compare([OLD, new])
    words = ChangeWords(found, language)
    for change in found.changes:
        for difference in change.differences:
            if change.kind is kind and difference.name == name:
                sides = words.sides(change, difference)
                return words.name(change, difference), sides.before, sides.after
    raise AssertionError(f"no difference in {name}: {[(c.kind, c.differences) for c in found.changes]}")


def with_question(number: int, **properties: object) -> StepPlan:
    stage = OLD.stages[0]
    step = stage.steps[0]
    questions = [*step.questions]
    questions[number] = replace(questions[number], **properties)  # type: ignore[arg-type]  # each its own type
    return changed(stage, steps=(replace(step, questions=tuple(questions)), *stage.steps[1:]))


QUESTION, STAGE, GATE = PartKind.QUESTION, PartKind.STAGE, PartKind.GATE


@pytest.mark.parametrize(
    ("new", "kind", "name", "expected"),
    [
        (
            with_question(0, type=QuestionType.LONG_TEXT),
            QUESTION,
            "type",
            ("Soort antwoord", "korte tekst", "lange tekst"),
        ),
        (
            with_question(0, is_required=True),
            QUESTION,
            "required",
            ("Verplicht of niet", "niet verplicht", "verplicht"),
        ),
        (
            with_question(1, options=(Option("ja", text("Ja")), Option("deels", text("Deels")))),
            QUESTION,
            "options",
            ("Keuzes", "ja\nnee", "Ja\nDeels"),
        ),
        (
            with_question(2, maximum=2_000_000.0),
            QUESTION,
            "maximum",
            ("Hoogste getal", "1.234.567,5", "2.000.000"),
        ),
        (with_question(2, minimum=None), QUESTION, "minimum", ("Laagste getal", "0", "geen grens")),
        (with_question(3, rows_min=2), QUESTION, "rows_min", ("Kleinste aantal rijen", "0", "2")),
        (
            with_question(
                3,
                columns=(
                    Column("wat", text("Wat"), QuestionType.SHORT_TEXT, is_required=True),
                    Column("k", text("Keuze"), QuestionType.SINGLE_CHOICE, options=(Option("a", text("A")),)),
                ),
            ),
            QUESTION,
            "columns",
            ("Kolommen", "Wat (korte tekst)", "Wat (korte tekst, verplicht)\nKeuze (één keuze: A)"),
        ),
        (
            with_question(2, shown_when=Condition("soort", ("ja",))),
            QUESTION,
            "shown_when",
            ("Wanneer we dit vragen", "altijd", "na het antwoord “ja” op “Soort”"),
        ),
        (
            with_question(2, shown_when=Condition("naam")),
            QUESTION,
            "shown_when",
            ("Wanneer we dit vragen", "altijd", "na een antwoord op “Naam”"),
        ),
        (
            with_question(0, sources=("S1",)),
            QUESTION,
            "sources",
            (
                "Waar het vandaan komt",
                "aanvulling",
                "Uitgever, Voorbeeldbron\naanvulling",
            ),
        ),
        (
            with_question(0, text=Text("Naam", {"en": "Name"})),
            QUESTION,
            "text",
            ("Tekst, in een andere taal", "", "en: Name"),
        ),
        (
            changed(OLD.stages[0], gate=a_gate("all_steps_completed", approvals=2)),
            GATE,
            "complete",
            (
                "Wat klaar is voor het akkoord",
                "de verplichte stappen zijn klaar\nde checklist is ingevuld",
                "alle stappen zijn klaar",
            ),
        ),
        (
            changed(OLD.stages[0], gate=a_gate(approvals=2)),
            GATE,
            "approvals",
            ("Hoeveel mensen akkoord geven", "1", "2"),
        ),
        (
            changed(OLD.stages[0], requires=(Requirement((StageRequired("visie", round=Round.LATEST),)),)),
            STAGE,
            "requires",
            ("Wat eerst nodig is", "", "Visie (vastgesteld) in de laatste ronde"),
        ),
        (
            changed(OLD.stages[0], advised_after=(Advice("visie", an_item("Dat helpt.")),)),
            STAGE,
            "advised_after",
            ("Wijzer na", "", "Visie: Dat helpt."),
        ),
        (
            changed(OLD.stages[0], roles=("trekker",), grounds=("leeftijd",)),
            STAGE,
            "roles",
            ("Wie meedoet", "", "Trekker"),
        ),
        (
            changed(OLD.stages[0], is_optional=True),
            STAGE,
            "optional",
            ("Overslaan", "mag niet worden overgeslagen", "mag worden overgeslagen, met een reden"),
        ),
        (
            replace(OLD, version="2.0.0", terms=(replace(OLD.terms[0], meaning=an_item("Iedereen telt.")),)),
            PartKind.GUIDANCE,
            "terms",
            ("Woorden", "Inclusie: Iedereen doet mee.", "Inclusie: Iedereen telt."),
        ),
    ],
)
def test_property_is_told_in_words(new: StepPlan, kind: PartKind, name: str, expected: tuple[str, str, str]):
    assert told(new, kind, name) == expected


def test_evidence_is_told_by_how_many_and_whether_a_link_will_do():
    stage = OLD.stages[0]
    step = replace(stage.steps[0], evidence=(EvidenceDemand("verslag", minimum=3, may_be_link=False),))
    new = changed(stage, steps=(step, *stage.steps[1:]))
    assert told(new, PartKind.EVIDENCE, "minimum") == ("Hoeveel", "1", "3")
    assert told(new, PartKind.EVIDENCE, "link")[1:] == ("telt ook mee", "nee, alleen een bestand")


def test_part_that_only_got_another_id_is_not_said_to_have_moved():
    stage = OLD.stages[0]
    questions = (replace(stage.steps[0].questions[0], id="andere-naam"), *stage.steps[0].questions[1:])
    moved = (("verkennen/overzicht/naam", "verkennen/overzicht/andere-naam"),)
    new = replace(
        changed(stage, steps=(replace(stage.steps[0], questions=questions), *stage.steps[1:])),
        changes=Changes("1.0.0", an_item("Andere naam."), moved=moved),
    )
    found = compare([OLD, new])
    words = ChangeWords(found, "nl")
    [change] = found.changes
    assert change.what is What.MOVED
    assert words.what(change) == "Gewijzigd"
    assert words.origin(change) == ""


def test_stages_come_in_the_order_of_the_plan_and_the_heaviest_change_first():
    stage = OLD.stages[0]
    new = changed(stage, tips=(an_item("Tip."),), gate=a_gate(approvals=2))
    new = replace(new, stages=new.stages[:1])
    grouped = [
        (id, [change.change_class for change in changes]) for id, changes in changes_by_stage(compare([OLD, new]))
    ]
    assert grouped == [
        ("verkennen", [ChangeClass.APPROVE_AGAIN, ChangeClass.SAFE]),
        ("visie", [ChangeClass.SAFE]),
    ]


def test_every_kind_class_type_and_rule_has_words():
    assert set(change_words.KINDS) == set(PartKind)
    assert set(change_words.WHATS) == set(What)
    assert set(change_words.CLASSES) == set(change_words.MEANINGS) == set(change_words.TONES) == set(ChangeClass)
    assert set(change_values.TYPES) == set(QuestionType)
    assert set(change_values.COMPLETE) == set(GATE_GUARDS)


def everything_told(change: Change, words: ChangeWords) -> list[str]:
    said = [words.kind(change), words.what(change), words.change_class(change.change_class), words.origin(change)]
    said += [place.nl for place in [words.place(change)] if place]
    said += [f"{name}: {value}" for name, value, _ in words.described(change)]
    for difference in change.differences:
        sides = words.sides(change, difference)
        said += [words.name(change, difference), sides.before, sides.after]
    return said


# Making two plans takes long on a busy machine; what counts is what is said about them.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(older=plans(), newer=plans(), data=st.data())
def test_any_two_plans_can_be_told_apart_in_words(older: StepPlan, newer: StepPlan, data: st.DataObject):
    paths = [
        f"{s.id}/{t.id}/{q.id}" for p in (older, newer) for s in p.stages for t in s.all_steps() for q in t.questions
    ]
    pairs = st.lists(st.tuples(st.sampled_from(paths), st.sampled_from(paths)), max_size=3) if paths else st.just([])
    moved = tuple(data.draw(pairs))
    newer = replace(
        newer, version="2.0.0", digest="2" * 64, changes=Changes("1.0.0", Item(Text("Anders.")), moved=moved)
    )
    found = compare([older, newer])
    for language in LANGUAGES:
        words = ChangeWords(found, language)
        for change in found.changes:
            for said in everything_told(change, words):
                assert not CODE.search(said), said
