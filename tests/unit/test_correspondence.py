"""What is counted of letters and messages while a case runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.settings import Settings
from aftersales.correspondence import ACKNOWLEDGEMENT, Correspondence, Written
from aftersales.events import CustomerReplied, Event, OrderCancelled, PaymentReceived, ReturnReceived, ReturnRequested
from aftersales.opening import CaseOpened, Resume
from aftersales.policy import load_policy
from aftersales.state import CaseState
from tests.events import order
from tests.unit.test_losses import NOON


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def letter(name: str = "offer", hour: float = 1) -> Written:
    return Written(letter=name, language="en", sent_at=at(hour))


def writing(*letters: Written) -> Correspondence:
    kept = Correspondence()
    for each in letters:
        kept.we_wrote(each, each.sent_at)
    return kept


def happened(kind: type[Event], hour: float, id: str = "", **data: Any) -> Any:
    return kind(id=id or f"{kind.__name__}-{hour}", source="shop", order_id="A-1", time=at(hour), **data)


def test_a_message_answers_the_letter_before_it_and_the_first_one_says_when() -> None:
    kept = writing(letter("first", 1), letter("second", 5))
    for hour in (3, 7, 8):
        kept.customer_wrote(at(hour))
    assert [each.answered_at for each in kept.letters] == [at(3), at(7)]


def test_a_letter_replies_to_all_that_came_before_it_was_composed() -> None:
    kept = Correspondence()
    for hour in (0, 1, 2.5):
        kept.customer_wrote(at(hour))
    kept.we_wrote(letter(hour=3), composed_at=at(2))
    assert (kept.messages, kept.replies, kept.unanswered) == (3, [3 * 3600, 2 * 3600], [at(2.5)])
    kept.we_wrote(letter(hour=4), composed_at=at(4))
    assert (kept.replies[2:], kept.unanswered) == ([1.5 * 3600], [])
    assert kept.letters[0].answered_at is None, "a message answers no letter that was on its way still"


def test_an_acknowledgement_replies_but_asks_for_nothing() -> None:
    kept = writing(letter("offer", 1))
    kept.customer_wrote(at(2))
    kept.we_wrote(letter(ACKNOWLEDGEMENT, 3), at(3))
    kept.awaits("offer")
    kept.customer_wrote(at(4))
    kept.read_as("accept", at(4))
    offer, acknowledged = kept.letters
    assert (offer.awaited, offer.answered_at, offer.accepted) == (True, at(2), True)
    assert (acknowledged.awaited, acknowledged.answered_at, acknowledged.accepted) == (False, None, False)
    assert kept.replies == [3600]


def test_a_letter_is_awaited_while_it_is_the_last_one() -> None:
    kept = writing(letter("offer", 1), letter("told", 2))
    kept.awaits("offer")
    assert not any(each.awaited for each in kept.letters)
    kept.awaits("told")
    assert [each.awaited for each in kept.letters] == [False, True]
    Correspondence().awaits("offer")


def test_a_word_that_takes_nothing_accepts_nothing() -> None:
    kept = writing(letter())
    kept.customer_wrote(at(2))
    kept.read_as("insist", at(2))
    assert not kept.letters[0].accepted


def test_a_message_that_another_case_answers_is_counted_there() -> None:
    kept = writing()
    kept.customer_wrote(at(0))
    kept.we_wrote(letter(hour=1), at(1))
    kept.customer_wrote(at(2))
    for hour in (2, 0, 9):
        kept.passed_on(at(hour))
    assert (kept.messages, kept.unanswered) == (1, []), "what has its reply stays"


class TestState:
    """What a case counts of the events that reach it."""

    def test_a_repeat_counts_once_and_the_request_that_opened_the_case_too(self) -> None:
        request, reply = happened(ReturnRequested, 0), happened(CustomerReplied, 2)
        state = CaseState.opened_by(request, at(0), again=False)
        for event in (request, reply, reply):
            state.receive(event, at(3))
        assert (state.written.messages, state.written.unanswered) == (2, [at(0), at(2)])

    def test_a_case_that_reopens_counts_the_message_that_reopened_it_and_not_the_letter_of_before(self) -> None:
        reply = happened(CustomerReplied, 2)
        state = CaseState.opened_by(reply, at(2), again=True)
        state.receive(reply, at(3))
        state.written.awaits("return-terms")
        state.written.read_as("accept", at(2))
        assert (state.written.messages, state.written.letters) == (1, [])

    def test_a_message_counts_never_later_than_it_came(self) -> None:
        state = CaseState()
        state.receive(happened(CustomerReplied, 9), at(3))
        assert state.written.unanswered == [at(3)]

    def test_what_a_customer_does_answers_a_letter_without_being_a_message(self) -> None:
        for deed in (happened(ReturnReceived, 2), happened(PaymentReceived, 2, amount=Decimal(1))):
            state = CaseState()
            state.we_wrote(letter(), "v1", at(1))
            state.receive(deed, at(3))
            assert (state.written.letters[0].answered_at, state.written.messages) == (at(2), 0)

    def test_a_cancelled_order_leaves_nothing_to_answer(self) -> None:
        state = CaseState()
        state.we_wrote(letter(), "v1", at(1))
        state.receive(happened(OrderCancelled, 2), at(3))
        assert (state.written.letters[0].called_off, state.written.letters[0].answered_at) == (True, None)

    def test_goods_that_came_back_as_described_are_counted_by_line(self) -> None:
        state = CaseState()
        lines = ({"line_id": "1", "condition": "as_described"}, {"line_id": "2", "condition": "used"})
        state.receive(happened(ReturnReceived, 1, "a", lines=lines), at(1))
        state.receive(happened(ReturnReceived, 2, "b", lines=lines[:1]), at(2))
        assert state.back == {"1": 2}

    def test_what_was_counted_survives_continue_as_new(self) -> None:
        state = CaseState.opened_by(happened(ReturnRequested, 0), at(0), again=False)
        state.we_wrote(letter(), "v1", at(1))
        state.receive(happened(CustomerReplied, 2), at(2))
        assert CaseState.model_validate_json(state.model_dump_json()).written == state.written


class TestHandOver:
    """What a case counts that goes on for another one."""

    request = happened(ReturnRequested, 0)

    def opened(self, **more: Any) -> CaseOpened:
        settings = Settings()
        known = {"policy": load_policy(settings.policy, settings.law), "order": order("A-1"), "opened_at": at(4)}
        return CaseOpened.model_validate({**known, "trigger": self.request, **more})

    def test_it_owes_the_answers_that_were_left_and_no_others(self) -> None:
        reply = happened(CustomerReplied, 2)
        state = self.opened(inbox=(reply,), unanswered=(at(2),)).memory(at(4))
        assert (state.written.messages, state.written.unanswered) == (1, [at(2)])
        state.receive(happened(CustomerReplied, 5), at(5))
        assert state.written.messages == 2
        assert self.opened(unanswered=()).memory(at(4)).written == Correspondence()

    def test_a_case_of_its_own_counts_its_request_and_what_came_early(self) -> None:
        state = self.opened(inbox=(happened(CustomerReplied, 2),)).memory(at(4))
        assert state.written.unanswered == [at(0), at(2)]

    def test_it_is_not_counted_anew_when_it_continues_or_reopens(self) -> None:
        state = CaseState()
        state.we_wrote(letter(), "v1", at(1))
        assert self.opened(unanswered=(at(2),), state=state).memory(at(9)).written == state.written
        reply = happened(CustomerReplied, 8)
        again = self.opened(unanswered=(at(2),), resume=Resume(letter="offer", sent_by="x", message=reply))
        assert again.memory(at(9)).written.unanswered == [at(8)]
