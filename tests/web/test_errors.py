import re
import uuid
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.engine.errors import Blocked, EngineError, Reason, SealBroken, StepChanged
from app.engine.guards import NoSuchPart
from app.engine.run_migration.moves import MoveChanged
from app.storage.local_plans import LocalPlanNotFound
from app.storage.marks import Outdated
from app.storage.run_header import RunNotFound
from app.storage.run_store import StaleRun
from app.web.errors import EXPLANATIONS, STATUS, TYPED_CHARACTERS_MAX, TYPED_FIELDS_MAX
from app.web.forms import FORM_BYTES_MAX, Form, FormInvalid, Posted, parse
from app.web.i18n import gettext_for
from tests.web.pages_app import ENGLISH, HTMX, a_visitor, an_app

router = APIRouter()

REFUSALS: dict[str, Exception] = {
    "RunNotFound": RunNotFound("x"),
    "NoSuchPart": NoSuchPart("verkennen.9"),
    "LocalPlanNotFound": LocalPlanNotFound("x"),
    "Blocked": Blocked("complete_step", [Reason("not_in_team"), Reason("answer_missing", question="doel")]),
    "StepChanged": StepChanged("verkennen.1", "gesprekken", based_on=1, current=2),
    "SealBroken": SealBroken("verkennen.1", shown="a", current="b"),
    "StaleRun": StaleRun("x"),
    "MoveChanged": MoveChanged(shown="a", current="b"),
    "Outdated": Outdated("a"),
}


class Doel(Form):
    doel: str


class Melding(Form):
    name: Annotated[str, Field(alias="roepnaam", title="Name")]
    story: Annotated[str, Field(alias="verhaal", title="Legal ground")]
    who: Annotated[uuid.UUID, Field(alias="wie", title="Name")]
    plan: Annotated[str, Field(title="Name")]


class Vertelling(Form):
    story: Annotated[str, Field(alias="verhaal", title="Name")]


@router.get("/weiger/{name}")
def refuse_with(name: str) -> Response:
    raise REFUSALS[name]


@router.get("/status/{code}")
def status(code: int, aantal: Annotated[int, Query()] = 0) -> Response:
    raise HTTPException(code, headers={"Retry-After": "60"} if code == 429 else None)


@router.post("/formulier")
def form(form: Posted) -> Response:
    parse(Doel, form)
    raise RuntimeError("secret of the inside")


@pytest.fixture(autouse=True)
def _no_painted_tracebacks() -> Iterator[None]:
    """Unconfigured, structlog paints tracebacks for a terminal, which takes seconds."""
    with capture_logs():
        yield


@pytest.fixture(scope="module")
def visitor() -> TestClient:
    return a_visitor(an_app(router))


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_have_their_status_and_say_what_to_do(visitor: TestClient, name: str):
    kind = type(REFUSALS[name])
    answer = visitor.get(f"/weiger/{name}")
    explanation = EXPLANATIONS.get(kind) or EXPLANATIONS[STATUS[kind]]

    assert answer.status_code == STATUS[kind]
    assert gettext_for("nl").gettext(explanation.title) in answer.text
    assert gettext_for("nl").gettext(explanation.remedy) in answer.text


def test_every_refusal_is_tried_here():
    assert {type(error) for error in REFUSALS.values()} | {FormInvalid} == set(STATUS)


def test_blocked_names_every_reason(visitor: TestClient):
    text = visitor.get("/weiger/Blocked").text

    assert "U zit niet in het team van dit traject." in text
    assert "Nog te beantwoorden: Doel" in text


@pytest.mark.parametrize("code", [code for code in EXPLANATIONS if isinstance(code, int)])
def test_each_status_has_a_page_in_plain_dutch_and_english(visitor: TestClient, code: int):
    dutch, english = visitor.get(f"/status/{code}"), visitor.get(f"/status/{code}", headers=ENGLISH)

    assert dutch.status_code == english.status_code == code
    assert gettext_for("nl").gettext(EXPLANATIONS[code].title) in dutch.text
    assert EXPLANATIONS[code].title in english.text
    assert dutch.text.count("<h1") == english.text.count("<h1") == 1
    assert "Naar het overzicht" in dutch.text


def test_unusual_status_gets_a_page_of_its_kind(visitor: TestClient):
    answer = visitor.get("/status/418")

    assert answer.status_code == 418
    assert "Wij kunnen deze aanvraag niet lezen" in answer.text


def test_unknown_address_is_a_page(visitor: TestClient):
    answer = visitor.get("/bestaat-niet")

    assert answer.status_code == 404
    assert "Deze pagina bestaat niet" in answer.text


def test_wrong_method_names_the_right_one(visitor: TestClient):
    answer = visitor.get("/formulier")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_address_that_cannot_be_is_404_and_a_nonsense_query_400(visitor: TestClient):
    assert visitor.get("/status/abc").status_code == 404
    assert visitor.get("/status/404?aantal=veel").status_code == 400


def test_headers_of_the_refusal_travel_along(visitor: TestClient):
    assert visitor.get("/status/429").headers["retry-after"] == "60"


def test_redirect_that_was_raised_stays_a_redirect(visitor: TestClient):
    assert visitor.get("/status/303").status_code == 303


def test_htmx_gets_a_part_that_leaves_the_form_alone(visitor: TestClient):
    answer = visitor.get("/weiger/StaleRun", headers=HTMX)

    assert answer.status_code == 409
    assert answer.headers["hx-retarget"] == "#page-alert"
    assert answer.headers["hx-reswap"] == "innerHTML"
    assert 'class="page-error' in answer.text
    assert "<html" not in answer.text
    assert "<h1" not in answer.text


def test_bug_tells_nothing_of_the_inside_and_leaves_its_number_in_the_log(visitor: TestClient):
    with capture_logs() as logs:
        answer = visitor.post("/formulier", data={"doel": "Iedereen doet mee"})

    assert answer.status_code == 500
    assert "secret of the inside" not in answer.text
    assert "Traceback" not in answer.text
    [line] = [line for line in logs if line["event"] == "unexpected_error"]
    assert str(line["reference"]) in answer.text
    assert line["path"] == "/formulier"


def test_typed_text_comes_back_on_the_error_page(visitor: TestClient):
    typed = {"doel": "Iedereen <b>doet</b> mee", "wachtwoord": "geheim", "csrf_token": "t" * 43, "revision": "7"}

    text = visitor.post("/formulier", data=typed).text

    assert "Iedereen &lt;b&gt;doet&lt;/b&gt; mee" in text
    assert "Uw tekst staat hier nog" in text
    assert "geheim" not in text
    assert "t" * 43 not in text


def labels_in(page: str) -> list[tuple[str, str]]:
    """Of what was typed: (label, text)."""
    pairs = re.findall(r'<label class="utrecht-form-label">(.*?)\n<textarea[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    return [(label.strip(), text) for label, text in pairs]


def test_typed_text_has_the_words_of_its_form(visitor: TestClient):
    ids = {"wie": "3f2c6d1e-0000-4000-8000-000000000000", "plan": "a701c5d94e7bc7e4"}
    typed = {"roepnaam": "jan", "verhaal": "Wat er gebeurde", **ids}
    page = visitor.post("/formulier", data=typed).text
    assert labels_in(page) == [("Naam", "jan"), ("Grondslag", "Wat er gebeurde")]
    page = visitor.post("/formulier", data=typed, headers=ENGLISH).text
    assert labels_in(page) == [("Name", "jan"), ("Legal ground", "Wat er gebeurde")]


def test_typed_text_without_known_words_shows_no_names_of_fields_and_no_codes(visitor: TestClient):
    typed = {
        "antwoord.visie": "Iedereen doet mee",
        "richting": "links-om",
        "antwoord.naam": "Anna",
        "antwoord.kans": "yes",
    }
    page = visitor.post("/formulier", data=typed).text
    assert labels_in(page) == [("Tekst 1", "Iedereen doet mee"), ("Tekst 2", "Anna")]
    page = visitor.post("/formulier", data={"antwoord.visie": "Iedereen doet mee"}).text
    assert labels_in(page) == [("Uw tekst", "Iedereen doet mee")]


def test_field_that_two_forms_call_differently_gets_no_words_of_either(visitor: TestClient):
    page = visitor.post("/formulier", data={"verhaal": "Wat er gebeurde"}).text
    assert labels_in(page) == [("Uw tekst", "Wat er gebeurde")]


def test_refused_form_that_no_route_shows_again_keeps_its_text_too(visitor: TestClient):
    answer = visitor.post("/formulier", data={"doel": "", "ander": "Met twaalf inwoners gesproken"})

    assert answer.status_code == 422
    assert "Vul ‘doel’ in." in answer.text
    assert "Met twaalf inwoners gesproken" in answer.text


def test_much_typed_text_does_not_make_an_endless_page(visitor: TestClient):
    many = {f"veld{n}": "x" * 9_000 + " y" for n in range(100)}

    text = visitor.post("/formulier", data=many).text

    assert text.count("<textarea") <= TYPED_FIELDS_MAX
    assert len(text) < TYPED_CHARACTERS_MAX * 1.5


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_form_is_refused_with_a_page(visitor: TestClient, announced: bool):
    body = b"doel=" + b"x" * FORM_BYTES_MAX
    content = body if announced else iter([body[:1000], body[1000:]])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = visitor.post("/formulier", content=content, headers=headers)

    assert answer.status_code == 413
    assert "Dit is te groot" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_interface_gets_problem_json(visitor: TestClient):
    answer = visitor.get("/api/v1/bestaat-niet")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert answer.json()["title"] == "Deze pagina bestaat niet"


def test_no_refusal_of_the_engine_is_forgotten():
    assert set(EngineError.__subclasses__()) <= set(STATUS)
