"""The providers of provider_process.py, as tests and a browser see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from app.openid.providers import Provider

GROUPS = {"beleid": "policy_officer", "leiding": "manager", "beheer": "administrator"}


class RealProvider:
    """Of one organisation. People are known there with `person`, and log in with `answer`."""

    def __init__(self, address: str) -> None:
        self.issuer = address
        self._client = httpx2.Client(base_url=address)

    def provider(self, **changes: Any) -> Provider:
        values: dict[str, Any] = {
            "key": "zonnedam",
            "name": "Gemeente Zonnedam",
            "municipality": "Zonnedam",
            "issuer": self.issuer,
            "client_id": "stappenplan",
            "client_secret": "geheim van zonnedam",
            "roles_claim": ["realm_access", "roles"],
            "roles": GROUPS,
            "creates_accounts": True,
            "email_domains": ["zonnedam.example"],
            "second_factor": {"always": True},
        }
        return Provider.model_validate({**values, **changes})

    def person(self, subject: str = "anna-1", *groups: str, **claims: Any) -> str:
        told = {
            "name": "Anna de Wit",
            "email": "anna@zonnedam.example",
            "realm_access": {"roles": list(groups)},
            **claims,
        }
        answer = self._client.put(f"/users/{subject}", json=told)
        assert answer.status_code == 204, answer.text
        return subject

    def answer(self, address: str, subject: str) -> str:
        """Logs in there; gives the address that the browser is sent back to."""
        assert address.startswith(self.issuer), address
        response = self._client.post(address, data={"sub": subject})
        assert response.status_code == 302, response.text
        return response.headers["location"]

    def refuse(self, address: str) -> str:
        return self._client.post(address, data={"action": "deny"}).headers["location"]

    def told(self, **how: Any) -> None:
        """How to misbehave; nothing to behave again."""
        self._client.post("/told", json=how).raise_for_status()

    def rotate(self) -> None:
        self._client.post("/rotate").raise_for_status()

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        return self._client.post("/sign", json={"claims": claims, "header": header}).text

    def counts(self) -> dict[str, int]:
        counted: dict[str, int] = self._client.get("/counts").json()
        return counted

    def close(self) -> None:
        self._client.close()


@contextmanager
def real_providers(count: int) -> Iterator[list[RealProvider]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.openid.provider_process", str(count)],
        env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    providers = [RealProvider(address) for address in json.loads(process.stdout.readline())]
    yield providers
    for provider in providers:
        provider.close()
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
