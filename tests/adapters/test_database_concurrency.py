"""Several processes of ours on one database: each key is claimed once, caps hold, none waits for another for ever."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Coroutine, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from adapters.database import DatabaseSettings, Store, open_store
from adapters.database.engines import connect
from aftersales.records import CaseRef, EventStatus, PaymentRecord
from tests.adapters.test_store import NOON, at, command, event, letter, outcome, ref, running
from tests.postgres import PostgresServer
from tests.recorded import recorded

ROOT = Path(__file__).parents[2]
ORDERS = 8
ROUNDS = 2
TOTAL = Decimal(100)


def payment(key: str, amount: str, case: CaseRef) -> PaymentRecord:
    return PaymentRecord(key=key, case=case, kind="refund", amount=Decimal(amount), currency="EUR", at=NOON)


async def test_processes_that_do_the_same_at_once_do_it_once(address: str) -> None:
    """Two workers and two starters, two of the four in processes of their own; each goes its own way round."""
    async with open_store(address):
        pass
    others = [process(address, role, number) for number, role in enumerate(("worker", "starter"))]
    for one in others:
        assert one.stdout
        assert await asyncio.to_thread(one.stdout.readline) == "ready\n"
    here = asyncio.gather(*(live(address, role, number) for number, role in ((2, "worker"), (3, "starter"))))
    said = [await asyncio.to_thread(one.communicate, "go\n", 60) for one in others]
    assert [one.returncode for one in others] == [0, 0]
    first = Counter(key for mine in (*await here, *(json.loads(out) for out, _ in said)) for key in mine)
    assert set(first.values()) == {1}
    async with open_store(address) as store:
        summary = await store.views.summary()
        assert (summary.cases_open, summary.cases_closed) == (0, ORDERS)
        assert summary.letters == {"return-terms": ORDERS}
        assert summary.commands == {"create_rma": ORDERS, "refund": 2 * ORDERS}
        assert summary.events == {EventStatus.FOR_A_PERSON: ORDERS}
        assert len(first) == ORDERS * 2
        for number in range(ORDERS):
            money = await store.views.money(f"A-{number}")
            assert sorted(one.state for one in money) == ["released", "reserved"]
            assert sum(one.amount for one in money if one.state != "released") <= TOTAL


def process(address: str, role: str, number: int) -> subprocess.Popen[str]:
    program = "import sys\nfrom test_database_concurrency import alone\nalone(*sys.argv[1:])"
    paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}"}
    command_line = [sys.executable, "-c", program, address, role, str(number)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command_line, env={**os.environ, **paths}, stdin=pipe, stdout=pipe, text=True)


def alone(address: str, role: str, number: str) -> None:
    """What a process of its own does, once it is told to."""
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asyncio.run(live(address, role, int(number)))))


async def live(address: str, role: str, number: int) -> list[str]:
    """A worker or a starter: the keys of what it claimed, and of the events that were new to it."""
    mine: list[str] = []
    async with open_store(address) as store:
        for turn in range(ROUNDS):
            orders = [f"A-{order}" for order in range(ORDERS)]
            random.Random(f"{number}{turn}").shuffle(orders)
            each = work if role == "worker" else start
            await asyncio.gather(*(each(store, order, number, mine) for order in orders))
    return mine


async def work(store: Store, order: str, number: int, mine: list[str]) -> None:
    """What a worker does in a case."""
    case = ref(order)
    record = letter(case).model_copy(update={"version": f"process {number}"})
    await store.claim_letter(record)
    stands = await store.letter(record.key)
    assert stands
    if stands.version == record.version and record.key not in mine:
        mine.append(record.key)
    await store.letter_sent(record.key, at=at(2), reference="x")
    await store.claim_command(command(case))
    await store.command_accepted(command(case).key, at=at(3), reference="RMA-7")
    paid = payment(f"{order} {number}", "60", case)
    await store.claim_command(command(case, "refund").model_copy(update={"key": paid.key}))
    await store.reserve(paid, cap=TOTAL)
    await store.close_case(outcome(case))


async def start(store: Store, order: str, number: int, mine: list[str]) -> None:
    """What a starter does with an event."""
    here, next_one = int(order.removeprefix("A-")), (int(order.removeprefix("A-")) + 1) % ORDERS
    came = [event(str(here), order=order), event(str(next_one), order=order)][:: 1 if number % 2 else -1]
    before = await recorded(store, came)
    mine.extend(f"event {one.id}" for one, status in zip(came, before, strict=True) if status is None)
    await store.open_case(running(ref(order), "{}"))
    await store.hand_back(f"shop {here}", case_id=ref(order).case_id, detail="x")
    settled = [one.model_copy(update={"status": EventStatus.STARTED}) for one in came]
    await store.settle_events(settled)


async def test_group_commits_of_two_processes_never_wait_for_each_other(postgres: PostgresServer) -> None:
    """What they write is the same and comes in opposite orders: every process takes the locks in one order."""
    name = postgres.new_database()
    address = postgres.url(name)
    async with open_store(address) as one, open_store(address) as other:
        for turn in range(8):
            cases = [ref(f"{turn}-{number}") for number in range(25)]
            for case in cases[::2]:
                await one.claim_letter(letter(case))
            await asyncio.gather(*mixed(one, cases), *mixed(other, cases[::-1]))
    assert postgres.sql(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'") == "0"


def mixed(store: Store, cases: Sequence[CaseRef]) -> list[Coroutine[Any, Any, object]]:
    asked: list[Coroutine[Any, Any, object]] = []
    for number, case in enumerate(cases):
        asked += [store.claim_letter(letter(case)), store.open_case(running(case, "{}"))]
        if number % 2 == 0:
            asked.append(store.close_case(outcome(case)))
        asked.append(store.charge(payment(letter(case).key, "5", case)))
        asked.append(store.hand_back(f"shop {case.case_id}", case_id=case.case_id, detail="x"))
    return asked


async def test_of_transactions_that_wait_for_each_other_one_is_undone_and_made_again(postgres: PostgresServer) -> None:
    address = f"{postgres.url(postgres.new_database())}&deadlock_timeout=20ms"
    turns = 0

    async def both(first: str, second: str) -> None:
        def change(connection: Connection) -> None:
            nonlocal turns
            turns += 1
            for key in (first, second):
                connection.execute(text("UPDATE events SET detail = detail || 'x' WHERE id = :id"), {"id": key})
                connection.execute(text("SELECT pg_sleep(0.05)"))

        async with connect(DatabaseSettings.of(address)) as database:
            await database.write(change)

    async with open_store(address) as store:
        await recorded(store, [event("1"), event("2")])
        await asyncio.gather(both("1", "2"), both("2", "1"))
        assert turns > 2
        assert {one.detail for one in await store.views.events()} == {"xx"}


async def test_the_cap_holds_whatever_the_servers_default_isolation_is(postgres: PostgresServer) -> None:
    name = postgres.new_database()
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    stores = [open_store(postgres.url(name)) for _ in range(3)]
    opened = [await one.__aenter__() for one in stores]
    try:
        for number in range(6):
            key = f"{number}"
            await opened[0].claim_command(command(ref()).model_copy(update={"key": key}))
        pays = [opened[n % 3].reserve(payment(f"{n}", "40", ref()), cap=Decimal(100)) for n in range(6)]
        answers = await asyncio.gather(*pays)
    finally:
        for one in stores:
            await one.__aexit__(None, None, None)
    assert answers.count(None) == 2


async def test_of_many_updates_in_one_commit_just_those_fail_that_hit_nothing(address: str) -> None:
    async with open_store(address) as store:
        cases = [ref(f"A-{number}") for number in range(6)]
        await asyncio.gather(*(store.claim_letter(letter(case)) for case in cases))
        keys = [letter(case).key for case in cases]
        keys[2:2], keys[5:5] = ["nowhere"], ["nor here"]
        asked = (store.letter_sent(key, at=at(2), reference=key) for key in keys)
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert [str(one) for one in told if one is not None] == [
            "nothing in letters was claimed with the key nowhere",
            "nothing in letters was claimed with the key nor here",
        ]
        assert [one.reference for one in await store.views.letters()] == [letter(case).key for case in cases]


@pytest.mark.parametrize("many", [3_000])
async def test_a_large_batch_is_one_transaction(address: str, many: int) -> None:
    async with open_store(address) as store:
        batch = [event(str(number)) for number in range(many)]
        assert await recorded(store, batch) == [None] * many
        assert await recorded(store, batch[::-1]) == [EventStatus.RECEIVED] * many
        await store.settle_events([one.model_copy(update={"status": EventStatus.STARTED}) for one in batch])
        assert (await store.views.summary()).events == {EventStatus.STARTED: many}
