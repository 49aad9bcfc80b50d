"""`up`: server, Web UI, worker and the door for events on one machine, kept running until they are told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client
from temporalio.service import RPCError

from adapters.database import masked, open_store
from adapters.embedded import EmbeddedServer, ServerError, stop
from adapters.files import write_whole
from adapters.schedules import keep_schedules
from adapters.settings import Settings
from adapters.shops import load_policies
from adapters.temporal import NotReachable, connect, type_name
from aftersales.faults import BadFile
from cli import children
from cli.adopt import pinned_elsewhere, serving_build
from cli.connection import Running, Serving
from cli.running import Stop, run
from worker import build_id
from workflows import attributes

READY_WITHIN = 60.0
"""Seconds that a worker has until it serves."""


def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Temporal server.")] = 7233,
    ui_port: Annotated[int, typer.Option("--ui-port", min=1, max=65535, help="Port of the Web UI.")] = 8233,
) -> None:
    """Run Temporal, its Web UI, a worker and the door for events on this machine until Ctrl-C.

    Their data stays in the data folder.
    """
    run(lambda settings: _up(settings, port, ui_port))


async def _up(settings: Settings, port: int, ui_port: int) -> int:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    settings = settings.model_copy(update={"data": settings.data.absolute()})
    with _alone(settings):
        machine = _Machine(settings, port, ui_port, os.environ.get("TEMPORAL_ADDRESS", ""))
        children.forget_other_servers()
        # Worker and door would wait for a database that is away: here it is more likely to be a mistake.
        async with open_store(settings.store):
            pass
        serving, working = asyncio.create_task(machine.serve()), asyncio.create_task(machine.work())
        receiving = asyncio.create_task(machine.receive())
        ended = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait([ended, serving, working, receiving], return_when=asyncio.FIRST_COMPLETED)
            for task in (serving, working, receiving):
                if task.done():
                    await task
            _tell("stopping")
        finally:
            ended.cancel()
            # The door first, so that nothing more comes in; then the worker: it still has effects to write down.
            for task in (receiving, working, serving):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            Running.file(settings).unlink(missing_ok=True)
    return 0


class _Machine:
    """The three things that run here. Each is started again when it ends."""

    def __init__(self, settings: Settings, port: int, ui_port: int, elsewhere: str) -> None:
        self._elsewhere = elsewhere
        self._settings, self._port, self._ui_port = settings, port, ui_port
        self._logs = settings.data / "logs"
        self._served = asyncio.Event()
        self._server: EmbeddedServer | None = None
        self._worker_pid: int | None = None
        self._door_pid: int | None = None
        self._told = False

    async def serve(self) -> None:
        """Keep the server running. Raises `ServerError` where it cannot be started at all."""
        pause = children.Pause()
        while True:
            pause.began()
            server = EmbeddedServer(
                log_file=self._logs / "temporal.log",
                db_file=self._settings.data / "temporal.db",
                search_attributes={name: type_name(kind) for name, kind in attributes.TYPES.items()},
                port=self._port,
                ui_port=self._ui_port,
            )
            try:
                async with server:
                    self._server = server
                    self._write_down()
                    self._served.set()
                    code = await server.wait()
            except ServerError as error:
                if not self._told:
                    raise
                _tell(f"the Temporal server cannot be started again yet: {error}")
            else:
                _tell(f"the Temporal server {children.how(code)}; it is started again")
            await pause.wait()

    async def work(self) -> None:
        """Keep a worker running. Raises `Stop` where the first one ends before it served."""
        await self._served.wait()
        assert self._server
        env = children.environment(self._server.address, self._settings.data)
        log = self._logs / "worker.log"
        pause = children.Pause()
        while True:
            pause.began()
            start = log.stat().st_size if log.exists() else 0
            process = await children.start(env, log, *children.WORKER)
            self._worker_pid = process.pid
            self._write_down()
            watching = asyncio.create_task(self._watch(env))
            try:
                code = await process.wait()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await stop(process)
            if not watching.cancelled() and (mistake := watching.exception()):
                raise mistake
            if not self._told:
                words = children.last_line(log, start)
                raise Stop(f"the worker {children.how(code)}: {words or f'see {log}'}")
            _tell(f"the worker {children.how(code)}; it is started again")
            await pause.wait()

    async def receive(self) -> None:
        """Keep the door open for events. Raises `Stop` where it cannot be opened at all."""
        await self._served.wait()
        assert self._server
        env = children.environment(self._server.address, self._settings.data)
        log = self._logs / "door.log"
        pause = children.Pause()
        while True:
            pause.began()
            start = log.stat().st_size if log.exists() else 0
            process = await children.start(env, log, *children.DOOR)
            self._door_pid = process.pid
            self._write_down()
            try:
                code = await process.wait()
            finally:
                await stop(process)
            words = children.last_line(log, start)
            if not self._told:
                raise Stop(f"the door for events {children.how(code)}: {words or f'see {log}'}")
            # One that was killed said nothing about it.
            why = f": {words}" if code > 0 else ""
            _tell(f"the door for events {children.how(code)}{why}; it is started again")
            await pause.wait()

    async def _watch(self, env: dict[str, str]) -> None:
        """Wait until the worker serves, tell where everything is, and have cases of earlier builds adopted."""
        assert self._server
        late = asyncio.get_running_loop().time() + READY_WITHIN
        while True:
            try:
                client = await connect(self._server.address)
                if await serving_build(client) == build_id() and self._door_url():
                    stranded = await pinned_elsewhere(client, build_id())
                    break
            except (NotReachable, RPCError):  # the server is being started again, which `serve` tells
                pass
            if asyncio.get_running_loop().time() > late:
                _tell(f"worker or door do not serve after {READY_WITHIN:.0f} s; see {self._logs}")
                return
            await asyncio.sleep(0.2)
        if not self._told:
            self._told = True
            self._tell_where()
        await self._schedule(client)
        if stranded:
            # In a process of its own: it replays with the code as it is now, like the worker that was just started.
            adopting = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "cli", "adopt", env=env)
            try:
                await adopting.wait()
            finally:
                await stop(adopting)

    async def _schedule(self, client: Client) -> None:
        """Have the report of figures made every day and every month."""
        settings = self._settings
        try:
            terms = load_policies(settings.policy, settings.law, settings.shops).default.report
            await keep_schedules(client, settings.task_queue, terms)
        except (BadFile, RPCError) as error:
            _tell(f"the report of figures is not scheduled: {error}; ./dev report --schedule tries again")

    def _write_down(self) -> None:
        """For the other verbs on this data folder."""
        assert self._server
        running = Running(
            address=self._server.address,
            ui_url=self._server.ui_url,
            pid=os.getpid(),
            server_pid=self._server.pid,
            worker_pid=self._worker_pid,
            door_pid=self._door_pid,
        )
        write_whole(Running.file(self._settings), running.model_dump_json().encode())

    def _door_url(self) -> str:
        """Where the door is; empty while it is not open."""
        door = Serving.read(self._settings)
        return door.url if door and door.pid == self._door_pid else ""

    def _tell_where(self) -> None:
        assert self._server
        data = _short(self._settings.data)
        _tell(
            f"Temporal   {self._server.address}\n"
            f"Web UI     {self._server.ui_url}\n"
            f"events in  {self._door_url()}/events (what may be sent: {self._door_url()}/docs)\n"
            f"letters    {data / 'letters'}\n"
            f"reports    {data / 'reports'}\n"
            f"database   {masked(self._settings.database_url.get_secret_value()) or data / 'aftersales.db'}\n"
            f"logs       {data / 'logs'}\n"
            "Send events: ./dev send FILE; list cases: ./dev cases. Ctrl-C stops, the next ./dev up goes on from there."
        )
        if self._elsewhere not in {"", self._server.address}:
            _tell(f"note: TEMPORAL_ADDRESS is set: with it the other verbs talk to {self._elsewhere}")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the data folder until this process ends, in whatever way. Raises `Stop` where another `up` holds it."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        lock = (settings.data / "up.lock").open("ab")
    except OSError as error:
        raise Stop(
            f"the data folder {settings.data} cannot be written: {error.strerror}; "
            "make it writable, or choose another with AFTERSALES_DATA"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = Running.read(settings)
            where = f" (process {running.pid}): {running.address}, Web UI {running.ui_url}" if running else ""
            raise Stop(f"./dev up runs already on {_short(settings.data)}{where}") from None
        yield


def _short(path: Path) -> Path:
    """A path as seen from here, where it is below."""
    with contextlib.suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path


def _tell(text: str) -> None:
    print(text, flush=True)
