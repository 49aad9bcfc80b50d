"""The process that a PostgreSQL server of the tests belongs to. It needs nothing but the standard library.

It makes the server's data folder, and each line on its standard input starts the server anew; the answer is its
process id. When the input ends, as it does when the tests' process dies in whatever way, the server is stopped and the
folder removed. Then nothing is left of either.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

START_WITHIN = 30.0
"""Seconds until a server that is not ready is given up."""
NOBODY = 65534
"""Whom the server runs as where we are the superuser, as whom it refuses to run."""
OPTIONS = {
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    # What a server shows and computes with must be all the same to us.
    "timezone": "Asia/Kathmandu",
    "wal_level": "minimal",
}
"""Fast, and nothing outside the data folder: what a test has committed must outlive the server, not the machine."""
IPC_RMID = 0


class Keeper:
    """A data folder and the server on it."""

    def __init__(self, folder: Path, installation: Path, port: str) -> None:
        self._folder, self._data, self._port = folder, folder / "data", port
        self._installation = installation
        self._as_nobody: dict[str, Any] = {}
        self._server: subprocess.Popen[bytes] | None = None

    def prepare(self, password: str) -> None:
        """Make the data folder, as a user that the server agrees to run as."""
        if os.geteuid() == 0:
            self._as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            if not _open_to_all(self._installation):
                self._installation = _copy(self._installation, self._folder / "installation")
            os.chown(self._folder, NOBODY, NOBODY)
        secret = self._folder / "password"
        secret.write_text(password)
        secret.chmod(0o644)
        self._run(
            *("initdb", "--no-sync", "--encoding=UTF8", "--locale=C", "--username=aftersales"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}", f"--pgdata={self._data}"),
        )

    def start(self) -> int:
        """Start the server, waiting for the end of one that was killed; its process id once it takes connections."""
        if self._server:
            self._server.wait()
        place = ("-D", str(self._data), "-p", self._port, "-k", str(self._folder))
        log = self._folder / "log"
        with log.open("ab") as out:
            self._server = server = subprocess.Popen(
                [str(self._installation / "bin/postgres"), *place, *(f"--{name}={OPTIONS[name]}" for name in OPTIONS)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                preexec_fn=_stop_with_parent,  # noqa: PLW1509  # this process has one thread
                **self._as_nobody,
            )
        late = time.monotonic() + START_WITHIN
        while not self._ready(server.pid):
            if server.poll() is not None or time.monotonic() > late:
                raise SystemExit(f"PostgreSQL does not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        return server.pid

    def clear(self) -> None:
        """Stop the server at once and remove all that is left of it."""
        if self._server and self._server.poll() is None:
            self._server.send_signal(signal.SIGQUIT)
            try:
                self._server.wait(10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        status = self._status()
        if len(status) > 6 and status[6]:
            # Killed and not started again: only the next start would have removed its shared memory.
            ctypes.CDLL(None).shmctl(int(status[6].split()[1]), IPC_RMID, None)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ready(self, pid: int) -> bool:
        status = self._status()
        return len(status) > 7 and int(status[0]) == pid and status[7].strip() == "ready"

    def _status(self) -> list[str]:
        """What the server writes down of itself; nothing after an orderly end."""
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._installation / "bin" / program, *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            **self._as_nobody,
        )
        if done.returncode:
            raise SystemExit(f"{program} failed: {(done.stderr or done.stdout).decode(errors='replace')[-2000:]}")


def _copy(installation: Path, folder: Path) -> Path:
    """The programs with the libraries that the wheel has put beside its package; they look for them there."""
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return shutil.copytree(installation, folder / package.name / installation.name)


def _open_to_all(path: Path) -> bool:
    """Whether any user may look into a folder: some homes are closed."""
    folder = path.resolve()
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))


def _stop_with_parent() -> None:
    """Should this process be killed itself (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def main() -> None:
    """Keep a server: the folder, the installation and the port are given, the password is the first line of input."""
    folder, installation, port = sys.argv[1:]
    keeper = Keeper(Path(folder), Path(installation), port)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    try:
        keeper.prepare(sys.stdin.readline().strip())
        for _ in sys.stdin:
            print(keeper.start(), flush=True)
    finally:
        keeper.clear()


if __name__ == "__main__":
    main()
