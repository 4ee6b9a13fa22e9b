"""Every component in every state, and a form that can be refused, changed by others, or met by a failing server."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

from fastapi import APIRouter, FastAPI, Request
from pydantic import Field
from starlette.responses import Response

from app.engine.definition import Item, Source, Text
from app.policy import Role
from app.storage.run_store import StaleRun
from app.web.forms import Form, FormInvalid, FormState, Posted, parse
from app.web.i18n import N_, language_of
from app.web.notice import register, see_other
from app.web.render import is_htmx, render
from tests.web.pages_app import a_caller, an_app

router = APIRouter()
register({"test_conversation_saved": N_("Done")})

SOURCES = [Source("s1", "Stappenplan inclusief beleid: hoe ziet het eruit?", "Movisie", "https://movisie.example/x")]
ITEMS = [
    Item(Text("Begin met een gesprek met collega’s van andere afdelingen. Vraag wat zij nu al doen.")),
    Item(Text("Leg vast wie u niet kon bereiken, en waarom niet."), is_addition=True),
]
FILLED = FormState.of(
    titel="Inclusief sportbeleid 2027",
    doel="Iedereen kan sporten in de eigen wijk.\n\nOok wie weinig geld heeft.",
    aantal="1.250",
    datum=date(2026, 11, 24),
    soort="rapport",
    keus="yes",
    domeinen=["wonen", "jeugd"],
    toon=True,
    grade="partly",
    grade_reason="We spraken drie van de vijf groepen.",
)
REFUSED = FormState(
    {"aantal": ("veel",), "grade": ("not_applicable",)},
    {
        "titel": "Vul ‘Naam van het beleid’ in.",
        "doel": "Vul ‘Doel’ in.",
        "aantal": "Typ een getal bij ‘Aantal gesprekken’, bijvoorbeeld 12 of 3,5.",
        "datum": "Typ een datum bij ‘Datum van vaststelling’, bijvoorbeeld 31-12-2026.",
        "soort": "Kies een soort bewijsstuk.",
        "keus": "Kies een van de antwoorden bij ‘Is er al een visie?’.",
        "domeinen": "Kies minstens één domein.",
        "toon": "Vink dit aan.",
        "grade_reason": "Schrijf waarom dit niet van toepassing is.",
        "bestanden": "Kies een bestand.",
    },
    prefix="tweede-",
)


@router.get("/onderdelen")
def components(request: Request) -> Response:
    moment = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
    return render(request, "tests/components.html", items=ITEMS, sources=SOURCES, moment=moment)


@router.get("/formulier")
def form_page(request: Request) -> Response:
    return render(request, "tests/form.html", ok=FILLED, bad=REFUSED)


@router.get("/traject")
def run_page(request: Request) -> Response:
    return render(request, "tests/run.html")


class Conversation(Form):
    report: str = Field(alias="verslag", title="Verslag")
    kind: Literal["kort", "lang"] = Field(alias="soort", title="Soort")


@router.get("/gesprek")
def conversation(request: Request, htmx: bool = False) -> Response:
    return render(request, "tests/conversation.html", form=FormState(), saved=False, htmx=htmx)


@router.post("/gesprek")
def save(request: Request, form: Posted, htmx: bool = False) -> Response:
    """A report that holds the word `ander` or `bug` meets trouble."""
    try:
        value = parse(Conversation, form)
    except FormInvalid as invalid:
        state = invalid.state(language_of(request))
        return render(request, "tests/conversation.html", block="panel", status=422, form=state, saved=False, htmx=htmx)
    if "ander" in value.report:
        raise StaleRun
    if "bug" in value.report:
        raise RuntimeError("secret of the inside")
    if is_htmx(request):
        return render(request, "tests/conversation.html", block="panel", form=FormState(), saved=True, htmx=htmx)
    return see_other("/gesprek", notice="test_conversation_saved")


def a_gallery() -> FastAPI:
    return an_app(router, caller=a_caller(Role.POLICY_OFFICER, Role.MANAGER))
