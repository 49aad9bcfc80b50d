"""A letter that its channel forbids: a person is asked, and told where none decided."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from adapters.settings import Settings
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.records import EventStatus
from starter import Starter
from tests.events import order, return_requested

CASE = "return-escalation/A-1"
ITEM = order("A-1")["items"][0] | {"title": "Desk lamp, tel. 030 1234567"}
ON_EBAY: dict[str, Any] = {"channel": "ebay", "items": [ITEM]}


async def test_an_operator_reads_why_a_letter_is_held_and_sends_it(shop: Any) -> None:
    await shop.starter.handle(return_requested("A-1", **ON_EBAY))
    case = await shop.reaches(CASE, "decision")
    assert await shop.letters() == []
    asked = await case.query("open_decision")
    assert asked["text"] == (
        "The letter return-terms is held: it holds the phone number 030 1234567, and ebay allows none. "
        "Send it all the same?"
    )
    assert all(asked["does"][option] for option in ("send_anyway", "leave_out"))
    await case.execute_update("decide", {"option": "send_anyway", "by": "Mei", "reason": "an article's name"})
    await shop.wait_for("return-terms")


async def test_a_letter_that_nobody_decides_about_is_left_out_and_a_person_is_told(shop: Any) -> None:
    settings = Settings()
    policy = load_policy(settings.policy, settings.law, {"held_window": "1s"})
    quick = replace(shop, starter=Starter(shop.client, shop.store, Policies(policy), settings))
    await quick.starter.handle(return_requested("A-1", **ON_EBAY))
    await quick.reaches(CASE, "return-terms")
    assert await quick.letters() == []
    for _ in range(100):
        if told := await quick.store.views.events(status=EventStatus.FOR_A_PERSON, limit=10):
            break
        await asyncio.sleep(0.1)
    (line,) = told
    assert line.detail == (
        "letter return-terms was not sent: it holds the phone number 030 1234567, and ebay allows none"
    )
