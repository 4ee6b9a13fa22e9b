"""Answers as people gave them, every version kept. The engine's state holds their marks."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, or_, select, type_coerce, update
from sqlmodel import Session, col

from app.engine.answers import Value, mark
from app.engine.definition import Step
from app.engine.run import AnswerMark, Run, StageRef, UserId
from app.storage.erasure.items import is_erased
from app.storage.scope import Prepared
from app.storage.straight import Rows
from app.storage.tables import AnswerRow
from app.storage.types import IdText

SALT_BYTES = 16
COMMITMENTS_AT_ONCE = 500  # in one question to the database


class Answer(NamedTuple):
    """One version of an answer; `value` is as in `engine.answers`, None when emptied or erased."""

    ref: str
    step: str
    question: str
    value: Value
    commitment: str
    saved_by: UserId
    saved_at: datetime


_COLUMNS: tuple[Any, ...] = (
    AnswerRow.ref,
    AnswerRow.step,
    AnswerRow.question,
    AnswerRow.value,
    AnswerRow.commitment,
    AnswerRow.saved_by,
    AnswerRow.saved_at,
)


# As `Answer` has them, in its order.
_ANSWER = (*_COLUMNS[:5], type_coerce(col(AnswerRow.saved_by), IdText), AnswerRow.saved_at)
_OF_RUN = select(*_ANSWER).where(col(AnswerRow.run_id) == bindparam("of_run"))
_CURRENT = _OF_RUN.where(col(AnswerRow.is_current))
_IN_STAGE = _CURRENT.where(col(AnswerRow.ref) == bindparam("of_stage"))
_CURRENT_IN_RUN, _CURRENT_IN_STAGE = Prepared(_CURRENT), Prepared(_IN_STAGE)
_CURRENT_IN_STEP = Prepared(_IN_STAGE.where(col(AnswerRow.step) == bindparam("of_step")))
_BY_COMMITMENT = Prepared(_OF_RUN.where(col(AnswerRow.commitment).in_(bindparam("commitments", expanding=True))))
_CURRENT_AND_VERSIONS = Prepared(
    select(*_ANSWER, col(AnswerRow.is_current)).where(
        col(AnswerRow.run_id) == bindparam("of_run"),
        col(AnswerRow.ref) == bindparam("of_stage"),
        or_(col(AnswerRow.is_current), col(AnswerRow.commitment).in_(bindparam("commitments", expanding=True))),
    )
)
_ADD = Prepared(insert(AnswerRow))
_REPLACE = Prepared(
    update(AnswerRow).where(
        col(AnswerRow.run_id) == bindparam("of_run"),
        col(AnswerRow.ref) == bindparam("of_stage"),
        col(AnswerRow.step) == bindparam("of_step"),
        col(AnswerRow.is_current),
        col(AnswerRow.question).in_(bindparam("questions", expanding=True)),
    )
)


def current_answers(
    session: Session, run_id: str, ref: StageRef | None = None, step: str | None = None
) -> dict[tuple[str, str, str], Answer]:
    """Current answers by (stage reference, step, question): of the run, of one stage, or of one step."""
    key = uuid.UUID(run_id)
    if ref is None:
        rows = _CURRENT_IN_RUN.run(session, {"of_run": key})
    elif step is None:
        rows = _CURRENT_IN_STAGE.run(session, {"of_run": key, "of_stage": str(ref)})
    else:
        rows = _CURRENT_IN_STEP.run(session, {"of_run": key, "of_stage": str(ref), "of_step": step})
    return {(row[0], row[1], row[2]): Answer(*row) for row in rows.all()}


@dataclass(frozen=True, slots=True)
class AnswersOfRun:
    """All current answers of a run by place, and as the database gave them: to see at one look that nothing of them is
    another, which costs half of reading them."""

    fetched: Sequence[Any]
    by_place: Mapping[tuple[str, str, str], Answer]


def answers_of_run(session: Session, run_id: str, *, known: AnswersOfRun | None) -> AnswersOfRun:
    """`known` itself while the database gives the same."""
    rows = _CURRENT_IN_RUN.run(session, {"of_run": uuid.UUID(run_id)})
    assert isinstance(rows, Rows), "a plain query"
    if known is not None and rows.fetched == known.fetched:
        return known
    return AnswersOfRun(rows.fetched, {(row[0], row[1], row[2]): Answer(*row) for row in rows.all()})


def answers_and_versions(
    session: Session, run_id: str, ref: StageRef, commitments: Collection[str]
) -> tuple[dict[tuple[str, str, str], Answer], dict[str, Answer]]:
    """In one query: the current answers of a stage as `current_answers` gives them, and those versions, current or
    not, as `answers_by_commitment` gives them."""
    values = {"of_run": uuid.UUID(run_id), "of_stage": str(ref), "commitments": list(commitments)}
    current, versions = {}, {}
    for *columns, is_current in _CURRENT_AND_VERSIONS.run(session, values).all():
        answer = Answer(*columns)
        versions[answer.commitment] = answer
        if is_current:
            current[(answer.ref, answer.step, answer.question)] = answer
    return current, versions


_CURRENT_IN_RUNS = Prepared(
    select(*_ANSWER).where(col(AnswerRow.run_id).in_(bindparam("runs", expanding=True)), col(AnswerRow.is_current))
)


def answers_of_both(session: Session, run_id: str, other_id: str) -> dict[str, Answer]:
    """The current answers of two runs, by commitment: one query."""
    rows = _CURRENT_IN_RUNS.run(session, {"runs": [uuid.UUID(run_id), uuid.UUID(other_id)]})
    answers = (Answer(*row) for row in rows)
    return {answer.commitment: answer for answer in answers}


def answers_by_commitment(session: Session, run_id: str, commitments: Collection[str]) -> dict[str, Answer]:
    """Any version of an answer, found by the commitment that an event or a seal holds."""
    if not commitments:
        return {}
    rows = _BY_COMMITMENT.run(session, {"of_run": uuid.UUID(run_id), "commitments": list(commitments)})
    answers = (Answer(*row) for row in rows.all())
    return {answer.commitment: answer for answer in answers}


def write_answers(
    session: Session,
    run_id: str,
    ref: StageRef,
    step: Step,
    values: Mapping[str, Value],
    *,
    by: UserId,
    at: datetime,
) -> dict[str, AnswerMark]:
    """Adds a version per given answer, makes it the current one, and returns the marks for the engine."""
    if not values:
        return {}
    place = {"of_run": uuid.UUID(run_id), "of_stage": str(ref), "of_step": step.id, "questions": list(values)}
    _REPLACE.run(session, {**place, "is_current": False})
    marks, rows = {}, []
    for question, value in values.items():
        salt = secrets.token_hex(SALT_BYTES)
        marks[question] = mark(step.question(question), value, salt)
        rows.append(
            {
                "id": uuid.uuid4(),
                "municipality_id": session.info["municipality_id"],
                "run_id": uuid.UUID(run_id),
                "ref": str(ref),
                "step": step.id,
                "question": question,
                "value": value,
                "salt": salt,
                "commitment": marks[question].commitment,
                "is_current": True,
                "saved_by": uuid.UUID(by),
                "saved_at": at,
            }
        )
    _ADD.run(session, rows)
    return marks


def propose_answers(
    session: Session, run_id: str, ref: StageRef, step: Step, sources: Mapping[str, str], *, of_run: str
) -> dict[str, AnswerMark]:
    """Copies answers of another run (by question: the commitment there) as proposals, with their writer and time, and
    returns the marks for the engine. What was erased there does not come along."""
    found = _OF_COMMITMENTS.run(session, {"of_run": uuid.UUID(of_run), "commitments": sorted(set(sources.values()))})
    by_commitment = {row.commitment: row for row in found if row.value is not None and not is_erased(row.value)}
    marks, rows = {}, []
    for question, committed in sources.items():
        source = by_commitment.get(committed)
        if source is None:
            continue
        salt = secrets.token_hex(SALT_BYTES)
        marks[question] = replace(mark(step.question(question), source.value, salt), is_proposal=True)
        rows.append(
            {
                "id": uuid.uuid4(),
                "municipality_id": session.info["municipality_id"],
                "run_id": uuid.UUID(run_id),
                "ref": str(ref),
                "step": step.id,
                "question": question,
                "value": source.value,
                "salt": salt,
                "commitment": marks[question].commitment,
                "is_current": True,
                "saved_by": source.saved_by,
                "saved_at": source.saved_at,
            }
        )
    if rows:
        _ADD.run(session, rows)
    return marks


# --- answers that get another place ----------------------------------------------------------------------------

_Address = tuple[str, str, str]
_OF_COMMITMENTS = Prepared(
    select(*_COLUMNS, col(AnswerRow.salt)).where(
        col(AnswerRow.run_id) == bindparam("of_run"),
        col(AnswerRow.commitment).in_(bindparam("commitments", expanding=True)),
    )
)


def _current(run: Run) -> dict[_Address, str]:
    return {
        (str(ref), step, question): mark.commitment
        for ref, instance in run.stages.items()
        for step, state in instance.steps.items()
        for question, mark in state.answers.items()
    }


def follow_move(session: Session, before: Run, after: Run) -> None:
    """Makes the same answers current as the state after a move, or after undoing one, holds: at their new place with
    their text, writer and time. What has no place any more is no longer current, and stays."""
    old, new = _current(before), _current(after)
    leaving = [address for address, commitment in old.items() if new.get(address) != commitment]
    arriving = {address: commitment for address, commitment in new.items() if old.get(address) != commitment}
    by_step: dict[tuple[str, str], list[str]] = {}
    for ref, step, question in leaving:
        by_step.setdefault((ref, step), []).append(question)
    key = uuid.UUID(after.id)
    for (ref, step), questions in by_step.items():
        _REPLACE.run(
            session, {"of_run": key, "of_stage": ref, "of_step": step, "questions": questions, "is_current": False}
        )
    if not arriving:
        return
    wanted = sorted(set(arriving.values()))
    sources: dict[str, Any] = {}
    for start in range(0, len(wanted), COMMITMENTS_AT_ONCE):
        some = wanted[start : start + COMMITMENTS_AT_ONCE]
        sources |= {row.commitment: row for row in _OF_COMMITMENTS.run(session, {"of_run": key, "commitments": some})}
    rows = []
    for (ref, step, question), committed in arriving.items():
        source = sources[committed]
        rows.append(
            {
                "id": uuid.uuid4(),
                "municipality_id": session.info["municipality_id"],
                "run_id": key,
                "ref": ref,
                "step": step,
                "question": question,
                "value": source.value,
                "salt": source.salt,
                "commitment": committed,
                "is_current": True,
                "saved_by": source.saved_by,
                "saved_at": source.saved_at,
            }
        )
    _ADD.run(session, rows)
