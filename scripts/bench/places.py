"""The municipalities of the data set and who works there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlmodel import Session

from app.policy import Role
from app.storage.tables import Membership, Municipality, User
from scripts.bench.walker import People

SINCE: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
ROLES: Final = {
    "anna": Role.POLICY_OFFICER,
    "bram": Role.POLICY_OFFICER,
    "mariam": Role.MANAGER,
    "max": Role.MANAGER,
    "olga": Role.AUDITOR,
    "beheer": Role.ADMINISTRATOR,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality. The same number gives the same ids in every data set."""

    number: int

    def id(self, part: str) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"https://stappenplan.example/meten/{self.number}/{part}")

    @property
    def municipality(self) -> uuid.UUID:
        return self.id("gemeente")

    @property
    def name(self) -> str:
        return f"Meetgemeente {self.number:03}"

    def run(self, number: int) -> uuid.UUID:
        return self.id(f"traject {number}")

    def people(self) -> Iterator[tuple[uuid.UUID, str, Role]]:
        for part, role in ROLES.items():
            yield self.id(part), f"{part.capitalize()} van {self.number:03}", role

    @property
    def team(self) -> People:
        anna, bram, mariam, max_ = (str(self.id(part)) for part in ("anna", "bram", "mariam", "max"))
        return People(officers=(anna, bram), managers=(mariam, max_))


def add_place(session: Session, place: Place) -> None:
    session.add(Municipality(id=place.municipality, name=place.name, created_at=SINCE))
    for id, name, _ in place.people():
        session.add(User(id=id, login=f"{id}@gemeente.example", name=name, created_at=SINCE))
    session.flush()
    for id, _, role in place.people():
        session.add(Membership(user_id=id, municipality_id=place.municipality, role=role.value, created_at=SINCE))
    session.flush()
