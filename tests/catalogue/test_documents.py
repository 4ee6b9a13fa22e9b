"""The canonical document: what is stored, what counts as the same plan, what a default is."""

import copy
import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.catalogue import build, schema
from app.catalogue.loader import PLANS_KEPT_MAX, canonical, digest, from_document, load_bytes, plan_of
from app.catalogue.yaml_tree import read
from app.engine import definition
from app.engine.definition import Gate, QuestionType, StepPlan, Text
from app.storage import plans
from app.storage.database import Database
from app.storage.tables import PlanDocument
from tests.catalogue.files import RELEASED, SMALL, SPELLINGS, TINY

PLAIN: dict[str, Any] = json.loads(json.dumps(read(SMALL.read_bytes()).root))
DIGEST = load_bytes(SMALL.read_bytes(), "small.yaml").plan.digest


def digest_of(text: str) -> str:
    return load_bytes(text.encode(), "plan.yaml").plan.digest


def small(old: str, new: str) -> str:
    text = SMALL.read_text()
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize("path", [SMALL, SPELLINGS, *RELEASED], ids=lambda path: path.stem)
def test_stored_document_gives_the_same_plan(path: Path):
    loaded = load_bytes(path.read_bytes(), path.name)
    stored = json.loads(json.dumps(loaded.document))
    assert from_document(stored) == loaded.plan
    assert loaded.plan.digest == digest(stored) == digest(loaded.document)
    again = load_bytes(canonical(stored), "document.json")
    assert again.plan == loaded.plan


def test_document_survives_both_databases(database: Database):
    loaded = load_bytes(SPELLINGS.read_bytes(), "spellings.yaml")
    with database.write() as session:
        plans.pin(session, [loaded], at=datetime(2026, 11, 24, tzinfo=UTC))
    with database.read() as session:
        row = session.get(PlanDocument, loaded.plan.digest)
        assert row is not None
        assert from_document(row.document) == loaded.plan


# --- what makes no difference ----------------------------------------------------------------------------------


def reordered(value: Any, reverse: bool) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key], reverse) for key in sorted(value, reverse=reverse)}
    return [reordered(each, reverse) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "write", [json.dumps, yaml.safe_dump, lambda plan: yaml.safe_dump(plan, sort_keys=False, width=40)]
)
@pytest.mark.parametrize("reverse", [True, False])
def test_layout_comments_and_order_of_keys_make_no_difference(write: Callable[[Any], str], reverse: bool):
    assert digest_of(write(reordered(PLAIN, reverse))) == DIGEST
    assert digest_of("# Een opmerking\n" + SMALL.read_text().replace("\n", "\r\n")) == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("optional: true\n", "optional: true\n    repeatable: false\n    per_domain: false\n"),
        ("approvers: [manager]\n", "approvers: ['manager']\n"),
        ("round: first, reached: approved", "reached: approved"),
        ("minimum: 1, link: true, ", ""),
        ("gate: {question: {text: Is het af?", "gate: {approvals: 1, explanation: [], question: {text: Is het af?"),
        ("{nl: Klein plan, en: Small plan}", "{en: Small plan, nl: Klein plan}"),
        ("title: Werk}", "title: {nl: Werk}}"),
        ("      - {stage: verkennen}\n\nstages", "      - {any_of: [{stage: verkennen}]}\n\nstages"),
        ("maximum: 1000", "maximum: 1e3"),
        ("text: Doen.", "text: '  Doen. '"),
        ("            rows_min: 0\n", ""),
        ("S1: {title: Voorbeeldbron", 'S1: {title: "Voorbeeld\\x62ron"'),
    ],
)
def test_other_spelling_of_the_same_makes_no_difference(old: str, new: str):
    assert digest_of(small(old, new)) == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Klein plan", "Klein  plan"),
        ("en: Small plan", "en: Small Plan"),
        ("version: 1.0.0", "version: 1.0.1"),
        ("required: true, addition", "required: false, addition"),
        (
            "{id: team, title: Het team}, {id: raad, title: De raad}",
            "{id: raad, title: De raad}, {id: team, title: Het team}",
        ),
        ("sources: [S1], addition: true}\n    pitfalls", "sources: [S1]}\n    pitfalls"),
        ("https://www.movisie.nl/artikel/voorbeeld", "https://www.movisie.nl/"),
        ("approvals: 1", "approvals: 2"),
        ("across: any", "across: all"),
    ],
)
def test_other_meaning_makes_a_difference(old: str, new: str):
    assert digest_of(small(old, new)) != DIGEST


def texts_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of what is written for people."""
    if isinstance(value, dict):
        inner = [(key, each) for key, each in value.items() if key not in ("id", "version", "type", "url")]
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    found = [place for key, each in inner for place in texts_in(each, (*path, key))]
    is_text = isinstance(value, str) and {*path} & {"title", "text", "nl", "en", "help", "covers", "publisher"}
    return [*found, path] if is_text else found


@given(st.sampled_from(texts_in(PLAIN)))
def test_any_change_of_a_text_makes_a_difference(path: tuple[Any, ...]):
    changed: Any = copy.deepcopy(PLAIN)
    around = changed
    for part in path[:-1]:
        around = around[part]
    around[path[-1]] += "!"
    assert digest_of(json.dumps(changed)) != DIGEST


# --- what never changes ----------------------------------------------------------------------------------------


def test_digest_of_a_plan_stays_what_it_is_in_every_version_of_the_software():
    """Municipalities pinned plans under their digest: a change here makes start-up refuse every released plan."""
    assert DIGEST == "3f1c46c2cd9126e1ccfc44f8fb8eef71a248a8a9ac67642f14761676484dfb68"
    assert digest_of(TINY) == "b5f532a8af2f3066fe0af342013acf6467745a9f396ad931db0b3727c438bb2a"


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def test_defaults_of_the_format_never_change():
    """A stored plan leaves out what is a default: another default would change plans that are in use."""
    defaults = {
        f"{name}.{key}": _plain(field.default)
        for name, model in vars(schema).items()
        if isinstance(model, type) and issubclass(model, schema.Part)
        for key, field in model.model_fields.items()
        if not field.is_required() and field.default not in (None, [], {}) and field.default is not False
    }
    assert defaults == {
        "ApprovalsOf.approvals": 1,
        "Decision.taken_by": ["manager"],
        "EvidenceDemand.link": True,
        "EvidenceDemand.minimum": 1,
        "Gate.approvals": 1,
        "Gate.approvers": ["manager"],
        "Gate.complete": ["required_steps_completed", "checklist_answered"],
        "Question.rows_min": 0,
        "StageRequired.across": "any",
        "StageRequired.reached": "approved",
        "StageRequired.round": "first",
        "Step.required": True,
    }


PAIRS = [
    (model, getattr(definition, name))
    for name, model in vars(schema).items()
    if isinstance(model, type) and issubclass(model, schema.Part) and hasattr(definition, name)
]


@pytest.mark.parametrize(("model", "kind"), PAIRS, ids=lambda each: each.__name__)
def test_keys_of_the_format_are_the_fields_of_the_definition(model: type[schema.Part], kind: Any):
    fields = {field.name: field for field in dataclasses.fields(kind)}
    names = {build._FIELDS.get(key, key): key for key in model.model_fields}
    assert set(names) == set(fields) - {"Source": {"id"}, "Question": {"ground"}}.get(kind.__name__, set())
    for name, key in names.items():
        ours = model.model_fields[key]
        if (kind, key) == (definition.Source, "url"):
            assert ours.default is None  # as build.py fills in
        elif fields[name].default is dataclasses.MISSING:
            assert ours.is_required(), key
        else:
            assert _plain(fields[name].default) == _plain(ours.default), key


def test_only_the_plan_itself_has_no_pair():
    paired = {model.__name__ for model, _ in PAIRS}
    models = {name for name, each in vars(schema).items() if isinstance(each, type) and issubclass(each, schema.Part)}
    whole = {"Part", "WithOrigin", "AnyOf", "AllowOverlays", "PlanHead", "PlanFile"}
    # The definition holds these in one form: pairs of places.
    assert models - paired == whole | {"ChangesSince", "Renamed", "Split", "Merged", "ReasonOfChange"}


# --- what a definition holds -----------------------------------------------------------------------------------


def test_definition_holds_what_was_written():
    plan = load_bytes(SPELLINGS.read_bytes(), "spellings.yaml").plan
    assert plan.version == "2.0.0-rc.1"
    assert [source.id for source in plan.sources] == ["2019", "S2", "S10"]
    assert plan.sources_by_id["S2"].publisher == "2026-11-24"
    assert plan.grounds[0].title == Text("Leeftijd", {"ar": "العمر", "fy": "Leeftiid"})
    assert plan.grounds[1].is_crossing
    stage = plan.stage("eerste")
    assert stage.title.nl == "Een titel op twee regels"
    assert stage.goal == stage.why == stage.gives
    assert stage.goal.text.nl == "Eerste regel.\n\nTweede regel: met een dubbele punt."
    assert stage.gate == Gate(stage.goal, approvals=2, complete=("all_steps_completed",))
    step = stage.step("stap")
    assert not step.is_required
    assert not step.evidence[0].may_be_link
    number = step.question("vraag")
    assert (number.minimum, number.maximum, number.unit) == (-1.5, 16.0, Text("euro"))
    assert [option.id for option in step.question("keuze").options] == ["no", "yes"]
    assert step.question("tabel").columns[1].type is QuestionType.NUMBER


# --- the cache -------------------------------------------------------------------------------------------------


@pytest.fixture
def empty_cache() -> None:
    plan_of.cache_clear()


def documents(*versions: str) -> list[dict[str, Any]]:
    return [load_bytes(TINY.replace("1.0.0", version).encode(), "plan.yaml").document for version in versions]


@pytest.mark.usefixtures("empty_cache")
def test_plan_is_compiled_once_while_it_is_in_use():
    first, second, *others = documents(*(f"1.0.{number}" for number in range(PLANS_KEPT_MAX + 1)))
    asked: list[str] = []

    def plan(document: dict[str, Any]) -> StepPlan:
        def loaded() -> dict[str, Any]:
            asked.append(document["plan"]["version"])
            return document

        return plan_of(digest(document), loaded)

    assert plan(first) is plan(first)
    plan(second)
    plan(first)
    for other in others:  # the second was asked for longest ago
        plan(other)
    plan(first)
    plan(second)
    assert asked == [document["plan"]["version"] for document in (first, second, *others, second)]


@pytest.mark.usefixtures("empty_cache")
def test_document_that_was_changed_is_not_taken_for_the_plan():
    (document,) = documents("1.0.0")
    wanted = digest(document)
    document["plan"]["title"] = "Ander plan"
    with pytest.raises(ValueError, match="was changed"):
        plan_of(wanted, lambda: document)
