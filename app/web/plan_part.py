"""Parts of a page that only say what a version of a step plan says: rendered once per process while they are in use.

A version never changes, so they are the same for everybody who may see it. Nothing else goes in: a name or a text of a
user may be erased tomorrow, and what is kept here would still show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Final

from cachetools import LRUCache
from jinja2 import Template
from markupsafe import Markup
from starlette.requests import Request

from app.web.render import templates_for

PARTS_KEPT_MAX: Final = 64  # in memory; of a plan of 50 steps one takes about 80 kB

_lock = Lock()
_kept: LRUCache[tuple[Template, str], Markup] = LRUCache(PARTS_KEPT_MAX)


def plan_part(request: Request, template: str, digest: str, context: Callable[[], Mapping[str, Any]]) -> Markup:
    """`context` gives what the template needs; it is only asked when the part was not kept, and may only come from the
    plan with this digest."""
    environment = templates_for(request)
    # Each language has templates of its own, so that the template says which language it is.
    key = (environment.get_template(template), digest)
    with _lock:
        kept = _kept.get(key)
    if kept is not None:
        return kept
    part = Markup(key[0].render(context()))  # noqa: S704  # made by a template, which escaped it
    if environment.auto_reload:
        return part  # what it includes may change under it
    with _lock:
        _kept[key] = part
    return part
