"""Somebody with a browser without scripts: reads pages, fills the forms that are on them, follows links.

Only what is on the page can be used: a field, option, button or link that is missing fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.features.accounts.building import OURS, PASSWORD
from tests.features.steps.pages import text_of

Typed = str | Sequence[str]
Chosen = tuple[str, bytes]  # name and content of a file


@dataclass
class Form:
    action: str
    method: str
    is_upload: bool
    values: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, set[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # text, name, value
    file_fields: list[str] = field(default_factory=list)
    text_fields: dict[str, str] = field(default_factory=dict)  # name -> kind: text, textarea, date, decimal, …
    hidden_fields: set[str] = field(default_factory=set)
    other_actions: dict[str, str] = field(default_factory=dict)  # text of a button that sends elsewhere -> where

    def fill(self, name: str, value: Typed) -> None:
        values = [value] if isinstance(value, str) else [*value]
        assert name in self.options or name in self.text_fields, f"nothing to fill in called {name} at {self.action}"
        if name in self.options:
            assert set(values) <= self.options[name], f"{name} offers {sorted(self.options[name])}, not {values}"
        self.values[name] = values

    def button(self, text: str) -> tuple[str, str]:
        found = [(name, value) for label, name, value in self.buttons if label == text]
        assert found, f"no button {text!r} at {self.action}, only {[label for label, _, _ in self.buttons]}"
        return found[0]


class Visitor:
    """`page` is the last answer, after redirects.  `token`: of a session that is open, instead of signing in."""

    def __init__(self, app: FastAPI, *, token: str = "") -> None:
        cookies = {"stappenplan": token} if token else {}
        self.client = TestClient(app, base_url=OURS, headers={"origin": OURS}, cookies=cookies)
        self.page: Any = None

    def sign_in(self, login: str) -> None:
        self.open("/inloggen")
        self.send("Inloggen", {"login": login, "password": PASSWORD})
        assert self.here == "/", self.text

    @property
    def here(self) -> str:
        return str(urlsplit(str(self.page.url)).path)

    @property
    def text(self) -> str:
        return text_of(self.page.text)

    def open(self, address: str, *, status: int = 200) -> None:
        self.page = self.client.get(address)
        assert self.page.status_code == status, f"{address}: {self.page.status_code} {self.text[:2000]}"

    def follow(self, text: str) -> None:
        """The link with exactly this text, or else the first that contains it."""
        links = _Reader.of(self.page.text).links
        found = [href for label, href in links if label == text] or [href for label, href in links if text in label]
        assert found, f"no link {text!r} on {self.here}, only {[label for label, _ in links]}"
        self.open(urljoin(self.here, found[0]))

    def forms(self) -> list[Form]:
        return forms_in(self.page.text)

    def form_with(self, button: str) -> Form:
        found = [form for form in self.forms() if any(label == button for label, _, _ in form.buttons)]
        assert found, f"no button {button!r} on {self.here}: {self.text[:2000]}"
        assert len(found) == 1, f"several forms on {self.here} have a button {button!r}"
        return found[0]

    def send(
        self, button: str, typed: Mapping[str, Typed] | None = None, *, files: Sequence[Chosen] = (), status: int = 200
    ) -> None:
        """Fills the form that has this button, with everything that the page put in it, and presses the button."""
        form = self.form_with(button)
        for name, value in (typed or {}).items():
            form.fill(name, value)
        name, value = form.button(button)
        data: dict[str, list[str]] = {**form.values, **({name: [value]} if name else {})}
        parts = None
        if files:
            assert form.is_upload, f"a form without multipart sends no files: {form.action}"
            assert form.file_fields, f"no field for files at {form.action}"
            parts = [(form.file_fields[0], chosen) for chosen in files]
        if form.method == "get":
            self.page = self.client.get(form.action, params=data)
        else:
            action = form.other_actions.get(button, form.action)
            self.page = self.client.post(urljoin(self.here, action), data=data, files=parts)
        assert self.page.status_code == status, f"{form.action}: {self.page.status_code} {self.text[:3000]}"

    def reads(self, *sentences: str) -> None:
        for sentence in sentences:
            assert sentence in self.text, f"{sentence!r} is not on {self.here}: {self.text}"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.form: Form | None = None
        self.text: list[str] = []
        self.area = self.select = self.href = self.action = ""
        self.button: tuple[str, str] | None = None

    @classmethod
    def of(cls, html: str) -> _Reader:
        reader = cls()
        reader.feed(html)
        reader.close()
        return reader

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            is_upload = given.get("enctype") == "multipart/form-data"
            self.form = Form(given.get("action", ""), given.get("method", "get").lower(), is_upload)
            self.forms.append(self.form)
        elif tag == "a":
            self.href, self.text = given.get("href", ""), []
        elif self.form is not None:
            self._control(self.form, tag, given)

    def _control(self, form: Form, tag: str, given: Mapping[str, str]) -> None:
        name, kind, value = given.get("name", ""), given.get("type", "text"), given.get("value", "")
        if tag == "input" and name and "disabled" not in given:
            if kind == "file":
                form.file_fields.append(name)
            elif kind in {"radio", "checkbox"}:
                form.options.setdefault(name, set()).add(given.get("value", "on"))
                if "checked" in given:
                    form.values.setdefault(name, []).append(given.get("value", "on"))
            else:
                if kind == "hidden":
                    form.hidden_fields.add(name)
                else:
                    form.text_fields[name] = given.get("inputmode") or kind
                form.values.setdefault(name, []).append(value)
        elif tag == "textarea":
            self.area, self.text = name, []
            form.text_fields[name] = tag
        elif tag == "select":
            self.select = name
            form.options[name] = set()
        elif tag == "option" and self.select:
            form.options[self.select].add(value)
            if "selected" in given or self.select not in form.values:
                form.values[self.select] = [value]
        elif tag == "button" and kind != "button":
            self.button, self.text = (name, value), []
            self.action = given.get("formaction", "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self.text)
        if tag == "a" and self.href:
            self.links.append((_plain(text), self.href))
            self.href = ""
        elif tag == "textarea" and self.form is not None:
            # A line break directly after the tag is not part of the text.
            self.form.values.setdefault(self.area, []).append(text.removeprefix("\n"))
        elif tag == "select":
            self.select = ""
        elif tag == "button" and self.button is not None and self.form is not None:
            self.form.buttons.append((_plain(text), *self.button))
            if self.action:
                self.form.other_actions[_plain(text)] = self.action
            self.button = None
        elif tag == "form":
            self.form = None


def forms_in(html: str) -> list[Form]:
    return _Reader.of(html).forms


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
