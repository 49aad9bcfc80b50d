"""How much work something is, whatever the machine and whoever else works on it."""

from __future__ import annotations

import time
from collections.abc import Callable

_ROUNDS = 200_000


def effort(do: Callable[[], object]) -> float:
    """Processor time of this thread that it takes, as a multiple of a fixed piece of Python before and after it.

    A piece takes a few milliseconds on an idle machine.
    """
    before = _seconds(_piece)
    took = _seconds(do)
    return took / max(before, _seconds(_piece))


def _piece() -> int:
    total = 0
    for number in range(_ROUNDS):
        total += number % 7
    return total


def _seconds(do: Callable[[], object]) -> float:
    began = time.thread_time()
    do()
    return time.thread_time() - began
