"""Histories to sign, export and tamper with: events without a plan, since the log does not look inside them."""

from __future__ import annotations

import io
import random
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from app.storage.database import Database
from app.storage.history import log
from app.storage.history.export import About, write_export
from app.storage.history.keeper import HistoryKeeper
from app.storage.history.witnesses import Witness
from app.storage.scope import set_scope, unscoped
from app.storage.tables import EventRow
from tests.storage.rows import NOW, Side, a_municipality_with_a_run, a_run


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, time: timedelta) -> None:
        self.at += time


@dataclass
class Town:
    """A municipality whose events these are. `sequences`: how far each run is."""

    database: Database
    side: Side
    runs: list[uuid.UUID]
    sequences: dict[uuid.UUID, int] = field(default_factory=dict)

    @property
    def id(self) -> uuid.UUID:
        return self.side.municipality

    def add(self, session: Session, run: uuid.UUID, kinds: Sequence[str] = ("StepSaved",)) -> None:
        """In the transaction of a session that is limited to this municipality."""
        first = self.sequences.get(run, 0) + 1
        events: list[dict[str, Any]] = [
            {
                "municipality_id": self.id,
                "run_id": run,
                "sequence": first + at,
                "kind": kind,
                "data": {"ref": "verkennen.1", "step": f"stap-{first + at}", "answers": {}},
                "by": self.side.user,
                "at": NOW + timedelta(minutes=first + at),
            }
            for at, kind in enumerate(kinds)
        ]
        session.add_all(EventRow(**event) for event in events)
        session.flush()
        log.append(session, events)
        self.sequences[run] = first + len(kinds) - 1

    def work(self, kinds: Sequence[str] = ("StepSaved",), *, run: int = 0) -> None:
        """A transaction with these events."""
        with self.database.write() as session:
            set_scope(session, self.id)
            self.add(session, self.runs[run], kinds)


def a_town(database: Database, name: str, *, runs: int = 1) -> Town:
    with database.write() as session:
        unscoped(session, "fills a municipality")
        side = a_municipality_with_a_run(session, name)
        more = [uuid.uuid4() for _ in range(runs - 1)]
        session.add_all(a_run(side, id=id) for id in more)
    return Town(database, side, [side.run, *more])


def a_keeper(database: Database, folder: Path, *witnesses: Witness, clock: Clock | None = None) -> HistoryKeeper:
    return HistoryKeeper(database, folder / "keys" / "history.pem", witnesses, clock=clock or Clock())


def an_export(town: Town) -> bytes:
    """The zip file."""
    file = io.BytesIO()
    with town.database.read() as session:
        set_scope(session, town.id)
        write_export(session, file, About(town.side.name, "Emma Kok", NOW))
    return file.getvalue()


Files = dict[str, list[bytes]]


def files_in(export: bytes) -> Files:
    """Each file as its lines."""
    with zipfile.ZipFile(io.BytesIO(export)) as archive:
        return {name: archive.read(name).split(b"\n")[:-1] for name in archive.namelist()}


def zipped(files: Files, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in files.items():
            archive.writestr(name, b"".join(line + b"\n" for line in lines))
    return path


def a_signed_history(
    database: Database, folder: Path, *, seed: int, events: int = 60
) -> tuple[Town, Town, HistoryKeeper]:
    """Two municipalities of one installation, in each several runs and heads at uneven distances; in the first the key
    was renewed on the way."""
    chance = random.Random(seed)  # events to test with
    keeper = a_keeper(database, folder)
    towns = a_town(database, "Zonnedijk", runs=3), a_town(database, "Veldermeer", runs=2)
    for town in towns:
        done = 0
        while done < events:
            kinds = ["StepSaved", "StepCompleted", "EvidenceAdded"][: chance.randint(1, 3)]
            town.work(kinds, run=chance.randrange(len(town.runs)))
            done += len(kinds)
            if town is towns[0] and done - len(kinds) < events // 2 <= done:
                keeper.renew_key(at=NOW + timedelta(minutes=done))
            if chance.random() < 0.2:
                keeper.sign(town.id, at=NOW + timedelta(minutes=done))
        keeper.sign(town.id, at=NOW + timedelta(minutes=done))
    return (*towns, keeper)
