"""Requests of everybody in municipality A, with ids of B wherever an id can stand."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.policy import Role
from tests.features.client import PEOPLE, Browser
from tests.journey.visitor import Form, forms_in
from tests.security.canaries import CANARY, HERE, SEARCHED, Lookout, Planted
from tests.security.routes import Route, address_of, addresses_of, routes_of, values_for

SIGN_OUT = "/uitloggen"  # ends the session of the test
NOWHERE = "00000000-0000-4000-8000-0000000000ff"
# Parameters that are the same in every municipality: they come from the step plan.
OF_THE_PLAN: Final = frozenset({"ref", "step", "decision", "ground", "version"})
ABSENT: Final = {"session_id": "f" * 64, "plan_id": "geen-stappenplan", "link": "geen-bestaande-link"}


def somebody_of_every_role() -> list[str]:
    """The first of each: whoever is in the team of the run, as far as the role goes."""
    found: dict[Role, str] = {}
    for login, (_, place, role) in PEOPLE.items():
        if place == HERE:
            found.setdefault(role, login)
    assert set(found) == set(Role)
    return [*found.values()]


@dataclass
class Sweep:
    """`thorough`: every combination of ids, and every page as a fragment too."""

    planted: Planted
    thorough: bool = False
    lookout: Lookout = field(default_factory=Lookout)

    @property
    def routes(self) -> list[Route]:
        return [*routes_of(self.planted.world.app)]

    def send(self, browser: Browser, method: str, address: str, headers: Mapping[str, str] = {}, **options: Any) -> Any:
        if method == "POST":
            options["data"] = {"csrf_token": browser.csrf_token, **options.get("data", {})}
        answer = browser.client.request(method, address, headers=dict(headers), follow_redirects=False, **options)
        plan = self.planted.theirs.local_plan  # has the name of B's municipality in it
        said = f"{address} {headers} {options}"
        return self.lookout.look(answer, f"{method} {said}", echoed=plan if plan in said else "")

    def everything(self, login: str) -> None:
        browser = self.planted.world.browser(login)
        self.paths(browser)
        self.queries(browser)
        self.headers(browser)
        self.bodies(browser)
        self.own_pages(browser)  # last: what came of all that

    # --- ids of B in the path

    def paths(self, browser: Browser) -> None:
        for route in self.routes:
            for method in sorted(route.methods - ({"POST"} if route.path == SIGN_OUT else set())):
                for address in self.addresses(route):
                    self.send(browser, method, address)
                    if self.thorough and method == "GET":
                        self.send(browser, method, address, {"HX-Request": "true"})

    def addresses(self, route: Route) -> Iterator[str]:
        """All of it B's; and one thing of B among what is ours."""
        ours = {name: found[0] for name, found in values_for(self.planted.world, self.planted.ours).items()}
        names, seen = route.parameters, set()
        choices = [self.planted.ids[name] if self.thorough else self.planted.ids[name][:1] for name in names]
        for chosen in itertools.product(*choices):
            seen.add(address_of(route.path, dict(zip(names, chosen, strict=True))))
        for name in names:
            for id in self.planted.ids[name] if self.thorough else self.planted.ids[name][-1:]:
                seen.add(address_of(route.path, {**ours, name: id}))
        yield from sorted(seen)

    # --- in the query

    def queries(self, browser: Browser) -> None:
        ours = {name: found[0] for name, found in values_for(self.planted.world, self.planted.ours).items()}
        for route in self.routes:
            if "GET" in route.methods:
                for name, value in itertools.product(sorted(route.query), self.values()):
                    self.send(browser, "GET", address_of(route.path, ours), params={name: value})

    def values(self) -> list[str]:
        """What one may look for: words, and ids of every kind."""
        ids, plan = self.planted.ids, self.planted.theirs.local_plan
        kinds = [ids[name][0] for name in sorted(ids) if name not in OF_THE_PLAN]
        every = [SEARCHED, CANARY[:6], f"{plan}@1.0.0", *kinds, *self.planted.digests]
        return every if self.thorough else [SEARCHED, CANARY[:6], ids["run_id"][0], ids["user_id"][0], f"{plan}@1.0.0"]

    # --- in headers

    def headers(self, browser: Browser) -> None:
        run = f"/trajecten/{self.planted.theirs.run}"
        theirs = self.planted.world.browser("hugo")
        tags = {theirs.get(page).headers.get("etag", "") for page in (run, f"{run}/rapport/pdf", "/stappenplannen")}
        sent = {
            "HX-Request": "true",
            "HX-Current-URL": f"https://testserver{run}",
            "HX-Target": f"run-{self.planted.theirs.run}",
            "Referer": f"https://testserver{run}",
            "If-None-Match": ", ".join(sorted(tags - {""})) or f'"{self.planted.digests[0]}"',
            "Range": "bytes=0-99999",
            "X-Municipality-Id": str(self.planted.world.municipalities["Veldermeer"]),
            "X-Forwarded-User": self.planted.world.users["gwen"],
            "Idempotency-Key": self.planted.theirs.run,
        }
        for address in self.our_addresses():
            self.send(browser, "GET", address, sent)

    # --- in the body

    def bodies(self, browser: Browser) -> None:
        """Every field of every form that offers a choice or carries something hidden, with an id of B in its place."""
        ids = self.planted.ids
        kinds = [ids[name][0] for name in ("user_id", "run_id", "evidence_id", "local_plan_id", "mass_move_id")]
        tried: set[tuple[str, str]] = set()
        for form in self.forms(browser):
            for name in sorted({*form.options, *form.hidden_fields} - {"csrf_token"}):
                if (form.action, name) not in tried:
                    tried.add((form.action, name))
                    for id in (*kinds, *self.planted.digests) if self.thorough else kinds[:2]:
                        self.send(browser, "POST", form.action, data={**form.values, name: [id]})

    def forms(self, browser: Browser) -> Iterator[Form]:
        for address in self.our_addresses():
            answer = self.send(browser, "GET", address)
            if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
                yield from (form for form in forms_in(answer.text) if form.method == "post" and form.action != SIGN_OUT)

    # --- and what came of it

    def own_pages(self, browser: Browser) -> None:
        for address in self.our_addresses():
            self.send(browser, "GET", address)

    def our_addresses(self) -> list[str]:
        found = []
        for route in self.routes:
            if "GET" in route.methods:
                every = addresses_of(route.path, self.planted.world, self.planted.ours)
                found += [*every] if self.thorough else [*itertools.islice(every, 2)]
        return found

    # --- absent is the same

    def differences(self, login: str) -> list[str]:
        """Where an id of B is answered otherwise than one that nobody has."""
        browser, found = self.planted.world.browser(login), []
        ours = {name: each[0] for name, each in values_for(self.planted.world, self.planted.ours).items()}
        for route in self.routes:
            for name in sorted({*route.parameters} - OF_THE_PLAN):
                id, absent = self.planted.ids[name][0], ABSENT.get(name, NOWHERE)
                for method in sorted(route.methods):
                    answers = []
                    for each in (id, absent):
                        _forget_notices(browser)
                        answers.append(self.send(browser, method, address_of(route.path, {**ours, name: each})))
                    told = [comparable(answer, each) for answer, each in zip(answers, (id, absent), strict=True)]
                    if told[0] != told[1]:
                        found.append(f"{login}: {method} {route.path} tells {name} of B from an absent one")
        return found


def _forget_notices(browser: Browser) -> None:
    """What was done last is told on the next page, whichever that is."""
    for name in {*browser.client.cookies} - {"stappenplan"}:
        browser.client.cookies.delete(name)


def comparable(answer: Any, id: str) -> tuple[int, list[tuple[str, str]], str]:
    """Without the id that was asked for, and what is drawn anew for each page."""
    headers = {name: value.replace(id, "ID") for name, value in answer.headers.items() if name not in _NOT_THE_SAME}
    body = re.sub(r'(name="csrf_token" value|nonce)="[^"]*"', "", answer.text.replace(id, "ID"))
    return answer.status_code, sorted(headers.items()), body


_NOT_THE_SAME: Final = {"content-length", "set-cookie", "date"}  # the id is in the page, and may be longer
