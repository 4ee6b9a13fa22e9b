"""Whether enough people agreed, of the roles that a gate asks for. Nobody counts twice, whatever roles they hold."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from app.engine.definition import Gate

Voters = Mapping[str, Set[str]]
"""Who agreed, each with the roles in which they may do so here."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a quorum still needs: of each of `roles` one more approval (a role may be there twice), and `others` of
    whoever may approve. Both together are the fewest people who can complete it."""

    roles: tuple[str, ...] = ()
    others: int = 0

    @property
    def people(self) -> int:
        return len(self.roles) + self.others


def is_met(gate: Gate, voters: Voters) -> bool:
    return missing(gate, voters).people == 0


def missing(gate: Gate, voters: Voters) -> Missing:
    """One person takes one place. Which one is chosen so that as many places as possible are taken."""
    places = [each.role for each in gate.of_which for _ in range(each.approvals)]
    taken = _seated(places, voters)
    empty = tuple(role for place, role in enumerate(places) if place not in taken)
    # Who has no place of a role counts towards the total, as far as that leaves room for the places still empty.
    return Missing(empty, max(0, gate.approvals - len(voters) - len(empty)))


def _seated(places: list[str], voters: Voters) -> Mapping[int, str]:
    """A largest matching of places to people, by augmenting paths: a newcomer may have somebody else move over."""
    taken: dict[int, str] = {}

    def seat(person: str, seen: set[int]) -> bool:
        for place, role in enumerate(places):
            if role in voters[person] and place not in seen:
                seen.add(place)
                if place not in taken or seat(taken[place], seen):
                    taken[place] = person
                    return True
        return False

    for person in sorted(voters):
        seat(person, set())
    return taken
