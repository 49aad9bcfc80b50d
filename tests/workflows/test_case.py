"""What every case does, whatever its process."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.testing import ActivityEnvironment

import workflows
from activities.outcomes import HandBackRequest, OpenRequest, Outcomes
from adapters.settings import Settings
from adapters.temporal import RunningCases
from aftersales.events import parse_event
from aftersales.opening import CaseOpened
from aftersales.policy import load_policy
from aftersales.records import CaseRef, EventStatus
from tests.events import event, now, order, return_requested
from workflows.start import start_options

CASE = "return-escalation/A-1"


async def test_cancellation_in_the_web_ui_does_not_end_a_case_without_outcome(shop: Any) -> None:
    await shop.starter.handle(return_requested("A-1"))
    case = await shop.reaches(CASE, "return-terms")
    await case.cancel()
    assert await shop.tell("customer.replied", case_id=CASE, text="I still want to return it.") == EventStatus.SIGNALLED
    await shop.wait_for("return-terms", "waive-restocking")
    assert (await case.describe()).status == WorkflowExecutionStatus.RUNNING
    await shop.tell("order.return_cancelled")
    async with asyncio.timeout(20):
        assert (await case.result())["result"] == "withdrawn"


@pytest.mark.parametrize(
    ("update", "given", "words"),
    [
        ("decide", {"option": "accept", "by": "Mei", "reason": "is clear"}, "no decision is open"),
        ("extend", {"by": "Mei", "reason": "holiday"}, "until: write a moment"),
        ("extend", {"until": (now() - timedelta(days=1)).isoformat(), "by": "Mei", "reason": "x"}, "in the past"),
        ("extend", {"until": (now() + timedelta(days=9)).isoformat(), "reason": "x"}, "by: write who"),
        ("extend", {"until": (now() + timedelta(days=9)).isoformat(), "by": "Mei"}, "reason: write why"),
    ],
)
async def test_an_update_that_is_not_possible_says_what_is(
    shop: Any, update: str, given: dict[str, str], words: str
) -> None:
    await shop.starter.handle(return_requested("A-1"))
    case = await shop.reaches(CASE, "return-terms")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.execute_update(update, given)
    assert words in str(refused.value.cause)


async def test_a_decision_must_be_open_signed_and_explained(shop: Any) -> None:
    await shop.starter.handle(return_requested("A-1"))
    await shop.reaches(CASE, "return-terms")
    await shop.tell("customer.replied", case_id=CASE, text="What does this mean?")
    case = await shop.reaches(CASE, "decision")
    words = {
        "option: 'pay' is not open": {"option": "pay", "by": "Mei", "reason": "x"},
        "by: write who": {"option": "accept", "reason": "x"},
        "reason: write why": {"option": "accept", "by": "Mei"},
        "amount: 5 is not possible": {"option": "accept", "by": "Mei", "reason": "x", "amount": "5"},
    }
    for text, given in words.items():
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await case.execute_update("decide", given)
        assert text in str(refused.value.cause)
    assert await case.execute_update("decide", {"option": "accept", "by": "Mei", "reason": "she agreed by phone"})
    async with asyncio.timeout(20):
        assert (await case.result())["result"] == "terms_accepted"


async def test_who_decides_sees_what_came_since_the_question_was_asked(shop: Any) -> None:
    await shop.starter.handle(return_requested("A-1"))
    await shop.reaches(CASE, "return-terms")
    await shop.tell("customer.replied", "1", case_id=CASE, text="What does this mean?")
    case = await shop.reaches(CASE, "decision")
    assert (await case.query("open_decision"))["meanwhile"] == []
    await shop.tell("customer.replied", "2", case_id=CASE, text="Sorry: yes, I pay | the freight.")
    await shop.tell("dispute.opened", "3", kind="chargeback", claim_id="C-7", text="not as sold")
    message, dispute = (await case.query("open_decision"))["meanwhile"]
    assert message.endswith("UTC, the customer wrote: “Sorry: yes, I pay | the freight.”")
    assert "UTC, dispute.opened: " in dispute
    assert "claim_id C-7" in dispute
    details = await case.query("__temporal_workflow_metadata")
    assert "Sorry: yes, I pay \\\\| the freight." in str(details)


async def test_whoever_ends_a_case_does_not_end_the_one_that_it_opened(shop: Any) -> None:
    parcel = {"parcel_no": "P1", "carrier": "ups", "tracking_number": "1Z1", "origin": "US", "destination": "US"}
    line = {"line_id": "1", "quantity": 1}
    await shop.tell("order.shipped", order=order("A-1", delivered_at=None), parcel=parcel, lines=[line])
    await shop.tell("carrier.replied", parcel_no="P1", answer="lost")
    watch = await shop.reaches("shipment-watch/A-1/P1", "parcel-lost-choice")
    await shop.tell("customer.replied", case_id=watch.id, choice=2)
    claim = await shop.reaches("carrier-claim/A-1/P1", "search")
    assert (await claim.describe()).parent_id is None
    await watch.terminate("a hand that slipped")
    await shop.tell("carrier.claim_decided", parcel_no="P1", granted=True, amount="120.00")
    async with asyncio.timeout(20):
        assert (await claim.result())["result"] == "recovered"


async def test_a_case_is_opened_beside_another_once_however_often_it_is_tried(shop: Any) -> None:
    raw = return_requested("A-1")
    opened = CaseOpened(
        order=raw["data"]["order"],
        policy=load_policy(Settings().policy, Settings().law),
        opened_at=now(),
        trigger=cast(Any, parse_event(raw)),
    )
    request = OpenRequest(process="return-escalation", case_id=CASE, opened=opened)
    queue = Settings().task_queue
    outcomes = Outcomes(shop.store, shop.store, RunningCases(shop.client, queue, start_options), workflows.HEARS)
    early = event("customer.replied", "A-1", case_id=CASE, text="No, I will not pay.")
    assert (await shop.starter.handle(early)).status == EventStatus.NO_OPEN_CASE
    assert await ActivityEnvironment().run(outcomes.open, request) is True
    case = await shop.reaches(CASE, "waive-restocking")
    assert await ActivityEnvironment().run(outcomes.open, request) is True
    other = request.model_copy(
        update={"opened": opened.model_copy(update={"trigger": parse_event(raw | {"id": "again"})})}
    )
    assert await ActivityEnvironment().run(outcomes.open, other) is False, "the case that runs is told"
    await shop.tell("order.return_cancelled")
    async with asyncio.timeout(20):
        await case.result()
    assert await ActivityEnvironment().run(outcomes.open, request) is True, (
        "it has closed since, and was opened by this event"
    )
    runs = [run.run_id async for run in shop.client.list_workflows(f"WorkflowId = '{CASE}'")]
    assert len(runs) == 1


async def test_what_the_next_case_has_had_is_not_for_a_person(shop: Any) -> None:
    await shop.starter.handle(return_requested("A-1"))
    await shop.reaches(CASE, "return-terms")
    taken = event("customer.message", "A-1", case_id=CASE, text="What does this mean?")
    await shop.starter.handle(taken)
    await shop.reaches(CASE, "decision")
    running = RunningCases(shop.client, "", start_options)
    identity = parse_event(taken).identity
    assert await running.took(CASE, identity)
    assert not await running.took(CASE, "somebody else's")
    assert not await running.took("return-escalation/A-2", identity)
    outcomes = Outcomes(shop.store, shop.store, running, workflows.HEARS)
    last = await shop.store.last_case(CASE)
    for other, status in ((CASE, EventStatus.SIGNALLED), ("return-escalation/A-2", EventStatus.FOR_A_PERSON)):
        case = CaseRef(**last.model_dump(include=set(CaseRef.model_fields)))
        request = HandBackRequest(case=case, identity=identity, detail="it came late", unless_taken_by=other)
        await ActivityEnvironment().run(outcomes.hand_back, request)
        (record,) = await shop.store.events_of("A-1", ["customer.message"])
        assert record.status == status


async def test_a_repeat_opens_no_second_case_for_what_is_in_hand(shop: Any) -> None:
    await shop.starter.handle(return_requested("A-1"))
    await shop.reaches(CASE, "return-terms")
    second = event("order.return_requested", "A-1", "second", order=order("A-1"), lines=[], reason=None)
    taken = await shop.starter.handle(second)
    assert (taken.status, taken.cases) == (EventStatus.SIGNALLED, (CASE,))
    # The starter dies before it can write down what it did.
    await shop.store.settle_events([taken.model_copy(update={"status": EventStatus.RECEIVED, "cases": ()})])
    again = await shop.starter.handle(second)
    assert (again.status, again.cases) == (EventStatus.SIGNALLED, (CASE,))
