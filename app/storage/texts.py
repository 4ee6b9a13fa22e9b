"""Free text that events refer to by id: reasons, messages, findings. It can be erased without touching history.

The event that first names a text holds a commitment to it as well (`text_commitments` in its data), so that a text that
was changed is told from one that was erased.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, type_coerce, union_all
from sqlmodel import Session, col

from app.engine.answers import commitment
from app.engine.run import TextId, UserId
from app.storage.scope import Prepared
from app.storage.tables import TextRow, User
from app.storage.types import IdText

TEXT_MAX = 5_000  # characters; two pages, more than any reason needs
SALT_BYTES = 16
COMMITMENTS = "text_commitments"  # in the data of an event: what texts that it names committed to, by id

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
    text = _plain(text)
    if not text:
        return None
    key = uuid.UUID(id) if id else uuid.uuid4()
    salt, sealed = _commit(session, str(key), text)
    row = {
        "id": key,
        "municipality_id": session.info["municipality_id"],
        "run_id": uuid.UUID(run_id),
        "text": text,
        "salt": salt,
        "commitment": sealed,
        "written_by": uuid.UUID(by),
        "written_at": at,
    }
    _ADD.run(session, row)
    return str(key)


def will_write(session: Session, texts: Mapping[TextId | None, str]) -> None:
    """For an event that precedes its texts: they are written under these ids later in the transaction."""
    for id, text in texts.items():
        if id and (plain := _plain(text)):
            _commit(session, id, plain)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _commit(session: Session, id: TextId, text: str) -> tuple[str, str]:
    """The salt, and the commitment under it; the same when asked again in the transaction."""
    known: dict[TextId, tuple[str, str]] = session.info.setdefault("texts", {})
    if id not in known:
        salt = secrets.token_hex(SALT_BYTES)
        known[id] = salt, commitment(text, salt)
    return known[id]


def commitments_in(session: Session, data: object) -> dict[TextId, str]:
    """To the texts that this transaction writes and that the data of an event names."""
    known: dict[TextId, tuple[str, str]] = session.info.get("texts") or {}
    return {id: known[id][1] for id in sorted(set(_words(data)) & known.keys())} if known else {}


def _words(data: object) -> Iterator[str]:
    match data:
        case str():
            yield data
        case dict():
            for value in data.values():
                yield from _words(value)
        case list():
            for value in data:
                yield from _words(value)


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
