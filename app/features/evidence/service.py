"""Adding and withdrawing evidence. The engine decides; this places files, writes descriptions and records."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from sqlmodel import Session

from app.engine import transitions
from app.engine.answers import canonical
from app.engine.apply import apply
from app.engine.definition import StepPlan
from app.engine.events import Event
from app.engine.run import EvidenceId, Run, StageRef, UserId
from app.features.evidence.file_types import name_for, title_for
from app.features.evidence.forms import TITLE_MAX, AddForm, LinkForm, NoteForm, form_named
from app.features.evidence.uploads import ReceivedFile, Upload
from app.storage import evidence_store, marks, run_store
from app.storage.evidence_store import Description, Evidence, StoredFile
from app.storage.texts import write_text


class EvidenceSetAside(Exception):
    """It has no place in the present version of the plan; nothing of it changes until it has one again."""


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step to which this person may add evidence now. Of the run only it is loaded. `present` is what was added
    there, also what was withdrawn; `counting` are the ids of what counts there now."""

    plan: StepPlan
    run: Run
    ref: StageRef
    step: str
    present: Sequence[Evidence]
    counting: frozenset[EvidenceId]


@dataclass(frozen=True, slots=True)
class Added:
    """`twins`: what was with this step already, as evidence of the same kind; for a file, with the file."""

    titles: tuple[str, ...]
    twins: tuple[tuple[ReceivedFile | None, Evidence], ...]


def open_step(session: Session, run_id: str, ref: StageRef, step: str, *, by: UserId, at: datetime) -> OpenStep:
    """Raises RunNotFound, NoSuchPart; Blocked when this person cannot work on the step now."""
    plan, run = run_store.load_step(session, run_id, ref, step, for_change=True)
    # Without answers this refuses, or gives no events.
    transitions.save_step(plan, run, ref, step, answers={}, based_on=0, by=by, at=at)
    instance = run.instance(ref)
    counting = frozenset(item.id for item in instance.step(step).evidence if item.counts) if instance else frozenset()
    return OpenStep(plan, run, ref, step, evidence_store.evidence_of(session, run.id, ref, step), counting)


def add_evidence(
    session: Session,
    place: OpenStep,
    form: AddForm,
    files: Sequence[ReceivedFile],
    upload: Upload,
    *,
    by: UserId,
    at: datetime,
) -> Added:
    """Adds a link, a note, or each of these good files. What the same page added before is not added again."""
    events: list[Event] = []
    run = place.run
    titles: list[str] = []
    twins: list[tuple[ReceivedFile | None, Evidence]] = []
    counting = [each for each in place.present if each.id in place.counting]
    known = {each.id for each in place.present}
    for file, described in _described(place.plan, form, files):
        id = _evidence_id(form.key, place, described)
        if before := next((each for each in counting if each.id == id), None):
            titles.append(before.described.title)
            continue
        if twin := _twin(counting, described):
            twins.append((file, twin))
            continue
        id = (
            str(uuid.uuid4()) if id in known else id
        )  # withdrawn or set aside since: what is added now is another piece
        if file is not None:
            upload.place(file)
        salt = evidence_store.new_salt()
        happened = transitions.add_evidence(
            place.plan,
            run,
            place.ref,
            place.step,
            evidence=id,
            kind=described.kind,
            form=described.form,
            commitment=evidence_store.commit_to(described, salt),
            grounds=described.grounds,
            by=by,
            at=at,
        )
        added = evidence_store.write_evidence(
            session, id, run.id, place.ref, place.step, described, salt=salt, by=by, at=at
        )
        run = reduce(apply, happened, run)
        events += happened
        titles.append(described.title)
        counting.append(added)
    run_store.record(session, place.plan, place.run, events)
    upload.recorded()
    return Added(tuple(titles), tuple(twins))


def _described(
    plan: StepPlan, form: AddForm, files: Sequence[ReceivedFile]
) -> Iterator[tuple[ReceivedFile | None, Description]]:
    def description(
        title: str, file: StoredFile | None = None, url: str | None = None, note: str | None = None
    ) -> Description:
        return Description(
            kind=form.kind,
            form=form_named(form.form),
            title=title,
            document_date=form.document_date,
            source=form.source,
            confidentiality=form.confidentiality,
            grounds=tuple(ground.id for ground in plan.grounds if ground.id in form.grounds),
            file=file,
            url=url,
            note=note,
        )

    match form:
        case LinkForm():
            yield None, description(form.title, url=form.url)
        case NoteForm():
            yield None, description(form.title, note=form.note)
        case _:
            for file in files:
                assert file.type is not None
                assert file.incoming is not None
                name = name_for(file.filename or "", file.type)
                stored = StoredFile(file.incoming.sha256, file.bytes, file.type.media_type, name)
                title = form.title or title_for(name)
                if form.title and len(files) > 1:
                    title = f"{form.title}: {title_for(name)}"
                yield file, description(title[:TITLE_MAX], file=stored)


def _evidence_id(key: uuid.UUID, place: OpenStep, described: Description) -> EvidenceId:
    """The same for the same page, step and content, so that a double click adds nothing twice."""
    content = [place.run.id, str(place.ref), place.step, evidence_store.committed(described)]
    return str(uuid.uuid5(key, canonical(content).decode()))


def _twin(counting: Iterable[Evidence], described: Description) -> Evidence | None:
    """The same document counted twice would meet a demand for two."""
    for each in counting:
        other = each.described
        if other.kind != described.kind:
            continue
        if described.file and other.file and described.file.sha256 == other.file.sha256:
            return each
        if described.url is not None and described.url == other.url:
            return each
    return None


def withdraw_evidence(
    session: Session, run_id: str, id: str, *, reason: str, based_on: str, by: UserId, at: datetime
) -> None:
    """Withdrawing one's own withdrawal again changes nothing.  Raises RunNotFound, NoSuchPart, Blocked,
    EvidenceSetAside; Outdated when something else happened to the stage."""
    found = evidence_store.find_evidence(session, run_id, id)
    plan, run = run_store.load_step(session, run_id, found.ref, found.step, for_change=True)
    found = evidence_store.find_evidence(session, run_id, id)  # nobody changes it from here on
    if found.withdrawn_by == by:
        return
    if any(item.evidence and item.evidence.id == found.id for item in run.parked):
        raise EvidenceSetAside(found.id)
    marks.check(based_on, marks.stage_mark(run, found.ref))
    text = write_text(session, run.id, reason, by=by, at=at)
    events = transitions.withdraw_evidence(
        plan, run, found.ref, found.step, evidence=found.id, reason=text, by=by, at=at
    )
    run_store.record(session, plan, run, events)
    evidence_store.mark_withdrawn(session, found.id, by=by, at=at)
