"""From a template to an answer: the whole page, or only the block that htmx asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.utils import concat
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.resources import templates_dir
from app.web.assets import Assets
from app.web.formats import Formats
from app.web.i18n import LANGUAGES, Language, gettext_for, language_of

QueryValue = str | int | None


class PlanText(Protocol):
    """What `|plan_text` needs of `app.engine.definition.Text`."""

    @property
    def nl(self) -> str: ...
    def language_for(self, wanted: str, /) -> str: ...
    def in_language(self, wanted: str, /) -> str: ...


class Pages:
    """The compiled templates, one environment per language, so that no filter has to ask which one it is.

    `theme_class` is the class of a mounted municipal theme. `reload` rereads changed templates and costs time
    on every request: for development only.
    """

    def __init__(self, assets: Assets, *, theme_class: str = "", reload: bool = False) -> None:
        self.assets: Final = assets
        self._environments: Final = {
            language: _environment(language, assets, theme_class, reload) for language in LANGUAGES
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
    values = {**_request_context(request, language), **context}
    if block is not None and is_htmx(request):
        html = _render_block(page, block, values)
    else:
        html = page.render(values)
    return HTMLResponse(html, status, headers={"Vary": "HX-Request"})


def _render_block(page: Template, block: str, values: Mapping[str, Any]) -> str:
    return concat(page.blocks[block](page.new_context(dict(values))))


def _request_context(request: Request, language: Language) -> dict[str, Any]:
    def here(**changes: QueryValue) -> str:
        """This page with some query values changed; None drops one. For filters and page numbers."""
        query = {**request.query_params, **changes}
        return address(request.url.path, **query)

    return {
        "request": request,
        "caller": getattr(request.state, "caller", None),
        "csrf_field": lambda: Markup(""),
        "here": here,
    }


def address(path: str, **query: QueryValue) -> str:
    """A path with a query; values that are None are left out."""
    given = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _environment(language: Language, assets: Assets, theme_class: str, reload: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_dir()),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reload,
        cache_size=-1,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(gettext_for(language), newstyle=True)  # type: ignore[attr-defined]  # added by the i18n extension
    environment.filters.update(Formats(language).filters())
    environment.filters["plan_text"] = _plan_text_filter(language)
    environment.globals.update(
        lang=language,
        asset=assets.url,
        url=address,
        theme_class=theme_class,
        ui=_components(environment),
    )
    return environment


def _components(environment: Environment) -> SimpleNamespace:
    """All macros of templates/components, together as `ui`: a block rendered alone sees no `{% import %}`."""
    macros: dict[str, Callable[..., str]] = {}
    environment.globals["ui"] = namespace = SimpleNamespace()
    for name in environment.list_templates(filter_func=lambda name: name.startswith("components/")):
        for macro, function in vars(environment.get_template(name).module).items():
            if macro.startswith("_"):
                continue
            assert macro not in macros, f"templates/{name}: macro {macro} exists already in another file"
            macros[macro] = function
    namespace.__dict__.update(macros)
    return namespace


def _plan_text_filter(language: Language) -> Callable[[PlanText], str]:
    """A text of the plan in the visitor's language; Dutch where the author gave nothing else, and then marked
    as Dutch, so that a screen reader pronounces it as Dutch. Use `.nl` inside attributes."""
    if language == "nl":
        return lambda text: text.nl

    def plan_text(text: PlanText) -> str:
        if text.language_for(language) == language:
            return text.in_language(language)
        return Markup('<span lang="nl">') + escape(text.nl) + Markup("</span>")

    return plan_text
