"""A world in which a resident is named everywhere, and the ways in which that name goes."""

from __future__ import annotations

import uuid
from pathlib import Path

from app.storage.account_log import Trace
from app.storage.erasure import requests
from app.storage.erasure.again import registered
from app.storage.erasure.carrying_out import carry_out
from app.storage.erasure.cleaning import Cleaner
from app.storage.erasure.items import Ground, Item
from app.storage.erasure.matching import Terms
from app.storage.erasure.places import Places
from app.storage.erasure.register import Register
from app.storage.erasure.searching import Hit, search
from app.storage.evidence_files import EvidenceFiles
from app.storage.scope import set_scope
from tests.features.client import World

RESIDENT = "Wielewaal Kanarie"
"""Called like nothing else in the tests: PostgreSQL keeps the bytes of what others removed."""
HERE = "Zonnedijk"


def hits_for(world: World, *terms: str) -> list[Hit]:
    with world.reading(HERE) as session:
        return search(Places(session), Terms(terms))[0]


def ask(world: World, items: list[Item], *, account: str | None = None) -> str:
    with world.database.write() as session:
        set_scope(session, world.municipalities[HERE])
        return requests.ask(
            session,
            items=items,
            account=account,
            ground=Ground.UNLAWFUL,
            by=world.users["ferry"],
            at=world.clock.at,
        )


def confirm(world: World, id: str, *, register: Register | None = None) -> None:
    """By a manager. The register first, the files and traces last, as the page does it."""
    place = world.municipalities[HERE]
    with world.database.write() as session:
        set_scope(session, place)
        by = Trace(uuid.UUID(world.users["dirk"]), world.clock.at, "192.0.2.7")
        carry_out(session, requests.find(session, id, for_change=True), by=by)
        if register is not None:
            register.add([registered(str(place), requests.find(session, id))])
    assert cleaner(world).finish(place)


def cleaner(world: World) -> Cleaner:
    def no_pause(_seconds: float) -> None:
        pass

    return Cleaner(world.database, files_of(world), clock=world.clock, pause=no_pause)


def files_of(world: World) -> EvidenceFiles:
    return EvidenceFiles(world.app.state.settings.evidence_dir)


def erase(world: World, items: list[Item], *, account: str | None = None, register: Register | None = None) -> str:
    id = ask(world, items, account=account)
    confirm(world, id, register=register)
    return id


def files_with(folder: Path, word: str) -> list[Path]:
    """Files of which the bytes hold the word, in any of the ways in which a database may write it."""
    needles = [form for plain in (word, word.lower()) for form in (plain.encode(), plain.encode("utf-16-le"))]
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if any(needle in content for needle in needles):
                found.append(path)
    return found
