"""`GET /readyz`: whether all that events need is there. It is looked up at most once a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

from adapters.http.door import Check
from adapters.outage import Outage
from aftersales.ports import Unavailable

CACHED = 1.0
"""Seconds for which an answer is given again."""


class Readiness:
    """Runs the checks side by side, each within its time. Reasons stand in the log: they may name hosts and users."""

    def __init__(self, checks: Mapping[str, Check], seconds: float) -> None:
        self._checks, self._seconds = checks, seconds
        self._outages = {name: Outage("http.readiness", check=name) for name in checks}
        self._turn = asyncio.Lock()
        self._answer: tuple[int, str] = 503, ""
        self._until = 0.0

    async def answer(self) -> tuple[int, str]:
        """Status 200 or 503, and each check by name with its outcome and time in seconds, as JSON."""
        async with self._turn:
            if time.monotonic() >= self._until:
                results = await asyncio.gather(*(self._run(name, check) for name, check in self._checks.items()))
                ready = all(result["ready"] for result in results)
                body = json.dumps({"ready": ready, "checks": results}, ensure_ascii=False)
                self._answer, self._until = (200 if ready else 503, body), time.monotonic() + CACHED
            return self._answer

    async def _run(self, name: str, check: Check) -> dict[str, object]:
        began, why = time.monotonic(), ""
        try:
            async with asyncio.timeout(self._seconds):
                await check()
        except Unavailable as away:
            why = str(away)
        except TimeoutError:
            why = f"no answer within {self._seconds:g} s"
        except Exception as error:  # whatever a check fails with, it is not ready
            why = type(error).__name__
        if why:
            self._outages[name].goes_on(why)
        else:
            self._outages[name].is_over()
        return {"name": name, "ready": not why, "seconds": round(time.monotonic() - began, 4)}
