"""What requests and approvals sealed, kept so that it can be shown and compared later."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from app.engine.seal import Manifest, digest
from app.storage.scope import Prepared
from app.storage.tables import SealRow

_BY_DIGEST = Prepared(
    select(col(SealRow.digest), col(SealRow.manifest)).where(
        col(SealRow.run_id) == bindparam("of_run"), col(SealRow.digest).in_(bindparam("digests", expanding=True))
    )
)


def keep_seal(session: Session, run_id: str, content: Manifest, *, at: datetime) -> str:
    """Keeps a manifest under its digest, once; gives the digest."""
    sealed = digest(content)
    if find_seal(session, run_id, sealed) is None:
        session.add(
            SealRow(
                municipality_id=session.info["municipality_id"],
                run_id=uuid.UUID(run_id),
                digest=sealed,
                manifest=content,
                created_at=at,
            )
        )
        session.flush()
    return sealed


def find_seal(session: Session, run_id: str, sealed: str) -> Manifest | None:
    return find_seals(session, run_id, [sealed]).get(sealed)


def find_seals(session: Session, run_id: str, sealed: Collection[str]) -> dict[str, Manifest]:
    """Manifests by digest, in one query; those that were never kept are absent."""
    if not sealed:
        return {}
    rows = _BY_DIGEST.run(session, {"of_run": uuid.UUID(run_id), "digests": list(sealed)})
    return {key: dict(content) for key, content in rows}
