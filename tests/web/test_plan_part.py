from collections.abc import Mapping
from typing import Any

import pytest
from cachetools import LRUCache
from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.testclient import TestClient

from app.engine.definition import Text
from app.web import plan_part as plan_parts
from app.web.plan_part import plan_part
from app.web.render import render
from tests.web.pages_app import ENGLISH, a_visitor, an_app

router = APIRouter()
TITLE = Text("Visie <1>", {"en": "Vision <1>"})
asked: list[str] = []


@router.get("/deel/{digest}")
def page(request: Request, digest: str) -> Response:
    def context() -> Mapping[str, Any]:
        asked.append(digest)
        return {"title": TITLE}

    part = plan_part(request, "tests/plan_part.html", digest, context)
    return render(request, "tests/page.html", block="part", words=part)


@pytest.fixture
def visitor() -> TestClient:
    asked.clear()
    return a_visitor(an_app(router))


def test_part_is_made_once_for_each_version_of_a_plan(visitor: TestClient):
    pages = [visitor.get(f"/deel/{digest}").text for digest in ("een", "een", "twee", "een")]

    assert asked == ["een", "twee"]
    assert pages[0] == pages[1] == pages[3]


def test_part_speaks_the_language_of_the_visitor(visitor: TestClient):
    dutch, english = visitor.get("/deel/een").text, visitor.get("/deel/een", headers=ENGLISH).text

    assert "<strong>Visie &lt;1&gt;</strong>" in dutch
    assert "<strong>Vision &lt;1&gt;</strong>" in english
    assert asked == ["een", "een"]


def test_part_that_was_used_longest_ago_is_let_go_first(visitor: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plan_parts, "_kept", LRUCache(2))

    for digest in ("een", "twee", "een", "drie", "een", "twee"):
        visitor.get(f"/deel/{digest}")

    assert asked == ["een", "twee", "drie", "twee"]
