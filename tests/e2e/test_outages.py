"""Each part is away for a while: nothing is lost, all goes on by itself, and the log says in a line what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
import pytest_asyncio

from adapters.database import Store
from aftersales.records import EventStatus
from starter import FINAL
from tests.events import return_requested
from tests.postgres import installation as postgres_programs
from tests.waiting import until
from tests.whole.books import Witness, book_of
from tests.whole.customers import POLICY
from tests.whole.installation import SHOPS, START_WITHIN, Installation, ready, whole
from tests.whole.senders import Senders, senders

pytestmark = [
    pytest.mark.skipif(postgres_programs() is None, reason="there is no PostgreSQL for this platform"),
    pytest.mark.timeout(300),
]
EVERY = 0.4
"""Seconds between two events while a part is away."""
GOES_ON = 90.0
"""Seconds after the part is back in which all has gone on by itself."""
LINES = 6
"""Lines of a program's log about one outage, at the most: two or three parts of it may see it, and its end."""
TOLD_BY = {
    "temporal": ("worker-0", "temporal.away", "is it running"),
    "database": ("door-0", "database.away", "check that it runs"),
    "smtp": ("worker-0", "letters.away", "check that the mail server runs"),
    "counterpart": ("worker-0", "counterpart.away", "start it"),
    "nats": ("door-0", "queue.away", "start it"),
}
"""Which program says so, in which line, and what it says to do."""


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation with a worker and a door for all tests here."""
    policy = POLICY.format(after_delivery="1h")
    async with whole(tmp_path_factory.mktemp("whole"), policy, workers=1, doors=1) as made:
        # A server that is killed while it tells its queues of a new build does so a minute later.
        async with made.store() as store, senders(made) as people:
            await offer(people, "FIRST", 0)
            await all_done(store, Witness(made.book, made.mail), "FIRST", 1)
        yield made


async def offer(people: Senders, name: str, number: int) -> None:
    """A return, which has a command and a letter follow."""
    shop, address = SHOPS[number % 2], f"{name}-{number}@customers.example"
    customer = {"name": "Ada Reyes", "email": address, "language": "en"}
    request = return_requested(f"{name}-{number}", shop=shop, customer=customer)
    await people.send(request, shop=shop, way=number)


async def offer_all_the_time(people: Senders, name: str, stop: asyncio.Event) -> int:
    """Offer events until told to stop, and wait until all were taken; how many orders it were."""
    async with asyncio.TaskGroup() as group:
        number = 0
        while not stop.is_set():
            group.create_task(offer(people, name, number))
            number += 1
            await asyncio.sleep(EVERY)
    return number


async def all_done(store: Store, witness: Witness, name: str, count: int) -> None:
    """Every event is settled, every return has its number and its letter, each once."""
    late = monotonic() + GOES_ON
    while True:
        records = [one for one in await store.views.events(limit=100_000) if one.order_id.startswith(f"{name}-")]
        letters = [one for one in await store.views.letters() if one.case.order_id.startswith(f"{name}-")]
        sent = [one for one in letters if one.sent_at]
        if len(sent) == count and all(one.status in FINAL for one in records):
            break
        assert monotonic() < late, f"{len(records)} events, {len(letters)} letters, {len(sent)} sent of {count}"
        await asyncio.sleep(0.3)
    assert len(records) == count
    assert {one.status for one in records} == {EventStatus.STARTED}
    witness.look()
    assert all(witness.letters[one.message_id] == 1 for one in sent)
    done = [one for one in book_of(witness.book) if one.order.startswith(f"{name}-")]
    assert sorted(one.order for one in done) == sorted(f"{name}-{number}" for number in range(count))


def check_logs(installation: Installation, part: str, since: dict[str, int]) -> None:
    """What our programs have logged as wrong since then; no traceback is in it."""
    who, line, remedy = TOLD_BY[part]
    for name, start in since.items():
        lines = installation.programs[name].lines(start)
        text = "\n".join(str(one) for one in lines)
        assert "Traceback" not in text, text
        wrong = [one for one in lines if one.get("level") not in ("info", "debug")]
        assert len(wrong) <= LINES, f"{name} says too much: {wrong}"
        if name == who:
            named = [one for one in wrong if one.get("event") == line]
            assert named, f"{name} does not say {line}: {wrong}"
            assert remedy in str(named[0]), named


OURS_STOP = ("temporal", "database")
"""The parts without which nothing goes on; the others are left to `./dev test --slow`."""


@pytest.mark.parametrize(
    ("part", "seconds"),
    [
        pytest.param(part, seconds, marks=() if seconds < 60 and part in OURS_STOP else pytest.mark.slow)
        for part in TOLD_BY
        for seconds in (4, 60)
    ],
)
async def test_nothing_is_lost_while_a_part_is_away(running: Installation, part: str, seconds: float) -> None:
    name, stop = f"{part.upper()}{seconds}", asyncio.Event()
    ours = {name: program.pid for name, program in running.programs.items() if name != part}
    logs = {name: running.programs[name].log.stat().st_size for name in ("worker-0", "door-0")}
    witness = Witness(running.book, running.mail)
    async with running.store() as store, senders(running) as people:
        await running.kill(part)
        offering = asyncio.create_task(offer_all_the_time(people, name, stop))
        try:
            await asyncio.sleep(seconds)
            if part in ("temporal", "database"):
                assert await ready(running.doors[0]) == 503
        finally:
            await running.start(part)
            stop.set()
        count = await offering
        await all_done(store, witness, name, count)
    assert part not in ("temporal", "database") or people.away, "nobody was told to come again"
    assert {name: running.programs[name].pid for name in ours} == ours
    assert all(running.programs[name].process.returncode is None for name in ours)  # type: ignore[union-attr]
    check_logs(running, part, logs)


@pytest.mark.parametrize("away", ["temporal", "database"])
async def test_door_and_worker_start_while_a_part_is_away_and_work_once_it_is_there(
    running: Installation, away: str
) -> None:
    door, worker = running.programs["door-0"], running.programs["worker-0"]
    for program in (door, worker):
        await running.kill(program.name)
    await running.kill(away)
    try:
        await asyncio.gather(running.start(door.name), running.start(worker.name, wait=False))
        assert await ready(running.doors[0]) == 503
        await until(lambda: f"{away}.away" in str(worker.lines(worker.begun)), START_WITHIN)
    finally:
        await running.start(away)
    await running.works(worker)
    name, witness = f"START-{away.upper()}", Witness(running.book, running.mail)
    async with running.store() as store, senders(running) as people:
        for number in range(4):
            await offer(people, name, number)
        await all_done(store, witness, name, 4)
    for program in (door, worker):
        lines = program.lines(program.begun)
        assert "Traceback" not in str(lines)
        assert len([one for one in lines if one.get("level") == "warning" and one["event"] == f"{away}.away"]) <= 1
