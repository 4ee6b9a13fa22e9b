"""Free text that events refer to by id: reasons, messages, findings. It can be erased without touching history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from app.engine.run import TextId, UserId
from app.storage.tables import TextRow

TEXT_MAX = 5_000  # characters; two pages, more than any reason needs


def write_text(
    session: Session, run_id: str, text: str, *, by: UserId, at: datetime, id: TextId | None = None
) -> TextId | None:
    """Keeps the text and gives its id (`id` if that was chosen before); None for an empty one, so that the engine
    can ask for it."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        return None
    row = TextRow(
        id=uuid.UUID(id) if id else uuid.uuid4(),
        municipality_id=session.info["municipality_id"],
        run_id=uuid.UUID(run_id),
        text=text,
        written_by=uuid.UUID(by),
        written_at=at,
    )
    session.add(row)
    session.flush()
    return str(row.id)


def read_texts(session: Session, ids: Iterable[TextId | None]) -> dict[TextId, str]:
    """Texts by id in one query; an erased or unknown one is absent."""
    keys = {uuid.UUID(id) for id in ids if id}
    if not keys:
        return {}
    rows = session.execute(select(TextRow.id, TextRow.text).where(col(TextRow.id).in_(keys)))
    return {str(id): text for id, text in rows if text is not None}
