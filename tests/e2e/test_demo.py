import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The demo as a child, in another folder than the checkout, its output a pipe."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "cli", "demo", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AFTERSALES_DATABASE_URL": "postgresql+asyncpg://nowhere/none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes(folder: Path) -> list[int]:
    """Processes that write into this folder: the server by its log, the worker by its data."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            used = (entry / "environ").read_text(errors="replace") + os.readlink(entry / "fd" / "1")
        except OSError:
            continue
        if str(folder) in used and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shutil.rmtree(tmp_path / ".aftersales", ignore_errors=True)


@pytest.mark.slow
def test_the_day_ends_by_itself_with_everything_as_expected(folder: Path) -> None:
    began = time.monotonic()
    demo = start(folder)
    output, _ = demo.communicate(timeout=100)
    assert demo.returncode == 0, output
    assert time.monotonic() - began < 90
    assert "every case ended as it should" in output
    assert re.search(r"^cases +(\d+) closed.* 0 still open$", output, re.MULTILINE)
    for process in ("return-request", "return-escalation", "return-parcel", "shipment-watch", "wrong-item"):
        assert re.search(rf"{process}: .*\d", output)
    assert "decision needed" in output
    assert re.search(r"AFTERSALES_DATA=\.aftersales/demo \S*dev decide \S+ \w+ --by you --reason", output)
    assert "decision taken" in output
    assert "duplicate" in output
    assert "\x1b" not in output
    letters = list((folder / ".aftersales" / "demo" / "letters").rglob("*.eml"))
    assert len(letters) > 60
    assert not processes(folder)


@pytest.mark.slow
def test_it_can_be_stopped_and_leaves_nothing_behind(folder: Path) -> None:
    demo = start(folder)
    assert demo.stdout
    began = time.monotonic()
    assert "starting" in demo.stdout.readline()
    assert time.monotonic() - began < 5
    for line in demo.stdout:
        if "letter" in line:
            break
    running = json.loads((folder / ".aftersales" / "demo" / "up.json").read_text())
    assert {running["server_pid"], running["worker_pid"]} <= set(processes(folder))
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert rest.endswith("stopped\n")
    assert "Traceback" not in rest
    assert not processes(folder)


def test_a_folder_with_files_of_somebody_else_is_left_alone(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("a year's work")
    demo = start(folder, "--data", "mine")
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "choose another folder with --data" in output
    assert "Traceback" not in output
    assert [path.name for path in (folder / "mine").iterdir()] == ["thesis.txt"]
