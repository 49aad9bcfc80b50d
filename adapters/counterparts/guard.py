"""Leaving a counterpart alone that does not answer: its own commands wait, all others go on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from typing_extensions import override

from adapters.counterparts.settings import GuardSettings
from aftersales.commands import Command, CommandAccepted, CommandRefused, NotNow
from aftersales.ports import Counterpart

QUEUE_SECONDS = 0.25
"""How long a command waits for one of a busy counterpart's places, before it gives its own place in the worker back."""
BUSY_SECONDS = (1.0, 3.0)
"""When a command that found no place comes again, spread out so that they do not all come at once."""
SPREAD_SECONDS = 10.0
"""Over how long those come back that waited for a counterpart that was left alone; at most as long as its pause."""

_REMEDY = "start it, or correct its url in the settings; its commands wait and are given by themselves"

_log = structlog.get_logger(__name__)


class Guarded(Counterpart):
    """A counterpart that gets a few commands at once, and none for a while after failures in a row (circuit breaker).

    A failure is an answer that never came or cannot be used. One that names when to come again is the counterpart's
    own word, so it counts neither as a failure nor as a success.
    """

    def __init__(
        self,
        name: str,
        inner: Counterpart,
        settings: GuardSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` is what logs call it; `clock` counts seconds."""
        self._name, self._inner, self._settings, self._clock = name, inner, settings, clock
        self._places = asyncio.Semaphore(settings.at_once)
        self._failures = 0
        self._pause = 0.0
        """Seconds; 0 while the counterpart is asked as usual."""
        self._until = 0.0
        self._probing = False

    @override
    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Have one command done, or say at once that it must wait."""
        if not self._pause:
            return await self._as_usual(command, shop)
        if self._probing or self._clock() < self._until:
            raise self._left_alone()
        self._probing = True
        try:
            return await self._asked(command, shop, probe=True)
        finally:
            self._probing = False

    async def _as_usual(self, command: Command, shop: str) -> CommandAccepted:
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            wait = timedelta(seconds=random.uniform(*BUSY_SECONDS))
            raise NotNow(f"{self._name} has {self._settings.at_once} commands in hand already", wait) from None
        try:
            # While this one waited for its place the others may all have failed.
            if self._pause:
                raise self._left_alone()
            return await self._asked(command, shop, probe=False)
        finally:
            self._places.release()

    async def _asked(self, command: Command, shop: str, *, probe: bool) -> CommandAccepted:
        try:
            accepted = await self._inner.execute(command, shop=shop)
        except CommandRefused:
            self._answered()
            raise
        except NotNow as later:
            if later.retry_after is None or probe:
                self._failed(str(later), probe=probe)
            if later.retry_after is None and self._pause:
                # Pauses that grow with every try would have grown with those, too, for which it was not asked at all.
                raise self._left_alone(str(later)) from later
            raise
        self._answered()
        return accepted

    def _left_alone(self, why: str = "it does not answer") -> NotNow:
        # All that wait would come back at the same moment.
        spread = random.uniform(0, min(self._pause, SPREAD_SECONDS))
        wait = timedelta(seconds=max(self._until - self._clock(), 1) + spread)
        return NotNow(f"{self._name}: {why}; it is left alone for a while", wait)

    def _answered(self) -> None:
        if self._pause:
            _log.info("counterpart.back", counterpart=self._name)
        self._failures, self._pause = 0, 0.0

    def _failed(self, why: str, *, probe: bool) -> None:
        self._failures += 1
        # One that was on its way before the counterpart was left alone tells nothing new.
        if self._failures < self._settings.failures or (self._pause and not probe):
            return
        if not self._pause:
            _log.error("counterpart.away", counterpart=self._name, failures=self._failures, why=why, remedy=_REMEDY)
        self._pause = min(self._pause * 2 or self._settings.pause_seconds, self._settings.longest_pause_seconds)
        self._until = self._clock() + self._pause
