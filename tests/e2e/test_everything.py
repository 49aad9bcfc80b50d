"""Everything is real at once, and its parts are killed one by one: in the end the counts on all sides agree."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from temporalio.client import Client, WorkflowQueryRejectedError, WorkflowUpdateFailedError
from temporalio.service import RPCError

from adapters.database import Store
from aftersales.ports import Unavailable
from aftersales.records import EventStatus
from starter import FINAL
from tests.postgres import installation as postgres_programs
from tests.whole.books import Witness, book_of, refunds
from tests.whole.customers import BESIDE, POLICY, STAYS_OPEN, STORIES, Stories, dawdles, live, stories
from tests.whole.installation import STREAM, SUBJECT, Installation, whole
from tests.whole.senders import Senders, senders

pytestmark = pytest.mark.skipif(postgres_programs() is None, reason="there is no PostgreSQL for this platform")
PARTS = ("worker-0", "door-0", "counterpart", "nats", "database", "temporal", "smtp")
IN_FLIGHT = 2 * 4
"""Letters that two workers have under way at the most: each has four connections."""
ALL = 1_000_000
_SOON = timedelta(seconds=3)


@dataclass
class Operator:
    """Who answers for letters that may have gone out, by a look into the mailboxes, which only a test can take."""

    client: Client
    store: Store
    witness: Witness
    held: dict[str, str] = field(default_factory=dict)
    """Message-IDs of letters that nobody could tell of, and what was decided."""

    async def work(self) -> None:
        """Look again and again; what does not answer now is asked at the next look."""
        away = (Unavailable, RPCError, WorkflowQueryRejectedError, WorkflowUpdateFailedError)
        while True:
            try:
                await self._look()
            except away as error:
                print(f"the operator looks again: {type(error).__name__}")
            await asyncio.sleep(0.5)

    async def _look(self) -> None:
        for letter in await self.store.views.letters():
            if letter.tried_at is None or letter.sent_at or letter.message_id in self.held:
                continue
            case = self.client.get_workflow_handle(letter.case.case_id)
            asked = await case.query("open_decision", rpc_timeout=_SOON)
            if not asked or f"The letter {letter.letter} is held" not in asked["text"]:
                continue
            self.witness.look()
            option = "leave_out" if letter.message_id in self.witness.letters else "send_anyway"
            decision = {"option": option, "by": "Mei", "reason": "looked into the mailbox"}
            await case.execute_update("decide", decision, rpc_timeout=_SOON)
            self.held[letter.message_id] = option


@asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let others work meanwhile; one that fails fails the test."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()


async def kill_one_by_one(installation: Installation, every: float, away: float) -> None:
    """Each part is killed once, stays away for a moment, and comes back."""
    for part in PARTS:
        await asyncio.sleep(every)
        await installation.kill(part)
        await asyncio.sleep(away)
        await installation.start(part, wait=False)


async def all_quiet(told: Stories, store: Store, within: float) -> None:
    """Wait until every story has its end and every event is settled."""
    late = monotonic() + within
    while True:
        ended = await ends(store)
        missing = [f"{order} {end}" for order, (_, does) in told.items() for end in set(STORIES[does]) - ended[order]]
        records = await store.views.events(limit=ALL)
        unsettled = [record for record in records if record.status not in FINAL]
        if not missing and not unsettled:
            return
        about = [f"{one.order_id} {one.type} {one.status}: {one.detail}" for one in unsettled[:5]]
        assert monotonic() < late, (
            f"{len(missing)} outcomes are missing: {missing[:5]}, {len(unsettled)} events are unsettled: {about}"
        )
        await asyncio.sleep(0.5)


async def ends(store: Store) -> Mapping[str, set[str]]:
    """How the cases of each order ended."""
    ended = defaultdict[str, set[str]](set)
    for outcome in await store.views.outcomes():
        ended[outcome.order_id].add(f"{outcome.process} {outcome.result}")
    return ended


async def events_agree(store: Store, people: Senders) -> None:
    """What was sent is there, once, and has its end; nothing was refused."""
    records = await store.views.events(limit=ALL)
    mails = [record for record in records if record.source.startswith("mail/")]
    assert {(record.source, record.id) for record in records if record not in mails} == people.sent
    assert len(mails) == people.mails
    statuses = Counter(record.status for record in records)
    assert set(statuses) <= {EventStatus.STARTED, EventStatus.SIGNALLED}, statuses


async def cases_agree(told: Stories, store: Store, client: Client) -> None:
    """Every case ended once and as its story says; open are those of who dawdles, here and at Temporal."""
    ended = await ends(store)
    assert {order: ended[order] - {BESIDE.get(does)} for order, (_, does) in told.items()} == {
        order: set(STORIES[does]) for order, (_, does) in told.items()
    }
    assert set(ended) <= set(told)
    assert max(Counter(outcome.case_id for outcome in await store.views.outcomes()).values()) == 1
    still_open = {f"{STAYS_OPEN}/{order}" for order, (_, does) in told.items() if does is dawdles}
    listed = await store.views.cases(limit=ALL)
    assert {case.case_id for case in listed if not case.closed_at} == still_open
    assert max(Counter((case.case_id) for case in listed).values()) == 1
    for _ in range(100):
        running = {run.id async for run in client.list_workflows('ExecutionStatus = "Running"')}
        if running == still_open:
            break
        await asyncio.sleep(0.1)  # its list lags
    assert running == still_open
    counted = await client.count_workflows("")
    assert counted.count == len(listed)
    assert not (await client.count_workflows('ExecutionStatus NOT IN ("Running", "Completed")')).count


async def letters_agree(store: Store, witness: Witness, held: Mapping[str, str]) -> None:
    """Each letter of the ledger was taken by the mail server once, but for those that a kill left unclear."""
    witness.look()
    ledger = await store.views.letters()
    sent = {letter.message_id for letter in ledger if letter.sent_at}
    assert set(witness.letters.values()) == {1}, [name for name, count in witness.letters.items() if count > 1]
    unclear = {letter.message_id for letter in ledger if not letter.sent_at}
    assert unclear == {name for name, option in held.items() if option == "leave_out"}
    assert set(witness.letters) == sent | unclear
    assert len(held) <= len(PARTS) * IN_FLIGHT


async def commands_agree(installation: Installation, told: Stories, store: Store) -> Decimal:
    """Each command of the ledger is in the counterpart's book once, and so is the money; returns that."""
    book, ledger = book_of(installation.book), await store.views.commands()
    assert {one.key: one.reference for one in book} == {one.key: one.reference for one in ledger if not one.refused}
    assert len(book) == len({one.key for one in book})
    assert not [one for one in ledger if one.refused]
    paid = [payment for order in told for payment in await store.views.money(order)]
    assert {payment.state for payment in paid} == {"confirmed"}
    money = sum((payment.amount for payment in paid), Decimal(0))
    assert money == refunds(book)
    return money


async def queue_is_empty(installation: Installation) -> None:
    """No event waits in the queue, and no dead letter lies there."""
    broker = await installation.nats.client()
    try:
        state = (await broker.jetstream().stream_info(STREAM, subjects_filter=">")).state
        assert (state.messages, state.subjects or {}) == (0, {}), f"{SUBJECT}: {state.subjects}"
    finally:
        await broker.close()


@pytest.mark.parametrize(
    ("orders", "over", "every", "away", "after_delivery"),
    [
        pytest.param(40, 8, 0.7, 0.5, "12s", marks=pytest.mark.timeout(300)),
        pytest.param(1000, 120, 10, 5, "60s", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
async def test_counts_on_all_sides_agree_after_every_part_was_killed(
    tmp_path: Path, orders: int, over: float, every: float, away: float, after_delivery: str
) -> None:
    began = monotonic()
    async with whole(tmp_path, POLICY.format(after_delivery=after_delivery)) as installation:
        witness = Witness(installation.book, installation.mail)
        client = await installation.client()
        async with installation.store() as store, senders(installation) as people:
            told = stories(orders, people, witness)
            operator = Operator(client, store, witness)
            async with beside(witness.watch(), operator.work(), installation.watch()):
                async with asyncio.TaskGroup() as group:
                    group.create_task(live(told, over))
                    group.create_task(kill_one_by_one(installation, every, away))
                await all_quiet(told, store, within=60 + orders / 4)
                for program in installation.programs.values():
                    await installation.works(program)
            await events_agree(store, people)
            await cases_agree(told, store, client)
            await letters_agree(store, witness, operator.held)
            money = await commands_agree(installation, told, store)
            await queue_is_empty(installation)
        assert await installation.verb("events", "--refused", "--json") == (0, "")
        print(
            f"{orders} orders, {len(people.sent) + people.mails} events ({people.away} times sent again), "
            f"{len(witness.letters)} letters, {len(operator.held)} of them unclear, {len(witness.done)} commands, "
            f"{money} USD, {monotonic() - began:.0f} s"
        )
