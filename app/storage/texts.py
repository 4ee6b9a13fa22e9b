"""Free text that events refer to by id: reasons, messages, findings. It can be erased without touching history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, type_coerce, union_all
from sqlmodel import Session, col

from app.engine.run import TextId, UserId
from app.storage.scope import Prepared
from app.storage.tables import TextRow, User
from app.storage.types import IdText

TEXT_MAX = 5_000  # characters; two pages, more than any reason needs


_columns: tuple[Any, ...] = (TextRow.id, TextRow.text)
_TEXTS = Prepared(select(*_columns).where(col(TextRow.id).in_(bindparam("ids", expanding=True))))
_ADD = Prepared(insert(TextRow))
_TEXTS_AND_NAMES = Prepared(
    union_all(
        select(type_coerce(col(TextRow.id), IdText), col(TextRow.text)).where(
            col(TextRow.id).in_(bindparam("texts", expanding=True))
        ),
        select(type_coerce(col(User.id), IdText), col(User.name)).where(
            col(User.id).in_(bindparam("people", expanding=True))
        ),
    )
)


def write_text(
    session: Session, run_id: str, text: str, *, by: UserId, at: datetime, id: TextId | None = None
) -> TextId | None:
    """Keeps the text and gives its id (`id` if that was chosen before); None for an empty one, so that the engine
    can ask for it."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        return None
    key = uuid.UUID(id) if id else uuid.uuid4()
    row = {
        "id": key,
        "municipality_id": session.info["municipality_id"],
        "run_id": uuid.UUID(run_id),
        "text": text,
        "written_by": uuid.UUID(by),
        "written_at": at,
    }
    _ADD.run(session, row)
    return str(key)


def read_texts(session: Session, ids: Iterable[TextId | None]) -> dict[TextId, str]:
    """Texts by id in one query; an erased or unknown one is absent."""
    keys = {uuid.UUID(id) for id in ids if id}
    if not keys:
        return {}
    return {str(id): text for id, text in _TEXTS.run(session, {"ids": list(keys)}) if text is not None}


def read_texts_and_names(
    session: Session, texts: Iterable[TextId | None], people: Iterable[UserId | None]
) -> tuple[dict[TextId, str], dict[UserId, str]]:
    """As `read_texts` and `people.names_of`, in one query together."""
    wanted, users = {id for id in texts if id}, {id for id in people if id}
    if not wanted and not users:
        return {}, {}
    values = {"texts": [uuid.UUID(id) for id in wanted], "people": [uuid.UUID(id) for id in users]}
    found = {id: text for id, text in _TEXTS_AND_NAMES.run(session, values) if text is not None}
    return {id: found[id] for id in wanted & found.keys()}, {id: found[id] for id in users & found.keys()}
