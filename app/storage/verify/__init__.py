"""Does the history tell the same story as the tables? Replays every run and compares.

What an event says was erased may stand there in another form, and only in the one that the event commits to.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlmodel import Session, col, select

from app.storage.tables import RunRow
from app.storage.verify.findings import Finding, Part, Trouble, Verified
from app.storage.verify.given import check_answers, check_evidence, check_seals, check_texts
from app.storage.verify.replaying import Told, replay
from app.storage.verify.state import check_members, check_points, check_tables, check_waiting

__all__ = ["Finding", "Part", "Trouble", "Verified", "verify_all", "verify_run"]


def verify_all(session: Session) -> Iterator[Verified]:
    """Checks every run of the scope of this session, one at a time, so that memory stays flat."""
    last: uuid.UUID | None = None
    while True:
        query = select(RunRow.id).order_by(col(RunRow.id)).limit(1)
        if last is not None:
            query = query.where(col(RunRow.id) > last)
        last = session.exec(query).one_or_none()
        if last is None:
            return
        yield verify_run(session, str(last))


def verify_run(session: Session, run_id: str) -> Verified:
    found: list[Finding] = []

    def report(part: Part, key: str, trouble: Trouble, detail: object = "") -> None:
        found.append(Finding(run_id, part, key, trouble, str(detail)))

    told = Told()
    replayed, count = replay(session, run_id, told, report)
    if replayed is not None:
        check_tables(session, replayed, report)
        check_texts(session, replayed, told, report)
        check_members(session, replayed, report)
        check_answers(session, replayed, told, report)
        check_evidence(session, replayed, told, report)
        check_seals(session, replayed, report)
        check_points(session, replayed, report)
        check_waiting(session, replayed, report)
    return Verified(run_id, count, tuple(found))
