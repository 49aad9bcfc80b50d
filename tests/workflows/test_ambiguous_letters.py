"""A letter that its mail server refuses, or may have taken: a person is asked, and the case goes on in each way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import Settings
from adapters.smtp import SmtpChannel
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.records import EventStatus
from starter import Starter
from tests.events import replied, return_requested
from tests.mail_server import DROP, MailServer
from tests.workflows.conftest import Shop, opened

CASE = "return-escalation/A-1"


@asynccontextmanager
async def mailing(folder: Path, server: MailServer, held_window: str = "1h") -> AsyncIterator[Shop]:
    """A shop whose letters go to this mail server, and whose operators have so long for one that is held."""
    settings = Settings()
    policy = load_policy(settings.policy, settings.law, {"held_window": held_window})
    async with server.running():
        smtp = SmtpChannel(server.settings())
        async with opened(folder, channel=smtp) as shop:
            yield replace(shop, starter=Starter(shop.client, shop.store, Policies(policy), Settings(data=folder)))
        await smtp.close()


async def told(shop: Shop) -> str:
    """What the list says that a person reads, as soon as there is a line."""
    for _ in range(100):
        if lines := await shop.store.views.events(status=EventStatus.FOR_A_PERSON, limit=10):
            (line,) = lines
            return line.detail
        await asyncio.sleep(0.1)
    raise AssertionError("nothing for a person to read")


async def asks(shop: Shop) -> tuple[Any, dict[str, Any]]:
    """The case, and what it asks."""
    case = await shop.reaches(CASE, "decision")
    for _ in range(100):
        # Between two questions there is none.
        if asked := await case.query("open_decision"):
            return case, asked
        await asyncio.sleep(0.05)
    raise AssertionError("nothing is asked")


def says(option: str) -> dict[str, str]:
    return {"option": option, "by": "Mei", "reason": "the customer says so"}


async def test_a_letter_that_may_be_out_goes_out_again_when_an_operator_says_so(tmp_path: Path) -> None:
    server = MailServer(data=DROP)
    async with mailing(tmp_path, server) as shop:
        await shop.starter.handle(return_requested("A-1"))
        case, asked = await asks(shop)
        assert asked["text"].startswith("The letter return-terms is held: 127.0.0.1:")
        assert "so the customer may have it already. Send it all the same?" in asked["text"]
        assert asked["fallback"] == "leave_out"
        server.data = ""
        await case.execute_update("decide", says("send_anyway"))
        await shop.reaches(CASE, "return-terms")
    assert [mail["Message-ID"] for mail in server.mails()] == [server.mails()[0]["Message-ID"]] * 2


@pytest.mark.parametrize("answer", ["leave_out", ""])
async def test_a_letter_that_may_be_out_stays_so_without_a_decision_and_can_be_answered(
    tmp_path: Path, answer: str
) -> None:
    server = MailServer(data=DROP)
    async with mailing(tmp_path, server, held_window="1h" if answer else "1s") as shop:
        await shop.starter.handle(return_requested("A-1"))
        if answer:
            case, _ = await asks(shop)
            await case.execute_update("decide", says(answer))
        else:
            assert (await told(shop)).startswith("letter return-terms was perhaps sent: 127.0.0.1:")
        await shop.reaches(CASE, "return-terms")
        assert len(server.taken) == 1
        server.data = ""
        await shop.starter.handle(replied("A-1", "2"))
        await shop.reaches(CASE, "waive-restocking")
    assert len(server.taken) == 2


async def test_a_letter_that_is_refused_is_asked_about_each_time_until_it_is_left_out(tmp_path: Path) -> None:
    server = MailServer(rcpt="550 5.1.1 no such user")
    async with mailing(tmp_path, server) as shop:
        await shop.starter.handle(return_requested("A-1"))
        for option in ("send_anyway", "send_anyway", "leave_out"):
            case, asked = await asks(shop)
            assert "said for ada@example.com: 550 5.1.1 no such user. Send it all the same?" in asked["text"]
            await case.execute_update("decide", says(option))
        await shop.reaches(CASE, "return-terms")
        tried = [
            event.activity_task_scheduled_event_attributes.activity_id
            for event in (await case.fetch_history()).events
            if event.HasField("activity_task_scheduled_event_attributes")
        ]
    assert [name for name in tried if name.startswith("letter:")] == [
        "letter:return-terms",
        "letter:return-terms:anyway",
        "letter:return-terms:anyway:2",
    ]
    assert server.taken == []


async def test_a_server_that_is_away_for_a_moment_delays_the_letter_and_asks_nobody(tmp_path: Path) -> None:
    server = MailServer(mail="421 4.3.2 restarting")
    async with mailing(tmp_path, server) as shop:
        await shop.starter.handle(return_requested("A-1"))
        for _ in range(100):
            if server.connections:
                break
            await asyncio.sleep(0.05)
        server.mail = ""
        await shop.reaches(CASE, "return-terms")
    assert len(server.taken) == 1
