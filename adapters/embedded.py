"""The Temporal server of one machine: a child process with Web UI, in memory or with a file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import OperatorService

from adapters.preflight import ServerError, claim, find_binary, make_writable, pick_ports

__all__ = ["EmbeddedServer", "ServerError", "bound", "stop"]

HOST = "127.0.0.1"
NAMESPACE = "default"
START_WITHIN = 30.0
"""Seconds until a server that does not answer is given up; it takes 0.3 s on an idle machine."""
STOP_WITHIN = 15.0
"""Seconds from the request to stop until a process is killed; a worker lets its effects finish for 10 s."""

_STARTS, _TAKEN = 3, "bind: address already in use"

# Started through this, the server is told to stop when the thread that started it dies in whatever way, kill
# -9 included (Linux only; elsewhere it then stays). A preexec_fn may deadlock in a process with threads.
_BOUND = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedServer:
    """An async context manager around `temporal server start-dev`, stopped on leaving.

    `db_file` None keeps everything in memory; a file goes on where it was. Ports that are None are picked
    free. `search_attributes` maps names to types as the server spells them ("Keyword", "Datetime", "Bool"
    and so on); those that the server does not have yet are registered. `virtual_time` allows tests to skip
    time, workflow by workflow.

    The server has a process group of its own, so Ctrl-C in a terminal reaches this process only, which then
    stops the server after its own work. Raises `ServerError` from `__aenter__`.
    """

    def __init__(
        self,
        *,
        log_file: Path,
        search_attributes: Mapping[str, str],
        db_file: Path | None = None,
        port: int | None = None,
        ui_port: int | None = None,
        virtual_time: bool = False,
    ) -> None:
        self._log_file = log_file
        self._search_attributes = search_attributes
        self._db_file = db_file
        self._wanted = {"--port": port, "--ui-port": ui_port}
        self._virtual_time = virtual_time
        self._process: Process | None = None
        self._obstacle = "nothing listens there"

    @property
    def address(self) -> str:
        """Host and port of the server's API, for `Client.connect`."""
        return f"{HOST}:{self._ports['--port']}"

    @property
    def ui_url(self) -> str:
        """Where the Web UI is."""
        return f"http://{HOST}:{self._ports['--ui-port']}"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        return self._running.pid

    async def wait(self) -> int:
        """Wait for the server's end, of itself or by somebody; its exit code, negative for a signal."""
        return await self._running.wait()

    async def __aenter__(self) -> Self:
        for _ in range(_STARTS - 1):
            try:
                return await self._start()
            except ServerError as error:
                # Somebody took a free port between our looking and the server's.
                if _TAKEN not in str(error):
                    raise
        return await self._start()

    async def _start(self) -> Self:
        binary = find_binary()
        for file in filter(None, (self._log_file, self._db_file)):
            make_writable(file)
        with ExitStack() as stack:
            claims = []
            if self._db_file:
                claims = [stack.enter_context(await claim(self._db_file))]
            self._ports = pick_ports(HOST, self._wanted)
            log = stack.enter_context(self._log_file.open("ab"))
            self._log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *bound(binary, *self._arguments()),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[file.fileno() for file in claims],
            )
        try:
            await self._until_ready()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the server has not been started; use `async with`")
        return self._process

    def _arguments(self) -> list[str]:
        arguments = ["server", "start-dev", "--ip", HOST, "--log-level", "warn", "--ui-disable-news-fetch"]
        # Shops take turns (`workflows/start.py`).
        arguments += ["--dynamic-config-value", "matching.enableFairness=true"]
        for flag, port in self._ports.items():
            arguments += [flag, str(port)]
        if self._db_file:
            arguments += ["--db-filename", str(self._db_file)]
            arguments += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"]
        if self._virtual_time:
            arguments += ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
            # Without it each skipped wait costs a second of real time.
            arguments += ["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="20ms"']
            # The server's own workers, for schedules and batches, which every namespace would get.
            arguments += ["--dynamic-config-value", "worker.perNamespaceWorkerCount=0"]
        return arguments

    async def _until_ready(self) -> None:
        """Wait for an answering server with all search attributes, or for its end."""
        ended = asyncio.create_task(self._running.wait())
        ready = asyncio.create_task(self._register())
        try:
            await asyncio.wait({ended, ready}, timeout=START_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                await ready
            elif ended.done():
                raise ServerError(f"the embedded Temporal server ended while starting: {self._last_words()}")
            else:
                raise ServerError(
                    f"the embedded Temporal server does not answer at {self.address} "
                    f"after {START_WITHIN:.0f} s ({self._obstacle}); see {self._log_file}"
                )
        finally:
            ended.cancel()
            ready.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)

    async def _register(self) -> None:
        """Connect as soon as the server is healthy, and register the search attributes it does not have.

        Its own flag for them works on a new file only, and an upsert of an unknown one wedges the run.
        """
        operator = (await self._connect()).operator_service
        while missing := await self._missing(operator):
            kinds = {name: _indexed(self._search_attributes[name]) for name in missing}
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=NAMESPACE, search_attributes=kinds), retry=True
            )
            await asyncio.sleep(0.05)

    async def _connect(self) -> Client:
        while True:
            if await _listening(self.address):
                try:
                    return await Client.connect(self.address, namespace=NAMESPACE)
                except RuntimeError as error:
                    # For an instant it listens and says "Frontend is not healthy yet".
                    self._obstacle = str(error)
            await asyncio.sleep(0.05)

    async def _missing(self, operator: OperatorService) -> AbstractSet[str]:
        request = ListSearchAttributesRequest(namespace=NAMESPACE)
        known = await operator.list_search_attributes(request, retry=True)
        return self._search_attributes.keys() - known.custom_attributes.keys()

    def _last_words(self) -> str:
        with self._log_file.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("Error: ") if lines else f"it said nothing; see {self._log_file}"

    async def _stop(self) -> None:
        await stop(self._running)


async def stop(process: Process) -> None:
    """Ask a process of ours to stop, and kill it when it does not."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()


def bound(*command: str) -> tuple[str, ...]:
    """A command that is told to stop when this process dies, in whatever way."""
    return (sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid()), *command)


async def _listening(address: str) -> bool:
    """Whether a connection is accepted. Asked first, as the client's own attempts wait ever longer."""
    host, port = address.split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _indexed(kind: str) -> IndexedValueType.ValueType:
    """The API's value for a type's name: "KeywordList" → INDEXED_VALUE_TYPE_KEYWORD_LIST."""
    name = "".join(f"_{letter}" if letter.isupper() else letter for letter in kind).upper()
    return IndexedValueType.Value(f"INDEXED_VALUE_TYPE{name}")
