"""Every date that runs in a case is known: whose it is, where it is written, who loses; the nearest is found."""

from __future__ import annotations

import ast
import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

import workflows
from aftersales.clocks import waiting
from tests.events import event, now, order, return_requested, returned
from tests.workflows.conftest import Played
from tests.workflows.test_scenarios import every_scenario
from workflows import attributes

PASSED_THROUGH = {("carrier-claim", "file"), ("carrier-claim", "found"), ("carrier-claim", "not_filed")}
"""Stages that last no time: a case that waits there has asked for a decision."""

KNOWN = {process.process: process for process in workflows.ALL}
CUSTOMER_WAITS = "expedite/A-1"


def _is_known(process: str, stage: str) -> bool:
    clock = waiting(stage, now(), KNOWN[process].WAITS)
    return bool(clock.source and clock.loses)


def _named(process: str) -> set[str]:
    """The stages at which a process says itself that it waits: letters that ask for something, and what is entered."""
    source = Path(workflows.__path__[0]) / f"{process.replace('-', '_')}.py"
    called = [node for node in ast.walk(ast.parse(source.read_text("utf-8"))) if isinstance(node, ast.Call)]
    waits = [call for call in called if getattr(call.func, "attr", "") in ("ask", "remind", "enter")]
    words = [node for call in waits for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
    return {str(word.value) for word in words} - {""}


@pytest.mark.parametrize("process", KNOWN)
def test_a_stage_that_a_process_names_is_known(process: str) -> None:
    named = {(process, stage) for stage in _named(process)}
    assert {stage for stage in named - PASSED_THROUGH if not _is_known(*stage)} == set()


@every_scenario
async def test_a_stage_at_which_a_story_waits_is_known(story: Path, plays: dict[Path, asyncio.Task[Played]]) -> None:
    assert {stage for stage in (await plays[story]).waited if not _is_known(*stage)} == set()


async def test_the_laws_date_is_due_where_it_comes_first_and_extending_moves_what_is_due(shop: Any) -> None:
    """A delay must be offered a day from now; the customer has two days to choose."""
    placed = now() - timedelta(days=29)
    late = order("A-1", placed_at=placed.isoformat(), delivered_at=None)
    await shop.starter.handle(event("order.expedite_requested", "A-1", order=late))
    await shop.reaches(CUSTOMER_WAITS, "late")
    await shop.tell("warehouse.answered", answer="out_of_stock")
    case = await shop.reaches(CUSTOMER_WAITS, "out-of-stock-choice")
    assert await _due(case) == (placed + timedelta(days=30), "law")
    first, second = await case.query("clocks")
    assert (first["what"], first["source"]) == ("delay notice", "law pack us: 16 CFR 435.2")
    assert (second["what"], second["whose"]) == ("out-of-stock-choice", "customer")

    sooner = (now() + timedelta(hours=2)).replace(microsecond=0)
    await case.execute_update("extend", {"until": sooner.isoformat(), "by": "Mei", "reason": "the customer calls"})
    assert await _due(case) == (sooner, "customer")
    assert [clock["what"] for clock in await case.query("clocks")] == ["out-of-stock-choice", "delay notice"]

    await shop.tell("order.cancelled", refunded=True)
    async with asyncio.timeout(20):
        await case.result()
    assert await _due(case) == (None, None)
    assert await case.query("clocks") == []


async def test_the_refund_is_due_by_law_however_long_an_inspection_is_extended(shop: Any) -> None:
    """In the European Union the money is back fourteen days after the notice."""
    asked = return_requested("A-1", market="DE", currency="EUR")
    await shop.starter.handle(asked)
    await shop.reaches("return-parcel/A-1", "return-instructions")
    await shop.starter.handle(returned("A-1", "", "damaged"))
    case = await shop.reaches("return-parcel/A-1", "decision")
    assert (await _due(case))[1] == "ours"
    until = now() + timedelta(days=30)
    await case.execute_update("extend", {"until": until.isoformat(), "by": "Mei", "reason": "the expert is away"})
    by_law = datetime.fromisoformat(asked["time"]) + timedelta(days=14)
    assert await _due(case) == (by_law, "law")
    await case.execute_update("decide", {"option": "full", "by": "Mei", "reason": "the law's date"})
    async with asyncio.timeout(20):
        await case.result()
    assert await _due(case) == (None, None)


async def _due(case: WorkflowHandle[Any, Any]) -> tuple[datetime | None, str | None]:
    shown = (await case.describe()).typed_search_attributes
    return shown.get(attributes.DUE), shown.get(attributes.DUE_FOR)


async def test_the_platforms_date_moves_with_its_word_and_is_over_once_the_exemption_is_filed(shop: Any) -> None:
    async def blocked(name: str, **told: Any) -> None:
        told |= {"region": "TX", "carriers_blocked": ["USPS"], "carriers_usual": ["USPS"]}
        waits = order("A-1", delivered_at=None)
        await shop.starter.handle(event("dispatch.blocked", "A-1", name, order=waits, **told))

    first, second = (now() + timedelta(days=days) for days in (10, 3))
    await blocked("1", platform_deadline=first.isoformat())
    case = await shop.reaches("late-dispatch/A-1", "decision")
    await _runs(case, "filing", first)
    await case.execute_update("decide", {"option": "wait", "by": "Mei", "reason": "it is on its way"})
    await blocked("2", platform_deadline=second.isoformat())
    await _runs(case, "filing", second)
    await blocked("3", proof=["https://proof.example/1"])
    await shop.reaches("late-dispatch/A-1", "exemption")
    await _runs(case, "filing", None)


async def test_a_parcel_that_is_stuck_has_its_last_date_for_a_claim(shop: Any) -> None:
    parcel = {"parcel_no": "P1", "carrier": "usps", "tracking_number": "9400"}
    await shop.starter.handle(event("order.shipped", "A-1", order=order("A-1", delivered_at=None), parcel=parcel))
    case = await shop.reaches("shipment-watch/A-1/P1", "handed_over")
    await _runs(case, "last date for a claim", None)
    await shop.tell("shipment.checkpoint", "1", parcel_no="P1", status="exception")
    await shop.reaches("shipment-watch/A-1/P1", "stuck")
    clock = next(clock for clock in await case.query("clocks") if clock["what"] == "last date for a claim")
    shipped = (await case.describe()).start_time
    assert timedelta(days=59) < datetime.fromisoformat(clock["at"]) - shipped <= timedelta(days=60), "as USPS has it"
    await shop.tell("shipment.checkpoint", "2", parcel_no="P1", status="in_transit")
    await shop.reaches("shipment-watch/A-1/P1", "moving")
    await _runs(case, "last date for a claim", None)


async def _runs(case: WorkflowHandle[Any, Any], what: str, at: datetime | None) -> None:
    """Wait until this clock runs out at this moment, or does not run."""
    for _ in range(400):
        found = {clock["what"]: datetime.fromisoformat(clock["at"]) for clock in await case.query("clocks")}
        if found.get(what) == at:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(found)
