"""Imports point inward, and the engine is pure. Each finding names its file and line."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"

# What a part of `app` may import. Parts that are not listed wire everything together, and nobody imports them.
MAY_IMPORT: dict[str, set[str]] = {
    "engine": {"engine"},
    "catalogue": {"catalogue", "engine"},
    "policy": {"policy", "engine"},
    "hosts": set(),
    "resources": set(),
    "settings": {"resources"},
    "openid": {"openid", "policy", "hosts"},
    "storage": {"storage", "catalogue", "engine", "policy", "hosts", "resources", "settings"},
    "web": {"web", "storage", "catalogue", "engine", "policy", "resources", "settings"},
    "features": {"features", "web", "storage", "openid", "catalogue", "engine", "policy", "resources", "settings"},
}

# Modules that can neither look at the world nor change it.
PURE_MODULES = {
    "__future__",
    "abc",
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
    "uuid",
}
# Time, chance and the outside world come in as arguments.
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7", "open", "input", "print", "eval", "exec"}

Finding = str


def sources(folder: Path) -> Iterator[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"no Python files below {folder}: is this test looking in the right place?"
    yield from found


def imports(path: Path, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of each imported module; `from a import b` gives a.b, as b may be a module."""
    package = [*path.relative_to(ROOT).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for name in node.names:
                yield node.lineno, f"{module}.{name.name}"


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def wrong_direction(path: Path, source: str) -> Iterator[Finding]:
    inside = path.relative_to(APP).with_suffix("").parts
    allowed = MAY_IMPORT.get(inside[0])
    for line, name in imports(path, ast.parse(source)):
        match name.split("."):
            case ["app", target, *_] if allowed is not None and target not in allowed:
                yield f"{where(path, line)}: app.{inside[0]} may not import {name}"
            case ["app", "features", feature, *_] if inside[0] == "features" and feature != inside[1]:
                yield f"{where(path, line)}: features do not import each other: {name}"


def impure(path: Path, source: str) -> Iterator[Finding]:
    tree = ast.parse(source)
    for line, name in imports(path, tree):
        module = name.rpartition(".")[0] or name
        if not name.startswith("app.engine") and not {name, module} & PURE_MODULES:
            yield f"{where(path, line)}: the engine is pure and may not import {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in IMPURE_CALLS:
                yield f"{where(path, node.lineno)}: the engine is pure and may not call {called}()"


def tables_outside(path: Path, source: str) -> Iterator[Finding]:
    inside = path.relative_to(APP).with_suffix("").parts
    if inside[0] == "web" or (inside[0] == "features" and inside[-1] in {"routes", "service", "forms"}):
        for line, name in imports(path, ast.parse(source)):
            if name.startswith("app.storage.tables"):
                yield f"{where(path, line)}: tables stay in storage and in queries; take frozen view values"


def own_commit(path: Path, source: str) -> Iterator[Finding]:
    if path == APP / "storage" / "database.py":
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield f"{where(path, node.lineno)}: only Database commits, when the request or the block is done"


def own_environment(path: Path, source: str) -> Iterator[Finding]:
    if path == APP / "settings.py":
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            yield f"{where(path, node.lineno)}: only app/settings.py reads the environment"


# Where it may be said without looking that nobody has a second account: nothing there asks for four eyes.
NEED_NOT_LOOK = {"features/mass_moves/mover.py", "features/moves/queries.py"}


def people_assumed(path: Path, source: str) -> Iterator[Finding]:
    """Who calls the engine says whose accounts are one person's: forgetting it would let through an own approval."""
    place, tree = path.relative_to(APP).as_posix(), ast.parse(source)
    for node in ast.walk(tree) if place.startswith("engine/") else ():
        if isinstance(node, ast.FunctionDef):
            given = node.args
            named = [*given.posonlyargs, *given.args][-len(given.defaults) :] if given.defaults else []
            named += [each for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value]
            yield from (f"{where(path, each.lineno)}: no default" for each in named if each.arg == "people")
    if place.startswith("features/") and place not in NEED_NOT_LOOK:
        for line, name in imports(path, tree):
            if name.endswith(".ONE_ACCOUNT_EACH"):
                yield f"{where(path, line)}: ask storage whose accounts are one person's"


RULES = {
    "direction": (APP, wrong_direction),
    "purity": (APP / "engine", impure),
    "tables": (APP, tables_outside),
    "commit": (APP, own_commit),
    "environment": (APP, own_environment),
    "people": (APP, people_assumed),
}


@pytest.mark.parametrize("rule", RULES)
def test_code_keeps_the_rule(rule: str):
    folder, check = RULES[rule]
    findings = [finding for path in sources(folder) for finding in check(path, path.read_text(encoding="utf-8"))]
    assert findings == [], "\n" + "\n".join(findings)


def test_every_part_has_a_rule_or_is_for_wiring():
    parts = {path.stem for path in APP.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__"} - MAY_IMPORT.keys() == parts & {"bench", "cli", "demo", "main", "startup", "__main__"}


@pytest.mark.parametrize(
    ("rule", "place", "code"),
    [
        ("direction", "engine/x.py", "from app.storage import tables"),
        ("direction", "engine/x.py", "def f():\n    import app.web.render"),
        ("direction", "engine/x.py", "from ..web import render"),
        ("direction", "engine/x.py", "from app import web"),
        ("direction", "catalogue/x.py", "from app.storage.plans import y"),
        ("direction", "storage/x.py", "from app.features.runs import service"),
        ("direction", "storage/x.py", "from app.web.render import render"),
        ("direction", "web/x.py", "from app.features.runs import queries"),
        ("direction", "web/x.py", "from app.main import create_app"),
        ("direction", "features/runs/x.py", "from app.features.reports import queries"),
        ("direction", "features/runs/x.py", "from ..reports import queries"),
        ("direction", "features/runs/x.py", "from app.cli import main"),
        ("purity", "engine/x.py", "import os"),
        ("purity", "engine/x.py", "from pathlib import Path"),
        ("purity", "engine/x.py", "import random"),
        ("purity", "engine/x.py", "import time"),
        ("purity", "engine/x.py", "from pydantic import BaseModel"),
        ("purity", "engine/x.py", "from collections import abc, os\nimport os.path"),
        ("purity", "engine/x.py", "from datetime import datetime\nx = datetime.now()"),
        ("purity", "engine/x.py", "from datetime import date\nx = date.today()"),
        ("purity", "engine/x.py", "from uuid import uuid4\nx = uuid4()"),
        ("purity", "engine/x.py", "x = open('y')"),
        ("tables", "features/runs/service.py", "from app.storage.tables import RunRow"),
        ("tables", "web/x.py", "from app.storage import tables"),
        ("commit", "features/runs/service.py", "def f(session): session.commit()"),
        ("environment", "web/x.py", "import os\nx = os.environ['HOME']"),
        ("environment", "web/x.py", "import os\nx = os.getenv('HOME')"),
        ("people", "engine/x.py", "def f(run, people=People()): pass"),
        ("people", "engine/x.py", "def f(run, *, by, people=People()): pass"),
        ("people", "features/runs/x.py", "from app.engine.people import ONE_ACCOUNT_EACH"),
    ],
)
def test_breach_is_found_and_named(rule: str, place: str, code: str):
    findings = list(RULES[rule][1](APP / place, code))
    assert findings
    assert findings[0].startswith(f"app/{place}:{len(code.splitlines())}: ")


@pytest.mark.parametrize(
    ("rule", "place", "code"),
    [
        ("direction", "engine/x.py", "from app.engine import run\nfrom .run import Run\nimport json"),
        ("direction", "features/runs/x.py", "from app.features.runs.forms import F\nfrom . import queries"),
        ("direction", "main.py", "from app.features.runs import routes"),
        ("purity", "engine/x.py", "from collections.abc import Mapping\nfrom datetime import datetime\nimport uuid"),
        ("tables", "features/runs/queries.py", "from app.storage.tables import RunRow"),
        ("commit", "storage/database.py", "def f(session): session.commit()"),
        ("environment", "settings.py", "import os\nx = os.environ"),
        ("people", "engine/x.py", "def f(run, people, mandate=None, *, at, n=1): pass"),
        ("people", "features/moves/queries.py", "from app.engine.people import ONE_ACCOUNT_EACH"),
    ],
)
def test_what_is_allowed_gives_no_finding(rule: str, place: str, code: str):
    assert list(RULES[rule][1](APP / place, code)) == []
