"""Where messages go: to what they answer, to the newest open case, to an inquiry, or on the list for a person."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from aftersales.records import EventRecord, EventStatus
from aftersales.triage import Classified
from cli.unrouted import unrouted
from tests.events import event, now, order, return_requested
from tests.workflows.conftest import Shop, opened

LADDER, INQUIRY = "return-escalation/A-1", "inquiry/A-1"


class Broken:
    """A classifier that does not answer."""

    async def classify(self, text: str, *, threshold: float, language: str = "") -> Classified:
        raise ApplicationError("no model", non_retryable=True)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose messages are all read by people."""
    async with opened(tmp_path, classifier=Broken()) as desk:
        yield desk


async def say(desk: Shop, text: str, name: str = "", kind: str = "customer.message", **data: Any) -> EventRecord:
    return await desk.starter.handle(event(kind, "A-1", name or text, text=text, **data))


async def test_a_message_goes_to_what_it_answers_then_to_the_newest_then_to_an_inquiry(desk: Shop) -> None:
    assert (await say(desk, "Is anybody there?")).status == EventStatus.NO_OPEN_CASE
    await desk.starter.handle(return_requested("A-1"))
    await desk.reaches(LADDER, "return-terms")
    await desk.tell("order.complaint", order=order("A-1"), cause="product", text="scratched")
    await desk.reaches("compensation/A-1", "compensation-offer")
    (terms,) = [letter for letter in await desk.store.views.letters() if letter.letter == "return-terms"]

    assert (await say(desk, "Which box?", in_reply_to=terms.message_id)).cases == (LADDER,)
    assert (await say(desk, "Which one?", case_id=LADDER)).cases == (LADDER,)
    assert (await say(desk, "And now?", in_reply_to="<somebody@else.example>")).cases == ("compensation/A-1",)
    assert (await say(desk, "2", "2", choice=2, case_id="compensation/A-1")).cases == ("compensation/A-1",)
    assert (await say(desk, "Early", kind="customer.replied", case_id="repair/A-1")).cases != (INQUIRY,)


async def test_an_inquiry_opens_for_an_order_that_any_earlier_event_told(desk: Shop) -> None:
    assert await desk.tell("order.updated", order=order("A-1")) == EventStatus.NO_OPEN_CASE
    opened = await say(desk, "What colour has it?")
    assert (opened.status, opened.cases) == (EventStatus.STARTED, (INQUIRY,))
    await desk.reaches(INQUIRY, "decision")
    again = await say(desk, "Hello?")
    assert (again.status, again.cases) == (EventStatus.SIGNALLED, (INQUIRY,))
    assert await desk.letters() == ["acknowledgement"]


async def test_a_classifier_that_does_not_answer_leaves_the_message_to_a_person(desk: Shop) -> None:
    await say(desk, "I want to return it.", order=order("A-1"))
    case = await desk.reaches(INQUIRY, "decision")
    asked = await case.query("open_decision")
    assert "I want to return it." in asked["text"]
    assert asked["fallback"] == "escalate"


async def test_an_answer_to_a_case_that_may_still_come_is_kept_for_it(desk: Shop) -> None:
    await desk.tell("order.updated", order=order("A-1"))
    early = await say(desk, "I accept.", kind="customer.replied", case_id="compensation/A-1", at=now())
    assert early.status == EventStatus.NO_OPEN_CASE
    begin = now() - timedelta(minutes=5)
    await desk.starter.handle(event("order.complaint", "A-1", at=begin, cause="product", order=order("A-1")))
    await desk.wait_for("compensation-offer", "compensation-paid")


async def test_an_answer_to_a_closed_case_is_an_inquiry(desk: Shop) -> None:
    await desk.starter.handle(return_requested("A-1"))
    case = await desk.reaches(LADDER, "return-terms")
    await desk.tell("order.return_cancelled")
    await case.result()
    late = await say(desk, "Thank you all the same!", kind="customer.replied", case_id=LADDER)
    assert (late.status, late.cases) == (EventStatus.STARTED, (INQUIRY,))


async def test_a_confirmation_reaches_the_inquiry_that_it_names_and_no_other_case(desk: Shop) -> None:
    await say(desk, "Hm.", order=order("A-1"))
    case = await desk.reaches(INQUIRY, "decision")
    for named, status in (("inquiry/A-2", EventStatus.NO_OPEN_CASE), (INQUIRY, EventStatus.SIGNALLED)):
        assert await desk.tell("customer.confirmed", named, case_id=named, solved=True) == status
    await case.execute_update("decide", {"option": "answered_by_hand", "by": "Lin", "reason": "called her"})
    assert (await case.result())["result"] == "solved"


async def test_any_message_ends_in_a_case_or_on_the_list_that_a_person_reads(desk: Shop) -> None:
    chance = random.Random(17)
    sent = []
    for number in range(60):
        here = f"A-{chance.randrange(4)}"
        closed = f"{chance.choice(['return-request', 'inquiry', 'odd', 'repair'])}/{here}"
        data: dict[str, Any] = {
            "text": chance.choice(["", "Where is it?", "Thank you!", "退货", "x" * 25_000, "\0 odd"])
        }
        data |= chance.choice([{}, {}, {"order": order(here)}, {"order": order("A-9")}])
        data |= chance.choice([{}, {}, {"case_id": closed}, {"in_reply_to": "<x@y.example>"}, {"choice": 2}])
        kind = chance.choice(["customer.message", "customer.message", "customer.replied"])
        sent.append(event(kind, here, str(number), **data))
        if chance.random() < 0.2:
            sent.append(event("order.return_requested", here, str(number), order=order(here), reason="size"))
    await desk.starter.handle_all(sent)
    records = [await desk.store.views.event(f"{message['source']} {message['id']}") for message in sent]
    # Listed after that: a case may put what it was given on the list in the meantime.
    listed = {record.id for record in await unrouted(desk.store, None, 1000)}
    for (record,) in records:
        assert (record.status in {EventStatus.STARTED, EventStatus.SIGNALLED} and record.cases) or record.id in listed
    assert any(record.cases for record in await desk.store.views.events(limit=1000))
    assert listed
