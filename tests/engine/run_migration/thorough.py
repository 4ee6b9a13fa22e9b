"""How hard to look. `PROVE=10` looks ten times as long as the suite does by default."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("PROVE", "1"))

F = TypeVar("F", bound=Callable[..., object])


def looking(count: int, *, steps: int = 50) -> settings:
    return settings(
        max_examples=count * TIMES,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


def examples(count: int) -> Callable[[F], F]:
    return looking(count)
