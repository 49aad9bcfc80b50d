"""Temporal, PostgreSQL, NATS, a mail server, a counterpart, and our own programs, each of which can be killed."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from temporalio.client import Client

from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer, bound
from adapters.preflight import pick_ports
from adapters.settings import ROOT
from adapters.temporal import connect
from tests.brokers import NatsServer
from tests.mail_server import HOST, MailServer
from tests.plant import embedded, kill
from tests.postgres import PostgresServer, installation

SHOPS = ("lumen", "porto")
SUBJECT, STREAM = "aftersales.events", "AFTERSALES"
COUNTERPARTS = ("shop", "warehouse", "carrier", "payment", "platform", "insurer")
START_WITHIN = 90.0
"""Seconds that a program of ours has until it works."""


def new_secret() -> str:
    """A secret of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass
class Keys:
    """Who may speak to the door, and what we sign with."""

    own: str = field(default_factory=new_secret)
    counterpart: str = field(default_factory=new_secret)
    events: dict[str, str] = field(default_factory=lambda: {shop: new_secret() for shop in SHOPS})
    mail: dict[str, str] = field(default_factory=lambda: {shop: secrets.token_hex(16) for shop in SHOPS})


@dataclass
class Program:
    """A process of ours: what it is started with, and its log over all starts."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    says: str
    """What stands in its log once it works."""
    process: Process | None = None
    begun: int = 0
    """How long the log was at the last start."""

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self.process
        return self.process.pid

    def lines(self, since: int = 0) -> list[dict[str, Any]]:
        """What it has logged, by line; `text` where a line is no JSON. `since` is a length of the log."""
        text = self.log.read_bytes()[since:].decode(errors="replace")
        return [_read(line) for line in text.splitlines() if line.strip()]


def _read(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        read = json.loads(line)
        if isinstance(read, dict):
            return read
    return {"text": line}


@dataclass
class Installation:
    """All parts, in one folder. What is killed is so as by a power cut."""

    folder: Path
    temporal: EmbeddedServer
    postgres: PostgresServer
    nats: NatsServer
    mail: MailServer
    keys: Keys
    counterpart_port: int
    doors: list[int]
    programs: dict[str, Program] = field(default_factory=dict)
    url: str = ""
    address: str = ""
    """Of the Temporal server, also while that is away."""
    _mail: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def book(self) -> Path:
        """What the counterpart has written down."""
        return self.folder / "counterpart.db"

    async def client(self) -> Client:
        """A client of the Temporal server."""
        return await connect(self.address)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The database, opened once more."""
        async with open_store(self.url) as store:
            yield store

    async def start(self, name: str, *, wait: bool = True) -> None:
        """Start a part, again where it was killed; returns once it works."""
        match name:
            case "temporal":
                await self.temporal.__aenter__()
                self.address = self.temporal.address
            case "database":
                await asyncio.to_thread(self.postgres.start)
            case "nats":
                await self.nats.start()
            case "smtp":
                await self._mail.enter_async_context(self.mail.running())
            case _:
                await self._start(self.programs[name], wait=wait)

    async def kill(self, name: str) -> None:
        """kill -9 for a process; the mail server, which is in this one, hangs up and listens no more."""
        match name:
            case "temporal":
                os.kill(self.temporal.pid, signal.SIGKILL)
                await self.temporal.wait()
                ports = [int(url.rpartition(":")[2]) for url in (self.address, self.temporal.ui_url)]
                self.temporal = embedded(self.folder, *ports)
            case "database":
                await asyncio.to_thread(self.postgres.kill)
            case "nats":
                await asyncio.to_thread(self.nats.kill)
            case "smtp":
                await self._mail.aclose()
            case _:
                if process := self.programs[name].process:
                    await kill(process)

    async def watch(self) -> None:
        """Fail where a program ends that was not killed."""
        while True:
            for program in self.programs.values():
                if program.process and (program.process.returncode or -9) != -9:
                    raise AssertionError(f"{program.name} has ended: {program.log.read_text()[-2000:]}")
            await asyncio.sleep(0.5)

    async def verb(self, *arguments: str) -> tuple[int, str]:
        """A verb of `./dev`: its exit code, and what it printed."""
        process = await self._spawn(("-m", "cli", *arguments), stdout=asyncio.subprocess.PIPE, stderr=STDOUT)
        try:
            async with asyncio.timeout(START_WITHIN):
                said, _ = await process.communicate()
        finally:
            await kill(process)
        return process.returncode or 0, said.decode()

    async def _start(self, program: Program, *, wait: bool) -> None:
        program.log.touch()
        program.begun = program.log.stat().st_size
        with program.log.open("ab") as log:
            program.process = await self._spawn(program.arguments, stdout=log, stderr=STDOUT)
        if wait:
            await self.works(program)

    async def works(self, program: Program) -> None:
        """Wait until a program has said that it works."""
        assert program.process
        async with asyncio.timeout(START_WITHIN):
            while program.says.encode() not in program.log.read_bytes()[program.begun :]:
                if program.process.returncode is not None:
                    raise AssertionError(f"{program.name} has ended: {program.log.read_text()[-2000:]}")
                await asyncio.sleep(0.05)

    async def _spawn(self, arguments: Sequence[str], **options: Any) -> Process:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AFTERSALES_", "TEMPORAL_"))}
        own |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TEMPORAL_ADDRESS": self.address}
        own |= {"AFTERSALES_SETTINGS": str(self.folder / "aftersales.toml")}
        command = bound(sys.executable, "-P", *arguments)
        return await asyncio.create_subprocess_exec(*command, env=own, cwd=self.folder, stdin=DEVNULL, **options)


@asynccontextmanager
async def whole(
    folder: Path, policy: str, *, workers: int = 2, doors: int = 2, start: bool = True
) -> AsyncIterator[Installation]:
    """An installation with a policy, given as YAML; its parts run, our own programs too where they are to `start`."""
    programs = installation()
    assert programs, "there is no PostgreSQL"
    ports = list(pick_ports(HOST, dict.fromkeys(["counterpart", *map(str, range(doors))])).values())
    async with AsyncExitStack() as closing:
        postgres = PostgresServer(programs)
        await asyncio.to_thread(postgres.__enter__)
        closing.push_async_callback(asyncio.to_thread, postgres.close)
        made = Installation(
            folder, embedded(folder), postgres, NatsServer(folder), MailServer(), Keys(), ports[0], ports[1:]
        )

        async def end() -> None:
            for program in made.programs.values():
                if program.process:
                    await kill(program.process)
            await made.kill("nats")
            await made.kill("smtp")
            await made.temporal.__aexit__(None, None, None)

        closing.push_async_callback(end)
        await asyncio.gather(made.start("temporal"), made.start("nats"), made.start("smtp"))
        made.url = postgres.url(await asyncio.to_thread(postgres.new_database, upgraded=False), tcp=True)
        default = ROOT / "policies" / "default.yaml"
        (folder / "policy.yaml").write_text(f"extends: {default}\n{policy}", encoding="utf-8")
        (folder / "aftersales.toml").write_text(_settings(made), encoding="utf-8")
        _add_programs(made, workers)
        if start:
            await asyncio.gather(*map(made.start, made.programs))
        yield made


def _add_programs(made: Installation, workers: int) -> None:
    counterpart = (str(ROOT / "examples/counterpart.py"), str(made.counterpart_port), made.keys.counterpart)
    plans: dict[str, tuple[tuple[str, ...], str]] = {"counterpart": ((*counterpart, str(made.book)), "")}
    plans |= {f"worker-{number}": ((str(ROOT / "worker.py"),), "worker runs") for number in range(workers)}
    for number, port in enumerate(made.doors):
        plans[f"door-{number}"] = (str(ROOT / "starter.py"), "serve", "--port", str(port)), "http.listening"
    for name, (arguments, says) in plans.items():
        made.programs[name] = Program(name, arguments, made.folder / f"{name}.log", says)


def _settings(made: Installation) -> str:
    """The settings file, as an operator writes it."""
    lines = [
        f"data = {json.dumps(str(made.folder / 'data'))}",
        f"database_url = {json.dumps(made.url)}",
        f"policy = {json.dumps(str(made.folder / 'policy.yaml'))}",
        'log_format = "json"',
        f"secrets = [{json.dumps(made.keys.own)}]",
        "http = {retry_after = 1, rate = 1000, burst = 1000}",
        f"nats = {{servers = [{json.dumps(made.nats.url)}], subject = {json.dumps(SUBJECT)}, ack_wait = 5}}",
        "[letters]",
        'chain = ["smtp"]',
        f'smtp = {{host = "{HOST}", port = {made.mail.port}, tls = "none", letters_a_minute = 100000, '
        'sender = "Service <service@shops.example>"}',
    ]
    url = f"http://{HOST}:{made.counterpart_port}/commands"
    for name in COUNTERPARTS:
        lines += [f"[commands.counterparts.{name}]", f'url = "{url}"', f'secret = "{made.keys.counterpart}"']
        lines += ["guard = {pause_seconds = 1, longest_pause_seconds = 4}"]
    for shop in SHOPS:
        lines += [f"[shops.{shop}.keys]", f'events = ["{made.keys.events[shop]}"]']
        lines += [f'mail_tokens = ["{made.keys.mail[shop]}"]']
    return "\n".join(lines) + "\n"


async def ready(port: int) -> int:
    """What a door answers to whether it is ready; 0 where it does not answer."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.get(f"http://{HOST}:{port}/readyz") as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return 0
