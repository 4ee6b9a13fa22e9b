"""The JSON Schemas of step plans and of additions to them, for editors.

`python -m app.catalogue.json_schema > stepplans/schema.json`
`python -m app.catalogue.json_schema overlay > stepplans/overlay-schema.json`
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from app.catalogue.overlay.format import OverlayFile
from app.catalogue.schema import PlanFile


class _ForAuthors(GenerateJsonSchema):
    """Without what only says how pydantic sees it: null where a key may be left out, a title for each key."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") in (None, [], {}):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(model: type[BaseModel] = PlanFile) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_ForAuthors)
    return {"$schema": _ForAuthors.schema_dialect, **schema}


def schema_text(model: type[BaseModel] = PlanFile) -> str:
    return json.dumps(json_schema(model), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text(OverlayFile if sys.argv[1:] == ["overlay"] else PlanFile))
