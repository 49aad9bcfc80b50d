"""How many requests a sender may send: a token bucket each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from adapters.http.problems import Problem


class Rates:
    """A bucket for each sender that has proved who it is, so that there are as many as there are senders."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate` in requests per second, `clock` in seconds."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, sender: str) -> None:
        """Count one request.

        Raises:
            Problem: the bucket is empty; the answer says how many seconds to wait.
        """
        now = self._clock()
        left, at = self._buckets.get(sender, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._rate)
        if left < 1:
            self._buckets[sender] = left, now
            wait = math.ceil((1 - left) / self._rate)
            raise Problem("rate", f"more than {self._rate:g} requests a second", headers={"Retry-After": str(wait)})
        self._buckets[sender] = left - 1, now
