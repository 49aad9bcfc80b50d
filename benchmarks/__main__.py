"""Our ladder beside a bare one, what each process costs beside the least of its rule, and how well anger is found.

`ladder` measures both ladders, interleaved in one run, and prints what ours costs as ratios of the bare one. The
machine is shared and noisy: only ratios of one run mean anything. Each side has a worker process of its own; the client
drives both the same way, start, reply, cancel, without the starter and its event ledger, which bare lacks.

`processes` counts activities and history events, which no machine changes; exit code 1 where one is above its limit.

`anger` compares rule 6 with labelled posts and ordinary messages (`benchmarks/anger.py`); exit code 1 below its target.

`triage` measures the classifier of messages on those that it did not learn from (`benchmarks/triage.py`).

`messages` sends real messages through the starter to cases and tells where each ended up (`benchmarks/messages.py`);
exit code 1 where one was lost or a case failed.

`ingress` measures how many events a second the doors take, beside bare starts of the same cases, and how soon they are
acknowledged (`benchmarks/ingress.py`); exit code 1 below its target.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowHandle

from adapters.database import open_store
from adapters.embedded import EmbeddedServer
from adapters.settings import ROOT, Settings
from adapters.temporal import connect, type_name
from aftersales.events import CustomerReplied, Event, ReturnCancelled, ReturnRequested, enveloped
from aftersales.opening import CaseOpened
from aftersales.order import Order
from aftersales.policy import load_policy
from benchmarks import anger, ingress, messages, processes, triage
from benchmarks.bare import QUEUE, BareLadder
from tests.events import order
from workflows import attributes
from workflows.return_escalation import ReturnEscalation
from workflows.start import start_options

ABREAST = 40
"""How many cases are driven at the same time."""


@dataclass
class Side:
    """One of the two ladders and what was measured of it."""

    name: str
    worker: Process
    start: Callable[[str], Awaitable[WorkflowHandle[Any, Any]]]
    answers: Callable[[str], list[Any]]
    waits: list[int] = field(default_factory=list)
    """How long the history is at each wait."""
    events: int = 0
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss_empty: int = 0
    rss: int = 0

    def cpu_now(self) -> float:
        """Processor seconds that the worker has used."""
        ticks = Path(f"/proc/{self.worker.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def figures(self) -> dict[str, float]:
        """What was measured; of the rounds the median."""
        return {
            "cases a second": 1 / statistics.median(self.seconds),
            "worker CPU a case, ms": statistics.median(self.cpu) * 1000,
            "history events": self.events,
            "RSS with waiting cases, MiB": self.rss / 2**20,
            "RSS before them, MiB": self.rss_empty / 2**20,
        }

    def rss_now(self) -> int:
        """Resident memory of the worker in bytes."""
        pages = Path(f"/proc/{self.worker.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def drive(side: Side, numbers: range) -> None:
    """Run these cases to their end, step by step: every case has taken a step before the next answer goes out."""
    slots = asyncio.Semaphore(ABREAST)

    async def step(work: Awaitable[Any]) -> Any:
        async with slots:
            return await work

    orders = [f"{side.name}-{number}" for number in numbers]
    handles = await asyncio.gather(*(step(side.start(order)) for order in orders))
    for index in range(len(side.waits)):
        await asyncio.gather(*(step(_reaches(handle, side.waits[index])) for handle in handles))
        await asyncio.gather(
            *(
                step(handle.signal("event", side.answers(order)[index]))
                for handle, order in zip(handles, orders, strict=True)
            )
        )
    await asyncio.gather(*(handle.result() for handle in handles))


async def _reaches(handle: WorkflowHandle[Any, Any], length: int) -> None:
    while (await handle.describe()).history_length < length:  # noqa: ASYNC110 - another process tells nobody
        await asyncio.sleep(0.05)


async def calibrate(side: Side) -> None:
    """Run one case and learn how long its history is at each wait and at its end."""
    order = f"{side.name}-first"
    handle = await side.start(order)
    for answer in side.answers(order):
        side.waits.append(await _settled(handle))
        await handle.signal("event", answer)
    await handle.result()
    side.events = (await handle.describe()).history_length


async def _settled(handle: WorkflowHandle[Any, Any]) -> int:
    """The length of a history whose newest event is the timer with which both ladders wait."""
    while True:
        events = [event async for event in handle.fetch_history_events()]
        if events[-1].HasField("timer_started_event_attributes"):
            return len(events)
        await asyncio.sleep(0.05)


async def measure(side: Side, cases: range) -> None:
    """Time one round and the processor time of its worker."""
    cpu, clock = side.cpu_now(), time.perf_counter()
    await drive(side, cases)
    side.seconds.append((time.perf_counter() - clock) / len(cases))
    side.cpu.append((side.cpu_now() - cpu) / len(cases))


async def hold(side: Side, count: int) -> None:
    """Open cases that wait for their first answer, and weigh the worker that caches them."""
    slots = asyncio.Semaphore(ABREAST)
    before = side.rss_now()

    async def one(number: int) -> None:
        async with slots:
            handle = await side.start(f"{side.name}-held-{number}")
            await _reaches(handle, side.waits[0])

    await asyncio.gather(*(one(number) for number in range(count)))
    side.rss, side.rss_empty = side.rss_now(), before


def _ours(client: Client, settings: Settings) -> tuple[Callable[[str], Any], Callable[[str], list[Any]]]:
    policy = load_policy(settings.policy, settings.law).for_market("US")
    now = datetime.now(UTC)

    def known(order_id: str, name: str) -> dict[str, Any]:
        return {"id": f"{order_id}-{name}", "source": "bench", "order_id": order_id, "time": now}

    async def start(order_id: str) -> WorkflowHandle[Any, Any]:
        bought = Order.model_validate(order(order_id))
        asked = ReturnRequested(**known(order_id, "asked"), order=bought, reason="changed_mind")
        opened = CaseOpened(order=bought, policy=policy, opened_at=now, trigger=asked)
        options = start_options("return-escalation", opened)
        return await client.start_workflow(ReturnEscalation.run, opened, task_queue=settings.task_queue, **options)

    def answers(order_id: str) -> list[Any]:
        insists = CustomerReplied(**known(order_id, "reply"), text="No, I still want to return it.")
        facts: list[Event] = [insists, ReturnCancelled(**known(order_id, "cancel"))]
        return [enveloped(fact) for fact in facts]

    return start, answers


def _bare(client: Client) -> tuple[Callable[[str], Any], Callable[[str], list[Any]]]:
    async def start(order_id: str) -> WorkflowHandle[Any, Any]:
        return await client.start_workflow(BareLadder.run, {"order_id": order_id}, id=order_id, task_queue=QUEUE)

    return start, lambda order_id: [{"order_id": order_id}] * 2


@asynccontextmanager
async def worker_process(*command: str, address: str, data: Path) -> AsyncIterator[Process]:
    """A worker in a process of its own."""
    environment = os.environ | {
        "TEMPORAL_ADDRESS": address,
        "AFTERSALES_DATA": str(data),
        "AFTERSALES_LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, *command, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def bench(rounds: int, cases: int, held: int) -> dict[str, dict[str, float]]:
    """All measures, per side, and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
        async with EmbeddedServer(log_file=data / "temporal.log", search_attributes=kinds) as server:
            client = await connect(server.address)
            settings = Settings(data=data)
            # As on any day but the first: a worker that migrates keeps the memory of it.
            async with open_store(settings.store):
                pass
            async with (
                worker_process("-m", "benchmarks.bare", address=server.address, data=data) as bare_worker,
                worker_process(str(ROOT / "worker.py"), address=server.address, data=data) as our_worker,
            ):
                sides = [Side("bare", bare_worker, *_bare(client)), Side("ours", our_worker, *_ours(client, settings))]
                for side in sides:
                    await calibrate(side)
                    await drive(side, range(-20, 0))
                for number in range(rounds):
                    # In turns, so that whatever else the machine does falls on both.
                    for side in sides if number % 2 == 0 else sides[::-1]:
                        await measure(side, range(number * cases, (number + 1) * cases))
                for side in sides:
                    await hold(side, held)
                return {side.name: side.figures() for side in sides}


def ladder_table(figures: dict[str, dict[str, float]]) -> Table:
    """A row for each measure of the two ladders."""
    bare, ours = figures["bare"], figures["ours"]
    table = Table("measure", "bare", "ours", "ours ÷ bare", "to reach", title="The ladder, bare and ours, one run")
    goals = {"cases a second": "≥ 0.9", "worker CPU a case, ms": "≤ 1.15", "RSS with waiting cases, MiB": "≤ 1.3"}
    for name in bare:
        goal = goals.get(name, "≤ bare + 6" if name == "history events" else "")
        table.add_row(name, f"{bare[name]:.1f}", f"{ours[name]:.1f}", f"{ours[name] / bare[name]:.2f}", goal)
    return table


def main() -> int:
    """Entry point; returns the exit code: 1 where a process costs too much."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument(
        "only",
        nargs="?",
        choices=["ladder", "processes", "anger", "triage", "messages", "ingress"],
        help="one of them; without it, all",
    )
    parser.add_argument("--rounds", type=int, default=4, help="rounds of the ladder")
    parser.add_argument("--cases", type=int, default=100, help="cases of the ladder a round and side")
    parser.add_argument("--events", type=int, default=500, help="events of `ingress` a round and way in")
    parser.add_argument(
        "--database", choices=ingress.DATABASES, default="sqlite", help="where `ingress` has its events written down"
    )
    parser.add_argument("--held", type=int, default=1000, help="waiting cases that a worker holds")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {}
    costs: dict[str, processes.Cost] = {}
    judged: list[anger.Posts] = []
    ordinary: list[anger.Ordinary] = []
    places: list[messages.Placed] = []
    taken: list[ingress.Figures] = []
    if arguments.only in (None, "ladder"):
        figures = asyncio.run(bench(arguments.rounds, arguments.cases, arguments.held))
    if arguments.only in (None, "processes"):
        costs = asyncio.run(processes.costs())
    read = triage.measure() if arguments.only in (None, "triage") else None
    if arguments.only in (None, "anger"):
        judged, ordinary = list(anger.posts()), list(anger.ordinary())
        if not judged or not ordinary:
            print(f"anger: skipped where the data is not in {anger.DATA}", file=sys.stderr)
    if arguments.only in (None, "messages"):
        places = messages.measure()
        if not places:
            print(f"messages: skipped where the data is not in {messages.DATA}", file=sys.stderr)
    if arguments.only in (None, "ingress"):
        taken = asyncio.run(ingress.bench(arguments.events, arguments.database))
    if arguments.json:
        print(
            json.dumps(
                figures
                | {"processes": {name: cost.figures() for name, cost in costs.items()}}
                | {"anger": {each.name: {"precision": each.precision, "recall": each.recall} for each in judged}}
                | {"false alarms": {each.name: each.share for each in ordinary}}
                | {"triage": read.figures() if read else {}}
                | {"messages": messages.figures(places) if places else {}}
                | {"ingress": {each.door: asdict(each) for each in taken}}
            )
        )
    else:
        console = Console()
        if figures:
            console.print(ladder_table(figures))
        if costs:
            console.print(processes.table(costs))
            for line in processes.findings(costs):
                console.print(line, soft_wrap=True, highlight=False)
        if judged or ordinary:
            for table in anger.tables(judged, ordinary):
                console.print(table)
            for line in anger.missed(judged, ordinary):
                console.print(line, soft_wrap=True, highlight=False)
        if read:
            for shown in triage.tables(read):
                console.print(shown)
        if places:
            for table in messages.tables(places):
                console.print(table)
            for line in (*messages.misread(places), *messages.gone(places)):
                console.print(line, soft_wrap=True, highlight=False, markup=False)
        if taken:
            console.print(ingress.table(taken))
    too_much = any(cost.too_much for cost in costs.values()) or any(each.too_slow for each in taken)
    return int(too_much or bool(anger.missed(judged, ordinary) or messages.gone(places)))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The SDK's native part can abort while the interpreter shuts down, after all went well (sdk-python issue 300).
    os._exit(code)
