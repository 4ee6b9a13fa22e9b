"""The addresses of one room of the application."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path  # as the routes themselves do
from starlette.routing import Match
from starlette.types import Scope

from app.web.once import Route

_NAMED: Final = re.compile(r"\(\?P<\w+>")


class Room(APIRouter):
    """A router that sees at one look whether an address can be its own: asking a hundred routes in turn costs as much
    as two queries. To be included without a prefix; no route may be added after the first request.

    What its routes change counts once per form, see app/web/once.py."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"route_class": Route, **options})

    @cached_property
    def _addresses(self) -> re.Pattern[str]:
        patterns = {context.path_regex.pattern for context in iter_route_contexts(self.routes)}
        return re.compile("|".join(_NAMED.sub("(?:", pattern) for pattern in sorted(patterns)))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not self._addresses.match(get_route_path(scope)):
            return Match.NONE, {}
        return super().matches(scope)
