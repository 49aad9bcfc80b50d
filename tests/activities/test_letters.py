"""The activity that sends a letter, with a real mail server and a real ledger: once, whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment
from typing_extensions import override

from activities.letters import LETTER_HELD, NOT_SENT, Held, LetterRequest, Letters, LetterSent
from adapters.database import Store, open_store
from adapters.smtp import SmtpChannel
from aftersales.channels import ChannelRules, Terms
from aftersales.letters import Books
from aftersales.order import Customer
from aftersales.ports import Channel, LetterLedger
from aftersales.records import CaseRef, LetterRecord
from tests.books import book
from tests.letters_out import AT
from tests.mail_server import DROP, MailServer

KEY = "inquiry/A-1#1#letter:message-received"
LATER = AT + timedelta(hours=3)


class PowerCut(Exception):
    """The worker died."""


@dataclass(frozen=True)
class Dying(LetterLedger):
    """A ledger whose worker dies when it would write down that a letter is out, or certainly is not."""

    store: Store

    @override
    async def claim_letter(self, record: LetterRecord) -> LetterRecord:
        return await self.store.claim_letter(record)

    @override
    async def letter_tried(self, key: str, *, at: datetime, after: datetime | None) -> bool:
        return await self.store.letter_tried(key, at=at, after=after)

    @override
    async def letter_sent(self, key: str, *, at: datetime, reference: str) -> None:
        raise PowerCut

    @override
    async def letter_not_sent(self, key: str, *, at: datetime) -> None:
        raise PowerCut


def request(**changes: Any) -> LetterRequest:
    known = LetterRequest(
        key=KEY,
        case=CaseRef(case_id="inquiry/A-1", trigger="1", process="inquiry", order_id="A-1", shop="s", opened_at=AT),
        letter="message-received",
        to=Customer(name="Ada", email="ada@example.com", language="en"),
        locale="en-US",
        currency="USD",
        languages=("en",),
        values={"items": [], "total": "1.00"},
        at=AT,
        terms=Terms(channel="webshop", rules=ChannelRules()),
    )
    return known.model_copy(update=changes)


AGAIN = {"at": LATER, "terms": None, "channel": "webshop", "again": True}
"""What a person's decision changes of a request."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite:///{tmp_path / 'a.db'}") as opened:
        yield opened


@asynccontextmanager
async def mail(server: MailServer, **settings: Any) -> AsyncIterator[SmtpChannel]:
    async with server.running():
        smtp = SmtpChannel(server.settings(**settings))
        try:
            yield smtp
        finally:
            await smtp.close()


async def send(channel: Channel, ledger: LetterLedger, asked: LetterRequest, **info: Any) -> LetterSent:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, **info)
    letters = Letters(Books(book()), channel, ledger, domain="mail.lumen.example")
    return await environment.run(letters.send, asked)


async def failed(channel: Channel, ledger: LetterLedger, asked: LetterRequest, **info: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as error:
        await send(channel, ledger, asked, **info)
    return error.value


def held(error: ApplicationError) -> Held:
    """Not tried again, and left out where nobody decides."""
    stays_in, about = error.details
    assert (error.type, error.non_retryable, stays_in) == (LETTER_HELD, True, True)
    assert isinstance(about, Held)
    return about


async def test_a_letter_is_sent_and_written_down(store: Store) -> None:
    server = MailServer()
    async with mail(server) as smtp:
        first = await send(smtp, store, request())
        assert await send(smtp, store, request()) == first
    record = await store.letter(KEY)
    assert record is not None
    assert (record.sent_at, record.tried_at, record.reference) == (AT, AT, "smtp 2.0.0 queued as Q1")
    assert len(server.taken) == 1


async def test_the_variant_that_is_asked_for_is_sent_and_one_that_is_gone_is_the_letter_itself(store: Store) -> None:
    server = MailServer()
    case = CaseRef(
        case_id="return-escalation/A-1",
        trigger="1",
        process="return-escalation",
        order_id="A-1",
        shop="s",
        opened_at=AT,
    )
    terms = {"fee": "18.00", "fee_share": "0.15", "reply_by": LATER.isoformat()}
    asked = request(case=case, letter="return-terms", values={"items": [], "total": "1.00", **terms})
    async with mail(server) as smtp:
        short, gone, base = [
            await send(smtp, store, asked.model_copy(update={"key": f"{KEY}:{variant}", "variant": variant}))
            for variant in ("short", "gone", "")
        ]
        assert (await send(smtp, store, asked.model_copy(update={"key": f"{KEY}:short"}))).variant == "short"
    assert (short.variant, gone.variant, base.variant) == ("short", "", "")
    records = [await store.letter(f"{KEY}:{variant}") for variant in ("short", "gone", "")]
    assert [record and record.variant for record in records] == ["short", "", ""]
    assert short.choices == base.choices == ("accept", "insist")
    assert short.version != base.version == gone.version
    lengths = [len(server.content(number)) for number in range(3)]
    assert lengths[0] < lengths[2]


async def test_a_worker_killed_between_the_letter_and_its_ledger_sends_no_second_one(store: Store) -> None:
    server = MailServer()
    async with mail(server) as smtp:
        with pytest.raises(PowerCut):
            await send(smtp, Dying(store), request())
        assert len(server.taken) == 1
        for at in (AT, LATER):
            error = await failed(smtp, store, request(at=at))
            about = held(error)
            assert "cut off before its end was written down, so the customer may have it already" in error.message
            assert (about.channel, about.perhaps and about.perhaps.language) == ("webshop", "en")
        assert len(server.taken) == 1
        await send(smtp, store, request(**AGAIN))
        assert len(server.taken) == 2
        await send(smtp, store, request(**AGAIN))
        await send(smtp, store, request())
    assert len(server.taken) == 2


async def test_a_decision_lets_one_more_try_through_and_not_the_one_after(store: Store) -> None:
    server = MailServer(data=DROP)
    async with mail(server) as smtp:
        assert held(await failed(smtp, store, request())).perhaps
        server.data = ""
        with pytest.raises(PowerCut):
            await send(smtp, Dying(store), request(**AGAIN))
        assert held(await failed(smtp, store, request(**AGAIN))).perhaps
        assert len(server.taken) == 2
        await send(smtp, store, request(**AGAIN | {"at": LATER + timedelta(hours=1)}))
    assert len(server.taken) == 3


@pytest.mark.parametrize("step", ["rcpt", "data"])
async def test_a_refusal_is_held_and_may_be_sent_after_all(store: Store, step: str) -> None:
    how: dict[str, Any] = {step: "550 5.1.1 no such user"}
    server = MailServer(**how)
    async with mail(server) as smtp:
        error = await failed(smtp, store, request())
        assert held(error).perhaps is None
        assert error.message.endswith("said for ada@example.com: 550 5.1.1 no such user")
        assert error.category == ApplicationErrorCategory.BENIGN
        setattr(server, step, "")
        await send(smtp, store, request(at=LATER, terms=None, channel="webshop"))
    assert len(server.taken) == 1


async def test_a_refusal_after_a_try_that_may_have_worked_stays_that(store: Store) -> None:
    server = MailServer(data=DROP)
    async with mail(server) as smtp:
        await failed(smtp, store, request())
        server.data, server.rcpt = "", "550 5.1.1 no such user"
        assert held(await failed(smtp, store, request(**AGAIN))).perhaps


@pytest.mark.parametrize("step", ["rcpt", "data"])
async def test_what_is_put_off_is_tried_again_for_a_day(store: Store, step: str) -> None:
    how: dict[str, Any] = {step: "451 4.7.1 greylisted"}
    server = MailServer(**how)
    async with mail(server) as smtp:
        for attempt, seconds in ((1, 60), (2, 120), (9, 300)):
            error = await failed(smtp, store, request(), attempt=attempt)
            assert (error.type, error.non_retryable) == (NOT_SENT, False)
            assert error.next_retry_delay == timedelta(seconds=seconds)
            assert "451 4.7.1 greylisted" in error.message
        late = {"scheduled_time": AT, "started_time": AT + timedelta(hours=25)}
        error = await failed(smtp, store, request(), **late)
        assert held(error).perhaps is None
        assert error.message.endswith("greylisted; it has been tried for a day")
        setattr(server, step, "")
        await send(smtp, store, request())
    assert len(server.taken) == 1


async def test_a_server_that_is_away_is_waited_for_however_long(store: Store) -> None:
    server = MailServer()
    async with mail(server) as smtp:
        pass
    late = {"scheduled_time": AT, "started_time": AT + timedelta(days=3)}
    error = await failed(smtp, store, request(), **late)
    assert (error.type, error.next_retry_delay, error.non_retryable) == (NOT_SENT, None, False)
    record = await store.letter(KEY)
    assert record is not None
    assert record.tried_at is None


async def test_over_the_rate_is_no_fault_and_comes_back_in_its_turn(store: Store) -> None:
    async with mail(MailServer(), letters_a_minute=10) as smtp:
        await send(smtp, store, request())
        error = await failed(smtp, store, request(key=f"{KEY}:2"))
    assert (error.type, error.category) == (NOT_SENT, ApplicationErrorCategory.BENIGN)
    assert error.next_retry_delay is not None
    assert 5 < error.next_retry_delay.total_seconds() <= 6


async def test_of_two_tries_at_once_one_sends(store: Store) -> None:
    server = MailServer(slow={"rcpt": 0.1, "data": 0.1})
    async with mail(server) as smtp:
        both = await asyncio.gather(*(send(smtp, store, request()) for _ in range(2)), return_exceptions=True)
        (other,) = (one for one in both if isinstance(one, ApplicationError))
        assert (other.type, other.message) == (NOT_SENT, "another try of this letter is under way")
        await send(smtp, store, request())
    assert len(server.taken) == 1


async def test_a_mark_that_cannot_be_taken_back_holds_the_letter(store: Store) -> None:
    server = MailServer(data="451 4.3.0 later")
    async with mail(server) as smtp:
        with pytest.raises(PowerCut):
            await send(smtp, Dying(store), request())
        assert held(await failed(smtp, store, request())).perhaps
    assert server.taken == []
