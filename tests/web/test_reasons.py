import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from app.engine.definition import Gate, Item, Question, QuestionType, Stage, Step, StepPlan, Text
from app.engine.errors import Reason
from app.resources import locale_dir
from app.web.i18n import load_translations
from app.web.reasons import SENTENCES, reason_text

APP = Path(app.__file__).parent
FOLDERS = (APP / "engine", APP / "features" / "moves")  # mass moves word their own reasons


def codes_in_use() -> Iterator[str]:
    """The first argument of every Reason(…) in the engine and the room of moves; where that is a variable, the keys of
    the dict in the function that it runs through."""
    for path in (path for folder in FOLDERS for path in folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                    codes = [node.args[0]] if isinstance(node.args[0], ast.Constant) else keys_in(function)
                    assert codes, f"{path.name}:{node.lineno}: which code?"
                    for code in codes:
                        assert isinstance(code, ast.Constant)
                        yield str(code.value)


def keys_in(function: ast.FunctionDef) -> list[ast.expr | None]:
    return [key for node in ast.walk(function) if isinstance(node, ast.Dict) for key in node.keys]


def a_plan() -> StepPlan:
    item = Item(Text("x"))
    step = Step("gesprekken", Text("Gesprekken voeren"), item, questions=(
        Question("doel", Text("Wat is het doel?"), QuestionType.SHORT_TEXT),
    ))  # fmt: skip
    stage = Stage("visie", Text("Visie", {"en": "Vision"}), item, item, item, Gate(item), (step,))
    return StepPlan("p", "1.0.0", Text("Plan"), item, "d", (stage,))


def test_every_code_has_a_sentence_and_no_sentence_is_left_over():
    assert set(codes_in_use()) == set(SENTENCES)


@pytest.mark.parametrize("code", SENTENCES)
def test_dutch_sentence_has_the_same_places_to_fill_in(code: str):
    dutch = load_translations("nl", locale_dir()).gettext(SENTENCES[code])

    assert dutch != SENTENCES[code], "no Dutch"
    assert set(re.findall(r"%\((\w+)\)", dutch)) == set(re.findall(r"%\((\w+)\)", SENTENCES[code]))


def test_titles_come_from_the_plan_in_the_language_of_the_visitor():
    reason = Reason("not_started", stage="visie.1")

    assert reason_text(reason, "nl", a_plan()) == "Visie is nog niet begonnen. Begin eerst met de fase."
    assert reason_text(reason, "en", a_plan()) == "Vision has not been started yet. Start it first."


def test_question_and_step_are_named():
    missing = Reason("answer_missing", stage="visie.1", step="gesprekken", question="doel")
    still_open = Reason("step_open", stage="visie.1", step="gesprekken")

    assert reason_text(missing, "nl", a_plan()) == "Nog te beantwoorden: Wat is het doel?"
    assert reason_text(still_open, "nl", a_plan()) == "Stap nog niet klaar: Gesprekken voeren"


def test_without_a_plan_ids_stand_in_for_titles():
    reason = Reason("needs_one_of", params={"stage_1": "beleid-ontwikkelen", "decision_1": "bestaand-beleid"})

    assert reason_text(reason, "nl") == "Eerst moet een van deze klaar zijn: Beleid ontwikkelen of Bestaand beleid."


def test_several_advised_stages_are_joined_with_and():
    reason = Reason(
        "early_start_needs_reason", stage="visie.1", params={"stage_1": "a", "stage_2": "b", "stage_3": "c"}
    )

    assert "A, B en C" in reason_text(reason, "nl")


def test_per_cent_sign_in_a_title_is_harmless():
    reason = Reason("evidence_missing", params={"kind": "100%-rapport", "present": 0, "required": 1})

    assert "100% rapport (0 van 1)" in reason_text(reason, "nl")
