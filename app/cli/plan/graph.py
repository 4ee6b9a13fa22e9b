"""The stages of a plan as a drawing in a file, or in sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from markupsafe import Markup

from app.cli.common import complain, fail, say
from app.cli.plan.folder import Folder, Version, find, load, open_folder
from app.resources import static_dir
from app.web.assets import AssetMissing, Assets
from app.web.i18n import Language, TextsError
from app.web.macros import COMPONENTS
from app.web.plan_graph import PlanGraph, plan_graph
from app.web.render import Pages
from app.web.site import Site

# The page has its colours from style sheets; a file on its own brings them along.
STYLE = """
svg { background: #fff; font-family: "Noto Sans", "Segoe UI", Arial, sans-serif; }
.plan-graph__box { fill: #fff; stroke: #586c88; stroke-width: 1.5; }
.plan-graph__box--decision { fill: #f6f8f9; }
.plan-graph__box--either { fill: #001a40; stroke: #001a40; }
.plan-graph__line { fill: none; stroke: #586c88; stroke-width: 1.75; }
.plan-graph__line--advised { stroke-dasharray: 6 5; }
.plan-graph__head { fill: #586c88; }
.plan-graph__title { fill: #001a40; font-size: 15px; font-weight: 600; }
.plan-graph__box--either + .plan-graph__title { fill: #fff; font-size: 13px; }
.plan-graph__note { fill: #51637d; font-size: 13px; }
"""


def graph(
    wanted: Version,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; without it, standard output.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="The same in sentences instead of a drawing.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the words around the plan.")] = "nl",
    folder: Folder = None,
) -> None:
    """Draw which stages can begin after which, as SVG.

    The file holds its own text alternative; with --text only that, as sentences.
    """
    plans = open_folder(folder)
    _, path = find(plans, wanted)
    drawn = plan_graph(load(plans, path).plan, language)
    content = "\n".join(drawn.sentences) if text else _svg(drawn, language)
    if output is None:
        say(content)
        return
    try:
        output.write_text(f"{content}\n", encoding="utf-8")
    except OSError as error:
        raise fail(f"{output} cannot be written: {error.strerror}") from None
    complain(f"Wrote {output}")


def _svg(drawn: PlanGraph, language: Language) -> str:
    try:
        templates = Pages(Assets(static_dir()), Site()).environment(language)
    except (AssetMissing, TextsError) as missing:
        raise fail(str(missing)) from None
    described = Markup("<style>{}</style>").format(Markup(STYLE))  # noqa: S704  # no user's text
    alone = replace(drawn, description=" ".join(drawn.sentences))  # there is no page around it that says this
    components: Any = templates.globals[COMPONENTS]
    svg: str = components.plan_svg(alone, head=described, legend=True)
    return "\n".join(line.strip() for line in svg.splitlines() if line.strip())
