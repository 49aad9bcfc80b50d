"""The verbs of `./dev` against a real server and a real worker, both run by `up` on a copy of the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import ROOT
from tests.events import event, now, order, replied, return_requested
from workflows import attributes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CODE = ("activities", "adapters", "aftersales", "cli", "policies", "templates", "workflows", "starter.py", "worker.py")


class Machine:
    """A copy of the code with a data folder, and the verbs run on it."""

    def __init__(self, folder: Path) -> None:
        self.code, self.data = folder / "code", folder / "data"
        self.code.mkdir()
        for name in CODE:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.code / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, self.code / name)
        self.ports = [free_port(), free_port()]
        self.output = folder / "up.txt"
        self.up: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "AFTERSALES_"))}
        return {**kept, "PYTHONPATH": str(self.code), "AFTERSALES_DATA": str(self.data), "AFTERSALES_HTTP__PORT": "0"}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "cli", *arguments]

    def run(self, *arguments: str, given: str | bytes = b"", **env: str) -> subprocess.CompletedProcess[str]:
        data = given.encode() if isinstance(given, str) else given
        done = subprocess.run(
            self.command(*arguments),
            check=False,
            input=data,
            capture_output=True,
            env={**self.env, **env},
            cwd=self.code,
            timeout=90,
        )
        shown = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in shown.stderr, shown.stderr
        return shown

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines()]

    def send(self, *events: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        return self.run("send", "-", given="\n".join(map(json.dumps, events)))

    def case(self, case: str) -> dict[str, Any]:
        found = self.objects("case", case)
        return found[0] if found else {"stage": "", "deadline": None, "result": ""}

    def start(self) -> None:
        port, ui_port = map(str, self.ports)
        with self.output.open("wb") as out:
            self.up = subprocess.Popen(
                self.command("up", "--port", port, "--ui-port", ui_port), stdout=out, stderr=out, env=self.env
            )
        self.told("Send events")

    def stop(self) -> int:
        assert self.up
        self.up.send_signal(signal.SIGTERM)
        code = self.up.wait(60)
        self.up = None
        return code

    def told(self, text: str) -> str:
        """What `up` has said, once this is part of it."""
        until(lambda: text in self.output.read_text() or (self.up is not None and self.up.poll() is not None))
        said = self.output.read_text()
        assert text in said
        return said

    def running(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "up.json").read_text()))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], object], within: float = 60) -> None:
    late = time.monotonic() + within
    while not true():
        assert time.monotonic() < late, "it did not come about"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.start()
    try:
        yield machine
    finally:
        if machine.up:
            machine.up.terminate()
            machine.up.wait(60)


def test_each_event_is_told_and_refused_ones_are_kept(machine: Machine, tmp_path: Path) -> None:
    requested = return_requested("A-1")
    file = tmp_path / "events.jsonl"
    lines = [
        json.dumps(requested),
        json.dumps(requested),
        '{"specversion": "1.0", "id": ',
        json.dumps(replied("A-1", "1", choice=1)),
        json.dumps(event("order.return_cancelled", "A-9")),
        json.dumps(event("order.teleported", "A-9")),
        json.dumps(event("order.return_requested", "A-2", order=order("A-2", total="-1"), reason="size")),
        json.dumps({**event("customer.message", "A-9", text="\ud83d\0 مرحبا 👋"), "id": "odd\x1b[31m"}),
        json.dumps(return_requested("A-3")),
    ]
    file.write_text("\n".join(lines))
    sent = machine.run("send", str(file))
    out = sent.stdout.splitlines()
    assert sent.returncode == 1
    assert out[0].endswith("order.return_requested A-1 → started return-request/A-1")
    assert out[1].endswith("→ duplicate")
    assert "refused: line 3: is not JSON" in out[2]
    assert "→ signalled return-" in out[3]
    assert out[4].endswith("→ no open case awaits it (kept)")
    assert "line 6: A-9:order.teleported: order.teleported A-9 → refused: type: " in out[5]
    assert "data.order.total" in out[6]
    assert "\x1b" not in out[7]
    assert out[8].endswith("→ started return-request/A-3")
    assert out[9] == "9 events: 3 refused, 2 started, 2 no open case, 1 duplicate, 1 signalled"

    refused = machine.objects("events", "--refused")
    assert {record["id"] for record in refused} >= {"A-9:order.teleported:", "A-2:order.return_requested:"}
    again = machine.run("events", "--resend", "A-9:order.teleported:")
    assert (again.returncode, "refused: type: " in again.stdout) == (1, True)
    done = ["events", "--done", "A-9:order.teleported:", "--by", "Ana", "--reason", "told the shop"]
    assert "done by hand, by Ana: told the shop" in machine.run(*done).stdout
    assert "A-9:order.teleported:" not in {record["id"] for record in machine.objects("events", "--refused")}
    assert "A-9:order.return_cancelled:" in {record["id"] for record in machine.objects("events", "--unrouted")}
    unknown = machine.run("events", "--resend", "nobody")
    assert (unknown.returncode, "no event 'nobody'" in unknown.stderr) == (1, True)


def test_a_corrected_event_may_follow_the_refused_one_in_the_same_file(machine: Machine) -> None:
    wrong = return_requested("A-4", total="-1")
    sent = machine.send(wrong, return_requested("A-4"))
    assert "→ refused: " in sent.stdout.splitlines()[0]
    assert sent.stdout.splitlines()[1].endswith("→ started return-request/A-4")


def test_an_array_of_many_events_shows_only_refused_ones_and_a_count(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    many = [event("order.return_cancelled", f"M-{number}") for number in range(250)]
    file.write_text(json.dumps([*many, event("order.teleported", "M-1")]))
    sent = machine.run("send", str(file))
    assert sent.returncode == 1
    assert [line.split(" ")[0] for line in sent.stdout.splitlines()] == ["line", "251", "Refused"]


def test_an_operator_sees_a_decision_and_takes_it(machine: Machine) -> None:
    case = "return-escalation/D-1"
    machine.send(return_requested("D-1"))
    until(lambda: machine.case(case)["stage"] == "return-terms")
    machine.send(replied("D-1", "and what about the blue one then?"))
    until(lambda: case in {found["case"] for found in machine.objects("cases", "--stage", "decision")})

    told = machine.case(case)
    assert told["decision"]["options"] == ["accept", "insist"]
    assert "the blue one" in told["decision"]["question"]
    assert {line["kind"] for line in told["story"]} == {"event", "letter", "timer"}
    assert told["link"].startswith(machine.running()["ui_url"])
    assert f"./dev decide {case} accept --by" in machine.run("case", case).stdout

    wrong = machine.run("decide", case, "perhaps", "--by", "Ana", "--reason", "why not")
    assert (wrong.returncode, wrong.stderr.strip()) == (
        1,
        "option: 'perhaps' is not open; choose one of accept, insist",
    )
    taken = machine.run("decide", case, "insist", "--by", "Ana", "--reason", "wants the blue one")
    assert (taken.returncode, taken.stdout.strip()) == (0, "insist, decided by Ana")
    until(lambda: machine.case(case)["stage"] == "waive-restocking")
    late = machine.run("decide", case, "insist", "--by", "Ana", "--reason", "again")
    assert (late.returncode, "no decision is open" in late.stderr) == (1, True)
    assert "decide   insist, by Ana: wants the blue one" in machine.run("case", case).stdout


def test_a_deadline_is_moved(machine: Machine) -> None:
    case = "return-escalation/E-1"
    machine.send(return_requested("E-1"))
    until(lambda: machine.case(case)["deadline"])
    signed = ["--by", "Ana", "--reason", "holidays"]
    moved = machine.run("extend", case, "--until", "2099-12-01T12:00Z", *signed)
    assert moved.stdout.strip() == "waits until 2099-12-01T12:00:00+00:00"
    moved = machine.run("extend", case, "--hours", "24", *signed)
    assert moved.stdout.strip() == "waits until 2099-12-02T12:00:00+00:00"
    past = machine.run("extend", case, "--until", "2020-12-01T12:00Z", *signed)
    assert (past.returncode, "is in the past" in past.stderr) == (1, True)
    assert machine.run("extend", case, "--until", "2099-12-01T12:00", *signed).returncode == 2


def test_cases_are_listed_next_deadline_first(machine: Machine) -> None:
    machine.send(return_requested("L-1"))
    until(lambda: machine.case("return-escalation/L-1")["deadline"])
    until(lambda: len(machine.objects("cases", "--order", "L-1")) == 1)
    [found] = machine.objects("cases", "--order", "L-1")
    assert (found["stage"], found["status"], found["result"]) == ("return-terms", "open", "")
    due = [case["due"] for case in machine.objects("cases") if case["due"]]
    assert due == sorted(due)
    assert "return-escalation/L-1  Desk lamp  return-terms  in " in machine.run("cases", "--order", "L-1").stdout
    assert "no such cases" in machine.run("cases", "--order", 'no "such\\ order').stdout


def test_a_case_is_due_when_the_nearest_of_its_clocks_is(machine: Machine) -> None:
    """The law wants the delay offered in twelve hours; the customer has two days to choose."""
    case, placed = "expedite/C-1", now() - timedelta(days=29, hours=12)
    machine.send(
        event("order.expedite_requested", "C-1", order=order("C-1", placed_at=placed.isoformat(), delivered_at=None))
    )
    until(lambda: machine.case(case)["stage"] == "late")
    machine.send(event("warehouse.answered", "C-1", answer="out_of_stock"), return_requested("C-2"))
    until(lambda: machine.case(case)["stage"] == "out-of-stock-choice")
    until(lambda: len(machine.objects("cases", "--due", "100h", "--order", "C-2")) == 1)
    soon = {found["case"]: found["due_for"] for found in machine.objects("cases", "--due", "24h")}
    assert soon[case] == "law"
    assert "return-escalation/C-2" not in soon
    assert case not in {found["case"] for found in machine.objects("cases", "--due", "1h")}
    assert machine.run("cases", "--due", "soon").returncode == 2
    law, customer = machine.objects("case", case)[0]["clocks"]
    assert (law["what"], law["whose"], customer["what"]) == ("delay notice", "law", "out-of-stock-choice")
    told = machine.run("case", case).stdout
    assert re.search(r"delay notice +law +the shop: the customer must be offered", told)


def test_an_unknown_case_names_those_of_its_order(machine: Machine) -> None:
    machine.send(return_requested("U-1"))
    until(lambda: machine.case("return-escalation/U-1")["deadline"])
    for verb in (["case", "U-1"], ["case", "return-parcel/U-1"]):
        told = machine.run(*verb)
        assert (told.returncode, "return-escalation/U-1" in told.stderr) == (1, True)
    told = machine.run("decide", "return-escalation/U-2", "accept", "--by", "Ana", "--reason", "x")
    assert (told.returncode, "there is no case" in told.stderr) == (1, True)


def test_check_asks_the_server_for_its_search_attributes(machine: Machine) -> None:
    assert f"{len(attributes.ALL)} search attributes" in machine.run("check").stdout


def test_a_second_up_says_that_it_runs_already(machine: Machine) -> None:
    told = machine.run("up")
    assert (told.returncode, "runs already" in told.stderr) == (1, True)
    assert machine.running()["address"] in told.stderr


def test_killed_worker_and_server_come_back_and_lose_nothing(machine: Machine) -> None:
    case = "return-escalation/K-1"
    machine.send(return_requested("K-1"))
    until(lambda: machine.case(case)["deadline"])
    before = machine.running()
    os.kill(before["worker_pid"], signal.SIGKILL)
    sent = machine.send(replied("K-1", "no", choice=2))
    assert "signalled return-escalation/K-1" in sent.stdout
    until(lambda: machine.case(case)["stage"] == "waive-restocking")
    os.kill(before["server_pid"], signal.SIGKILL)
    until(lambda: machine.running()["server_pid"] != before["server_pid"])
    until(lambda: machine.run("cases", "--order", "K-1").returncode == 0)
    accepted = machine.send(replied("K-1", "yes", "2", choice=1))
    assert "signalled return-escalation/K-1" in accepted.stdout
    until(lambda: machine.case(case)["result"] == "terms_accepted")
    letters = [line["text"] for line in machine.case(case)["story"] if line["kind"] == "letter"]
    assert [text.split(" ")[0] for text in letters] == ["return-terms", "waive-restocking"]
    said = machine.output.read_text()
    assert "the worker was ended by SIGKILL" in said
    assert "the Temporal server was ended by SIGKILL" in said


def test_after_a_change_of_the_code_cases_that_fit_go_on_and_others_are_named(machine: Machine) -> None:
    case = "return-escalation/C-1"
    machine.send(return_requested("C-1"))
    until(lambda: machine.case(case)["deadline"])
    assert machine.stop() == 0
    rule = machine.code / "workflows" / "return_escalation.py"
    rule.write_text(rule.read_text() + "\n# A remark, which changes no step.\n")
    machine.start()
    assert "moved to build" in machine.told("moved to build")
    assert machine.run("extend", case, "--hours", "1", "--by", "Ana", "--reason", "x").returncode == 0

    assert machine.stop() == 0
    toolkit = machine.code / "workflows" / "letters.py"
    planted = toolkit.read_text().replace('next_id(f"letter:{letter}")', 'next_id(f"note:{letter}")')
    assert planted != toolkit.read_text()
    toolkit.write_text(planted)
    machine.start()
    said = machine.told("0 open cases of earlier builds moved")
    assert f"{case} stays with build" in said
    assert "note:return-terms" in said
    adopted = machine.run("adopt", "--json")
    assert adopted.returncode == 1
    assert all("note:" in json.loads(line)["left"] for line in adopted.stdout.splitlines())
    told = machine.run("extend", case, "--hours", "1", "--by", "Ana", "--reason", "x")
    assert (told.returncode, "no worker answered" in told.stderr) == (1, True)


def test_without_a_server_everything_says_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    nowhere = f"127.0.0.1:{free_port()}"
    sent = machine.run("send", "-", given=json.dumps(return_requested("A-1")), TEMPORAL_ADDRESS=nowhere)
    assert (sent.returncode, f"no Temporal server answers at {nowhere}" in sent.stderr) == (1, True)
    assert machine.run("cases", TEMPORAL_ADDRESS=nowhere).returncode == 1
    assert "search attributes skipped" in machine.run("check", TEMPORAL_ADDRESS=nowhere).stdout
    missing = machine.run("send", "nothing.jsonl")
    assert (missing.returncode, missing.stderr.strip()) == (
        1,
        "nothing.jsonl cannot be read: No such file or directory",
    )


def test_what_up_cannot_use_is_named(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = machine.run("up", "--port", port, "--ui-port", str(free_port()))
        assert (told.returncode, f"port {port} cannot be used" in told.stderr, "--port" in told.stderr) == (
            1,
            True,
            True,
        )
    (tmp_path / "file").touch()
    told = machine.run("up", AFTERSALES_DATA=str(tmp_path / "file"))
    assert (told.returncode, "cannot be written" in told.stderr) == (1, True)
    told = machine.run("cases", AFTERSALES_LOG_FORMAT="poem")
    assert (told.returncode, "AFTERSALES_LOG_FORMAT" in told.stderr) == (1, True)


def test_verbs_are_listed_and_a_mistyped_one_is_guessed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert "  decide     take an operator's decision" in machine.run("help").stdout
    mistyped = machine.run("decied")
    assert (mistyped.returncode, mistyped.stderr.strip()) == (2, "no verb 'decied'; did you mean decide?")
