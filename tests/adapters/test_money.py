"""The money of an order, on SQLite and on PostgreSQL: reserved, confirmed, released, never more than its total."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert
from temporalio.testing import ActivityEnvironment

from activities.commands import CommandRequest, Commands
from adapters.database import DatabaseSettings, Store, open_store
from adapters.database.engines import connect
from adapters.database.revisions import change_revision
from adapters.database.schema import cases, commands
from aftersales.commands import Command, CommandAccepted
from aftersales.outcome import Kind
from aftersales.records import CaseRecord, CaseRef, CommandRecord, EventRecord, PaymentRecord
from tests.adapters.conftest import NewAddress
from tests.events import event
from tests.recorded import recorded

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
TOTAL = Decimal(100)


def ref(process: str = "return-parcel", order: str = "A-1") -> CaseRef:
    return CaseRef(
        case_id=f"{process}/{order}", trigger="shop e1", process=process, order_id=order, shop="de", opened_at=NOON
    )


def payment(key: str, amount: str, kind: Kind = "refund", case: CaseRef | None = None) -> PaymentRecord:
    return PaymentRecord(key=key, case=case or ref(), kind=kind, amount=Decimal(amount), currency="EUR", at=NOON)


async def reserve(store: Store, one: PaymentRecord, cap: Decimal | None = TOTAL) -> Decimal | None:
    """A payment's command is claimed, then its money reserved, as the activity does it."""
    record = CommandRecord(key=one.key, case=one.case, type="refund", data={"pays": one.kind}, claimed_at=NOON)
    await store.claim_command(record)
    return await store.reserve(one, cap=cap)


async def left(store: Store) -> Decimal:
    return sum((one.amount for one in await store.views.money("A-1") if one.state != "released"), Decimal(0))


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with open_store(address) as opened:
        yield opened


async def test_two_equal_partial_refunds_pass_and_a_repeat_is_one(store: Store) -> None:
    assert await reserve(store, payment("a", "40")) is None
    assert await reserve(store, payment("a", "40")) is None
    assert await reserve(store, payment("b", "40")) is None
    assert await left(store) == 80


async def test_what_does_not_fit_is_released_and_told(store: Store) -> None:
    await reserve(store, payment("a", "70"))
    assert await reserve(store, payment("b", "40")) == 110
    assert await reserve(store, payment("c", "30")) is None
    assert {one.key: one.state for one in await store.views.money("A-1")} == {
        "a": "reserved",
        "b": "released",
        "c": "reserved",
    }


async def test_one_that_did_not_fit_does_not_slip_through_when_it_is_tried_again(store: Store) -> None:
    """The process may have died before the refusal was written down."""
    await reserve(store, payment("a", "70"))
    assert await reserve(store, payment("b", "40")) == 110
    assert await reserve(store, payment("b", "40")) == 110


async def test_all_kinds_and_processes_count_but_return_freight(store: Store) -> None:
    await reserve(store, payment("a", "30", "reship", ref("shipment-watch")))
    await reserve(store, payment("b", "20", "compensation", ref("wrong-item")))
    await reserve(store, payment("c", "50", "freight"))
    await store.charge(payment("d", "40", "claim_lost", ref("dispute")).model_copy(update={"state": "confirmed"}))
    assert await reserve(store, payment("e", "20")) == 110
    assert await reserve(store, payment("f", "10")) is None


async def test_another_order_and_another_shop_have_money_of_their_own(store: Store) -> None:
    await reserve(store, payment("a", "100"))
    assert await reserve(store, payment("b", "100", case=ref(order="A-2"))) is None
    other = ref("exchange").model_copy(update={"shop": "fr"})
    assert await reserve(store, payment("c", "100", case=other)) is None


async def test_an_approved_payment_may_be_more_and_tells_who_let_it_go(store: Store) -> None:
    await reserve(store, payment("a", "100"))
    approved = payment("b", "10").model_copy(update={"approved_by": "Anna", "reason": "goodwill"})
    assert await reserve(store, approved, cap=None) is None
    assert [(one.approved_by, one.reason) for one in await store.views.money("A-1")] == [("", ""), ("Anna", "goodwill")]


async def test_the_command_confirms_or_releases_what_it_pays(store: Store) -> None:
    await reserve(store, payment("a", "60"))
    await reserve(store, payment("b", "40"))
    await store.command_accepted("a", at=NOON, reference="R-1")
    await store.command_refused("b", reason="card expired")
    assert {one.key: one.state for one in await store.views.money("A-1")} == {"a": "confirmed", "b": "released"}
    # A new parcel that was accepted and then came to nothing leaves room for the refund in its place.
    await store.command_refused("a", reason="replaced by c")
    assert await reserve(store, payment("c", "100")) is None


async def test_of_payments_at_the_same_moment_just_as_many_as_fit_are_let_through(store: Store) -> None:
    answers = await asyncio.gather(*(reserve(store, payment(f"p{n}", "30")) for n in range(10)))
    assert answers.count(None) == 3
    assert await left(store) == 90


async def test_processes_that_pay_at_the_same_moment_stay_within_the_total(address: str) -> None:
    async with open_store(address) as store:
        paying = [paying_process(address, process) for process in ("return-parcel", "wrong-item")]
        assert [await asyncio.to_thread(one.wait, 60) for one in paying] == [0, 0]
        assert await left(store) == TOTAL
        assert len(await store.views.money("A-1")) == 60


def paying_process(url: str, process: str) -> subprocess.Popen[bytes]:
    program = "import asyncio, sys\nfrom test_money import *\nasyncio.run(pay_often(*sys.argv[1:]))"
    paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}"}
    return subprocess.Popen([sys.executable, "-c", program, url, process], env={**os.environ, **paths})


async def pay_often(url: str, process: str) -> None:
    """What one of several processes does: thirty payments, of which all together a third may pass."""
    async with open_store(url) as store:
        for number in range(30):
            await reserve(store, payment(f"{process}{number}", "5", case=ref(process)))


STEPS = st.lists(
    st.tuples(st.sampled_from(["pay", "accept", "refuse", "charge"]), st.integers(0, 5), st.integers(1, 60)),
    max_size=25,
)


Steps = list[tuple[str, int, int]]


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_payments_stay_within_the_total(new_address: NewAddress, steps: Steps) -> None:
    stay_within_the_total(new_address("sqlite"), steps)


@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_on_postgresql_they_do_so_too(new_address: NewAddress, steps: Steps) -> None:
    stay_within_the_total(new_address("postgresql"), steps)


def stay_within_the_total(address: str, steps: Steps) -> None:
    async def live() -> None:
        async with open_store(address) as store:
            entered: set[str] = set()
            charged = Decimal(0)
            for what, number, amount in steps:
                key = f"k{number}"
                if what == "pay":
                    entered.add(key)
                    await reserve(store, payment(key, str(amount)))
                elif what == "charge":
                    if f"c{number}" not in entered:
                        charged += amount
                    entered.add(f"c{number}")
                    await store.charge(payment(f"c{number}", str(amount), "claim_lost"))
                elif key in entered and what == "accept":
                    await store.command_accepted(key, at=NOON, reference="R")
                elif key in entered:
                    await store.command_refused(key, reason="no")
                # What others take from us is not asked for: it is all that may lie above the total.
                assert await left(store) <= TOTAL + charged

    asyncio.run(live())


async def test_the_payments_of_an_earlier_database_are_taken_over(empty_address: str) -> None:
    async with connect(DatabaseSettings.of(empty_address)) as database:
        await change_revision(database, "0001")
        await database.write(_enter_commands)
    async with open_store(empty_address) as store:
        money = {one.key: one.state for one in await store.views.money("A-1")}
        assert money == {"a": "confirmed", "b": "released", "c": "reserved"}
        assert await reserve(store, payment("e", "30")) == 110


def _enter_commands(connection: Connection) -> None:
    case: dict[str, object] = {"case_id": "return-parcel/A-1", "trigger": "shop e1"}
    known = {"process": "return-parcel", "order_id": "A-1", "part": "", "shop": "de", "opened_at": NOON}
    connection.execute(insert(cases), [case | known])
    pays = {"pays": "refund", "amount": "40.00", "currency": "EUR"}
    given: list[tuple[str, dict[str, str], str | None, str | None]] = [
        ("a", pays, "R-1", None),
        ("b", pays, None, "no"),
        ("c", pays, None, None),
        ("d", {}, "RMA-1", None),
    ]
    rows = [
        case | {"key": key, "type": "refund", "data": data, "claimed_at": NOON, "reference": said, "refused": refused}
        for key, data, said, refused in given
    ]
    connection.execute(insert(commands), rows)


class Dying:
    """A counterpart that pays once for a key, and is cut off before it can say so the first time."""

    def __init__(self) -> None:
        self.paid: list[str] = []

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        if command.key not in self.paid:
            self.paid.append(command.key)
            raise ConnectionError("the worker was killed")
        return CommandAccepted(reference="RF-1")


async def test_a_payment_that_went_out_before_the_worker_died_is_not_judged_again(store: Store) -> None:
    data: dict[str, Any] = {"pays": "refund", "amount": "60.00", "currency": "EUR"}
    order = Command(key="a", type="refund", case_id="return-parcel/A-1", order_id="A-1", at=NOON, data=data)
    request = CommandRequest(case=ref(), command=order, limit=TOTAL)
    bank = Dying()
    commands = Commands(bank, store)
    with pytest.raises(ConnectionError):
        await ActivityEnvironment().run(commands.give, request)
    # Meanwhile a dispute opens, and what is paid otherwise leaves no room.
    await store.open_case(CaseRecord(**ref("dispute").model_dump()))
    await store.charge(payment("b", "70", kind="claim_lost"))
    assert (await ActivityEnvironment().run(commands.give, request)).reference == "RF-1"
    assert bank.paid == ["a"]
    assert {one.key: one.state for one in await store.views.money("A-1")} == {"a": "confirmed", "b": "confirmed"}


async def test_of_an_order_that_the_shop_paid_back_itself_nothing_is_left(store: Store) -> None:
    raw = event("order.cancelled", "A-1", reason="customer", refunded=True)
    known = {"source": raw["source"], "id": raw["id"], "order_id": "A-1", "type": raw["type"], "received_at": NOON}
    await recorded(store, [EventRecord(**known, raw=json.dumps(raw))])
    assert await reserve(store, payment("a", "40")) == Decimal(140)
    assert await reserve(store, payment("b", "40"), cap=None) is None
    assert await reserve(store, payment("c", "40", case=ref(order="A-2"))) is None


async def test_what_was_done_by_hand_was_given_before(store: Store) -> None:
    assert not await store.given_before("refund", case=ref("perk-request"))
    await reserve(store, payment("a", "40"))
    await store.command_refused("a", reason="no such account")
    assert not await store.given_before("refund", case=ref("perk-request"))
    await store.charge(payment("a", "40"))
    assert await store.given_before("refund", case=ref("perk-request"))
    assert not await store.given_before("refund", case=ref())
    assert [one.state for one in await store.views.money("A-1")] == ["confirmed"]
