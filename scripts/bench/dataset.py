"""342 municipalities with 20 runs each. A run of every variation is made once by doing the work (walker.py); the rest
are copies with other ids and names, so that building takes a minute and tables and history still agree."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import JSON, Engine, Table, select
from sqlmodel import SQLModel

from app.catalogue.loader import LoadedPlan
from app.engine.answers import commitment
from app.engine.seal import digest
from app.storage import plans, tables
from app.storage.database import Database
from app.storage.history import log
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope
from app.storage.upgrade import upgrade
from app.storage.verify import verify_run
from scripts.bench.bulk import Row, Writer, bulk_writer, encoder, json_text
from scripts.bench.places import SINCE, Place, add_place
from scripts.bench.plans import main_plan
from scripts.bench.walker import Stop, Variation, Walker

MUNICIPALITIES: Final = 342  # as many as the Netherlands had in 2025 and 2026
RUNS_EACH: Final = 20
# From just begun to nearly finished; a municipality has two of each.
VARIATIONS: Final = (
    Variation(approved=0, stop=Stop.STARTED, domains=1),
    Variation(approved=0, stop=Stop.HALFWAY, domains=2),
    Variation(approved=0, stop=Stop.SUBMITTED, domains=1),
    Variation(approved=1, stop=Stop.HALFWAY, domains=3),
    Variation(approved=1, stop=Stop.SENT_BACK, domains=2),
    Variation(approved=2, stop=Stop.SUBMITTED, domains=1),
    Variation(approved=3, stop=Stop.HALFWAY, domains=2),
    Variation(approved=5, stop=Stop.HALFWAY, domains=2),
    Variation(approved=6, stop=Stop.SUBMITTED, domains=3),
    Variation(approved=9, stop=Stop.HALFWAY, domains=2),
)
SUBJECTS: Final = ("Wonen", "Jeugd", "Werk en inkomen", "Zorg", "Sport", "Onderwijs", "Dienstverlening", "Veiligheid")
NAME: Final = "@naam@"  # stands for the name of the run in what is copied
PURPOSE: Final = "Iedereen kan meedoen en krijgt hulp die past, ook wie wij nu nog niet bereiken."
TEMPLATE_PLACE: Final = Place(0)
UUID_TEXT: Final = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


def _table(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]  # made by SQLModel
    return table


# In the order in which rows may refer to each other.
RUN_TABLES: Final = tuple(
    _table(model)
    for model in (
        tables.RunRow,
        tables.RunMember,
        tables.StageRow,
        tables.StepRow,
        tables.AnswerRow,
        tables.EvidenceRow,
        tables.TextRow,
        tables.SealRow,
        tables.EventRow,
    )
)


def build(
    target: Engine,
    work: Engine,
    places: Sequence[Place],
    *,
    runs_each: int = RUNS_EACH,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Fills the empty database `target`; `work` is an empty one to do the work in that is copied. `progress` is
    called after each municipality."""
    plan = main_plan()
    upgrade(target)
    with Database(target).write() as session:
        plans.pin(session, [plan], at=SINCE)
        for place in places:
            add_place(session, place)
    templates = [_template(run_id, work, target) for run_id in _do_the_work(work, plan)]
    with bulk_writer(target, RUN_TABLES) as writer:
        for place in places:
            for number in range(runs_each):
                _copy(writer, templates[number % len(templates)], place, number, encoder(RUN_TABLES[0].c.id, target))
            writer.flush()
            progress()
    for place in places:
        _log_events(Database(target), place, runs_each)


def _log_events(database: Database, place: Place, runs_each: int) -> None:
    """As the application does with each event, here for all of a municipality at once."""
    columns = _table(tables.EventRow).c
    query = select(columns.run_id, columns.sequence, columns.kind, columns.data, columns.by, columns.at)
    ours = columns.run_id.in_([place.run(number) for number in range(runs_each)])
    in_order = query.where(ours).order_by(columns.at, columns.run_id, columns.sequence)
    with database.owner.connect() as connection:
        events = connection.execute(in_order).mappings().all()
    with database.write() as session:
        set_scope(session, place.municipality)
        log.append(session, [dict(event) for event in events])


def check(database: Database, place: Place, runs: Sequence[int]) -> None:
    """The history of these runs tells the same story as their tables, and the log holds all of it."""
    with database.read() as session:
        set_scope(session, place.municipality)
        for number in runs:
            verified = verify_run(session, str(place.run(number)))
            assert not verified.findings, verified
        problems = verify_log(session).problems
        assert not problems, problems[:5]


# --- one run of each variation -------------------------------------------------------------------------------------


def _do_the_work(work: Engine, plan: LoadedPlan) -> Iterator[uuid.UUID]:
    upgrade(work)
    database = Database(work)
    with database.write() as session:
        plans.pin(session, [plan], at=SINCE)
        add_place(session, TEMPLATE_PLACE)
    for number, variation in enumerate(VARIATIONS):
        with database.write() as session:
            set_scope(session, TEMPLATE_PLACE.municipality)
            walker = Walker(session, plan.plan, TEMPLATE_PLACE.team, at=SINCE + timedelta(days=9 * number))
            run = walker.walk(variation, name=NAME, purpose=PURPOSE)
        yield uuid.UUID(run.id)


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """Positions that differ per copy. `texts` are cut in pieces, of which every second one is an id or a digest."""

    values: Row
    ids: tuple[tuple[int, uuid.UUID], ...]
    texts: tuple[tuple[int, tuple[str, ...]], ...]
    names: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunTemplate:
    """`own_ids`: of what belongs to this run alone. `named`: each commitment to its name, with the salt. `seals`: each
    digest with the manifest that it is made of."""

    run_id: uuid.UUID
    own_ids: tuple[uuid.UUID, ...]
    named: tuple[tuple[str, str], ...]
    seals: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[tuple[Table, tuple[RowTemplate, ...]], ...]


def _template(run_id: uuid.UUID, work: Engine, target: Engine) -> RunTemplate:
    found: list[tuple[Table, list[dict[str, Any]]]] = []
    with work.connect() as connection:
        for table in RUN_TABLES:
            key = table.c.id if table.name == "run" else table.c.run_id
            rows = connection.execute(select(table).where(key == run_id)).mappings()
            found.append((table, [dict(row) for row in rows]))
    seals = {row["digest"]: row["manifest"] for table, rows in found if table.name == "seal" for row in rows}
    texts = (row for table, rows in found if table.name == "run_text" for row in rows)
    named = {row["commitment"]: row["salt"] for row in texts if row["text"] == NAME}
    cut = re.compile("|".join([UUID_TEXT, *named, *seals]))
    everywhere = json.dumps([rows for _, rows in found], default=str)
    shared = {TEMPLATE_PLACE.municipality, run_id, *(id for id, _, _ in TEMPLATE_PLACE.people())}
    return RunTemplate(
        run_id=run_id,
        own_ids=tuple(sorted({uuid.UUID(text) for text in re.findall(UUID_TEXT, everywhere)} - shared)),
        named=tuple(named.items()),
        seals=tuple((sealed, _pieces(json_text(manifest), cut)) for sealed, manifest in seals.items()),
        rows=tuple((table, tuple(_row_template(table, row, target, cut) for row in rows)) for table, rows in found),
    )


def _row_template(table: Table, row: dict[str, Any], target: Engine, cut: re.Pattern[str]) -> RowTemplate:
    values: Row = []
    ids, texts, names = [], [], []
    for position, column in enumerate(table.columns):
        value = row[column.name]
        encoded = None if value is None else encoder(column, target)(value)
        values.append(encoded)
        if isinstance(value, uuid.UUID):
            ids.append((position, value))
        elif value == NAME:
            names.append(position)
        elif isinstance(encoded, str) and (isinstance(column.type, JSON) or cut.fullmatch(encoded)):
            pieces = _pieces(encoded, cut)
            if len(pieces) > 1:
                texts.append((position, pieces))
    return RowTemplate(values, tuple(ids), tuple(texts), tuple(names))


def _pieces(text: str, cut: re.Pattern[str]) -> tuple[str, ...]:
    pieces, end = [], 0
    for found in cut.finditer(text):
        pieces += [text[end : found.start()], found[0]]
        end = found.end()
    return (*pieces, text[end:])


# --- copies ------------------------------------------------------------------------------------------------------


def _copy(writer: Writer, template: RunTemplate, place: Place, number: int, encode: Callable[[uuid.UUID], Any]) -> None:
    chance = random.Random(f"{place.number}/{number}")  # noqa: S311  # ids of data to measure with
    new = {old: uuid.UUID(int=chance.getrandbits(128), version=4) for old in template.own_ids}
    new[template.run_id] = place.run(number)
    new[TEMPLATE_PLACE.municipality] = place.municipality
    for (old, _, _), (id, _, _) in zip(TEMPLATE_PLACE.people(), place.people(), strict=True):
        new[old] = id
    encoded = {old: encode(id) for old, id in new.items()}
    texts = {str(old): str(id) for old, id in new.items()}
    name = f"{SUBJECTS[number % len(SUBJECTS)]} voor iedereen {number + 1}"
    for committed, salt in template.named:
        texts[committed] = commitment(name, salt)
    for sealed, pieces in template.seals:
        texts[sealed] = digest(json.loads(_filled(pieces, texts)))
    for table, rows in template.rows:
        for row in rows:
            values = row.values.copy()
            for position, old in row.ids:
                values[position] = encoded[old]
            for position, pieces in row.texts:
                values[position] = _filled(pieces, texts)
            for position in row.names:
                values[position] = name
            writer.add(table, values)


def _filled(pieces: tuple[str, ...], texts: dict[str, str]) -> str:
    filled = [*pieces]
    filled[1::2] = [texts[key] for key in filled[1::2]]
    return "".join(filled)
