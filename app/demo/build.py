"""Two fictional municipalities with work in progress, made by doing the work: every step goes through the engine.

Names of municipalities and people are invented. Nothing here is used by the application itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, func, select

from app.demo.worker import Worker
from app.engine.definition import StepPlan
from app.engine.run import Followed, StageRef
from app.policy import Role
from app.storage import accounts, installation
from app.storage.accounts import DemoAccount
from app.storage.auditor_limits import Limit, dutch_day, set_limit
from app.storage.database import Database
from app.storage.evidence_files import EvidenceFiles
from app.storage.passwords import hash_password
from app.storage.plans import load_plan, pinned_plans
from app.storage.scope import set_scope, unscoped
from app.storage.tables import Municipality, User

PASSWORD = "samen-verder-2026"  # noqa: S105  # of every demonstration account; shown on the sign-in page
PLAN = "inclusief-beleid@1.0.0"  # named, since the newest may be another one


@dataclass(frozen=True, slots=True)
class Place:
    """A fictional municipality and its people, by role; `second` is a second policy officer, and `outside` an auditor
    who sees one run, for some weeks."""

    name: str
    officer: tuple[str, str]
    second: tuple[str, str]
    manager: tuple[str, str]
    auditor: tuple[str, str]
    administrator: tuple[str, str]
    adviser: tuple[str, str]
    outside: tuple[str, str]

    def people(self) -> Sequence[tuple[str, str, Role]]:
        return (
            (*self.officer, Role.POLICY_OFFICER),
            (*self.second, Role.POLICY_OFFICER),
            (*self.manager, Role.MANAGER),
            (*self.auditor, Role.AUDITOR),
            (*self.administrator, Role.ADMINISTRATOR),
            (*self.adviser, Role.ADVISER),
            (*self.outside, Role.AUDITOR),
        )


ZONNEDIJK = Place(
    "Zonnedijk",
    officer=("noor@zonnedijk.example", "Noor de Wit"),
    second=("samir@zonnedijk.example", "Samir Bakkali"),
    manager=("willem@zonnedijk.example", "Willem Oosterhuis"),
    auditor=("greta@zonnedijk.example", "Greta Lindeman"),
    administrator=("beheer@zonnedijk.example", "Tom Vermeulen"),
    adviser=("adviesraad@zonnedijk.example", "Aisha Haddou"),
    outside=("onderzoek@zonnedijk.example", "Pieter Zandstra"),
)
VELDERMEER = Place(
    "Veldermeer",
    officer=("fatima@veldermeer.example", "Fatima el Amrani"),
    second=("joris@veldermeer.example", "Joris van Dam"),
    manager=("ineke@veldermeer.example", "Ineke Postma"),
    auditor=("paul@veldermeer.example", "Paul Sneek"),
    administrator=("beheer@veldermeer.example", "Linh Nguyen"),
    adviser=("adviesraad@veldermeer.example", "Hennie Kramer"),
    outside=("onderzoek@veldermeer.example", "Sanne Bouwmans"),
)
PLACES = (ZONNEDIJK, VELDERMEER)
OPERATOR = ("beheer@stappenplan.example", "Robin Meijer")  # of the installation; no role in a municipality


def is_empty(database: Database) -> bool:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(Municipality)).one() == 0


def has_demonstration_accounts(database: Database) -> bool:
    """Whether somebody could sign in with a password that everybody knows."""
    with database.read() as session:
        query = select(func.count()).select_from(User).where(User.is_demonstration, User.disabled_at == None)  # noqa: E711  # SQL
        return session.exec(query).one() > 0


def demonstration_accounts(database: Database) -> list[DemoAccount]:
    """Those that exist and are enabled, in the order of `PLACES`; the operator comes last."""
    with database.read() as session:
        query = select(User.login).where(User.is_demonstration, User.disabled_at == None)  # noqa: E711  # SQL
        enabled = set(session.exec(query))
    people = [
        DemoAccount(login=login, password=PASSWORD, name=name, municipality=place.name, roles=(role,))
        for place in PLACES
        for login, name, role in place.people()
    ]
    operator = DemoAccount(login=OPERATOR[0], password=PASSWORD, name=OPERATOR[1], municipality="", roles=())
    return [each for each in (*people, operator) if each.login in enabled]


def build(database: Database, files: EvidenceFiles, *, now: datetime) -> list[DemoAccount]:
    """Fills an empty database and puts some documents in `files`; the work is spread over the weeks before `now`
    (aware, UTC)."""
    start = (now - timedelta(weeks=12)).replace(hour=8, minute=10)  # people begin in the morning
    ids: dict[str, str] = {}
    with database.write() as session:
        for place in PLACES:
            accounts.add_municipality(session, place.name, at=start)
            for login, name, role in place.people():
                user = accounts.add_user(
                    session,
                    login=login,
                    name=name,
                    password=PASSWORD,
                    municipality=place.name,
                    roles=[role],
                    at=start,
                    is_demonstration=True,
                )
                ids[login] = str(user)
    with database.write() as session:
        unscoped(session, "operators belong to no municipality, and only the owner of the tables makes one")
        _add_operator(session, start)
    for place in PLACES:
        with database.write() as session:
            municipality = session.exec(select(Municipality.id).where(Municipality.name == place.name)).one()
            set_scope(session, municipality)
            plan = _plan(session)
            if place is ZONNEDIJK:
                housing = _housing(session, files, plan, place, ids, start)
                _let_in_from_outside(session, ids[place.outside[0]], housing, now)
                _youth(session, files, plan, place, ids, start + timedelta(weeks=9))
            else:
                services = _services(session, files, plan, place, ids, start + timedelta(weeks=4))
                _let_in_from_outside(session, ids[place.outside[0]], services, now)
    return demonstration_accounts(database)


def _add_operator(session: Session, at: datetime) -> None:
    login, name = OPERATOR
    user_id, _ = installation.add_operator(session, login=login, name=name, at=at)
    user = session.get_one(User, user_id)
    user.password_hash, user.is_demonstration = hash_password(PASSWORD), True


def _let_in_from_outside(session: Session, auditor: str, run: str, now: datetime) -> None:
    """To one run, for the six weeks of an audit."""
    first = dutch_day(now)
    limit = Limit(frozenset({uuid.UUID(run)}), first, first + timedelta(weeks=6))
    set_limit(session, uuid.UUID(auditor), limit, at=now)


def _plan(session: Session) -> StepPlan:
    """The first version of the national plan, so that a newer one has something to mean for these runs."""
    [pinned] = [plan for plan in pinned_plans(session) if plan.name == PLAN]
    return load_plan(session, pinned.digest)


def _housing(
    session: Session, files: EvidenceFiles, plan: StepPlan, place: Place, ids: dict[str, str], start: datetime
) -> str:
    """Far on its way: explored and approved, a vision that waits for the manager, involving residents goes on."""
    officer, second, manager = (ids[who[0]] for who in (place.officer, place.second, place.manager))
    work = Worker.start(
        session,
        files,
        plan,
        name="Wonen voor iedereen",
        purpose="Iedereen vindt in Zonnedijk een passend en veilig thuis, ook wie weinig geld of veel zorg heeft.",
        domains=("wonen", "zorg-en-welzijn"),
        team=(officer, second),
        manager=manager,
        at=start,
        number=0,
    )
    explore = StageRef("verkennen")
    work.start_stage(explore, by=officer)
    work.complete_all(explore, by=officer, helper=second)
    work.request(explore, by=officer, message="Wij hebben met twaalf sleutelpersonen gesproken. Kunt u meekijken?")
    work.send_back(
        explore, by=manager, reason="Noem ook wat de woningcorporatie al doet. Dat is de helft van het verhaal."
    )
    work.complete_revisited(explore, by=second)
    work.request(explore, by=officer, message="Het overzicht van de corporatie staat er nu bij.")
    work.approve(explore, by=manager, remark="Compleet beeld. Begin met de visie, dan weten we wat we zoeken.")
    vision = StageRef("visie")
    work.start_stage(vision, by=officer)
    work.complete_all(vision, by=officer, helper=second)
    work.request(vision, by=second, message="De definitie is getoetst bij de adviesraad.")
    involve = StageRef("betrekken")
    work.start_stage(involve, by=second)
    work.complete_some(involve, by=second, steps=1)
    work.skip(
        StageRef("werkgroep"),
        by=officer,
        reason="Iedere medewerker is verantwoordelijk; een groep haalt dat weg bij de teams.",
    )
    adviser = ids[place.adviser[0]]
    work.share(adviser, by=officer, question="Voor wie pakt dit beleid slecht uit? Wat zien wij over het hoofd?")
    given = work.advise(
        explore,
        by=adviser,
        text="U sprak vooral mensen die al een woning hebben. Ga ook langs bij de opvang en bij jongeren op een bank.",
        grounds=("leeftijd",),
    )
    work.answer_advice(
        given,
        by=officer,
        followed=Followed.PARTLY,
        reason="Wij gaan in de volgende ronde naar de opvang. Voor jongeren is er al een eigen traject.",
    )
    work.advise(
        vision,
        by=adviser,
        text="Leg in gewone taal uit wat u onder passend verstaat. Nu kan iedereen er iets anders in lezen.",
        grounds=(),
    )
    return work.run.id


def _youth(
    session: Session, files: EvidenceFiles, plan: StepPlan, place: Place, ids: dict[str, str], start: datetime
) -> None:
    """Just begun: half of the exploration, with an answer that was saved unfinished."""
    second, manager = (ids[who[0]] for who in (place.second, place.manager))
    work = Worker.start(
        session,
        files,
        plan,
        name="Jeugd doet mee",
        purpose="Jongeren in alle wijken kunnen meedoen aan sport, cultuur en besluiten die over hen gaan.",
        domains=("jeugd",),
        team=(second,),
        manager=manager,
        at=start,
        number=1,
    )
    explore = StageRef("verkennen")
    work.start_stage(explore, by=second)
    work.complete_some(explore, by=second, steps=2)
    work.save_unfinished(explore, by=second)


def _services(
    session: Session, files: EvidenceFiles, plan: StepPlan, place: Place, ids: dict[str, str], start: datetime
) -> str:
    """Explored and approved; support is being built, earlier than advised; then a vision, approved too. A newer version
    of the plan asks for its approval again."""
    officer, second, manager = (ids[who[0]] for who in (place.officer, place.second, place.manager))
    work = Worker.start(
        session,
        files,
        plan,
        name="Dienstverlening die iedereen bereikt",
        purpose="Elke inwoner van Veldermeer kan zaken met de gemeente regelen, aan het loket, per telefoon of online.",
        domains=("dienstverlening",),
        team=(officer, second),
        manager=manager,
        at=start,
        number=2,
    )
    explore = StageRef("verkennen")
    work.start_stage(explore, by=officer)
    work.complete_all(explore, by=officer, helper=second)
    work.request(explore, by=officer, message="Graag uw akkoord, dan kunnen we collega’s erbij halen.")
    work.approve(explore, by=manager, remark="Akkoord. Let op de blinde vlekken bij geletterdheid.")
    support = StageRef("draagvlak")
    work.start_stage(
        support, by=second, early_reason="De nieuwe wethouder begint deze maand; dat moment willen we niet missen."
    )
    work.complete_some(support, by=second, steps=1)
    vision = StageRef("visie")
    work.start_stage(vision, by=officer)
    work.complete_all(vision, by=officer, helper=second)
    work.request(vision, by=officer, message="De visie past op één pagina. De adviesraad las mee.")
    work.approve(vision, by=manager, remark="Helder. Hang hem op bij de balies.")
    question = "Bereiken wij u en de mensen die u kent? Wat zou u anders doen?"
    work.share(ids[place.adviser[0]], by=second, question=question)
    return work.run.id
