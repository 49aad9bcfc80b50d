"""One virtual clock over all cases of a story, on a server that skips time workflow by workflow.

The server gives every workflow a clock of its own, which begins at the real now. Here they are kept together: a case
is started with a delay up to the virtual now and skips it in the same call; a child is born on its parent's clock, and
only a case that closes may have one, as its clock stands still while the child runs; and time moves from one wake-up to
the next, the earliest of all cases first, after every case has done its work.

A skip goes over one wake-up at a time (`max_session_skip_count=1`). Skipping further, the server may run past the
target to the timer after it, when a workflow task is under way as the target passes (server 1.32).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig, WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle

from cli.rehearsal.virtual_case import Stuck, VirtualCase

__all__ = ["Stuck", "VirtualTime"]

NEAR = timedelta(milliseconds=250)
"""A wake-up as near as this is waited for in real time: a skip might come after it and go to the one behind."""
EARLY = timedelta(seconds=2)
"""How long before a wake-up a case is held that hears of something at about the same time: then the event is first."""
DRIFT = timedelta(milliseconds=5)
"""Clocks this near are together."""
AT_ONCE = timedelta(seconds=30)
"""Real time in which a case must have done what it had to do."""


class VirtualTime:
    """The clock of a story: `client` starts cases on it, `advance` moves it with all of them.

    All workflows must be started through `client`, or be children of such.
    """

    def __init__(self, client: Client) -> None:
        """`client` is connected to a server with `EmbeddedServer(virtual_time=True)`; it stays as it is."""
        config = client.config()
        config["interceptors"] = [*config["interceptors"], _OnTheClock(self)]
        self.client = Client(**config)
        self.cases: dict[str, VirtualCase] = {}
        """The cases so far, by id, in the order in which they appeared."""
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The virtual now; it runs on like the real one."""
        return datetime.now(UTC) + self._ahead

    @property
    def open_cases(self) -> list[VirtualCase]:
        """The cases that run."""
        return [case for case in self.cases.values() if case.is_open]

    def jump(self, to: datetime) -> None:
        """Set the clock before anything runs; it goes forward only."""
        if self.open_cases:
            raise RuntimeError("cases run already; use advance")
        self._set(to)

    async def advance(self, to: datetime) -> None:
        """Let everything happen that is due up to this moment, then have it be this moment in every case.

        Raises `Stuck` when a case cannot go on.
        """
        await self._run(to)
        await self._bring(self.open_cases, to)
        self._set(to)

    async def run_out(self, until: datetime) -> bool:
        """Let time pass until all cases are closed, at the most until a moment; False where some are open then.

        Raises `Stuck` when a case cannot go on.
        """
        await self._run(until)
        return not self.open_cases

    async def settle(self) -> None:
        """Wait until every case has done all that it can do now.

        Raises `Stuck` when one cannot, or takes more than 30 seconds of real time.
        """
        began = datetime.now(UTC)
        before: object = None
        while True:
            for case in self.open_cases:
                await case.look()
                for child in case.take_children():
                    self._know(child)
            state = [(case.id, case.run_id, case.length) for case in self.cases.values()]
            busy = [case for case in self.open_cases if not case.is_settled(NEAR)]
            if not busy and state == before:
                return
            before = state
            if datetime.now(UTC) - began > AT_ONCE:
                raise Stuck("; ".join(case.what_it_does() for case in busy) or "the cases never come to rest")
            # Work that one pass finds done may have given another case something to do: passes until two are alike.
            await asyncio.sleep(0.02 if busy else 0)

    async def _run(self, until: datetime) -> None:
        while True:
            await self.settle()
            wakes = [(case.wakes_at, case) for case in self.open_cases if case.wakes_at is not None]
            first = min((moment for moment, _ in wakes), default=None)
            if first is None or first > until:
                return
            waking = [case for moment, case in wakes if moment <= first + DRIFT]
            await self._bring((case for case in self.open_cases if case not in waking), first)
            # Before they wake: what they open at once is opened on this clock.
            self._set(first)
            await asyncio.gather(*(self._skip(case, case.wakes_at or first) for case in waking))

    async def _bring(self, cases: Iterable[VirtualCase], to: datetime) -> None:
        """Move the clocks of cases that sleep; one that wakes soon after is held a little before that."""
        await asyncio.gather(
            *(self._skip(case, to if case.wakes_at is None else min(to, case.wakes_at - EARLY)) for case in cases)
        )

    async def _skip(self, case: VirtualCase, to: datetime) -> None:
        """Move the clock of one case, which is settled, to a moment, but over one wake-up at the most."""
        ahead = to - case.now()
        if ahead <= DRIFT:
            return
        await self.client.workflow_service.update_workflow_execution_options(
            UpdateWorkflowExecutionOptionsRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=case.id),
                workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=_skipping_once(ahead)),
                update_mask=FieldMask(paths=["time_skipping_config"]),
            ),
            retry=True,
        )

    def _set(self, to: datetime) -> None:
        self._ahead = max(self._ahead, to - datetime.now(UTC))

    def _know(self, id: str) -> None:
        self.cases.setdefault(id, VirtualCase(self.client, id)).is_open = True

    def _start_delay(self) -> timedelta:
        return self._ahead


class _OnTheClock(Interceptor):
    """Starts workflows on the virtual clock."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _StartOnTheClock(next, self._time)


class _StartOnTheClock(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, time: VirtualTime) -> None:
        super().__init__(next)
        self._time = time

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        if (delay := self._time._start_delay()) > DRIFT:
            input.start_delay = delay
            input.time_skipping_config = _skipping_once()
        handle = await super().start_workflow(input)
        self._time._know(input.id)
        return handle


def _skipping_once(ahead: timedelta | None = None) -> TimeSkippingConfig:
    """Skip once: to the next wake-up, or to a moment ahead where that comes first. Children do not by themselves."""
    config = TimeSkippingConfig(enabled=True, disable_propagation=True, max_session_skip_count=1)
    if ahead is not None:
        duration = Duration()
        duration.FromTimedelta(ahead)
        config.fast_forward_config.CopyFrom(FastForwardConfig(id=str(uuid.uuid4()), duration=duration))
    return config
