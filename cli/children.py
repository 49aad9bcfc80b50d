"""The children of `up`: a process that is started again when it dies, later each time it dies soon."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path

from adapters.embedded import bound
from adapters.settings import ROOT

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds until a dead process is started again: doubled each time."""
STEADY_AFTER = 30.0
"""Seconds after which a process counts as having run well."""


class Pause:
    """How long to wait before the next start."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE
        self._began = time.monotonic()

    def began(self) -> None:
        """The process was started now."""
        self._began = time.monotonic()

    async def wait(self) -> None:
        """Wait before the next start."""
        if time.monotonic() - self._began > STEADY_AFTER:
            self._next = FIRST_PAUSE
        await asyncio.sleep(self._next)
        self._next = min(self._next * 2, LONGEST_PAUSE)


def forget_other_servers() -> None:
    """Take what is configured for other Temporal servers out of this process's environment: keys, TLS, profiles."""
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        del os.environ[name]
    os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull


def environment(address: str, data: Path) -> dict[str, str]:
    """The environment of our own programs: this one, with this server and this data."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "TEMPORAL_ADDRESS": address, "AFTERSALES_DATA": str(data)}


WORKER = (str(ROOT / "worker.py"),)
DOOR = ("-m", "cli", "serve")
"""What `start` is given for each of our programs."""


async def start(env: Mapping[str, str], log: Path, *program: str) -> Process:
    """One of our programs with its output in `log`. It ends when this process dies, and gets no Ctrl-C of its own."""
    with log.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            *bound(sys.executable, "-P", *program),
            env=env,
            stdin=DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def how(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"
    return f"ended with exit code {code}"


def last_line(log: Path, start: int) -> str:
    """The last line that was written to a log after `start` bytes."""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
