"""Money that people let go: who may, how many it takes, and payments that wait for the end of a dispute."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import ActivityEnvironment

import workflows
from activities.outcomes import OutcomeRequest, Outcomes
from adapters.settings import Settings
from adapters.temporal import RunningCases
from aftersales.outcome import Outcome
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.records import CaseRecord, CaseRef, PaymentRecord
from starter import Starter
from tests.events import now, return_requested, returned
from workflows.return_parcel import ReturnParcel
from workflows.start import start_options

CASE = "return-parcel/A-1"
TEAM = {
    "people": {"Mei": {}, "Anna": {"role": "supervisor"}, "Ben": {"role": "supervisor"}},
    "four_eyes": {"USD": "50.00"},
}


@pytest.fixture
def staffed(shop: Any) -> Any:
    """A shop whose policy names its people, and which has returns sent in without a letter about terms."""
    settings = Settings()
    overrides = {"operators": TEAM, "returns": {"self_authorised": ["webshop"]}}
    policy = load_policy(settings.policy, settings.law, overrides)
    return replace(shop, starter=Starter(shop.client, shop.store, Policies(policy), settings))


def another(process: str) -> CaseRef:
    """Another case of the same order."""
    return CaseRef(
        case_id=f"{process}/A-1", trigger="shop x", process=process, order_id="A-1", shop="amazon-us", opened_at=now()
    )


async def back(shop: Any, condition: str) -> WorkflowHandle[Any, Any]:
    """A return that has come back in this condition."""
    await shop.starter.handle(return_requested("A-1"))
    case: WorkflowHandle[Any, Any] = await shop.reaches(CASE, "return-instructions")
    [rma] = [command.reference for command in await shop.store.views.commands()]
    await shop.starter.handle(returned("A-1", rma, condition))
    return case


async def refused(case: WorkflowHandle[Any, Any], **decision: str) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as told:
        await case.execute_update("decide", {"reason": "because", **decision})
    return str(told.value.cause)


async def decided(case: WorkflowHandle[Any, Any], **decision: str) -> str:
    return str(await case.execute_update("decide", {"reason": "because", **decision}))


async def test_much_money_takes_two_supervisors(staffed: Any) -> None:
    await back(staffed, "damaged")
    case = await staffed.reaches(CASE, "decision")
    assert "Mei is an operator; this is for a supervisor: Anna, Ben" in await refused(case, option="full", by="Mei")
    assert "Eve is not among the people" in await refused(case, option="full", by="Eve")
    anna = {"option": "partial", "by": "Anna", "amount": "60.00"}
    assert await decided(case, **anna) == "partial, decided by Anna; somebody else must decide the same"
    assert (await case.query("open_decision"))["first"]["by"] == "Anna"
    assert "Anna decided so already" in await refused(case, **anna)
    assert await decided(case, **(anna | {"by": "Ben"})) == "partial, decided by Ben"
    async with asyncio.timeout(20):
        outcome = Outcome.model_validate(await case.result())
    [taken] = outcome.decisions
    assert (taken.by, taken.seconded_by, taken.before, taken.option) == ("Anna", "Ben", "full", "partial")
    assert outcome.amounts == {"refund": Decimal("60.00")}


async def test_a_second_one_who_decides_otherwise_begins_anew(staffed: Any) -> None:
    await back(staffed, "damaged")
    case = await staffed.reaches(CASE, "decision")
    await decided(case, option="full", by="Anna")
    assert await decided(case, option="send_back", by="Ben") == "send_back, decided by Ben"
    async with asyncio.timeout(20):
        assert (await case.result())["result"] == "sent_back"


async def test_who_asked_for_the_money_does_not_approve_what_is_over_the_total(staffed: Any) -> None:
    case = await back(staffed, "damaged")
    await staffed.reaches(CASE, "decision")
    charged = PaymentRecord(
        key="c", case=another("wrong-item"), kind="compensation", amount=Decimal(100), currency="USD", at=now()
    )
    await staffed.store.charge(charged)
    await decided(case, option="partial", by="Anna", amount="40.00")
    for _ in range(400):
        if "approve" in ((await case.query("open_decision")) or {}).get("options", ()):
            break
        await asyncio.sleep(0.05)
    assert "Mei is an operator" in await refused(case, option="approve", by="Mei")
    assert "Anna asked for it; somebody else must decide" in await refused(case, option="approve", by="Anna")
    await decided(case, option="approve", by="Ben")
    async with asyncio.timeout(20):
        assert (await case.result())["amounts"] == {"refund": "40.00"}
    money = {one.key: one for one in await staffed.store.views.money("A-1")}
    approved = [(one.approved_by, one.reason, one.state) for one in money.values() if one.approved_by]
    assert approved == [("Ben", "because", "confirmed")]
    assert sorted(one.state for one in money.values()) == ["confirmed", "confirmed", "released"]


async def test_payments_wait_while_a_dispute_is_open(staffed: Any) -> None:
    await staffed.store.open_case(CaseRecord(**another("dispute").model_dump()))
    await back(staffed, "as_described")
    await staffed.reaches(CASE, "payment-held")
    assert await staffed.letters() == ["return-instructions", "return-received"]
    over = Outcome(
        **another("dispute").model_dump(exclude={"part"}),
        currency="USD",
        result="withdrawn",
        stage="closed",
        cause="customer",
        at_fault=False,
        amounts={},
        letters_sent=0,
        first_response_time=None,
        resolution_time=1,
        decisions=(),
        decisions_missed=0,
        angry=False,
        policy_version="x",
        template_versions={},
        closed_at=now(),
    )
    outcomes = Outcomes(staffed.store, staffed.store, RunningCases(staffed.client, "", start_options), workflows.HEARS)
    await ActivityEnvironment().run(outcomes.record, OutcomeRequest(outcome=over))
    async with asyncio.timeout(20):
        outcome = await staffed.client.get_workflow_handle_for(ReturnParcel.run, CASE).result()
    assert outcome.result == "refunded"
    assert [one.state for one in await staffed.store.views.money("A-1")] == ["confirmed"]


async def test_who_moves_a_deadline_is_written_down_with_before_and_after(staffed: Any) -> None:
    await staffed.starter.handle(return_requested("A-1"))
    case = await staffed.reaches(CASE, "return-instructions")
    until = "2030-01-01T00:00:00Z"
    with pytest.raises(WorkflowUpdateFailedError) as told:
        await case.execute_update("extend", {"until": until, "by": "Eve", "reason": "holiday"})
    assert "Eve is not among the people" in str(told.value.cause)
    await case.execute_update("extend", {"until": until, "by": "Mei", "reason": "holiday"})
    await staffed.tell("order.return_cancelled")
    async with asyncio.timeout(20):
        outcome = Outcome.model_validate(await case.result())
    [moved] = outcome.extended
    assert (moved.stage, moved.by, moved.reason) == ("return-instructions", "Mei", "holiday")
    assert moved.before < moved.after == moved.after.replace(year=2030, month=1, day=1)
