"""Runs that go to another version of their plan and back, for the tests of every room; on the small plan.

release(world, "2.0.0", "3.0.0")          # the versions below, beside 1.0.0 that the run started on
moved(world, run, "2.0.0")                # proposed by anna and confirmed by carla where an approval is touched
moved(world, run, "3.0.0", choices={"verkennen.1/overzicht/visie": "park"}, reason="Te oud.")
proposed(world, run, "2.0.0")             # waits for a manager
moved_back(world, run)                    # undoes the last move; later work is set aside
room = a_full_room(database)              # a run with all of that in it, the newer versions beside it; not moved yet

What 2.0.0 changes for the stage `verkennen`: the question `visie` means something else (an answer is looked at again),
`aantal` is gone (an answer is set aside), `naam` is called `titel` (an answer goes along), the step `conclusie` is gone
with its evidence, the statement `stapeling` means something else. The stage `werkgroep`, the ground `leeftijd` with its
statement and the domain `werk` are gone. 3.0.0 has `conclusie` again as it was, and `datum` is gone. 1.1.0 changes
nothing but an explanation. 4.0.0 is 1.0.0 in which the stage `verkennen` is called `orienteren`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from sqlmodel import Session

from app.catalogue.loader import Document, LoadedPlan, from_document
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import Run
from app.engine.run_migration.items import RunMigration, plan_run_migration
from app.engine.run_migration.moves import decide_outcome, move_run, propose_move, undo_move
from app.engine.run_migration.undoing import plan_undo
from app.storage import plans, run_store
from app.storage.database import Database
from app.storage.plan_routes import comparison
from app.storage.run_moves import around_move, record_move
from app.storage.scope import set_scope
from app.storage.texts import write_text
from tests.features.accounts.building import MONDAY
from tests.features.client import Browser, World, small_plan
from tests.features.steps.pages import form_data
from tests.features.steps.room import Room, a_room

# --- the versions ----------------------------------------------------------------------------------------------


def _part(parts: list[dict[str, Any]], id: str) -> dict[str, Any]:
    return next(part for part in parts if part["id"] == id)


def _without(parts: list[dict[str, Any]], *ids: str) -> list[dict[str, Any]]:
    return [part for part in parts if part["id"] not in ids]


def _to_1_1(document: Document) -> None:
    overview = _part(document["stages"], "verkennen")["steps"][0]
    overview["explanation"].append({"text": {"nl": "Vraag het ook aan collega's."}, "addition": True})
    _declare(document, "1.0.0")


def _to_2(document: Document) -> None:
    explore = _part(document["stages"], "verkennen")
    explore["steps"] = _without(explore["steps"], "conclusie")
    questions = explore["steps"][0]["questions"]
    _part(questions, "visie")["text"] = {"nl": "Heeft de raad een visie vastgesteld?"}
    _part(questions, "naam")["id"] = "titel"
    explore["steps"][0]["questions"] = _without(questions, "aantal")
    explore["statements"] = _without(explore["statements"], "jong-en-oud")
    _part(explore["statements"], "stapeling")["text"] = {"nl": "We weten bij wie nadelen samenkomen."}
    explore["grounds"] = ["samenloop"]
    document["grounds"] = _without(document["grounds"], "leeftijd")
    document["domains"] = _without(document["domains"], "werk")
    document["evidence_kinds"] = _without(document["evidence_kinds"], "besluit")
    document["stages"] = _without(document["stages"], "werkgroep")
    for stage in document["stages"]:
        stage.pop("advised_after", None)
    renamed = [{"before": "verkennen/overzicht/naam", "after": "verkennen/overzicht/titel"}]
    _declare(document, "1.0.0", renamed=renamed)


def _to_3(document: Document) -> None:
    _to_2(document)
    explore = _part(document["stages"], "verkennen")
    first = _part(small_plan().document["stages"], "verkennen")
    explore["steps"].append(deepcopy(_part(first["steps"], "conclusie")))
    explore["steps"][0]["questions"] = _without(explore["steps"][0]["questions"], "datum")
    _declare(document, "2.0.0")


def _to_4(document: Document) -> None:
    """Also wherever another part names the stage."""
    renamed = json.loads(json.dumps(document["stages"]).replace('"verkennen"', '"orienteren"'))
    document["stages"] = renamed
    document["decisions"] = json.loads(json.dumps(document["decisions"]).replace('"verkennen"', '"orienteren"'))
    _declare(document, "1.0.0", renamed=[{"before": "verkennen", "after": "orienteren"}])


def _declare(document: Document, since: str, **declared: Any) -> None:
    summary = {"text": {"nl": "De raad stelt de visie vast."}, "addition": True}
    document["changes"] = {"since": since, "summary": summary, **declared}


_CHANGES: Mapping[str, Callable[[Document], None]] = {"1.1.0": _to_1_1, "2.0.0": _to_2, "3.0.0": _to_3, "4.0.0": _to_4}


@cache
def a_version(version: str) -> LoadedPlan:
    document = deepcopy(small_plan().document)
    document["plan"]["version"] = version
    _CHANGES[version](document)
    return LoadedPlan(from_document(document), document)


def release(world: World, *versions: str, retired: tuple[str, ...] = ()) -> None:
    with world.database.write() as session:
        gone = [a_version(version).plan.digest for version in retired]
        plans.pin(session, [a_version(version) for version in versions], retired=gone, at=MONDAY)


def digest_of(version: str) -> str:
    return (small_plan() if version == "1.0.0" else a_version(version)).plan.digest


def a_full_room(database: Database, *, is_approved: bool = True) -> Room:
    """Answers and evidence at all that 2.0.0 changes; `verkennen` is approved, `werkgroep` begun."""
    room = a_room(database)
    release(room.world, "2.0.0", "3.0.0")
    anna = room.browser("anna")
    room.add_evidence("Verslag bij de conclusie", step="conclusie")
    room.add_evidence("Verslag over leeftijd", grounds=["leeftijd"])
    _save(anna, room, "overzicht", {"aantal": "12", "datum": "2026-03-01"})
    _save(anna, room, "conclusie", {"eerst": "Eerst de wijken."}, act="afronden")
    room.complete_everything()
    assert anna.post(f"/trajecten/{room.run}/fasen/werkgroep.1/starten", {}).status_code == 200
    _save(anna, room, "opdracht", {"opdracht": "Trek dit."}, ref="werkgroep.1")
    if is_approved:
        approve(room)
    return room


def approve(room: Room) -> None:
    """Asked by anna and given by carla, through the pages: what was seen is sealed and kept."""
    anna, carla = room.browser("anna"), room.browser("carla")
    for browser, page, fields in (
        (anna, f"{room.stage}/akkoord-vragen", {}),
        (carla, f"{room.stage}/beoordelen", {"besluit": "akkoord"}),
    ):
        data = {**form_data(browser.get(page).text, page), **fields}
        answer = browser.post(page, data, follow_redirects=False)
        assert answer.status_code == 303, answer.text


def _save(
    browser: Browser, room: Room, step: str, answers: Mapping[str, str], *, ref: str = "", act: str = "opslaan"
) -> None:
    address = f"/trajecten/{room.run}/fasen/{ref or room.ref}/stappen/{step}"
    data = {**room.form(address=address), **{f"antwoord.{id}": [value] for id, value in answers.items()}}
    answer = browser.post(address, {**data, "actie": act}, follow_redirects=False)
    assert answer.status_code == 303, answer.text


# --- moving ----------------------------------------------------------------------------------------------------


def _migration(session: Session, run: Run, version: str) -> RunMigration:
    return plan_run_migration(run, comparison(session, run.plan_digest, digest_of(version)))


def proposed(
    world: World, run_id: str, to: str, *, choices: Mapping[str, str] | None = None, reason: str = "", by: str = "anna"
) -> None:
    """The team asks a manager; `reason` goes with each of the choices that were made."""
    chosen = choices or {}
    with world.database.write() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        plan, run = run_store.load_run(session, run_id, for_change=True)
        migration = _migration(session, run, to)
        user, at = world.users[by], world.clock()
        reasons = _reasons(session, run, chosen, reason, by=user, world=world)
        result = decide_outcome(migration, chosen, reasons, move="voorstel")
        event = propose_move(
            migration, result, proposal=str(uuid.uuid4()), shown=result.digest, reasons=reasons, by=user, at=at
        )
        run_store.record(session, plan, run, event)


def _reasons(
    session: Session, run: Run, chosen: Mapping[str, str], reason: str, *, by: str, world: World
) -> dict[str, str]:
    written = {id: write_text(session, run.id, reason, by=by, at=world.clock()) for id in chosen}
    return {id: text for id, text in written.items() if text is not None}


def moved(
    world: World,
    run_id: str,
    to: str,
    *,
    choices: Mapping[str, str] | None = None,
    reason: str = "",
    by: str = "anna",
    manager: str = "carla",
) -> None:
    """By the team, or proposed by it and confirmed by the manager where an approval is touched."""
    chosen = choices or {}
    with world.reading() as session:
        run = run_store.load_run(session, run_id)[1]
        migration = _migration(session, run, to)
        given = dict.fromkeys(chosen, "")
        needs_manager = decide_outcome(migration, chosen, given, move="proef").needs_manager
    if needs_manager:
        proposed(world, run_id, to, choices=chosen, reason=reason, by=by)
    mover, roles = (manager, frozenset({"manager"})) if needs_manager else (by, frozenset({"policy_officer"}))
    with world.database.write() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        run = run_store.load_run(session, run_id, for_change=True)[1]
        migration, user = _migration(session, run, to), world.users[mover]
        if run.proposal and needs_manager:
            reasons = dict(run.proposal.reasons)
        else:
            reasons = _reasons(session, run, chosen, reason, by=user, world=world)
        move = str(uuid.uuid4())
        result = decide_outcome(migration, chosen, reasons, move=move)
        event = move_run(
            migration,
            result,
            move=move,
            shown=result.digest,
            reasons=reasons,
            by=user,
            roles=roles,
            at=world.clock(),
            people=ONE_ACCOUNT_EACH,
        )
        record_move(session, migration.comparison.new, run, event)


def moved_back(world: World, run_id: str, *, by: str = "carla", reason: str = "") -> None:
    """Undoes the last move; what was done since and has no place then is set aside."""
    with world.database.write() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        new, run = run_store.load_run(session, run_id, for_change=True)
        move, user, at = run.last_move, world.users[by], world.clock()
        assert move is not None
        old = plans.load_plan(session, move.from_digest)
        before, after = around_move(session, run.id, move)
        undo = plan_undo(old, new, before, after, run, undo=str(uuid.uuid4()))
        text = write_text(session, run.id, reason, by=user, at=at)
        roles = frozenset({"manager"})
        event = undo_move(run, undo, park_later=True, reason=text, by=user, roles=roles, at=at, people=ONE_ACCOUNT_EACH)
        record_move(session, old, run, event)
