import pytest
from fastapi import APIRouter, Request
from jinja2 import UndefinedError
from starlette.responses import Response
from starlette.testclient import TestClient

from app.engine.definition import Text
from app.policy import Role
from app.web.i18n import N_
from app.web.notice import NOTICE_COOKIE, register, see_other
from app.web.render import address, render
from tests.web.pages_app import ENGLISH, HTMX, a_caller, a_visitor, an_app

router = APIRouter()
register({"test_saved": N_("Change")})


@router.get("/pagina")
def page(request: Request, woorden: str = "<b>klaar</b>", antwoord: int = 200) -> Response:
    return render(request, "tests/page.html", block="part", status=antwoord, words=woorden)


@router.get("/vergeten")
def page_without_a_value(request: Request) -> Response:
    return render(request, "tests/page.html")


@router.post("/opslaan")
def save() -> Response:
    return see_other("/pagina", notice="test_saved")


@pytest.fixture(scope="module")
def visitor() -> TestClient:
    return a_visitor(an_app(router))


@pytest.fixture(scope="module")
def officer() -> TestClient:
    return a_visitor(an_app(router, caller=a_caller(Role.POLICY_OFFICER)))


def test_browser_gets_the_whole_page(visitor: TestClient):
    answer = visitor.get("/pagina")

    assert answer.headers["vary"] == "HX-Request"
    assert answer.text.startswith("<!doctype html>")
    assert "outside the part" in answer.text
    assert answer.text.count('<section id="part">') == 1


def test_htmx_gets_the_block_alone(visitor: TestClient):
    answer = visitor.get("/pagina", headers=HTMX)

    assert answer.headers["vary"] == "HX-Request"
    assert answer.text.strip().startswith('<section id="part">')
    assert "outside the part" not in answer.text


def test_going_back_in_history_gets_the_whole_page(visitor: TestClient):
    answer = visitor.get("/pagina", headers=HTMX | {"HX-History-Restore-Request": "true"})

    assert answer.text.startswith("<!doctype html>")


def test_text_of_users_is_escaped_also_inside_components(visitor: TestClient):
    assert "&lt;b&gt;klaar&lt;/b&gt;" in visitor.get("/pagina", headers=HTMX).text


def test_forgotten_value_is_an_error_and_not_an_empty_place(visitor: TestClient):
    with pytest.raises(UndefinedError):
        render_directly(visitor)


def render_directly(visitor: TestClient) -> None:
    app = visitor.app
    request = Request({"type": "http", "app": app, "headers": [], "path": "/", "query_string": b"", "method": "GET"})
    page_without_a_value(request)


def test_address_of_this_page_keeps_the_rest_of_the_query(visitor: TestClient):
    answer = visitor.get("/pagina?oud=1&soort=a&soort=b&pagina=1", headers=HTMX)

    assert "/pagina?soort=a&amp;soort=b&amp;pagina=2" in answer.text


def test_address_leaves_out_what_is_none():
    assert address("/", zoek="a b&c", pagina=None) == "/?zoek=a+b%26c"
    assert address("/", pagina=None) == "/"


def test_page_speaks_dutch_unless_the_visitor_chose_english(visitor: TestClient):
    dutch, english = visitor.get("/pagina"), visitor.get("/pagina", headers=ENGLISH)

    assert '<html lang="nl">' in dutch.text
    assert "<title>Overzicht – Stappenplan</title>" in dutch.text
    assert '<html lang="en">' in english.text
    assert "<title>Overview – Stappenplan</title>" in english.text


def test_browser_preference_and_nonsense_cookie_do_not_change_the_language(visitor: TestClient):
    answer = visitor.get("/pagina", headers={"Accept-Language": "en", "Cookie": "taal=xx"})

    assert '<html lang="nl">' in answer.text


def test_choice_of_language_is_kept_and_leads_back(visitor: TestClient):
    answer = visitor.post("/taal", data={"taal": "en", "terug": "/pagina?soort=a"})

    assert answer.status_code == 303
    assert answer.headers["location"] == "/pagina?soort=a"
    assert "taal=en" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", ""])
def test_choice_of_language_never_leads_to_another_site(visitor: TestClient, elsewhere: str):
    assert visitor.post("/taal", data={"taal": "nl", "terug": elsewhere}).headers["location"] == "/"


def test_menu_shows_what_the_caller_may_do(visitor: TestClient, officer: TestClient):
    auditor = a_visitor(an_app(router, caller=a_caller(Role.AUDITOR)))

    assert "Hoofdmenu" not in visitor.get("/pagina").text
    assert 'href="/trajecten/nieuw"' in officer.get("/pagina").text
    assert 'href="/trajecten/nieuw"' not in auditor.get("/pagina").text


def test_header_says_who_and_for_which_municipality(officer: TestClient):
    text = officer.get("/pagina").text

    assert "Wilgenmeer" in text
    assert "Noor de Wit" in text
    assert "beleidsmedewerker" in text
    assert 'name="csrf_token" value="ttt' in text


def test_skip_link_comes_first_and_leads_to_the_only_main(officer: TestClient):
    text = officer.get("/pagina").text
    body = text[text.index("<body") :]

    assert body.index('href="#main"') < body.index("<header")
    assert body.count('<main id="main"') == 1
    assert body.count("<h1") == 1


def test_notice_shows_once_on_the_next_page(visitor: TestClient):
    saved = visitor.post("/opslaan")
    assert saved.status_code == 303

    first = visitor.get("/pagina", headers={"Cookie": f"{NOTICE_COOKIE}=test_saved"})

    assert "Wijzigen" in first.text[first.text.index('id="page-alert"') :][:900]
    assert f"{NOTICE_COOKIE}=" in first.headers["set-cookie"]
    assert "Max-Age=0" in first.headers["set-cookie"]


def test_unknown_notice_says_nothing(visitor: TestClient):
    answer = visitor.get("/pagina", headers={"Cookie": f"{NOTICE_COOKIE}=<script>"})

    assert '<div id="page-alert"></div>' in answer.text


def test_texts_are_the_same_folded_or_looked_up(visitor: TestClient):
    environment = visitor.app.state.pages.environment("nl")  # type: ignore[attr-defined]  # any ASGI app
    filled_in = '{{ _("Page %(page)s of %(pages)s", page="<", pages=2) }}'
    template = '{{ _("Overview") }}|{{ _(name) }}|' + filled_in + '|{{ "&" ~ _("Help") }}'

    shown = environment.from_string(template).render(name="Overview")

    assert shown == "Overzicht|Overzicht|Pagina &lt; van 2|&amp;Hulp"


def test_text_of_a_plan_in_the_language_of_the_visitor(visitor: TestClient):
    pages = visitor.app.state.pages  # type: ignore[attr-defined]  # the type of TestClient.app is any ASGI app
    both, dutch_only = Text("Visie", {"en": "Vision"}), Text("Draagvlak <1>")

    def shown(language: str, text: Text) -> str:
        template = pages.environment(language).from_string("{{ text|plan_text }}")
        return str(template.render(text=text))

    assert shown("nl", both) == "Visie"
    assert shown("en", both) == "Vision"
    assert shown("nl", dutch_only) == "Draagvlak &lt;1&gt;"
    assert shown("en", dutch_only) == '<span lang="nl">Draagvlak &lt;1&gt;</span>'


@pytest.mark.parametrize(("status", "title"), [(409, "Fout: Overzicht"), (422, "Fout: Overzicht"), (403, "Overzicht")])
def test_title_says_that_a_form_was_refused(visitor: TestClient, status: int, title: str):
    assert f"<title>{title} – Stappenplan</title>" in visitor.get(f"/pagina?antwoord={status}").text
