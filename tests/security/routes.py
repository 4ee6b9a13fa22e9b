"""The routes of the application itself, with addresses on which they answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from app.policy import Role, may
from app.web.access import Allowed, Operating, Policy, RoutePolicy, route_policies
from app.web.based_on import BasedOn
from tests.features.client import World
from tests.security.prepared import Prepared

EXEMPT = {"/static"}


@dataclass(frozen=True, slots=True)
class Route:
    path: str
    methods: frozenset[str]
    policy: Policy
    query: frozenset[str]
    basis: tuple[str, ...]

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)", self.path)


@cache
def routes_of(app: FastAPI) -> list[Route]:
    asked = _dependants(app)
    return [_route(found, asked.get((found.path, found.methods))) for found in route_policies(app, exempt=EXEMPT)]


def _route(found: RoutePolicy, dependant: Dependant | None) -> Route:
    query = frozenset(parameter.alias for parameter in dependant.query_params) if dependant else frozenset()
    basis = next((each.fields for each in _bases(dependant)), ()) if dependant else ()
    return Route(found.path, found.methods, found.policies[0], query, basis)


def _dependants(app: FastAPI) -> dict[tuple[str, frozenset[str]], Dependant]:
    found = {}
    for context in iter_route_contexts(list(app.routes)):
        dependant = getattr(context, "dependant", None)
        if isinstance(dependant, Dependant):
            found[str(context.path), frozenset(context.methods or ())] = dependant
    return found


def _bases(dependant: Dependant) -> Iterator[BasedOn]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, BasedOn):
            yield dependency.call
        yield from _bases(dependency)


def values_for(world: World, prepared: Prepared) -> Mapping[str, Sequence[str]]:
    """For every parameter of a path: what exists."""
    plan = world.plan
    return {
        "run_id": (prepared.run,),
        "ref": prepared.refs,
        "step": ("overzicht", "conclusie", "tekst", "opdracht", "plan"),
        "decision": ("bestaand-volstaat",),
        "ground": ("leeftijd", "samenloop"),
        "evidence_id": prepared.evidence,
        "advice_id": (prepared.advice,),
        "point_id": (prepared.point,),
        "mandate_id": ("00000000-0000-4000-8000-000000000001",),
        "plan_id": (plan.id, prepared.local_plan),
        "version": (plan.version, "1.1.0"),  # of the local plan that is a draft
        "local_plan_id": prepared.local_plans,
        "user_id": (world.users["bram"],),
        "municipality_id": ("00000000-0000-4000-8000-000000000001",),  # none; tests/features/installation has some
        "session_id": ("0" * 64,),  # none; tests/features/accounts has some
        "passkey_id": ("00000000-0000-4000-8000-000000000001",),
        "link": ("geen-bestaande-link",),
        "provider": ("geen-aanbieder",),  # none; tests/features/accounts has some
        "erasure_id": ("00000000-0000-4000-8000-000000000001",),  # none; tests/features/erasure makes them
        "mass_move_id": ("00000000-0000-4000-8000-000000000001",),  # none; tests/features/mass_moves makes them
    }


def permits(policy: Policy, role: Role) -> bool:
    """Whether somebody with this role in a municipality may; on which runs is another question."""
    if isinstance(policy, Allowed):
        return may([role], policy.action)
    return not isinstance(policy, Operating)


def addresses_of(path: str, world: World, prepared: Prepared) -> Iterator[str]:
    """Raises KeyError for a parameter that this file does not know: tell it a value."""
    names = re.findall(r"{(\w+)", path)
    values = values_for(world, prepared)
    for chosen in itertools.product(*(values[name] for name in names)):
        yield address_of(path, dict(zip(names, chosen, strict=True)))


def one_address(path: str, world: World, prepared: Prepared, **other: str) -> str:
    values = {name: found[0] for name, found in values_for(world, prepared).items()}
    return address_of(path, {**values, **other})


def address_of(path: str, values: Mapping[str, str]) -> str:
    return re.sub(r"{(\w+)[^}]*}", lambda found: values[found[1]], path)
