"""The ladder as anybody writes it first: the same signals, timers and number of activities, and no business code.

The SDK is as it comes, its sandbox included.

`python -m benchmarks.bare` runs its worker against the server that TEMPORAL_ADDRESS names, with the options of ours.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from temporalio.client import Client
    from temporalio.envconfig import ClientConfig
    from temporalio.worker import Worker

QUEUE = "bare"
_OPTIONS: Any = {"start_to_close_timeout": timedelta(seconds=10)}


@activity.defn
async def effect(name: str) -> str:
    """Do nothing."""
    return name


@workflow.defn(name="bare-ladder")
class BareLadder:
    """Two letters, each awaiting an answer, and an outcome."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []

    @workflow.signal
    def event(self, answer: dict[str, Any]) -> None:
        """Take an answer."""
        self.answers.append(answer)

    @workflow.run
    async def run(self, opened: dict[str, Any]) -> str:
        """Letter, answer, letter, answer, outcome."""
        for letter in ("return-terms", "waive-restocking"):
            await workflow.execute_activity(effect, letter, **_OPTIONS)
            await workflow.wait_condition(lambda: bool(self.answers), timeout=timedelta(hours=72))
            self.answers.pop()
        return await workflow.execute_activity(effect, "outcome", **_OPTIONS)


async def main() -> None:
    """Run the worker until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Worker(
        await Client.connect(**ClientConfig.load_client_connect_config()),
        task_queue=QUEUE,
        workflows=[BareLadder],
        activities=[effect],
        max_cached_workflows=2_000,
        max_concurrent_activities=50,
    ):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
