"""A misspelt class fails silently in the browser. Here it does not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.resources import static_dir, templates_dir
from app.web.slim_css import slim, slim_tokens, used_names

TEMPLATES = sorted(templates_dir().rglob("*.html"))
STYLES = [*(static_dir() / "css").glob("*.css"), static_dir() / "vendor/utrecht/index.css"]
THEME_CLASSES = {"voorbeeld-theme"}  # only custom properties hang on it

_ATTRIBUTE = re.compile(r'\bclass="((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)"')
_LITERAL = re.compile(r"""["']([\w\s-]+)["']""")


def known_classes() -> set[str]:
    css = "\n".join(path.read_text(encoding="utf-8") for path in STYLES)
    return set(re.findall(r"\.(-?[a-zA-Z_][\w-]*)", css)) | THEME_CLASSES


def classes_in(template: str) -> Iterator[str]:
    """The classes; one that is put together ends in `*`."""
    for value in _ATTRIBUTE.findall(template):
        for expression in re.findall(r"\{\{(.*?)\}\}", value):
            if " if " in expression and " else " in expression:
                first, other = re.split(r" if .*? else ", expression, maxsplit=1)
                yield from " ".join([*_LITERAL.findall(first), *_LITERAL.findall(other)]).split()
        literal = re.sub(r"\{\{.*?\}\}", "*", re.sub(r"\{%.*?%\}", " ", value))
        yield from (re.sub(r"\*.*", "*", each) for each in literal.split() if not each.startswith("*"))


def is_known(name: str, known: set[str]) -> bool:
    if name.endswith("*"):
        return any(each.startswith(name[:-1]) for each in known)
    return name in known


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(templates_dir()).as_posix())
def test_every_class_in_a_template_is_in_a_style_sheet(path: Path):
    known = known_classes()

    unknown = {name for name in classes_in(path.read_text(encoding="utf-8")) if not is_known(name, known)}

    assert not unknown


def test_this_check_sees_misspelt_classes():
    template = '<p class="stack utrecht-buton{% if x %} card--tintd{% endif %} badge--{{ tone }}">'

    unknown = {name for name in classes_in(template) if not is_known(name, known_classes())}

    assert {"utrecht-buton", "card--tintd", "badge--*"} <= unknown
    assert "stack" not in unknown


def test_style_sheet_keeps_what_templates_use():
    css = slim((static_dir() / "vendor/utrecht/index.css").read_text(encoding="utf-8"), used_names(TEMPLATES))

    for name in ("utrecht-button--primary-action", "utrecht-status-badge--danger", "utrecht-alert--warning"):
        assert f".{name}" in css
    assert ".utrecht-digid-button" not in css
    assert "@license EUPL-1.2" in css


def test_slimming_keeps_rules_by_the_classes_that_they_ask_for(tmp_path: Path):
    template = tmp_path / "a.html"
    template.write_text('<p class="a b--{{ x }}">')
    css = """/* @license X */ @charset "UTF-8"; .a, .z { color: red } .z { top: 0 } .b--c:not(.z) { left: 0 }
    p { margin: 0 } .a:is(.z, .y) { right: 0 } @media print { .z { top: 1px } .a { top: 2px } }
    @media screen { .z { top: 3px } } @font-face { src: x }"""

    slimmed = re.sub(r"\s+", "", slim(css, used_names([template])))

    assert slimmed == (
        "/*@licenseX*/.a{color:red}.b--c:not(.z){left:0}p{margin:0}@mediaprint{.a{top:2px}}@font-face{src:x}"
    )


def test_slimming_keeps_the_tokens_that_are_reached():
    theme = """.t {
      --a: var(--b);
      --x: url("data:image/svg+xml;utf8,<svg style='{a:b;}'/>");
      --b: var(--c, 1px);
      --c: 2px;
      --d: 3px;
    }"""

    assert (
        re.sub(r"\s+", "", slim_tokens(theme, ["p { top: var(--a) }"])) == ".t{--a:var(--b);--b:var(--c,1px);--c:2px;}"
    )
