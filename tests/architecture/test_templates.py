"""Templates hold no inline code or style, which browsers would refuse, and load nothing from elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"

JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
TAG = re.compile(r"<([a-zA-Z][\w-]*)((?:\"[^\"]*\"|'[^']*'|[^>\"'])*)>")
ATTRIBUTE = re.compile(r"(?:^|\s)(?P<name>[^\s=\"'>/]+)(?:\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s>]+))?")
# Elements that fetch what they point at; an <a> or <form> only goes there.
FETCHING = {"script", "link", "img", "source", "iframe", "image", "use", "object", "embed", "video", "audio"}


def blanked(match: re.Match[str]) -> str:
    """As long and with as many lines, so that places stay right; a letter, so that values stay values."""
    return re.sub(r"[^\n]", "x", match.group())


def problems(source: str) -> Iterator[tuple[int, str]]:
    text = JINJA.sub(blanked, COMMENT.sub(blanked, source))
    for tag in TAG.finditer(text):
        name = tag.group(1).lower()
        found = {a["name"].lower(): (a["value"] or "").strip("\"' ") for a in ATTRIBUTE.finditer(tag.group(2))}
        for problem in tag_problems(name, found):
            yield text.count("\n", 0, tag.start()) + 1, problem


def tag_problems(name: str, attributes: dict[str, str]) -> Iterator[str]:
    if name == "style":
        yield "<style> is inline style; put it in app/static/css"
    if name == "script" and "src" not in attributes:
        yield "<script> without src is inline code; put it in app/static/js"
    for attribute, value in attributes.items():
        if attribute == "style":
            yield "style= is inline style; use a class"
        if re.fullmatch(r"on[a-z]+", attribute) or attribute.startswith("hx-on"):
            yield f"{attribute}= is inline code; listen in app/static/js"
        if value.lower().startswith(("javascript:", "js:")):
            yield f"{attribute} starts with {value.split(':')[0]}:, which is inline code"
        if name in FETCHING and re.match(r"(https?:)?//", value):
            yield f"<{name}> fetches {value} from elsewhere; serve it ourselves"


def test_templates_hold_no_inline_code_and_fetch_nothing_from_elsewhere():
    templates = sorted(TEMPLATES.rglob("*.html"))
    assert templates
    findings = [
        f"{path.relative_to(ROOT)}:{line}: {problem}"
        for path in templates
        for line, problem in problems(path.read_text(encoding="utf-8"))
    ]
    assert findings == [], "\n" + "\n".join(findings)


@pytest.mark.parametrize(
    "source",
    [
        "<p>\n<script>alert(1)</script>",
        "<p>\n<script nonce='{{ n }}'>alert(1)</script>",
        "<p>\n<style>p { color: red }</style>",
        '<p>\n<p style="color: red">',
        "<p>\n<p\n class='a' style=color:red>",
        '<p>\n<button onclick="f()">',
        "<p>\n<button {% if a > b %}disabled{% endif %} ONCLICK='f()'>",
        '<p>\n<div hx-on:click="f()">',
        '<p>\n<a href="javascript:f()">',
        "<p>\n<div hx-vals='js:{a: f()}'>",
        '<p>\n<img src="https://example.org/x.png">',
        '<p>\n<link rel="stylesheet" href="//example.org/x.css">',
    ],
)
def test_breach_is_found_on_its_line(source: str):
    assert [line for line, _ in problems(source)] == [2]


@pytest.mark.parametrize(
    "source",
    [
        '<script src="{{ asset("js/app.js") }}" defer></script>',
        '<a href="https://www.movisie.nl">Movisie</a>',
        '<p class="style" data-on="x">style="a" onclick="b"</p>',
        "{# <script>not sent</script> #}",
        '<form method="post" action="{{ url if a > b else "x" }}" hx-post="{{ url }}"></form>',
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"></svg>',
        '<link rel="stylesheet" href="{{ asset("css/app.css") }}">',
    ],
)
def test_what_is_allowed_gives_no_finding(source: str):
    assert list(problems(source)) == []
