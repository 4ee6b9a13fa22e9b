"""Does a file have the shape of a step plan? What pydantic says about it, as findings of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.catalogue import schema
from app.catalogue.problems import PROBLEMS_MAX, Finding, Path, suggestion
from app.catalogue.schema import PlanFile
from app.catalogue.yaml_tree import Tree

Model = TypeVar("Model", bound=BaseModel)
Branches = Mapping[str, type[BaseModel]]
"""The models of the branches of unions, by the tag that stands for them in a location of pydantic."""

BRANCHES: Branches = {
    f"<{model.__name__}>": model for model in (schema.StageRequired, schema.DecisionRequired, schema.AnyOf)
}
_PATTERNS = {
    schema.SLUG: "bad_id",
    schema.SOURCE_ID: "bad_source_id",
    schema.VERSION: "bad_version",
    schema.URL: "bad_url",
    schema.PART: "bad_part",
    schema.LANGUAGE: "bad_language",
    schema.ONE_LINE: "several_lines",
    schema.EXTENDS: "bad_extends",
    schema.PREFIX: "bad_prefix",
}
_TYPES = {
    "bool_type": "not_boolean",
    "int_type": "not_whole_number",
    "float_type": "not_number",
    "list_type": "not_list",
    "dict_type": "not_mapping",
    "model_type": "not_mapping",
    "not_mapping": "not_mapping",
}


def check_shape(tree: Tree) -> tuple[PlanFile | None, list[Finding]]:
    """The plan, or what keeps the file from being one."""
    return check_shape_of(PlanFile, tree)


def check_shape_of(model: type[Model], tree: Tree, branches: Branches = BRANCHES) -> tuple[Model | None, list[Finding]]:
    """The same for another kind of file."""
    number = tree.root.get("format") if isinstance(tree.root, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and number != schema.FORMAT:
        # Another format has other keys: what we could say about those would only mislead.
        params: dict[str, str | int] = {"value": str(number), "known": schema.FORMAT}
        return None, [Finding("unknown_format", ("format",), params)]
    try:
        return model.model_validate(tree.root), []
    except ValidationError as error:
        return None, list(_findings(tree, error.errors(include_url=False), model, branches))


def _findings(tree: Tree, errors: list[ErrorDetails], root: type[BaseModel], branches: Branches) -> Iterator[Finding]:
    meant: dict[Path, set[str]] = {}
    for error in [each for each in errors if each["type"] == "extra_forbidden"]:
        *around, key = _path(error)
        model = _model_at(error["loc"][:-1], root, branches)
        others = model.other_keys if issubclass(model, schema.Part) else ()
        known = [*model.model_fields, *others]
        if len(meant) < PROBLEMS_MAX and (near := suggestion(str(key), known)):
            meant.setdefault(tuple(around), set()).add(known[0] if near in others else near)
        yield Finding("unknown_key", (*around, key), at_key=True, wrong=str(key), known=known)
    for error in errors:
        path = _path(error)
        if error["type"] == "missing":
            # A misspelt key is missing too; saying so twice is no help.
            if path[-1] not in meant.get(path[:-1], ()):
                yield Finding("missing_key", path)
        elif error["type"] != "extra_forbidden":
            yield _finding(tree, error, path)


def _path(error: ErrorDetails) -> Path:
    """As in the file: without the names that pydantic adds for a key and for the branch of a union."""
    # The key that does not belong there is the author's, whatever it looks like.
    *around, last = error["loc"] or ("",)
    kept = [part for part in around if not _is_added(part)]
    if error["loc"] and (error["type"] == "extra_forbidden" or not _is_added(last)):
        kept.append(last)
    return tuple(kept)


def _is_added(part: int | str) -> bool:
    return isinstance(part, str) and (part == "[key]" or part.startswith("<"))


def _finding(tree: Tree, error: ErrorDetails, path: Path) -> Finding:
    kind, given = error["type"], error["input"]
    context: dict[str, Any] = error.get("ctx", {})
    at_key = error["loc"][-1:] == ("[key]",)
    if kind == "int_type" and isinstance(given, float):
        return Finding("has_fraction", path)
    if kind in _TYPES:
        return Finding(_TYPES[kind], path, {"found": _kind_of(given)})
    match kind:
        case "string_type" | "not_text":
            if isinstance(given, bool | int | float):
                return Finding("unquoted_text", path, {"value": tree.spelling(path) or _written(given)})
            return Finding("not_text", path, {"found": _kind_of(given)})
        case "string_pattern_mismatch":
            return Finding(_PATTERNS[context["pattern"]], path, {"value": str(given)}, at_key=at_key)
        case "string_too_short":
            return Finding("empty_text", path)
        case "string_too_long":
            return Finding("text_too_long", path, {"limit": context["max_length"]}, at_key=at_key)
        case "too_long":
            return Finding("too_many_items", path, {"limit": context["max_length"]})
        case "too_short":
            code = {"steps": "no_steps", "stages": "no_stages"}.get(str(path[-1]), "too_few_items")
            return Finding(code, path, {"n": len(given), "limit": context["min_length"]})
        case "greater_than_equal":
            return Finding("number_too_small", path, {"limit": _written(context["ge"])})
        case "less_than_equal":
            return Finding("number_too_large", path, {"limit": _written(context["le"])})
        case "finite_number":
            return Finding("not_finite", path)
        case "no_dutch":
            return Finding("no_dutch", path)
        case "enum" | "literal_error":
            known = re.findall(r"'([^']*)'", context["expected"])
            return _unknown_choice(path, given, known)
        case "unknown_choice":
            return _unknown_choice(path, given, context["known"])
        case _:
            return Finding("other_shape", path, {"reason": error["msg"]}, at_key=at_key)


def _unknown_choice(path: Path, given: object, known: list[str]) -> Finding:
    value = _written(given) if isinstance(given, str | bool | int | float) else ""
    if not value:
        return Finding("not_text", path, {"found": _kind_of(given)})
    return Finding("unknown_choice", path, {"value": value}, wrong=value, known=known)


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "mapping"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return format(value, ".0f") if abs(value) < 1e16 else repr(value)
    return str(value)


def _model_at(loc: tuple[str | int, ...], root: type[BaseModel], branches: Branches) -> type[BaseModel]:
    """The model of the mapping at a location of pydantic."""
    model = root
    is_name = False  # the next part is a name in a mapping of names to models
    for part in loc:
        if is_name:
            is_name = False
        elif isinstance(part, str) and part in branches:
            model = branches[part]
        elif isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = next(_models_in(annotation), model)
            is_name = get_origin(annotation) is dict
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
