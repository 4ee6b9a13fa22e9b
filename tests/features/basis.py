"""What the form at an address would say that it is based on, had its page been opened just now.

For tests that send a form without opening its page; so that they need not say what they are not about."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit

from sqlalchemy import text
from sqlmodel import Session

from app.engine.errors import EngineError
from app.engine.point_decisions import find_point
from app.engine.run import StageRef
from app.features.runs.settings import settings_of
from app.storage import account_links, evidence_store, local_plans, marks, people, run_store, user_admin
from app.storage.auditor_limits import limit_of
from app.storage.database import Database
from app.storage.erasure import requests
from app.storage.run_header import RunNotFound, run_header
from app.storage.scope import set_scope

Find = Callable[[Session, Mapping[str, str], Mapping[str, object]], str]


def _stage(session: Session, part: Mapping[str, str], _: object) -> str:
    _plan, run = run_store.load_stages(session, part["run"])
    return marks.stage_mark(run, StageRef.parse(part["ref"]))


def _point(session: Session, part: Mapping[str, str], _: object) -> str:
    plan, run = run_store.load_stages(session, part["run"])
    return marks.point_mark(find_point(plan, run, StageRef.parse(part["ref"]), part["point"])[1])


def _evidence(session: Session, part: Mapping[str, str], _: object) -> str:
    found = evidence_store.find_evidence(session, part["run"], part["evidence"])
    _plan, run = run_store.load_stages(session, part["run"])
    return marks.stage_mark(run, found.ref)


def _decision(session: Session, part: Mapping[str, str], fields: Mapping[str, object]) -> str:
    _plan, run = run_store.load_stages(session, part["run"])
    return marks.decision_mark(run, part["decision"], str(fields.get("domein") or "") or None)


def _proposal(session: Session, part: Mapping[str, str], _: object) -> str:
    return marks.proposal_mark(run_store.load_stages(session, part["run"])[1])


def _sharing(session: Session, part: Mapping[str, str], _: object) -> str:
    _plan, run = run_store.load_stages(session, part["run"])
    advisers = [part["adviser"]] if part.get("adviser") else [shared.adviser for shared in run.shared]
    return " ".join(marks.shared_mark(run, adviser) for adviser in advisers)


def _advice(session: Session, part: Mapping[str, str], _: object) -> str:
    _plan, run = run_store.load_stages(session, part["run"])
    return next((marks.advice_mark(advice) for advice in run.advice if advice.id == part["advice"]), "")


def _settings(session: Session, part: Mapping[str, str], _: object) -> str:
    _plan, run = run_store.load_stages(session, part["run"])
    return settings_of(run_header(session, part["run"]), run).basis


def _local_plan(session: Session, part: Mapping[str, str], _: object) -> str:
    return local_plans.local_plan(session, part["plan"]).mark


def _draft(session: Session, _: Mapping[str, str], fields: Mapping[str, object]) -> str:
    """The draft that these additions take the place of."""
    named = re.search(r"id: ([\w-]+), version: ([\w.-]+)", str(fields.get("tekst", "")))
    drafts = (kept for kept in local_plans.local_plans(session) if kept.is_draft)
    return next((kept.mark for kept in drafts if named and named[2] == kept.version), "")


def _erasure(session: Session, part: Mapping[str, str], _: object) -> str:
    return requests.find(session, part["erasure"]).mark


def _user(session: Session, part: Mapping[str, str], fields: Mapping[str, object]) -> str:
    place = session.info["municipality_id"]
    user = user_admin.person(session, place, uuid.UUID(part["user"]))
    if part["act"] == "link":
        ends_at = account_links.link_ends_at(session, user.id, at=session.info["at"])
        return ends_at.isoformat() if ends_at else ""
    if part["act"] == "auditor":
        return limit_of(session, user.id).mark
    if part["act"] == "andere-persoon":
        return people.said_mark(session, user.id, uuid.UUID(str(fields["ander"])), municipality_id=place)
    return {"naam": user.name_mark, "rollen": user.roles_mark}.get(part["act"], user.access_mark)


RUN = "/trajecten/(?P<run>[^/]+)"
STAGE = RUN + "/fasen/(?P<ref>[^/]+)"
ACTS_ON_A_STAGE = (
    "starten|heropenen|niet-deelnemen|weer-deelnemen|overslaan|overslaan-ongedaan|verzoek-intrekken|akkoord-intrekken"
)
FINDERS: tuple[tuple[str, Find], ...] = (
    (STAGE + f"/({ACTS_ON_A_STAGE})", _stage),
    (STAGE + "/stappen/[^/]+/bewijs", _stage),
    (STAGE + "/open-punten/(?P<point>[^/]+)/[a-z]+", _point),
    (RUN + "/bewijsstukken/(?P<evidence>[^/]+)/intrekken", _evidence),
    (RUN + "/besluiten/(?P<decision>[^/]+)(/intrekken)?", _decision),
    (RUN + "/nieuwe-versie/intrekken", _proposal),
    (RUN + "/bewerken", _settings),
    (RUN + "/advies/delen(/(?P<adviser>[^/]+)/stoppen)?", _sharing),
    (RUN + "/advies/(?P<advice>[^/]+)/antwoord", _advice),
    ("/beheer/stappenplannen/toevoegen", _draft),
    ("/beheer/stappenplannen/(?P<plan>[^/]+)/(buiten-gebruik|weer-gebruiken|verwijderen)", _local_plan),
    ("/beheer/gegevens-wissen/(?P<erasure>[^/]+)/(wissen|afwijzen)", _erasure),
    ("/beheer/gebruikers/(?P<user>[^/]+)/(?P<act>[a-z-]+)", _user),
    ("/beheer/gebruikers/(?P<user>[^/]+)/(?P<act>ontkoppelen)/[^/]+", _user),
)


def basis_of(
    database: Database, municipality: uuid.UUID, address: str, fields: Mapping[str, object], *, at: object
) -> str | None:
    """None where there is none to know: nothing is there, or the form says so in another way."""
    path = unquote(urlsplit(address).path)
    for pattern, find in FINDERS:
        if found := re.fullmatch(pattern, path):
            with database.read() as session:
                set_scope(session, municipality)
                session.info["at"] = at
                try:
                    return find(session, found.groupdict(), fields)
                except NOT_THERE:
                    return "none"
    return None


NOT_THERE: tuple[type[Exception], ...] = (
    LookupError,
    ValueError,
    EngineError,
    RunNotFound,
    local_plans.LocalPlanNotFound,
    user_admin.UserNotFound,
    requests.ErasureNotFound,
)


WORKS_AT = """
SELECT COALESCE(login_session.municipality_id, membership.municipality_id) FROM login_session
JOIN membership ON membership.user_id = login_session.user_id WHERE csrf_token = :token
"""


def municipality_at(database: Database, csrf_token: str) -> uuid.UUID | None:
    """Where the user of a session works; None when there is no such session any more."""
    with database.owner.connect() as connection:
        found = connection.execute(text(WORKS_AT), {"token": csrf_token}).scalars().first()
    return uuid.UUID(str(found)) if found else None
