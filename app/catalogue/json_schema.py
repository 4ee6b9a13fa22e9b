"""The JSON Schema of step plans, for editors. `python -m app.catalogue.json_schema > stepplans/schema.json`"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

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


def json_schema() -> dict[str, Any]:
    schema = PlanFile.model_json_schema(schema_generator=_ForAuthors)
    return {"$schema": _ForAuthors.schema_dialect, **schema}


def schema_text() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
