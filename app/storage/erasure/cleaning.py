"""No trace: files that nothing refers to go, and what databases leave behind of what was changed or removed.

SQLite is told to overwrite what it removes (app/storage/database.py), and is written anew (VACUUM), since an earlier
version of this software or of SQLite may have left copies in free space. PostgreSQL writes a changed row beside the old
one, and VACUUM alone leaves the old bytes where they were: the tables are written anew too (VACUUM FULL).

What a file system, a disk, a backup, a replica or an archive of the write-ahead log keeps is out of reach from here;
docs/privacy.md says what to do about those.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from app.storage.database import Database
from app.storage.erasure import requests
from app.storage.erasure.people import GOES
from app.storage.erasure.places import WRITTEN
from app.storage.evidence_files import EvidenceFiles
from app.storage.evidence_store import used_hashes
from app.storage.scope import set_scope
from app.storage.tables import Municipality

log = structlog.get_logger(__name__)

TRIES: Final = 5
WAIT: Final = 0.5  # seconds before the second try; twice as long before each next one

TABLES: Final = tuple(sorted({*WRITTEN, "user_account", "login_attempt", *(c.class_.__tablename__ for c in GOES)}))
"""Where something that was erased may have stood."""
_NUMBER: Final = re.compile(r"\d+")
STATISTICS: Final = "pg_statistic"
"""PostgreSQL keeps values of columns there. Of those with words of people it was told not to (migrations); what it kept
before goes too, where the owner of the tables owns the database as well."""


class NotClean(Exception):
    """Traces may be left; the message says why, and what to do."""


class Cleaner:
    """After the commit of an erasure, and whenever the application starts: what failed is taken up again then."""

    def __init__(
        self,
        database: Database,
        files: EvidenceFiles,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database, self._files, self._clock, self._pause = database, files, clock, pause

    def finish(self, municipality: uuid.UUID) -> bool:
        """Whether all is clean now."""
        try:
            self._try_again(lambda: self._finish(municipality))
        except NotClean as left:
            log.error("erasure_not_finished", municipality=str(municipality), reason=str(left))
            return False
        except Exception:
            # Whoever confirmed was answered already, and the work is taken up again at the next start.
            log.exception("erasure_not_finished", municipality=str(municipality))
            return False
        return True

    def finish_all(self) -> bool:
        with self._database.read() as session:
            municipalities = [*session.exec(select(Municipality.id).order_by(col(Municipality.id)))]
        left = [each for each in municipalities if not self.finish(each)]
        return not left

    def _try_again(self, work: Callable[[], None]) -> None:
        for number in range(TRIES):
            try:
                work()
            except (NotClean, DBAPIError):
                if number == TRIES - 1:
                    raise
                self._pause(WAIT * 2**number)
            else:
                return

    def _finish(self, municipality: uuid.UUID) -> None:
        with self._database.read() as session:
            set_scope(session, municipality)
            waiting, unclean = requests.files_to_remove(session), requests.not_clean(session)
        for id, hashes in waiting.items():
            self._remove(municipality, id, hashes)
        if unclean or waiting:
            # Last: what was still to do is a trace as well.
            rewrite(self._database, TABLES)
            with self._database.write() as session:
                set_scope(session, municipality)
                requests.note_clean(session, [*unclean, *waiting], at=self._clock())

    def _remove(self, municipality: uuid.UUID, id: str, hashes: Collection[str]) -> None:
        with self._files.removing() as is_alone:
            if not is_alone:
                raise NotClean("files are coming in; the file that goes waits for them")
            with self._database.read() as session:
                unused = set(hashes) - set(used_hashes(session)(hashes))
            for sha256 in sorted(unused):
                self._files.remove(sha256)
        with self._database.write() as session:
            set_scope(session, municipality)
            requests.keep_files(session, id, ())


def rewrite(database: Database, tables: Collection[str]) -> None:
    """Writes the tables anew, so that nothing is left of what they held before. Others wait meanwhile: about a second
    per 100 MB.  Raises NotClean, DBAPIError."""
    if database.is_sqlite:
        _rewrite_sqlite(database)
    else:
        with database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _rewrite_postgresql(connection, tables)


def _rewrite_sqlite(database: Database) -> None:
    raw = database.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("VACUUM")
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    finally:
        raw.close()
    if busy:
        raise NotClean("somebody is still reading an older state of the database")


def _rewrite_postgresql(connection: Connection, tables: Collection[str]) -> None:
    def file_of(table: str) -> Any:
        where = text("SELECT pg_relation_filenode(CAST(:name AS regclass))")
        return connection.execute(where, {"name": table}).scalar_one()

    driver = connection.connection.driver_connection
    assert driver is not None
    told: list[str] = []
    driver.add_notice_handler(lambda notice: told.append(notice.message_detail or ""))
    for table in (*tables, STATISTICS):
        before = file_of(table)
        connection.execute(text(f'VACUUM (FULL, VERBOSE) "{table}"'))
        if file_of(table) == before and table != STATISTICS:
            # PostgreSQL warns and goes on when it is not allowed.
            raise NotClean(f"the user of DATABASE_OWNER_URL does not own {table}, and may not write it anew")
    # What an open transaction can still see is copied along: "3 dead row versions cannot be removed yet".
    if any(int(number[0]) for detail in told if (number := _NUMBER.match(detail))):
        raise NotClean("somebody is still reading an older state of the database")
