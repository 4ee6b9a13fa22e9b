"""Sending step plans as the page does."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from app.storage.local_plans import local_plans
from tests.features.client import Browser, World

HERE = "/beheer/stappenplannen"
ADD = f"{HERE}/toevoegen"
ADDITIONS = Path("tests/golden/overlays/valid/small.yaml")
HEAD = """format: 1
overlay: {id: zonnedijk, version: 1.0.0, title: Aanvullingen, purpose: Meer doen., by: Zonnedijk, prefix: zd}
extends: klein-plan@1.0.0
"""
QUESTION = """add:
  questions:
    - {id: zd-wijk, step: verkennen/overzicht, text: In welke wijken?, type: short_text, addition: true}
"""
SMALL_OVERLAY = HEAD + QUESTION


def send_text(browser: Browser, text: str, **options: Any) -> Any:
    return browser.post(ADD, {"tekst": text}, follow_redirects=False, **options)


def send_file(browser: Browser, content: bytes, name: str = "aanvullingen.yaml") -> Any:
    data = {
        "csrf_token": browser.csrf_token,
        "tekst": "",
        **browser.basis(ADD, {"tekst": content.decode("utf-8", "replace")}),
    }
    return browser.client.post(ADD, data=data, files={"bestand": (name, content)}, follow_redirects=False)


def a_draft(browser: Browser, text: str = SMALL_OVERLAY) -> str:
    answer = send_text(browser, text)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def shown_in(page: str) -> str:
    found = re.search(r'name="shown" value="([0-9a-f]{64})"', page)
    assert found, "no form to release"
    return found[1]


def release(browser: Browser, address: str, reason: str = "") -> Any:
    shown = shown_in(browser.get(address).text)
    return browser.post(f"{address}/vaststellen", {"shown": shown, "reden": reason}, follow_redirects=False)


def a_released(browser: Browser, text: str = SMALL_OVERLAY, reason: str = "") -> str:
    address = a_draft(browser, text)
    assert release(browser, address, reason).status_code == 303
    return address


def typed_in(page: str) -> str:
    """What stands in the field with the text."""
    found = re.search(r'<textarea[^>]*name="tekst"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found, "no field with the text"
    return html.unescape(found[1])


def rows(world: World, municipality: str = "Zonnedijk") -> list[tuple[str, str, str]]:
    with world.reading(municipality) as session:
        return [(kept.plan_id, kept.version, kept.status) for kept in local_plans(session)]
