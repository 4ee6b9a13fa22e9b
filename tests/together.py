"""Several acts at the same moment, for what must hold whoever is first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def together(*acts: Callable[[], None]) -> None:
    """Each in a thread of its own. Raises what one of them raised."""
    gate = threading.Barrier(len(acts))

    def go(act: Callable[[], None]) -> None:
        gate.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        for ended in [pool.submit(go, act) for act in acts]:
            ended.result()
