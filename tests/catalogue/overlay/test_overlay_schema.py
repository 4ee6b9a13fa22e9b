"""The JSON Schema of additions, for editors."""

import json
from pathlib import Path

import jsonschema
import pytest

from app.catalogue.json_schema import json_schema, schema_text
from app.catalogue.overlay.format import OverlayFile
from app.catalogue.yaml_tree import read
from tests.catalogue.overlay.additions import OVERLAYS, golden

FILE = Path(__file__).parents[3] / "stepplans" / "overlay-schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json_schema(OverlayFile))


def test_file_is_current():
    command = "python -m app.catalogue.json_schema overlay > stepplans/overlay-schema.json"
    assert FILE.read_text() == schema_text(OverlayFile), command


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema(OverlayFile))
    assert "null" not in json.dumps(json_schema(OverlayFile))


@pytest.mark.parametrize("path", [*golden("valid"), *golden("warnings")], ids=lambda path: path.stem)
def test_valid_additions_are_valid_in_an_editor(path: Path):
    VALIDATOR.validate(read(path.read_bytes()).root)


@pytest.mark.parametrize("name", ["shape", "another-format"])
def test_wrong_shape_is_wrong_in_an_editor(name: str):
    assert list(VALIDATOR.iter_errors(read((OVERLAYS / "invalid" / f"{name}.yaml").read_bytes()).root))
