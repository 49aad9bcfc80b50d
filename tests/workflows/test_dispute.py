"""A further dispute that comes while the first one ends has a case all the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from adapters.database import Store
from adapters.settings import Settings
from adapters.temporal import RunningCases
from aftersales.opening import CaseOpened
from aftersales.outcome import Outcome
from tests.events import event, now, order
from tests.workflows.conftest import Shop, without_worker, working

FIRST, FURTHER = "dispute/A-1", "dispute/A-1/CB-2"


def another() -> dict[str, Any]:
    """The order's further dispute."""
    by = (now() + timedelta(days=3)).isoformat()
    return event("dispute.opened", "A-1", "two", order=order("A-1"), kind="chargeback", claim_id="CB-2", respond_by=by)


async def contested(shop: Shop) -> WorkflowHandle[Any, Any]:
    """The order's first dispute, which waits for its ruling."""
    by = (now() + timedelta(days=3)).isoformat()
    await shop.tell("dispute.opened", order=order("A-1"), kind="a_to_z", claim_id="CL-1", respond_by=by)
    case = await shop.reaches(FIRST, "decision")
    await case.execute_update("decide", {"option": "contest", "by": "Anna", "reason": "signed for"})
    return await shop.reaches(FIRST, "ruling")


async def ended(case: WorkflowHandle[Any, Any], shop: Shop) -> str:
    """How the first dispute ended, while the further one has a case."""
    result: str = (await asyncio.wait_for(case.result(), 30))["result"]
    await shop.reaches(FURTHER, "decision")
    assert [one.case_id for one in await shop.store.open_cases("A-1")] == [FURTHER]
    return result


def hiccups(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first case that a case opens beside it is opened at the third try, some seconds later."""
    real, failures = RunningCases.open, [RuntimeError("the server does not answer")] * 2

    async def hiccup(self: RunningCases, process: str, opened: CaseOpened, *, again: bool) -> bool:
        if again and failures:
            raise failures.pop()
        return await real(self, process, opened, again=again)

    monkeypatch.setattr(RunningCases, "open", hiccup)


@pytest.mark.parametrize("won", [True, False])
async def test_with_the_ruling_after_an_outage(won: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path)
    async with without_worker(settings) as shop:
        async with working(shop, settings):
            case = await contested(shop)
        await shop.starter.handle_all([event("dispute.decided", "A-1", claim_id="CL-1", won=won), another()])
        hiccups(monkeypatch)
        async with working(shop, settings):
            assert await ended(case, shop) == ("won" if won else "lost")


async def test_while_its_outcome_is_written_down(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    case, closed, news = await contested(shop), Store.close_case, [another()]

    async def meanwhile(self: Store, outcome: Outcome) -> None:
        if news:
            await shop.starter.handle(news.pop())
        await closed(self, outcome)

    monkeypatch.setattr(Store, "close_case", meanwhile)
    hiccups(monkeypatch)
    await shop.tell("dispute.decided", claim_id="CL-1", won=True)
    assert await ended(case, shop) == "won"
