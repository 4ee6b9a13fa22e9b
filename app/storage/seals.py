"""What requests and approvals sealed, kept so that it can be shown and compared later."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from app.engine.seal import Manifest, digest
from app.storage.tables import SealRow


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
    query = select(SealRow.manifest).where(SealRow.run_id == uuid.UUID(run_id), SealRow.digest == sealed)
    manifest: Any = session.exec(query).one_or_none()
    return manifest if manifest is None else dict(manifest)
