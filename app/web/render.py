"""From a template to an answer: the whole page, or only the block that htmx asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.utils import concat
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.policy import Action, Role
from app.resources import static_dir, templates_dir
from app.web import notice
from app.web.assets import Assets
from app.web.csrf import csrf_field
from app.web.folding import OneLanguageEnvironment
from app.web.formats import Formats
from app.web.i18n import LANGUAGES, N_, Language, gettext_for, language_of
from app.web.macros import COMPONENTS, is_macro
from app.web.reasons import reason_text
from app.web.site import Site

QueryValue = str | int | None

# Label, address and who sees it (None: everybody with a municipality).
MENU: Final[tuple[tuple[str, str, Action | None], ...]] = (
    (N_("Overview"), "/", None),
    (N_("Start a trajectory"), "/trajecten/nieuw", Action.START_RUN),
    (N_("Step plans"), "/stappenplannen", Action.VIEW_PLANS),
    (N_("Our own step plans"), "/beheer/stappenplannen", Action.MANAGE_PLANS),
    (N_("Move trajectories"), "/beheer/overzetten", Action.VIEW_MASS_MOVES),
    (N_("Check the history"), "/geschiedenis", Action.EXPORT_HISTORY),
    (N_("Deputies"), "/vervanging", Action.VIEW_MANDATES),
    (N_("Users"), "/beheer/gebruikers", Action.ADMINISTER_USERS),
    (N_("Erase personal data"), "/beheer/gegevens-wissen", Action.DECIDE_ON_ERASURE),
    (N_("Log of accounts"), "/beheer/logboek", Action.VIEW_ACCOUNT_LOG),
)
ROLE_NAMES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.POLICY_OFFICER: N_("policy officer"),
        Role.MANAGER: N_("manager"),
        Role.AUDITOR: N_("auditor"),
        Role.ADMINISTRATOR: N_("administrator"),
        Role.ADVISER: N_("adviser"),
    }
)


REFUSED: Final = frozenset({409, 422, 429})
"""What a form can be answered with when nothing was done; the title of the page says so."""


class PlanText(Protocol):
    """What `|plan_text` needs of `app.engine.definition.Text`."""

    @property
    def nl(self) -> str: ...
    def language_for(self, wanted: str, /) -> str: ...
    def in_language(self, wanted: str, /) -> str: ...


class Pages:
    """The compiled templates, one environment per language, so that no filter has to ask which one it is.

    `reload` rereads changed templates and costs time on every request: for development only. The components are
    read once all the same. `more` is a second folder of templates, for tests.
    """

    def __init__(self, assets: Assets, site: Site, *, reload: bool = False, more: Path | None = None) -> None:
        self.assets: Final = assets
        self.site: Final = site
        loader = FileSystemLoader([templates_dir(), *([more] if more else [])])
        self._environments: Final = {
            language: _environment(language, loader, assets, site, reload) for language in LANGUAGES
        }

    def environment(self, language: Language) -> Environment:
        return self._environments[language]


def is_htmx(request: Request) -> bool:
    """Whether a part of the page is wanted. Going back in history replaces the whole body, so that is a page."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers


def render(
    request: Request, template: str, *, block: str | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """The page, or for htmx just `block` of it. A block sees `context` only: no `{% set %}`, no loop around it."""
    pages: Pages = request.app.state.pages
    language = language_of(request)
    page = pages.environment(language).get_template(template)
    values = {**_request_context(request, language), "is_refused": status in REFUSED, **context}
    if block is not None and is_htmx(request):
        html = _render_block(page, block, values)
    else:
        html = page.render(values)
    response = HTMLResponse(html, status, headers={"Vary": "HX-Request"})
    if notice.NOTICE_COOKIE in request.cookies:
        notice.forget(response)
    return response


def templates_for(request: Request) -> Environment:
    """In the language of the visitor."""
    pages: Pages = request.app.state.pages
    return pages.environment(language_of(request))


def _render_block(page: Template, block: str, values: Mapping[str, Any]) -> str:
    return concat(page.blocks[block](page.new_context(dict(values))))


def _request_context(request: Request, language: Language) -> dict[str, Any]:
    return {
        "request": request,
        "login": getattr(request.state, "login", None),
        "caller": getattr(request.state, "caller", None),
        "csrf_field": partial(csrf_field, request),
        "here": partial(_here, request),
        "notice": notice.notice_of(request, language),
    }


def _here(request: Request, **changes: QueryValue) -> str:
    """This page with some query values changed; None drops one. For filters and page numbers."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in changes]
    return _with_query(request.url.path, [*kept, *changes.items()])


def address(path: str, **query: QueryValue) -> str:
    """A path with a query; values that are None are left out."""
    return _with_query(path, query.items())


def _with_query(path: str, query: Iterable[tuple[str, QueryValue]]) -> str:
    given = [(key, value) for key, value in query if value is not None]
    return f"{path}?{urlencode(given)}" if given else path


def _environment(language: Language, loader: FileSystemLoader, assets: Assets, site: Site, reload: bool) -> Environment:
    environment = OneLanguageEnvironment(
        loader=loader,
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reload,
        cache_size=-1,
    )
    environment.texts = texts = gettext_for(language)
    environment.policies["ext.i18n.trimmed"] = True
    # Added by the i18n extension, so unknown to the types.
    environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
    formats = Formats(language)
    environment.filters.update(formats.filters())
    environment.filters["plan_text"] = plan_text_in(language)
    environment.globals.update(
        lang=language,
        asset=assets.url,
        url=address,
        site=site,
        menu=[(texts.gettext(label), href, action) for label, href, action in MENU],
        role_name={role: texts.gettext(name) for role, name in ROLE_NAMES.items()}.__getitem__,
        reason_text=lambda reason, plan=None: reason_text(reason, language, plan),
    )
    environment.globals[COMPONENTS] = _components(environment, formats.components())
    return environment


def _components(environment: Environment, written_in_python: Mapping[str, Callable[..., str]]) -> SimpleNamespace:
    """All macros of templates/components, together as `ui`: a block rendered alone sees no `{% import %}`."""
    macros = dict(written_in_python)
    for name in environment.list_templates(filter_func=lambda name: name.startswith("components/")):
        for macro, function in vars(environment.get_template(name).module).items():
            if is_macro(function):
                assert macro not in macros, f"templates/{name}: macro {macro} exists already in another file"
                macros[macro] = function
    return SimpleNamespace(**macros)


def plan_text_in(language: Language) -> Callable[[PlanText], str]:
    """A text of the plan in the visitor's language; Dutch where the author gave nothing else, and then marked
    as Dutch, so that a screen reader pronounces it as Dutch. Use `.nl` inside attributes."""
    if language == "nl":
        return lambda text: text.nl

    def plan_text(text: PlanText) -> str:
        if text.language_for(language) == language:
            return text.in_language(language)
        return Markup('<span lang="nl">') + escape(text.nl) + Markup("</span>")

    return plan_text


def dutch_templates() -> Environment:
    """The templates without a request, for files that the command line makes."""
    return Pages(Assets(static_dir()), Site()).environment("nl")
