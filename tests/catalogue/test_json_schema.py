"""The JSON Schema that editors use."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.catalogue.json_schema import json_schema, schema_text
from app.catalogue.yaml_tree import read
from tests.catalogue.files import GOLDEN, RELEASED, SMALL, golden

FILE = Path(__file__).parents[2] / "stepplans" / "schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_file_is_current():
    assert FILE.read_text() == schema_text(), "python -m app.catalogue.json_schema > stepplans/schema.json"


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", [*golden("valid"), *golden("warnings"), *RELEASED], ids=lambda path: path.stem)
def test_valid_plan_is_valid_in_an_editor(path: Path):
    VALIDATOR.validate(read(path.read_bytes()).root)


@pytest.mark.parametrize(
    "name",
    [
        "unknown-format", "unknown-keys", "missing-keys", "types-that-yaml-1-2-keeps", "not-text", "not-lists",
        "not-mappings", "no-steps", "no-stages", "ids", "versions", "addresses", "languages", "empty-and-long-texts",
        "choices", "requirement-words", "numbers", "no-value",
    ],
)  # fmt: skip
def test_wrong_shape_is_wrong_in_an_editor(name: str):
    assert list(VALIDATOR.iter_errors(read((GOLDEN / "invalid" / f"{name}.yaml").read_bytes()).root))


def test_null_and_unknown_languages_are_wrong_in_an_editor():
    small: dict[str, Any] = json.loads(json.dumps(read(SMALL.read_bytes()).root))
    for title in (None, {"nl": "x", "engels": "y"}, {"en": "x"}, "", 1):
        plan = copy.deepcopy(small)
        plan["plan"]["title"] = title
        assert not VALIDATOR.is_valid(plan), title


def test_keys_are_explained():
    question = json_schema()["$defs"]["Question"]["properties"]
    assert question["shown_when"]["description"].startswith("Shown only when an earlier question")
    assert "null" not in json.dumps(json_schema())
