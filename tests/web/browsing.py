"""A server on loopback and Chromium, for the tests that need a real browser."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def a_server(app: FastAPI) -> Iterator[str]:
    """The address at which the application answers, on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start within 10 seconds"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@contextmanager
def a_chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("Chromium is not installed; run `make test`, or as root: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        yield browser
        browser.close()


def a_context(
    chromium: Browser,
    address: str,
    login: str | None,
    *,
    width: int = 1280,
    scripts: bool = True,
    csp: bool = True,
    lang: str = "nl",
) -> BrowserContext:
    """With the session that `browser(login)` of a world or a room opened; nobody is signed in without a login."""
    context = chromium.new_context(
        base_url=address,
        viewport={"width": width, "height": 800},
        locale="nl-NL",
        java_script_enabled=scripts,
        bypass_csp=not csp,
    )
    cookies = {"taal": lang, **({"stappenplan": f"sessie-{login}"} if login else {})}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    return context


def findings(page: Page) -> list[str]:
    """What axe has against the page; its context must be made with `csp=False`."""
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]
    return [f"{v['id']}: {n['html'][:200]} {n['failureSummary']}" for v in found for n in v["nodes"]]
