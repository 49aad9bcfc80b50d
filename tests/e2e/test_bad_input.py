"""Events, files and surroundings that are not as they should be: each gets a clear answer, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import Awaitable, Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.embedded import ServerError
from aftersales.records import EventRecord, EventStatus, LetterRecord
from tests.events import event, now, replied, return_requested, write
from tests.plant import Plant, embedded, plant

pytestmark = pytest.mark.timeout(240)


async def kept(running: Plant, order_id: str) -> list[EventRecord]:
    """The events of an order as the database has them, in the order in which they happened."""
    async with running.store() as store:
        found = await store.views.events(order_id=order_id, limit=1000)
    return sorted(found, key=lambda record: record.happened_at or record.received_at)


async def letters(running: Plant, case: str) -> list[str]:
    """The letters of a case."""
    async with running.store() as store:
        story = await store.views.case_story(case)
    sent = [line.what for line in story if isinstance(line.what, LetterRecord) and line.what.sent_at]
    return [letter.letter for letter in sent]


async def until(there: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to be so."""
    for _ in range(300):
        if await there():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come to be so")


async def send(running: Plant, text: str | bytes) -> tuple[int, list[dict[str, Any]]]:
    """`./dev send --json` of a text: the exit code, and what was said of each event."""
    file = running.folder / f"{abs(hash(text))}.jsonl"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    code, said = await running.send(file, "--json")
    return code, [json.loads(line) for line in said.splitlines()]


def changed(path: str, value: object, name: str) -> dict[str, Any]:
    """A request with one field of another value, by its path: `data.order.total`."""
    raw = deepcopy(return_requested(name))
    *way, last = path.split(".")
    at: Any = raw
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[last] = value
    return raw


BROKEN: dict[str, tuple[str | dict[str, Any], str]] = {
    "broken JSON": ('{"specversion": "1.0", "id": "x', "line 1: is not JSON"),
    "a number": ("42", "an event is a JSON object, got a number"),
    "null": ("null", "an event is a JSON object, got null"),
    "no object in data": (changed("data", [1], "bad-1"), "data: must be a JSON object, got a list"),
    "total as a number": (
        changed("data.order.total", 129, "bad-2"),
        "data.order.total: write money as a decimal string",
    ),
    "total as a float": (
        changed("data.order.total", 129.9, "bad-3"),
        "data.order.total: write money as a decimal string",
    ),
    "negative money": (changed("data.order.total", "-1.00", "bad-4"), "data.order.total: money cannot be negative"),
    "no number": (changed("data.order.total", "NaN", "bad-5"), "data.order.total: write money as a decimal string"),
    "unknown currency": (
        changed("data.order.currency", "USX", "bad-6"),
        "data.order.currency: 'USX' is not an ISO 4217",
    ),
    "unknown type": (changed("type", "order.exploded", "bad-7"), "type: 'order.exploded' is not an order event"),
    "an internal type": (changed("type", "return.agreed", "bad-8"), "type: 'return.agreed' is not an order event"),
    "a time without offset": (changed("time", "2026-11-20T09:30:00", "bad-9"), "time:"),
    "a wrong quantity": (changed("data.lines.0.quantity", "many", "bad-10"), "data.lines.0.quantity:"),
    "a line of no order": (changed("data.lines.0.line_id", "7", "bad-11"), "line_id '7' is not a line of the order"),
    "another order": (changed("subject", "elsewhere", "bad-12"), "is not the subject"),
    "no customer": (changed("data.order.customer", None, "bad-13"), "data.order.customer:"),
    "no e-mail": (changed("data.order.customer.email", "nobody", "bad-14"), "data.order.customer.email:"),
    "another version": (changed("specversion", "0.3", "bad-15"), 'specversion: must be "1.0"'),
    "5 MB": (changed("data.text", "x" * 5_000_000, "bad-16"), "the most is 524,288"),
    "20,001 characters": (changed("data.text", "x" * 20_001, "bad-17"), "data.text:"),
    "an item too many": (changed("data.order.items", [], "bad-18"), "data.order.items:"),
}


async def test_broken_events_are_refused_with_field_and_reason_and_kept_and_stop_no_other(running: Plant) -> None:
    lines = [raw if isinstance(raw, str) else json.dumps(raw) for raw, _ in BROKEN.values()]
    good = ["GOOD-1", "GOOD-2"]
    first, last = (json.dumps(return_requested(name)) for name in good)
    code, said = await send(running, "\n".join([first, *lines, last]) + "\n")
    assert code == 1
    assert [one["status"] for one in said] == ["started", *["refused"] * len(BROKEN), "started"]
    for (what, (_, reason)), one in zip(BROKEN.items(), said[1:-1], strict=True):
        wanted = reason.replace("line 1", f"line {one['line']}")
        assert wanted in one["detail"], f"{what}: {one['detail']}"

    async with running.store() as store:
        refused = await store.views.events(status=EventStatus.REFUSED, limit=1000)
    assert len({(record.source, record.id) for record in refused}) >= len(BROKEN)
    raws = {record.raw for record in refused}
    assert all(json.loads(line) in [_decoded(raw) for raw in raws] for line in lines[1:] if len(line) < 50_000)

    for name in good:
        await until(lambda name=name: _is(running, f"return-escalation/{name}", ["return-terms"]))  # type: ignore[misc]
    # A corrected event of the same identity is taken.
    code, said = await send(running, json.dumps(return_requested("bad-4")))
    assert (code, said[0]["status"]) == (0, "started")


async def _is(running: Plant, case: str, wanted: list[str]) -> bool:
    return await letters(running, case) == wanted


def _decoded(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


async def test_bytes_that_are_no_text_are_refused_and_the_next_line_is_taken(running: Plant) -> None:
    good = json.dumps(return_requested("BYTES-1")).encode()
    code, said = await send(running, b'{"id": "\xff\xfe"}\n' + good + b"\n")
    assert code == 1
    assert [one["status"] for one in said] == ["refused", "started"]
    assert "is not UTF-8" in said[0]["detail"]


TEXTS = {
    "long": "No way! " * 2_500,
    "emoji": "No 🙅‍♀️🔥 not like this 👩‍👩‍👧‍👦",
    "rtl": "لا أريد أن أدفع رسوم الإرجاع \u202e(not this)\u202c",
    "nul": "no\x00thing at all",
    "surrogate": "half a smile \ud83d and half \ude00 a smile",
    "markup": "<script>alert(1)</script> {{ order_id }} [x](http://x) | a | b |\n```\n# no",
    "control": "bell\x07 escape\x1b[31m red\r\nnew line",
    "empty": "",
}
IDS = ["S/1", "S 2", "S-訂單-3", "S%2F4", "S+5", "S'6\"", "S\\7", "../../S8", "S" * 150, "S🔥9", "s:1#2"]


async def test_any_text_of_a_customer_reaches_the_case_and_the_operator(running: Plant) -> None:
    file = []
    for name, text in TEXTS.items():
        file += [return_requested(f"T-{name}"), replied(f"T-{name}", text)]
    code, said = await send(running, "\n".join(map(json.dumps, file)))
    assert code == 0, [one["detail"] for one in said if one["status"] == "refused"]
    client = await running.client()
    for name in TEXTS:
        await client.get_workflow_handle(f"return-request/T-{name}").result()
        handle = client.get_workflow_handle(f"return-escalation/T-{name}")

        async def answered(name: str = name) -> bool:
            described = await client.get_workflow_handle(f"return-escalation/T-{name}").describe()
            attributes = dict(described.search_attributes)
            return attributes.get("Stage") in (["decision"], ["waive-restocking"], ["return-label"])

        await until(answered)
        history = (await handle.fetch_history()).to_json()
        assert "workflowTaskFailed" not in history


async def test_any_order_id_has_its_case_its_letter_and_its_folder(running: Plant) -> None:
    requests = [return_requested(name) for name in IDS]
    code, said = await send(running, "\n".join(map(json.dumps, requests)))
    assert code == 0, [one["detail"] for one in said if one["status"] == "refused"]
    cases = [one["cases"][0].replace("return-request", "return-escalation") for one in said]
    assert len(set(cases)) == len(IDS)
    for one in cases:
        await until(lambda case=one: _is(running, case, ["return-terms"]))  # type: ignore[misc]
    outbox = running.settings.outbox.resolve()
    assert all(path.resolve().is_relative_to(outbox) for path in outbox.rglob("*.eml"))
    folders = {path.parent for path in outbox.rglob("*.eml") if path.parent.parent == outbox}
    assert len(folders) >= len(IDS)
    # A repeat, taken up as after a crash, asks the server by the order id.
    again = [replied(name, "", case_id=case, choice=2) for name, case in zip(IDS, cases, strict=True)]
    code, said = await send(running, "\n".join(map(json.dumps, again)))
    assert (code, {one["status"] for one in said}) == (0, {"signalled"})


async def test_a_reply_to_a_closed_case_is_an_inquiry_and_a_repeat_changes_nothing(running: Plant) -> None:
    case = "return-escalation/CLOSED-1"
    file = write(
        running.folder / "closed.jsonl", [return_requested("CLOSED-1"), event("order.return_cancelled", "CLOSED-1")]
    )
    assert (await running.send(file))[0] == 0
    client = await running.client()
    await client.get_workflow_handle("return-request/CLOSED-1").result()
    assert (await client.get_workflow_handle(case).result())["result"] == "withdrawn"
    code, said = await send(running, json.dumps(replied("CLOSED-1", "Thank you all the same!")))
    assert (code, said[0]["status"], said[0]["cases"]) == (0, "started", ["inquiry/CLOSED-1"])
    assert (await client.get_workflow_handle("inquiry/CLOSED-1").result())["result"] == "answered"
    before = await letters(running, case), [record.status for record in await kept(running, "CLOSED-1")]
    code, said = await send(running, file.read_bytes())
    assert [one["status"] for one in said] == ["duplicate", "duplicate"]
    code, said = await send(running, json.dumps(replied("CLOSED-1", "Thank you all the same!")))
    assert said[0]["status"] == "duplicate"
    assert before == (await letters(running, case), [record.status for record in await kept(running, "CLOSED-1")])


async def test_events_in_reversed_order_reach_the_case_that_opens_later(running: Plant) -> None:
    begin = now() - timedelta(minutes=5)
    file = [
        return_requested("TURNED-1", at=begin),
        replied("TURNED-1", "", "1", choice=2, at=begin + timedelta(minutes=1)),
        replied("TURNED-1", "", "2", choice=2, at=begin + timedelta(minutes=2)),
    ]
    code, said = await send(running, "\n".join(json.dumps(one) for one in reversed(file)))
    assert code == 0
    assert [one["status"] for one in said] == ["no_open_case", "no_open_case", "started"]
    case = "return-escalation/TURNED-1"
    await until(lambda: _is(running, case, ["return-terms", "waive-restocking", "return-label"]))
    assert {record.status for record in await kept(running, "TURNED-1")} == {EventStatus.STARTED, EventStatus.SIGNALLED}


async def test_an_outbox_that_cannot_be_written_holds_letters_until_it_can(tmp_path: Path) -> None:
    async with plant(tmp_path) as broken:
        outbox = broken.settings.outbox
        outbox.parent.mkdir(parents=True)
        outbox.write_text("in the way")
        await broken.start_worker()
        code, _ = await broken.send(write(tmp_path / "one.jsonl", [return_requested("A-1")]))
        assert code == 0
        client = await broken.client()
        await client.get_workflow_handle("return-request/A-1").result()
        handle = client.get_workflow_handle("return-escalation/A-1")

        async def failing() -> bool:
            pending = (await handle.describe()).raw_description.pending_activities
            return any("cannot be written" in one.last_failure.message for one in pending)

        await until(failing)
        outbox.unlink()
        await until(lambda: _is(broken, "return-escalation/A-1", ["return-terms"]))
        assert len(list(outbox.rglob("*.eml"))) == 1


@pytest.mark.parametrize("line", ["returns: {reply_windw: 72h}", "returns: {reply_window: soon}", "returns: ["])
async def test_a_policy_with_a_typo_stops_with_file_and_line(running: Plant, tmp_path: Path, line: str) -> None:
    policy = running.policy.with_name("typo.yaml")
    policy.write_text(f"extends: default.yaml\nversion: x\n{line}\n")
    file = write(tmp_path / "one.jsonl", [return_requested("NEVER-1")])
    before = dict(running.environment)
    running.environment["AFTERSALES_POLICY"] = str(policy)
    try:
        code, said = await running.send(file)
    finally:
        running.environment.update(before)
    assert code == 1
    assert "typo.yaml:" in said
    assert "Traceback" not in said
    assert not await kept(running, "NEVER-1")


@pytest.mark.parametrize("entry", ["check", "worker"])
async def test_a_template_with_a_variable_that_nobody_gives_is_found_before_it_is_sent(
    running: Plant, tmp_path: Path, entry: str
) -> None:
    folder = tmp_path / "templates"
    shutil.copytree(running.settings.templates, folder)
    file = folder / "return-escalation" / "en.yaml"
    file.write_text(file.read_text().replace("{{ fee", "{{ fees", 1))
    before = dict(running.environment)
    running.environment["AFTERSALES_TEMPLATES"] = str(folder)
    try:
        process = await running.spawn(
            "-m",
            *(["cli", "check"] if entry == "check" else ["worker"]),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    finally:
        running.environment.pop("AFTERSALES_TEMPLATES")
        running.environment.update(before)
    said = output.decode()
    assert process.returncode == 1, said
    assert "return-escalation/en.yaml:" in said
    assert "fees" in said
    assert "Traceback" not in said


async def test_no_temporal_server_is_told_and_the_events_can_be_sent_later(running: Plant, tmp_path: Path) -> None:
    file = write(tmp_path / "one.jsonl", [return_requested("LATER-1")])
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        before = dict(running.environment)
        running.environment["TEMPORAL_ADDRESS"] = address
        try:
            code, said = await running.send(file)
        finally:
            running.environment.update(before)
    assert code == 1
    assert f"no Temporal server answers at {address}" in said
    assert "Traceback" not in said
    code, _ = await running.send(file)
    assert code == 0


async def test_a_data_folder_that_cannot_be_written_is_told(running: Plant, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    before = dict(running.environment)
    running.environment["AFTERSALES_DATA"] = str(tmp_path / "file" / "data")
    try:
        code, said = await running.send(write(tmp_path / "one.jsonl", [return_requested("NEVER-2")]))
    finally:
        running.environment.update(before)
    assert code == 1
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said


async def test_a_port_that_is_taken_is_named(running: Plant, tmp_path: Path) -> None:
    port = int(running.server.address.rpartition(":")[2])
    with pytest.raises(ServerError, match=f"port {port} cannot be used"):
        await embedded(tmp_path, port=port).__aenter__()


async def test_a_file_that_is_not_there_is_told(running: Plant) -> None:
    code, said = await running.send(running.folder / "nothing.jsonl")
    assert code == 1
    assert "nothing.jsonl cannot be read" in said
