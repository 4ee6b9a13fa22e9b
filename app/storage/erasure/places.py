"""Everything that people wrote in a municipality: to search it, and to write something else in its place.

Here, and nowhere else, stands which columns hold words of people; a test compares it with all tables.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from app.engine.answers import commitment
from app.engine.definition import Question, StepPlan
from app.engine.run import EvidenceForm, StageRef
from app.engine.run_migration.timeline import Timeline
from app.storage import codec
from app.storage.erasure.items import Item, Key, Kind, Texts, erased, texts_in_answer
from app.storage.evidence_store import COLUMNS as EVIDENCE_COLUMNS
from app.storage.evidence_store import committed, from_row
from app.storage.plans import load_plans
from app.storage.tables import AnswerRow, EvidenceRow, LocalPlan, MandateRow, MassMove, RunRow, TextRow
from app.storage.texts import SALT_BYTES

# What people wrote, by table. `value` is JSON; in the others `""` or NULL is nothing.
WRITTEN: Final[Mapping[str, frozenset[str]]] = {
    "answer": frozenset({"value"}),
    "run_text": frozenset({"text"}),
    "evidence": frozenset({"title", "source", "file_name", "url", "note"}),
    "run": frozenset({"name", "purpose"}),  # as the texts that the run names have them
    "mass_move": frozenset({"reason"}),
    "local_plan": frozenset({"reason"}),
    "mandate": frozenset({"ground"}),  # a trigger lets it go for a decision to erase, and for nothing else
}
_OF_EVIDENCE: Final = ("title", "source", "file_name", "url", "note")


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that somebody wrote. `value` is what stands there, `texts` the texts in it; `file` the SHA-256 of the
    file that belongs to it. `ref`, `step` and `question` say where in the run; `is_current` is False for an earlier
    version."""

    key: Key
    value: Any
    texts: Texts
    by: str
    at: datetime
    ref: str = ""
    step: str = ""
    question: str = ""
    is_current: bool = True
    file: str | None = None
    form: str = ""


@dataclass(frozen=True, slots=True)
class RunPlace:
    name: str
    digest: str


class Places:
    """Of the municipality of the session. Asks the database once per kind."""

    def __init__(self, session: Session) -> None:
        self._session: Final = session
        self.runs: Final[dict[str, RunPlace]] = {}
        self.plans: Final[dict[str, StepPlan]] = {}
        self._digests: Final[dict[str, tuple[str, ...]]] = {}

    def everything(self) -> Iterator[Place]:
        """Streamed."""
        self._know_runs(None)
        yield from self._answers(sa.true())
        yield from self._texts(sa.true())
        yield from self._evidence(sa.true())
        for kind in _OF_NO_RUN:
            yield from self._of_no_run(kind, sa.true())

    def of(self, keys: Collection[Key]) -> dict[Key, Place]:
        """Those that are there."""
        self._know_runs({key.run for key in keys if key.run})
        ids = {kind: [key.id for key in keys if key.kind is kind] for kind in Kind}
        runs = [uuid.UUID(run) for run in self.runs]
        found: list[Place] = []
        if ids[Kind.ANSWER]:
            wanted = col(AnswerRow.commitment).in_(ids[Kind.ANSWER]) & col(AnswerRow.run_id).in_(runs)
            found += self._answers(wanted)
        if ids[Kind.TEXT]:
            found += self._texts(col(TextRow.id).in_(_uuids(ids[Kind.TEXT])))
        if ids[Kind.EVIDENCE]:
            found += self._evidence(col(EvidenceRow.id).in_(_uuids(ids[Kind.EVIDENCE])))
        for kind, column in _OF_NO_RUN.items():
            if ids[kind]:
                found += self._of_no_run(kind, column.text.class_.id.in_(_uuids(ids[kind])))
        places = {place.key: place for place in found}
        return {key: places[key] for key in keys if key in places}

    # --- reading ------------------------------------------------------------------------------------------------

    def _know_runs(self, wanted: Collection[str] | None) -> None:
        columns: tuple[Any, ...] = (RunRow.id, RunRow.name, RunRow.plan_digest, RunRow.state)
        query = sa.select(*columns)
        if wanted is not None:
            query = query.where(col(RunRow.id).in_(_uuids(wanted)))
        for id, name, digest, state in self._session.execute(query):
            self.runs[str(id)] = RunPlace(name, digest)
            others = Timeline(digest, codec.decode_moves(state)).digests - {digest}
            self._digests[str(id)] = (digest, *sorted(others))
        self.plans.update(load_plans(self._session, {one for some in self._digests.values() for one in some}))

    def _question(self, run: str, ref: str, step: str, question: str) -> Question | None:
        for digest in self._digests.get(run, ()):
            with suppress(KeyError, ValueError):
                return self.plans[digest].stage(StageRef.parse(ref).stage).step(step).question(question)
        return None

    def _answers(self, wanted: sa.ColumnElement[bool]) -> Iterator[Place]:
        columns: tuple[Any, ...] = (
            *(AnswerRow.run_id, AnswerRow.commitment, AnswerRow.value, AnswerRow.saved_by, AnswerRow.saved_at),
            *(AnswerRow.ref, AnswerRow.step, AnswerRow.question, AnswerRow.is_current),
        )
        # Of copies (a move gives an answer another place) the current one is shown.
        query = sa.select(*columns).where(wanted, col(AnswerRow.value).is_not(None))
        query = query.order_by(col(AnswerRow.run_id), col(AnswerRow.is_current).desc(), col(AnswerRow.saved_at))
        run: uuid.UUID | None = None
        seen: set[str] = set()
        for id, committed_to, value, by, at, ref, step, question, is_current in self._rows(query):
            if id != run:
                run, seen = id, set()
            if committed_to in seen:
                continue
            seen.add(committed_to)
            texts = texts_in_answer(value, self._question(str(id), ref, step, question))
            if texts:
                key = Key(Kind.ANSWER, str(id), committed_to)
                yield Place(key, value, texts, str(by), at, ref, step, question, is_current)

    def _texts(self, wanted: sa.ColumnElement[bool]) -> Iterator[Place]:
        columns: tuple[Any, ...] = (TextRow.id, TextRow.run_id, TextRow.text, TextRow.written_by, TextRow.written_at)
        query = sa.select(*columns).where(wanted, col(TextRow.text).is_not(None))
        for id, run, text, by, at in self._rows(query.order_by(col(TextRow.run_id), col(TextRow.written_at))):
            yield Place(Key(Kind.TEXT, str(run), str(id)), text, {(): text}, str(by), at)

    def _evidence(self, wanted: sa.ColumnElement[bool]) -> Iterator[Place]:
        query = sa.select(*EVIDENCE_COLUMNS).where(wanted)
        for row in self._rows(query.order_by(col(EvidenceRow.run_id), col(EvidenceRow.added_at))):
            value = {name: text for name in _OF_EVIDENCE if (text := getattr(row, name))}
            yield Place(
                key=Key(Kind.EVIDENCE, row.run_id, row.id),
                value=value,
                texts={(name,): text for name, text in value.items()},
                by=row.added_by,
                at=row.added_at,
                ref=row.ref,
                step=row.step,
                is_current=row.withdrawn_at is None,
                file=row.sha256,
                form=row.form,
            )

    def _of_no_run(self, kind: Kind, wanted: sa.ColumnElement[bool]) -> Iterator[Place]:
        columns = _OF_NO_RUN[kind]
        query = sa.select(columns.text.class_.id, columns.text, columns.by, columns.at).where(wanted)
        for id, text, who, when in self._rows(query):
            if text:
                yield Place(Key(kind, None, str(id)), text, {(): text}, str(who), when)

    def _rows(self, query: Any) -> Iterator[Any]:
        yield from self._session.execute(query.execution_options(yield_per=500))


@dataclass(frozen=True, slots=True)
class _Columns:
    """What somebody wrote, who, and when: columns of one table with an `id`."""

    text: Any
    by: Any
    at: Any


_OF_NO_RUN: Final[Mapping[Kind, _Columns]] = {
    Kind.MASS_MOVE: _Columns(col(MassMove.reason), col(MassMove.started_by), col(MassMove.started_at)),
    Kind.LOCAL_PLAN: _Columns(col(LocalPlan.reason), col(LocalPlan.uploaded_by), col(LocalPlan.uploaded_at)),
    Kind.MANDATE: _Columns(col(MandateRow.ground), col(MandateRow.recorded_by), col(MandateRow.recorded_at)),
}


def _uuids(ids: Collection[str]) -> list[uuid.UUID]:
    found = []
    for id in ids:
        with suppress(ValueError):  # another municipality's id gives the same as nonsense: nothing
            found.append(uuid.UUID(id))
    return found


# --- writing ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Written:
    """What stands somewhere now. `replacements`: by key, the commitment to it, for the event; `files`: hashes that a
    row let go of."""

    replacements: dict[Key, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


def write_over(session: Session, place: Place, item: Item, written: Written) -> None:
    """What the item names goes, and its salt with it: nobody can test a guess. Raises PassageGone."""
    value, salt = erased(place.value, place.texts, item), secrets.token_hex(SALT_BYTES)
    key = place.key
    match key.kind:
        case Kind.ANSWER:
            assert key.run is not None
            copies = (col(AnswerRow.run_id) == uuid.UUID(key.run)) & (col(AnswerRow.commitment) == key.id)
            _update(session, AnswerRow, copies, value=value, salt=salt)
            written.replacements[key] = commitment(value, salt)
        case Kind.TEXT:
            _update(session, TextRow, col(TextRow.id) == uuid.UUID(key.id), text=value, salt=salt)
            written.replacements[key] = commitment(value, salt)
        case Kind.EVIDENCE:
            changed = _of_evidence(place, item, value)
            if "sha256" in changed and place.file:
                written.files.add(place.file)
            own = col(EvidenceRow.id) == uuid.UUID(key.id)
            _update(session, EvidenceRow, own, salt=salt, **changed)
            row = session.execute(sa.select(*EVIDENCE_COLUMNS).where(own)).one()
            written.replacements[key] = commitment(committed(from_row(row).described), salt)
        case Kind.MASS_MOVE | Kind.LOCAL_PLAN | Kind.MANDATE:
            column = _OF_NO_RUN[key.kind].text
            _update(session, column.class_, column.class_.id == uuid.UUID(key.id), **{column.key: value})


def _of_evidence(place: Place, item: Item, value: Mapping[str, str]) -> dict[str, Any]:
    changed: dict[str, Any] = {name: text for name, text in value.items() if text != place.value[name]}
    if "url" in changed:
        changed["url"] = None  # an address with a hole in it leads nowhere
    if item.passages is None and place.form == EvidenceForm.FILE:
        # Its hash would let somebody who has the file show that it was here.
        changed |= {"sha256": None, "bytes": None, "media_type": None, "file_name": None}
    return changed


def _update(session: Session, table: Any, own: sa.ColumnElement[bool], **values: Any) -> None:
    session.execute(sa.update(table).where(own).values(**values).execution_options(synchronize_session=False))
