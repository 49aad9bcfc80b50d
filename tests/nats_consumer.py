"""A process that takes events from NATS and writes down their ids, for tests that kill it: URL and file are told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.nats import NatsQueue
from adapters.nats_settings import NatsSettings
from adapters.queues import Consuming, consume
from aftersales.records import EventRecord


class _Slow:
    """Writes down what it is given, and takes a while."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle_all(self, raws: Sequence[Any], *, shop: str = "") -> list[EventRecord]:
        with self._file.open("a") as file:
            file.writelines(f"{raw['id']}\n" for raw in raws)
        await asyncio.sleep(0.05)
        return []


async def _main(url: str, file: Path) -> None:
    async with NatsQueue(NatsSettings(servers=(url,), ack_wait=1)) as queue:
        await consume(queue, _Slow(file), stop=asyncio.Event(), consuming=Consuming(most=5))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2])))
