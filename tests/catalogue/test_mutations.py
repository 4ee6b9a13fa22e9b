"""Whatever somebody does to a plan, it loads or it is refused in words."""

import copy
import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue.loader import PlanInvalid, digest, from_document, load_bytes
from app.catalogue.yaml_tree import read
from tests.catalogue.files import SMALL, SPELLINGS

PLAIN: dict[str, Any] = json.loads(json.dumps(read(SMALL.read_bytes()).root))
STRANGE: list[Any] = [
    None, True, False, 0, 1, -1, 2, 1.5, 1e20, 10**25, float("inf"), float("nan"), "", " ", "x", "é", "a b", "S1",
    "verkennen", "any_of", "table", "yes", "\n", "\t", "\x00", "\x1b", "\u2028", "{hint}", "%s", "a" * 5000,
    [], {}, [[]], [None], [1],
    ["S1"], ["S1", "S1"], {"nl": "x"}, {"nl": None}, {"en": "x"}, {"text": "x"}, {"id": "x"}, {"stage": "verkennen"},
    {"any_of": []}, {"any_of": [{"stage": "verkennen"}]}, {"decision": 1}, {"<text>": "x"}, {"[key]": "x"}, {"": ""},
]  # fmt: skip


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inner for found in paths_in(each, (*path, key)))]


PATHS = paths_in(PLAIN)[1:]
KEYS = sorted({key for path in PATHS for key in path if isinstance(key, str)})


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    plan = copy.deepcopy(PLAIN)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(PATHS))
        around: Any = plan
        try:
            for part in path[:-1]:
                around = around[part]
            value = around[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
        if isinstance(around, str):
            continue  # an earlier change put a text there, which has letters at those places
        match draw(st.sampled_from(["delete", "rename", "retype", "repeat", "move"])):
            case "delete":
                del around[path[-1]]
            case "rename" if isinstance(around, dict):
                around[draw(st.sampled_from([*KEYS, f"{path[-1]}x", "titel", "<StageRequired>", "[key]", ""]))] = value
                del around[path[-1]]
            case "repeat" if isinstance(around, list):
                around.insert(0, copy.deepcopy(value))
            case "move" if isinstance(around, list):
                around.append(around.pop(0))
            case _:
                around[path[-1]] = copy.deepcopy(draw(st.sampled_from(STRANGE)))
    return plan


def load_or_be_told(data: bytes) -> None:
    lines = data.count(b"\n") + data.count(b"\r") + 1
    try:
        loaded = load_bytes(data, "plan.yaml")
    except PlanInvalid as refused:
        problems = refused.problems
    else:
        stored = json.loads(json.dumps(loaded.document))
        assert from_document(stored) == loaded.plan
        assert digest(stored) == loaded.plan.digest
        return
    assert problems
    for problem in problems:
        assert not problem.is_warning
        assert problem.code != "other_shape", problem.sentence()
        assert 1 <= problem.line <= lines
        assert "\n" not in problem.sentence()
        assert "\n" not in problem.sentence_nl()


@settings(max_examples=400, deadline=None)
@given(mutated(), st.booleans())
def test_mutated_plan_loads_or_is_refused(plan: dict[str, Any], as_json: bool):
    text = (
        json.dumps(plan, ensure_ascii=False, indent=1)
        if as_json
        else yaml.dump(plan, Dumper=yaml.CSafeDumper, allow_unicode=True)
    )
    load_or_be_told(text.encode())


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([SMALL, SPELLINGS]), st.data())
def test_plan_with_a_slip_of_the_keyboard_loads_or_is_refused(path: Any, data: st.DataObject):
    text = path.read_text()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 20))
        typed = st.text(st.sampled_from("abc12:-?[]{},&*!|>'\"%@`#<= \n\t\r\\é\x00\x85"), max_size=4)
        text = text[:start] + data.draw(typed) + text[end:]
    load_or_be_told(text.encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(data: bytes):
    load_or_be_told(data)
