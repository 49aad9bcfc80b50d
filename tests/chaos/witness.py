"""A worker whose counterpart writes down what it was asked: `python -m tests.chaos.witness`.

The key of every command goes into `counterpart.log` of the data folder, once for each time it was carried out.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from adapters.counterparts import Booked
from adapters.logs import configure_logging
from adapters.settings import Settings
from aftersales.commands import Command, CommandAccepted
from worker import run


class Witnessed(Booked):
    """The embedded counterpart, seen from outside."""

    def __init__(self, log: Path) -> None:
        self._log = log

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Accept the command, and write its key down in one write, which no kill can halve."""
        accepted = await super().execute(command, shop=shop)
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, f"{command.key}\t{accepted.reference}\n".encode())
        finally:
            os.close(descriptor)
        return accepted


if __name__ == "__main__":
    settings = Settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    configure_logging(settings.log_level, settings.log_format)
    asyncio.run(run(settings, counterpart=Witnessed(settings.data / "counterpart.log")))
