"""Giving a command: what the activity makes of its counterpart's answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.commands import NOT_NOW, CommandRequest, Commands
from adapters.database import Store, open_store
from aftersales.commands import Command, CommandAccepted, CommandRefused, NotNow
from aftersales.records import CaseRef
from tests.commands import NOON, command

CASE = CaseRef(
    case_id="return-parcel/A-1001",
    trigger="shop evt-1",
    process="return-parcel",
    order_id="A-1001",
    shop="amazon-us",
    opened_at=NOON,
)
REQUEST = CommandRequest(case=CASE, command=command("refund", pays="refund", amount="10.00", currency="EUR"))


class Says:
    """A counterpart that says one thing after the other."""

    def __init__(self, *answers: Exception | str) -> None:
        self.answers, self.shops = list(answers), list[str]()

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        self.shops.append(shop)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return CommandAccepted(reference=answer)
        raise answer


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite:///{tmp_path / 'aftersales.db'}") as opened:
        yield opened


async def test_it_is_told_whose_order_it_is(store: Store) -> None:
    says = Says("RF-1")
    assert (await ActivityEnvironment().run(Commands(says, store).give, REQUEST)).reference == "RF-1"
    assert says.shops == ["amazon-us"]


@pytest.mark.parametrize("wait", [None, timedelta(seconds=42)])
async def test_not_now_is_tried_again_when_the_counterpart_says(store: Store, wait: timedelta | None) -> None:
    says = Says(NotNow("the warehouse is closed", wait), "RF-1")
    give = Commands(says, store).give
    with pytest.raises(ApplicationError, match="the warehouse is closed") as later:
        await ActivityEnvironment().run(give, REQUEST)
    assert (later.value.type, later.value.non_retryable, later.value.next_retry_delay) == (NOT_NOW, False, wait)
    # The money stays reserved meanwhile, for it may be on its way.
    assert [one.state for one in await store.views.money("A-1001")] == ["reserved"]
    assert (await ActivityEnvironment().run(give, REQUEST)).reference == "RF-1"


async def test_a_refusal_is_not_tried_again(store: Store) -> None:
    give = Commands(Says(CommandRefused("no such order")), store).give
    for _ in range(2):
        with pytest.raises(ApplicationError, match="no such order") as refused:
            await ActivityEnvironment().run(give, REQUEST)
        assert refused.value.non_retryable
