"""Answers as people gave them, every version kept. The engine's state holds their marks."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlmodel import Session, col

from app.engine.answers import Value, mark
from app.engine.definition import Step
from app.engine.run import AnswerMark, StageRef, UserId
from app.storage.tables import AnswerRow

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Answer:
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


def _answer(row: Row[*tuple[Any, ...]]) -> Answer:
    ref, step, question, value, commitment, saved_by, saved_at = row
    return Answer(ref, step, question, value, commitment, str(saved_by), saved_at)


def current_answers(
    session: Session, run_id: str, ref: StageRef | None = None, step: str | None = None
) -> dict[tuple[str, str, str], Answer]:
    """Current answers by (stage reference, step, question): of the run, of one stage, or of one step."""
    query = select(*_COLUMNS).where(col(AnswerRow.run_id) == uuid.UUID(run_id), col(AnswerRow.is_current))
    if ref is not None:
        query = query.where(col(AnswerRow.ref) == str(ref))
    if step is not None:
        query = query.where(col(AnswerRow.step) == step)
    answers = map(_answer, session.execute(query))
    return {(answer.ref, answer.step, answer.question): answer for answer in answers}


def answers_and_versions(
    session: Session, run_id: str, ref: StageRef, commitments: Collection[str]
) -> tuple[dict[tuple[str, str, str], Answer], dict[str, Answer]]:
    """In one query: the current answers of a stage as `current_answers` gives them, and those versions, current or
    not, as `answers_by_commitment` gives them."""
    query = select(*_COLUMNS, col(AnswerRow.is_current)).where(
        col(AnswerRow.run_id) == uuid.UUID(run_id),
        col(AnswerRow.ref) == str(ref),
        or_(col(AnswerRow.is_current), col(AnswerRow.commitment).in_(list(commitments))),
    )
    current, versions = {}, {}
    for row in session.execute(query):
        answer = Answer(row.ref, row.step, row.question, row.value, row.commitment, str(row.saved_by), row.saved_at)
        versions[answer.commitment] = answer
        if row.is_current:
            current[(answer.ref, answer.step, answer.question)] = answer
    return current, versions


def answers_by_commitment(session: Session, run_id: str, commitments: Collection[str]) -> dict[str, Answer]:
    """Any version of an answer, found by the commitment that an event or a seal holds."""
    if not commitments:
        return {}
    query = select(*_COLUMNS).where(
        col(AnswerRow.run_id) == uuid.UUID(run_id), col(AnswerRow.commitment).in_(list(commitments))
    )
    answers = map(_answer, session.execute(query))
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
    session.execute(
        update(AnswerRow)
        .where(
            col(AnswerRow.run_id) == uuid.UUID(run_id),
            col(AnswerRow.ref) == str(ref),
            col(AnswerRow.step) == step.id,
            col(AnswerRow.is_current),
            col(AnswerRow.question).in_(list(values)),
        )
        .values(is_current=False)
        .execution_options(synchronize_session=False)
    )
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
    session.execute(insert(AnswerRow), rows)
    return marks
