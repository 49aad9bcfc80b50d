"""One line in the log when something is away, and one when it is back, however often it is asked for in between."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

QUIET = 10.0
"""Seconds after an outage's end in which the next one is not told yet: what comes and goes would fill the log."""

_log = structlog.get_logger(__name__)


class Outage:
    """Whether something is away, as those see it who use it."""

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic, **about: str) -> None:
        """`what` begins the names of both lines, `<what>.away` and `<what>.back`; `about` stands in both."""
        self._what, self._about, self._clock = what, about, clock
        self._since: float | None = None
        self._told = False
        self._quiet_until = float("-inf")

    def goes_on(self, problem: str) -> None:
        """It is away, as `problem` says, which also says what to do."""
        now = self._clock()
        if self._since is None:
            self._since, self._told = now, False
        if not self._told and now >= self._quiet_until:
            self._told = True
            _log.warning(f"{self._what}.away", problem=problem, **self._about)

    def is_over(self) -> None:
        """It answers; costs nothing where it did so before."""
        if self._since is None:
            return
        now = self._clock()
        if self._told:
            _log.info(f"{self._what}.back", away_seconds=round(now - self._since, 1), **self._about)
        self._since, self._quiet_until = None, now + QUIET
