"""The matrix role × route × method: `docs/security/access.csv`, which people review.

Says what is different from what the routes declare, and exits with 1; `--write` brings the file up to date, so that the
difference is read in the diff. Reasons in the last column are kept. Whether the application really answers so, is for
tests/security/test_access_matrix.py.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from app.main import create_app
from app.policy import Action, Role, reach
from app.settings import Settings
from app.storage.database import Database, create_engine_for
from app.web.access import Allowed, Operating, Policy, Public, route_policies

FILE: Final = Path(__file__).parent.parent / "docs/security/access.csv"
YES, OWN, NO, SIGN_IN = "yes", "own runs", "no", "sign in"

# Who asks: the roles held, and those that count on some runs only.
CALLERS: Final[Mapping[str, tuple[frozenset[Role], frozenset[Role]]]] = {
    "policy_officer": (frozenset({Role.POLICY_OFFICER}), frozenset()),
    "manager": (frozenset({Role.MANAGER}), frozenset()),
    "auditor": (frozenset({Role.AUDITOR}), frozenset()),
    "limited_auditor": (frozenset({Role.AUDITOR}), frozenset({Role.AUDITOR})),
    "adviser": (frozenset({Role.ADVISER}), frozenset({Role.ADVISER})),
    "administrator": (frozenset({Role.ADMINISTRATOR}), frozenset()),
}
COLUMNS: Final = ("route", "method", "anonymous", *CALLERS, "operator", "recorded", "why")
# GET routes that show what is recorded when an auditor reads it: docs/decisions/0020-reading-is-recorded.md.
RECORDED: Final = {
    "/geschiedenis/export",
    "/trajecten/{run_id}/advies",
    "/trajecten/{run_id}/bewijsstukken/{evidence_id}",
    "/trajecten/{run_id}/bewijsstukken/{evidence_id}/bestand",
    "/trajecten/{run_id}/geschiedenis",
    "/trajecten/{run_id}/rapport",
    "/trajecten/{run_id}/rapport/csv",
    "/trajecten/{run_id}/rapport/pdf",
    "/trajecten/{run_id}/rapport/sinds-vorige",
}

Row = dict[str, str]


def an_app() -> FastAPI:
    return create_app(Settings(), Database(create_engine_for("sqlite:///never-opened.sqlite3")))


def declared(app: FastAPI) -> Iterator[Row]:
    """A row per route and method, as the routes declare it."""
    for found in sorted(route_policies(app, exempt={"/static"}), key=lambda each: each.path):
        for method in sorted(found.methods):
            recorded = YES if found.path in RECORDED and method == "GET" else NO
            yield {"route": found.path, "method": method, **_cells(found.policies[0]), "recorded": recorded, "why": ""}


def _cells(policy: Policy) -> Row:
    match policy:
        case Public():
            return dict.fromkeys(("anonymous", *CALLERS, "operator"), YES)
        case Allowed(action=action):
            cells = {name: _cell(action, *held) for name, held in CALLERS.items()}
            return {"anonymous": SIGN_IN, **cells, "operator": NO}
        case Operating():
            return {"anonymous": SIGN_IN, **dict.fromkeys(CALLERS, NO), "operator": YES}
        case _:
            return {"anonymous": SIGN_IN, **dict.fromkeys((*CALLERS, "operator"), YES)}


def _cell(action: Action, roles: frozenset[Role], limited: frozenset[Role]) -> str:
    within = reach(roles, limited, action)
    if within is None:
        return NO
    return YES if within.all_runs or action is Action.VIEW_PLANS else OWN


def kept() -> list[Row]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def differences(file: Iterable[Row], routes: Iterable[Row]) -> Iterator[str]:
    """Rows without a route, routes without a row, and rows that say something else."""
    known, now = ({(row["route"], row["method"]): row for row in rows} for rows in (file, routes))
    for key in sorted(known.keys() | now.keys()):
        name = f"{key[1]} {key[0]}"
        if key not in now:
            yield f"{name}: there is no such route"
        elif key not in known:
            yield f"{name}: has no row"
        else:
            wrong = [c for c in COLUMNS if c != "why" and known[key].get(c) != now[key][c]]
            yield from (f"{name}: {c} is {known[key].get(c)!r}, declared is {now[key][c]!r}" for c in wrong)


def write(routes: Iterable[Row]) -> None:
    why = {(row["route"], row["method"]): row["why"] for row in kept()} if FILE.exists() else {}
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "why": why.get((row["route"], row["method"]), "")} for row in routes)


def main() -> int:
    routes = list(declared(an_app()))
    found = [*differences(kept() if FILE.exists() else [], routes)]
    if "--write" in sys.argv[1:]:
        write(routes)
        print(f"{FILE.name}: {len(routes)} rows, {len(found)} of them new or different. Review the diff.")
        return 0
    print("\n".join(found) or f"{FILE.name} says what the routes declare.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
