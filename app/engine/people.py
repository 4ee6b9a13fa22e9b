"""Who is who, and who may stand in for whom: what the engine is told of people, since it asks nobody itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from app.engine.run import UserId


@dataclass(frozen=True, slots=True)
class People:
    """Which accounts belong to one person. `persons` names the person of an account; an account that is not in it is
    the only one of somebody, as far as anybody knows."""

    persons: Mapping[UserId, str] = field(default_factory=lambda: MappingProxyType({}))

    def person(self, user: UserId) -> str:
        return self.persons.get(user, user)

    def is_same(self, one: UserId | None, other: UserId | None) -> bool:
        return one is not None and other is not None and self.person(one) == self.person(other)

    def is_among(self, user: UserId | None, others: Iterable[UserId | None]) -> bool:
        """Whether this person, with whatever account, is one of the others."""
        return any(self.is_same(user, other) for other in others)


ONE_ACCOUNT_EACH = People()


@dataclass(frozen=True, slots=True)
class Mandate:
    """The deputy decides in the name of the mandator, who is absent, from `begins_at` until before `ends_at`.
    `roles`: what the mandator holds now, since a mandate gives no more than the mandator could do. `chosen_by`: who
    made the mandator the manager of the run that it is about, if that was after the mandate was recorded."""

    id: str
    mandator: UserId
    deputy: UserId
    begins_at: datetime
    ends_at: datetime
    roles: frozenset[str]
    withdrawn_at: datetime | None = None
    chosen_by: UserId | None = None

    def is_in_force(self, at: datetime) -> bool:
        return self.begins_at <= at < self.ends_at and (self.withdrawn_at is None or at < self.withdrawn_at)
