"""How fast letters may go out: who comes too early is told when to come back, and finds its turn kept."""

from __future__ import annotations

import time
from collections.abc import Callable

_LONGEST_WAIT = 600.0
"""Seconds: nobody is sent away for longer, so that a faster rate is soon felt."""
_FORGOTTEN = 900.0
"""Seconds after its time that a turn is kept for who does not come."""


class LetterRate:
    """A bucket that holds a tenth of a minute's letters and fills evenly.

    Each letter that finds it empty gets a turn of its own: of a thousand that come together each is told its own time,
    and none comes twice.
    """

    def __init__(self, a_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`a_minute` letters, and a clock in seconds."""
        self._gap, self._clock = 60 / a_minute, clock
        self._ahead = self._gap * (max(1.0, a_minute / 10) - 1)
        self._free_at = clock() - self._ahead
        self._turns: dict[str, float] = {}

    def wait(self, key: str) -> float:
        """Seconds until the letter with this key may go out; 0 where it may now, which takes its turn."""
        now = self._clock()
        turn = self._turns.get(key)
        if turn is None:
            turn = max(self._free_at, now - self._ahead)
            self._free_at = turn + self._gap
        if turn <= now:
            self._turns.pop(key, None)
            return 0
        self._turns[key] = turn
        self._forget(now)
        return min(turn - now, _LONGEST_WAIT)

    def _forget(self, now: float) -> None:
        # Turns are entered in the order of their times.
        while self._turns and (oldest := next(iter(self._turns.items())))[1] < now - _FORGOTTEN:
            del self._turns[oldest[0]]
