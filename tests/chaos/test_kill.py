"""kill -9, again and again: at the end every outcome is there, and no letter and no command is twice."""

from __future__ import annotations

import asyncio
import email
import random
from asyncio.subprocess import DEVNULL
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message as Mail
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from adapters.database.schema import cases, commands, events, letters
from aftersales.ids import parse_case_id
from aftersales.records import EventStatus
from tests.events import event, replied, return_requested, returned, write
from tests.plant import Plant, kill, plant

HURRY = """
extends: default.yaml
version: chaos
returns: {{reply_window: {reply}s, ship_back_window: {ship}}}
operators: {{operator_window: 3s}}
"""


@dataclass(frozen=True)
class Story:
    """What a customer does, and all that must come of it: letters and commands in their order, outcomes."""

    replies: tuple[Mapping[str, Any], ...]
    letters: tuple[str, ...]
    outcomes: tuple[str, ...]
    commands: tuple[str, ...] = ()
    cancels: bool = False
    returns: bool = False

    @property
    def ends(self) -> tuple[str, ...]:
        """The outcomes of all its cases; return-request has handed every one of these over."""
        return ("return-request handed_over", *self.outcomes)


ACCEPT, INSIST = {"text": "", "choice": 1}, {"text": "", "choice": 2}
LAPSED = ("return-instructions", "return-instructions-reminder", "return-lapsed")
REFUNDED = ("return-instructions", "return-received", "refund-sent")
STORIES = {
    "silent": Story((), ("return-terms",), ("return-escalation abandoned",)),
    "cancels": Story((), ("return-terms",), ("return-escalation withdrawn",), cancels=True),
    "insists-once": Story((INSIST,), ("return-terms", "waive-restocking"), ("return-escalation abandoned",)),
    "unclear": Story(
        ({"text": "My cat likes the box."},), ("return-terms", "waive-restocking"), ("return-escalation abandoned",)
    ),
    "accepts": Story(
        (ACCEPT,),
        ("return-terms", *LAPSED),
        ("return-escalation terms_accepted", "return-parcel not_shipped"),
        ("create_rma",),
    ),
    "angry": Story(
        ({"text": "THIS IS A SCANDAL AND YOU KNOW IT."},),
        ("return-terms", "return-label", *LAPSED),
        ("return-escalation label_sent", "return-parcel not_shipped"),
        ("create_rma", "issue_return_label"),
    ),
    "accepts-and-returns": Story(
        (ACCEPT,),
        ("return-terms", *REFUNDED),
        ("return-escalation terms_accepted", "return-parcel refunded"),
        ("create_rma", "refund"),
        returns=True,
    ),
    "insists-and-returns": Story(
        (INSIST, INSIST),
        ("return-terms", "waive-restocking", "return-label", *REFUNDED),
        ("return-escalation label_sent", "return-parcel refunded"),
        ("create_rma", "issue_return_label", "refund"),
        returns=True,
    ),
}


def orders(count: int) -> dict[str, Story]:
    """So many orders, their stories taking turns."""
    names = list(STORIES)
    return {f"{names[i % len(names)]}-{i:03}": STORIES[names[i % len(names)]] for i in range(count)}


def told(wanted: Mapping[str, Story]) -> list[dict[str, Any]]:
    """The events of some orders: each request with what the customer says to it at once behind it."""
    out = []
    for order, story in wanted.items():
        out.append(return_requested(order))
        out += [replied(order, name=str(number), **reply) for number, reply in enumerate(story.replies)]
        out += [event("order.return_cancelled", order)] if story.cancels else []
    return out


@asynccontextmanager
async def killing(running: Plant, times: int) -> AsyncIterator[list[float]]:
    """The worker is killed, two to four seconds after it began to work, so many times; gives the moments of it."""
    dice, kills = random.Random(times), list[float]()

    async def again_and_again() -> None:
        while len(kills) < times:
            await asyncio.sleep(dice.uniform(2, 4))
            await running.kill_worker()
            kills.append(monotonic())
            await revive(running)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(again_and_again())
        try:
            yield kills
        finally:
            task.cancel()


async def revive(running: Plant) -> None:
    """Start the worker; where the server is just away, again."""
    for attempt in range(5):
        try:
            await running.start_worker("tests.chaos.witness")
            return
        except AssertionError:
            if attempt == 4:
                raise
            await asyncio.sleep(0.3)


async def sent(running: Plant, file: Path) -> None:
    """Send a file, again where the server went away meanwhile, as its message asks for."""
    for _ in range(10):
        code, said = await running.send(file)
        if code == 0:
            return
        assert "send them again" in said or "no Temporal server answers" in said, said
    raise AssertionError(f"{file} cannot be sent: {said}")


async def all_ended(running: Plant, wanted: Mapping[str, Story], *, within: float) -> None:
    """Wait for all outcomes; goods are sent back as soon as their RMA number is there."""
    deadline, back = monotonic() + within, set[str]()
    missing = sum(len(story.ends) for story in wanted.values())
    async with running.store() as store:
        while True:
            rows = read(running, select(commands).where(commands.c.type == "create_rma"))
            rmas = {parse_case_id(row["case_id"]).order_id: row["reference"] for row in rows if row["reference"]}
            ready = [order for order in rmas if wanted[order].returns and order not in back]
            if ready:
                file = running.folder / f"back-{len(back)}.jsonl"
                await sent(running, write(file, [returned(order, rmas[order]) for order in ready]))
                back.update(ready)
            ended = len(await store.views.outcomes())
            if ended >= missing:
                return
            assert monotonic() < deadline, f"{missing - ended} of {missing} outcomes are missing after {within:.0f} s"
            await asyncio.sleep(0.5)


def read(running: Plant, query: Any) -> Sequence[Any]:
    """Rows of the database."""
    engine = create_engine(f"sqlite:///{running.settings.data / 'aftersales.db'}")
    try:
        with engine.connect() as connection:
            return connection.execute(query).mappings().all()
    finally:
        engine.dispose()


async def all_right(running: Plant, wanted: Mapping[str, Story]) -> None:
    """Exactly what the stories ask for is in database and outbox, and nothing runs any more."""
    async with running.store() as store:
        outcomes = await store.views.outcomes()
    ended = defaultdict(list)
    for outcome in outcomes:
        ended[outcome.order_id].append(f"{outcome.process} {outcome.result}")
    assert {order: sorted(results) for order, results in ended.items()} == {
        order: sorted(story.ends) for order, story in wanted.items()
    }

    rows = read(running, select(letters).order_by(letters.c.claimed_at))
    assert by_order(rows, "letter") == {order: sorted(story.letters) for order, story in wanted.items()}
    assert all(row["sent_at"] for row in rows)
    files = {path: _mail(path) for path in (running.settings.outbox).rglob("*.eml")}
    identities = Counter(str(mail["Message-ID"]) for mail in files.values())
    assert identities == Counter(row["message_id"] for row in rows), "a letter is twice in the outbox, or missing"
    assert set(identities.values()) == {1}

    rows = read(running, select(commands).order_by(commands.c.claimed_at))
    commanding = {order: story for order, story in wanted.items() if story.commands}
    assert by_order(rows, "type") == {order: sorted(story.commands) for order, story in commanding.items()}
    assert all(row["reference"] for row in rows)
    witnessed = (running.settings.data / "counterpart.log").read_text().splitlines()
    assert {line.split("\t")[0] for line in witnessed} == {row["key"] for row in rows}

    statuses = Counter(row["status"] for row in read(running, select(events.c.status)))
    assert set(statuses) <= {EventStatus.STARTED, EventStatus.SIGNALLED}, statuses
    assert await running_cases(running) == 0


def by_order(rows: Sequence[Any], name: str) -> dict[str, list[str]]:
    """What letters or commands there are, by order."""
    found = defaultdict(list)
    for row in rows:
        found[parse_case_id(row["case_id"]).order_id].append(row[name])
    return {order: sorted(names) for order, names in found.items()}


async def running_cases(running: Plant) -> int:
    """How many runs are open on the server, which learns of an end a moment after its outcome is written."""
    client = await running.client()
    for _ in range(100):
        if not (count := (await client.count_workflows('ExecutionStatus = "Running"')).count):
            break
        await asyncio.sleep(0.1)
    return count


def _mail(path: Path) -> Mail:
    with path.open("rb") as stream:
        return email.message_from_binary_file(stream)


async def under_fire(folder: Path, count: int, *, reply: int, ship: int, kills: int, restarts: Sequence[float]) -> str:
    """So many cases while worker and server are killed; returns what was done in a line."""
    wanted = orders(count)
    silent = {order: story for order, story in wanted.items() if not story.returns}
    sending_back = {order: story for order, story in wanted.items() if story.returns}
    began = monotonic()
    async with plant(folder, HURRY.format(reply=reply, ship=f"{ship}s")) as running:
        # Those whose goods come back have all the time for it: how long a kill holds them up is chance.
        patient = running.policy.with_name("patient.yaml")
        patient.write_text(HURRY.format(reply=reply, ship="1h"))
        await revive(running)

        async def restart_server() -> None:
            for after in restarts:
                await asyncio.sleep(after)
                await running.restart_server()

        async with killing(running, kills) as moments, asyncio.TaskGroup() as group:
            group.create_task(restart_server())
            await sent(running, write(folder / "silent.jsonl", told(silent)))
            running.environment["AFTERSALES_POLICY"] = str(patient)
            await sent(running, write(folder / "sending-back.jsonl", told(sending_back)))
            await all_ended(running, wanted, within=240)
        await all_right(running, wanted)
        carried_out = len((running.settings.data / "counterpart.log").read_text().splitlines())
    return (
        f"{count} cases, worker killed {len(moments)} times, server {len(restarts)} times, "
        f"{sum(len(s.commands) for s in wanted.values())} commands in {carried_out} calls, {monotonic() - began:.0f} s"
    )


@pytest.mark.timeout(240)
async def test_a_worker_that_is_killed_again_and_again_loses_and_repeats_nothing(tmp_path: Path) -> None:
    print(await under_fire(tmp_path, 25, reply=6, ship=4, kills=4, restarts=[7]))


@pytest.mark.slow
@pytest.mark.timeout(420)
async def test_200_cases_under_fire(tmp_path: Path) -> None:
    print(await under_fire(tmp_path, 200, reply=20, ship=10, kills=20, restarts=[12, 15]))


@pytest.mark.timeout(180)
async def test_a_sender_that_is_killed_and_sends_again_loses_and_repeats_nothing(tmp_path: Path) -> None:
    wanted = {f"accepts-{number:03}": STORIES["accepts"] for number in range(40)}
    dice = random.Random(1)
    async with plant(tmp_path) as running:
        await revive(running)
        file = write(tmp_path / "all.jsonl", told(wanted))
        for _ in range(3):
            before = await taken(running)
            sender = await running.spawn("-m", "cli", "send", str(file), stdout=DEVNULL, stderr=DEVNULL)
            try:
                for _ in range(1000):
                    if sender.returncode is not None or await taken(running) > before:
                        break
                    await asyncio.sleep(0.02)
                await asyncio.sleep(dice.uniform(0, 0.4))
            finally:
                await kill(sender)
        await sent(running, file)
        for _ in range(600):
            rows = read(running, select(letters).where(letters.c.letter == "return-instructions"))
            if len([row for row in rows if row["sent_at"]]) == len(wanted):
                break
            await asyncio.sleep(0.1)

        rows = read(running, select(letters))
        assert by_order(rows, "letter") == {key: ["return-instructions", "return-terms"] for key in wanted}
        assert len(list(running.settings.outbox.rglob("*.eml"))) == 2 * len(wanted)
        assert by_order(read(running, select(commands)), "type") == {key: ["create_rma"] for key in wanted}
        statuses = Counter(row["status"] for row in read(running, select(events.c.status)))
        assert statuses == {EventStatus.STARTED: len(wanted), EventStatus.SIGNALLED: len(wanted)}
        opened = read(running, select(cases.c.opening).where(cases.c.process == "return-request"))
        assert len(opened) == len(wanted)
        assert all(row["opening"] for row in opened), "a late reply could not reopen what it handed over"
        assert (await (await running.client()).count_workflows("")).count == 3 * len(wanted)


async def taken(running: Plant) -> int:
    """How many events have come into the database."""
    return len(read(running, select(events.c.id)))
