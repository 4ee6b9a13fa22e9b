"""Why the engine refuses something."""

from collections.abc import Callable

import pytest

from app.engine.errors import Blocked, Reason


def refusal(act: Callable[[], object]) -> Blocked:
    with pytest.raises(Blocked) as refused:
        act()
    return refused.value


def reasons(act: Callable[[], object]) -> tuple[Reason, ...]:
    return refusal(act).reasons


def why_not(act: Callable[[], object]) -> list[str]:
    """The codes of all reasons, in the order in which they are given."""
    return [reason.code for reason in reasons(act)]
