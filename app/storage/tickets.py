"""Tickets: what a transaction on PostgreSQL shows to see the rows of one municipality. See row_level.py."""

from __future__ import annotations

import uuid
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import Final

from sqlalchemy import Connection, Engine, event, text

TICKET: Final = "stappenplan.ticket"
# Whoever owns the tables sees everything, and only in a transaction that says so; for another role this does nothing.
INSTALLATION_WIDE: Final = "stappenplan.installation_wide"

# Until the end of the transaction: a connection that goes back to the pool carries nothing over.
_SHOW: Final = f"SELECT set_config('{TICKET}', %s, true)"
_SEE_ALL: Final = f"SELECT set_config('{INSTALLATION_WIDE}', 'on', true)"


class Tickets:
    """Made with the key that only the owner of the tables can read, which is fetched when it is first needed."""

    def __init__(self, owner: Engine) -> None:
        self._owner = owner
        self._keys: tuple[bytes, bytes] | None = None
        self._fetching = Lock()
        self.ticket_for = lru_cache(maxsize=1024)(self._make)

    def _make(self, municipality: uuid.UUID) -> str:
        inner, outer = self._keys or self._fetch()
        return municipality.hex + sha256(outer + sha256(inner + municipality.hex.encode()).digest()).hexdigest()

    def _fetch(self) -> tuple[bytes, bytes]:
        with self._fetching:
            if self._keys is None:
                with self._owner.connect() as connection:
                    row = connection.execute(text("SELECT inner_key, outer_key FROM isolation_key")).one()
                self._keys = row.inner_key, row.outer_key
            return self._keys

    def show(self, connection: Connection, municipality: uuid.UUID) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        # Straight to the driver: it happens in every request, and as a statement of SQLAlchemy it costs twice as much.
        driver.execute(_SHOW, (self.ticket_for(municipality),))


def see_all(engine: Engine) -> None:
    """From now on every transaction of this engine says that it is about the whole installation."""
    event.listen(engine, "begin", lambda connection: connection.connection.driver_connection.execute(_SEE_ALL))
