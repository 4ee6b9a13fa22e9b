"""Signs heads when it is time, and hands them to witnesses. Nothing here may stand in the way of the work itself."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy
import structlog
from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, col, select

from app.engine.log import Head
from app.storage.database import Database
from app.storage.grown import Grown
from app.storage.history import heads
from app.storage.history.heads import Signed
from app.storage.history.keys import KeyUnusable, SigningKey, load_key, make_key, sync_folder
from app.storage.history.witness import WitnessFailed
from app.storage.history.witnesses import Witness
from app.storage.scope import Prepared, set_scope, unscoped
from app.storage.tables import Municipality, SignedHead, WitnessProgress

log = structlog.get_logger(__name__)

SIGN_EVERY: Final = timedelta(hours=1)  # while the log grows
TRY_AGAIN_AFTER: Final = timedelta(minutes=1)


class HistoryKeeper:
    """`in_background`: witnesses are called in a thread of its own, since a mail server may let one wait."""

    def __init__(
        self,
        database: Database,
        key_file: Path,
        witnesses: Sequence[Witness] = (),
        *,
        clock: Callable[[], datetime],
        in_background: bool = False,
    ) -> None:
        self._database, self._key_file, self._witnesses, self._clock = database, key_file, witnesses, clock
        self._messenger = ThreadPoolExecutor(1, "witnesses") if in_background and witnesses else None
        self._due: dict[uuid.UUID, datetime] = {}  # from when on a change is reason to sign

    def ensure_key(self) -> SigningKey:
        """Makes the key on the first start; never when something was signed already.  Raises KeyUnusable."""
        if (found := load_key(self._key_file)) is not None:
            return found
        with self._database.read() as session:
            unscoped(session, "whether anything was ever signed, by whatever municipality")
            is_first = session.exec(select(SignedHead.number).limit(1)).first() is None
        if not is_first:
            raise KeyUnusable(
                f"the key that signed the history is not in {self._key_file}: put it back, or see "
                "docs/decisions/0012-history.md"
            )
        return make_key(self._key_file)

    def before_commit(self, session: Session, grown: Grown) -> Grown:
        """Signs in the transaction that added to a log, if it is time: what was approved and the head over it are there
        together, or neither is. Whatever fails is logged and tried again."""
        at = self._clock()
        municipality = grown.municipality
        if not grown.has_approval and at < self._due.get(municipality, at):
            return grown
        try:
            # On PostgreSQL a statement that fails would take the work along. SQLite undoes that statement alone, or
            # everything, which is noticed at the commit (TransactionLost).
            with nullcontext() if self._database.is_sqlite else session.begin_nested():
                if not grown.has_approval and not self._is_due(session, municipality, at):
                    return grown
                signed = heads.sign_grown(session, self.ensure_key(), at=at)
        except Exception:
            # The change itself is sound, and whoever made it must not be told otherwise.
            self._due[municipality] = at + TRY_AGAIN_AFTER
            log.exception("head_not_signed", municipality=str(municipality))
            return grown
        return replace(grown, is_signed=signed is not None)

    def after_commit(self, grown: Grown) -> None:
        if grown.is_signed:
            at = self._clock()
            self._due[grown.municipality] = at + SIGN_EVERY
            self._tell_witnesses(grown.municipality, at)

    def _is_due(self, session: Session, municipality: uuid.UUID, at: datetime) -> bool:
        """The first change of all is signed at once."""
        if municipality not in self._due:
            last = heads.newest(session)
            if last is None:
                return True
            self._due[municipality] = last.head.at + SIGN_EVERY
        return at >= self._due[municipality]

    def sign(self, municipality: uuid.UUID, *, at: datetime, next_key: str | None = None) -> Head | None:
        """A head over the log as it is now, for the witnesses too; None when there is nothing new to sign.
        Raises KeyUnusable, CannotSign."""
        key = self.ensure_key()
        with self._database.write() as session:
            set_scope(session, municipality)
            signed = heads.sign(session, key, at=at, next_key=next_key)
            last = signed or heads.newest(session)
        if last is not None:
            self._due[municipality] = last.head.at + SIGN_EVERY
        self._tell_witnesses(municipality, at)
        return signed.head if signed is not None else None

    def renew_key(self, *, at: datetime) -> SigningKey:
        """Every history goes on with a new key, which a head signed with the old one introduces. What was interrupted
        is finished by doing it again.  Raises KeyUnusable, CannotSign."""
        self.ensure_key()
        beside = self._key_file.with_suffix(".next.pem")
        new = make_key(beside)
        with self._database.read() as session:
            unscoped(session, "all histories go on with the new key")
            municipalities = [*session.exec(select(Municipality.id).order_by(col(Municipality.id)))]
        for municipality in municipalities:
            with self._database.read() as session:
                set_scope(session, municipality)
                last = heads.newest(session)
            if last is None or last.head.next_key != new.public:
                self.sign(municipality, at=at, next_key=new.public)
        beside.replace(self._key_file)
        sync_folder(self._key_file.parent)
        for municipality in municipalities:
            self.sign(municipality, at=at)
        return new

    def _tell_witnesses(self, municipality: uuid.UUID, at: datetime) -> None:
        if self._messenger is not None:
            self._messenger.submit(self.hand_over, municipality, at=at)
        else:
            self.hand_over(municipality, at=at)

    def hand_over(self, municipality: uuid.UUID, *, at: datetime) -> list[str]:
        """Every head that a witness does not have yet, in order. Names the witnesses that failed; those get them with
        the next head."""
        failed = []
        for witness in self._witnesses:
            try:
                self._hand_to(witness, municipality, at)
            except WitnessFailed as reason:
                failed.append(witness.name)
                log.error("witness_failed", witness=witness.name, municipality=str(municipality), reason=str(reason))
            except Exception:
                failed.append(witness.name)
                log.exception("witness_failed", witness=witness.name, municipality=str(municipality))
        return failed

    def _hand_to(self, witness: Witness, municipality: uuid.UUID, at: datetime) -> None:
        with self._database.read() as session:
            set_scope(session, municipality)
            name = session.exec(select(Municipality.name).where(Municipality.id == municipality)).one()
            known = _PROGRESS.run(session, {"of_witness": witness.name}).scalar_one_or_none()
            waiting = [*heads.heads_after(session, -1 if known is None else known)]
        done: Signed | None = None
        try:
            for signed in waiting:
                witness.receive(name, signed)
                done = signed
        finally:
            if done is not None:
                self._note(witness.name, municipality, done.head.number, at, is_new=known is None)

    def _note(self, witness: str, municipality: uuid.UUID, number: int, at: datetime, *, is_new: bool) -> None:
        with self._database.write() as session:
            set_scope(session, municipality)
            values: dict[str, Any] = {"number": number, "at": at}
            if not is_new:
                _CHANGE_PROGRESS.run(session, {"of_witness": witness, **values})
            else:
                _ADD_PROGRESS.run(session, {"municipality_id": municipality, "witness": witness, **values})

    def wait(self) -> None:
        """Until the witnesses were told, or failed."""
        if self._messenger is not None:
            self._messenger.submit(lambda: None).result()


_OF_WITNESS = col(WitnessProgress.witness) == bindparam("of_witness")
_PROGRESS = Prepared(sqlalchemy.select(col(WitnessProgress.number)).where(_OF_WITNESS))
_CHANGE_PROGRESS = Prepared(update(WitnessProgress).where(_OF_WITNESS))
_ADD_PROGRESS = Prepared(insert(WitnessProgress))
