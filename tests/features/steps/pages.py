"""Reading our pages in tests: forms as a browser without scripts sends them, and the text that is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

Data = dict[str, list[str]]


def form_data(html: str, action: str) -> Data:
    """What is sent of the form that posts to `action`, without a button, the token, and the key that makes
    a form count once: tests send one form several times with different content."""
    reader = _FormReader(action)
    reader.feed(html)
    reader.close()
    assert reader.found, f"no form to {action}"
    data: Data = {}
    for name, value in reader.fields:
        if name not in ("csrf_token", "once"):
            data.setdefault(name, []).append(value)
    return data


def filled(data: Data, **answers: str | Sequence[str]) -> Data:
    """The same form with other answers: `naam="x"` is antwoord.naam, `draagvlak__reden` is antwoord.draagvlak.reden;
    an underscore is a dash. An empty list is nothing chosen."""
    changed = dict(data)
    for key, value in answers.items():
        name = "antwoord." + key.replace("__", ".").replace("_", "-")
        changed[name] = [value] if isinstance(value, str) else [*value]
    return changed


def pressed(data: Data, act: str) -> Data:
    return {**data, "actie": [act]}


def text_of(html: str) -> str:
    """What is read on the page: no tags, white space as one space."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return re.sub(r"\s+", " ", "".join(reader.parts)).strip()


def ids_in(html: str) -> set[str]:
    return set(re.findall(r'\sid="([^"]+)"', html))


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped += tag in {"script", "style", "template"}

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.skipped -= tag in {"script", "style", "template"}
        if tag in {"p", "li", "h1", "h2", "h3", "dt", "dd", "div", "td", "th", "legend", "label", "option", "span"}:
            self.parts.append(" ")


class _FormReader(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.found, self.inside = action, False, False
        self.fields: list[tuple[str, str]] = []
        self.text_name: str | None = None
        self.text: list[str] = []
        self.select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("method") == "post" and given.get("action") == self.action
            self.found = self.found or self.inside
        if not self.inside:
            return
        name, kind = given.get("name", ""), given.get("type", "text")
        match tag:
            case "input" if kind in {"radio", "checkbox"} and "checked" not in given:
                return
            case "input" if name and kind not in {"submit", "file"}:
                self.fields.append((name, given.get("value", "on" if kind == "checkbox" else "")))
            case "textarea":
                self.text_name, self.text = name, []
            case "select":
                self.select = name
                self.fields.append((name, ""))
            case "option" if self.select and "selected" in given:
                self.fields[-1] = (self.select, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self.text_name is not None:
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.text_name is not None:
            # A line break directly after the tag is not part of the text.
            self.fields.append((self.text_name, "".join(self.text).removeprefix("\n")))
            self.text_name = None
        elif tag == "select":
            self.select = None
        elif tag == "form":
            self.inside = False
