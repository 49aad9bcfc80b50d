"""Freezes the history of a case: `python -m tests.replay.freeze CASE NAME`, on the server that TEMPORAL_ADDRESS names.

Writes `histories/<process>.<NAME>.<build>.json` and its transcript. A file that is there is never overwritten: a frozen
history guards the cases that run with that code.
"""

from __future__ import annotations

import asyncio
import sys

from temporalio.client import Client

from adapters.temporal import connect, sandbox
from tests.replay.transcript import HISTORIES, replay
from worker import build_id


async def freeze(client: Client, case: str, name: str) -> None:
    """Freeze the newest run of a case under this name."""
    history = await client.get_workflow_handle(case).fetch_history()
    path = HISTORIES / f"{case.partition('/')[0]}.{name}.{build_id()}.json"
    with path.open("x") as file:
        file.write(history.to_json())
    path.with_suffix(".txt").write_text("\n".join(await replay(history, sandbox())) + "\n")


async def _main(case: str, name: str) -> None:
    await freeze(await connect(), case, name)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2]))
