"""Sending evidence as the page does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tests.features.client import Browser, World

FILE_FIELD = "bestanden"
STEP = "/fasen/verkennen.1/stappen/overzicht/bewijs"

File = tuple[str, bytes]


def a_started_run(world: World) -> str:
    """With the stage `verkennen` begun by Anna."""
    anna = world.browser("anna")
    run = world.a_run(anna)
    answer = anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return run


def send(
    browser: Browser,
    run: str,
    fields: Mapping[str, str | list[str]] | None = None,
    files: Sequence[File] = (),
    *,
    to: str = STEP,
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """`fields` replace those of the page; without them it is a report that is internal."""
    given: dict[str, str | list[str]] = {
        "csrf_token": browser.csrf_token if token is None else token,
        "vorm": "bestand",
        "sleutel": str(uuid.uuid4()),
        "soort": "verslag",
        "vertrouwelijkheid": "internal",
        **(fields or {}),
    }
    given = {**browser.basis(f"/trajecten/{run}{to}", given), **given}
    chosen = files if files or given["vorm"] != "bestand" else [("", b"")]
    parts = [(FILE_FIELD, (name, content)) for name, content in chosen]
    return browser.client.post(
        f"/trajecten/{run}{to}", data=given, files=parts or None, follow_redirects=False, headers=headers
    )
