"""Schemathesis on the whole application, as everybody: no fault of ours, and nobody does what is not theirs to do.

There is no public description of the pages, so the test makes one: of the routes as they are, with the values that
exist as examples, and with the fields of the forms that are on the pages.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.storage.database import Database
from app.web.access import Public
from tests.features.accounts.building import OURS
from tests.features.client import PEOPLE, World, a_world
from tests.journey.visitor import Form, forms_in
from tests.security.prepared import Prepared, prepare_all
from tests.security.routes import Route, addresses_of, permits, routes_of, values_for

# Requests per operation. `make prove` asks for more.
EXAMPLES = int(os.environ.get("STAPPENPLAN_EXAMPLES", "4"))
NOBODY = "nobody"
EVERYBODY = [NOBODY, *sorted(PEOPLE)]
FORM = "application/x-www-form-urlencoded"
ENDS_THE_SESSION = {"/uitloggen"}


@pytest.fixture(autouse=True)
def _figures_are_not_lost_among_log_lines() -> Iterator[None]:
    with capture_logs():
        yield


def test_nothing_that_anybody_sends_is_our_fault_or_gets_around_the_policy(sqlite_database: Database, tmp_path: Path):
    world = a_world(sqlite_database, data_dir=tmp_path / "data")
    prepared = prepare_all(world, officer="anna", manager="carla", word="merel")
    routes = {(route.path, method): route for route in routes_of(world.app) for method in route.methods}
    clients = {login: world.browser(login).client for login in PEOPLE} | {NOBODY: TestClient(world.app, base_url=OURS)}
    heard: Counter[str] = Counter()
    wrong: list[str] = []

    def try_out(operation: Any) -> None:
        route = routes[_bare(operation.path), operation.method.upper()]

        @settings(
            max_examples=EXAMPLES,
            derandomize=EXAMPLES < 10,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), who=st.sampled_from(EVERYBODY))
        def once(case: Any, who: str) -> None:
            token = "" if who == NOBODY else world.browser(who).csrf_token
            answer = _send(clients[who], case, token)
            heard[str(answer.status_code)] += 1
            if problem := _problem(route, who, answer):
                wrong.append(f"{who}: {case.method} {answer.request.url} {case.body!r}: {problem}")

        once()

    found: Any
    for found in schemathesis.openapi.from_dict(_described(world, prepared)).get_all_operations():
        try_out(found.ok())

    print(f"{sum(heard.values())} requests on {len(routes)} operations: {dict(sorted(heard.items()))}")
    assert wrong == []
    assert {"200", "303", "403", "404"} <= set(heard), "the requests did not get far"


def _problem(route: Route, who: str, answer: Any) -> str | None:
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if isinstance(route.policy, Public) or _may(route, who):
        return None
    if answer.status_code == 400 and "%00" in str(answer.request.url):  # nothing has that address: nobody even looks
        return None
    leads_to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith(("/inloggen", "/gemeente"))
    return (
        None if leads_to_sign_in or answer.status_code in (401, 403, 404) else f"{answer.status_code} without a right"
    )


def _may(route: Route, who: str) -> bool:
    if who == NOBODY:
        return False
    return permits(route.policy, PEOPLE[who][2])


def _send(client: TestClient, case: Any, token: str) -> Any:
    path = "".join(
        quote(str(case.path_parameters[part[1:-1]]), safe="") if part.startswith("{") else part
        for part in re.split(r"({\w+})", case.path)
    )
    body = case.body if isinstance(case.body, dict) else {}
    return client.request(
        case.method.upper(),
        path,
        params=dict((case.query or {}).items()),
        data={name: _text(value) for name, value in body.items()} if case.method.upper() != "GET" else None,
        headers={"X-CSRF-Token": token} if token else {},
        follow_redirects=False,
    )


def _text(value: Any) -> Any:
    """As a browser sends it: what is no Unicode cannot be typed."""
    return [_text(each) for each in value] if isinstance(value, list) else str(value).encode(errors="replace").decode()


def _described(world: World, prepared: Prepared) -> dict[str, Any]:
    """OpenAPI 3.1 of every route, without what schemathesis cannot know."""
    values = values_for(world, prepared)
    fields = _fields(world, prepared)
    paths: dict[str, Any] = {}
    for route in routes_of(world.app):
        if route.path in ENDS_THE_SESSION:
            continue
        in_path = [_parameter("path", name, values[name]) for name in route.parameters]
        in_query = [_parameter("query", name, ["1", "nl"]) for name in sorted(route.query)]
        for method in route.methods:
            operation: dict[str, Any] = {
                "parameters": in_path + (in_query if method == "GET" else []),
                "responses": {"default": {"description": "a page"}},
            }
            if method == "POST":
                known = fields.get(route.path, {})
                properties = {name: _either(sorted(known[name])) for name in sorted(known)}
                form = {"type": "object", "properties": properties, "additionalProperties": {"type": "string"}}
                operation["requestBody"] = {"content": {FORM: {"schema": form}}, "required": True}
            paths.setdefault(_bare(route.path), {})[method.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": "Stappenplan", "version": "1"}, "paths": paths}


def _bare(path: str) -> str:
    """Without the converters of the framework: {name:path} is {name}."""
    return re.sub(r"{(\w+)[^}]*}", r"{\1}", path)


def _parameter(place: str, name: str, known: Any) -> dict[str, Any]:
    return {"in": place, "name": name, "required": place == "path", "schema": _either(list(known))}


def _either(known: list[str]) -> dict[str, Any]:
    """Mostly what exists: a random text is refused before anything happens."""
    return {"anyOf": [{"enum": known}, {"enum": known}, {"type": "string", "minLength": 1, "maxLength": 300}]}


def _fields(world: World, prepared: Prepared) -> dict[str, dict[str, set[str]]]:
    """Of every route that takes a form: the fields of the forms to it, with what can be sent in them."""
    found: dict[str, dict[str, set[str]]] = {}
    patterns = {route.path: re.compile(re.sub(r"{\w+[^}]*}", "[^/]+", route.path)) for route in routes_of(world.app)}
    for login in ("anna", "carla", "ferry", "kees"):
        for route in routes_of(world.app):
            if "GET" not in route.methods or not _may(route, login):
                continue
            for address in addresses_of(route.path, world, prepared):
                answer = world.browser(login).get(address, follow_redirects=False)
                if not answer.headers.get("content-type", "").startswith("text/html"):
                    continue
                for form in forms_in(answer.text):
                    action = form.action.split("?")[0]
                    if path := next((path for path, is_it in patterns.items() if is_it.fullmatch(action)), None):
                        _add(found.setdefault(path, {}), form)
    return found


def _add(fields: dict[str, set[str]], form: Form) -> None:
    named = [*form.values.items(), *form.options.items(), *((name, [value]) for _, name, value in form.buttons)]
    for name, values in named:
        if name and name != "csrf_token":
            fields.setdefault(name, {""}).update(values)
