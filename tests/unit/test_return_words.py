"""What operators read about a return request."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from aftersales import return_words as words
from aftersales.events import ReturnLine, ReturnRequested
from aftersales.order import Order
from aftersales.return_eligibility import REASONS
from tests.events import order as order_data

ORDER = Order.model_validate(
    order_data("A-1") | {"dispatched_at": "2026-11-02T10:00:00Z", "delivered_at": "2026-11-07T15:00:00Z"}
)
TITLE = ORDER.items[0].title
ASKED = ReturnRequested(
    id="1",
    source="shop",
    order_id="A-1",
    time=datetime(2026, 11, 20, 9, tzinfo=UTC),
    lines=(ReturnLine(line_id="1"),),
    text="It hums.",
    photos=("https://p.example/1.jpg",),
)


def test_an_operator_reads_what_every_reason_does() -> None:
    assert set(words.REASON_OPTIONS) == set(REASONS)


def test_the_question_says_what_the_customer_wrote_once_and_showed() -> None:
    question = words.why(ORDER, ASKED, ["It hums.", "It hums.", "Loudly."])
    assert f"return {TITLE}?" in question
    assert "“It hums. Loudly.”. Photos: https://p.example/1.jpg." in question
    silent = ASKED.model_copy(update={"photos": ()})
    assert "“nothing”. Photos: none." in words.why(ORDER, silent, [])


def test_the_question_whose_fault_it_is_has_the_dates_that_are_known() -> None:
    assert words.is_our_fault(ORDER, ASKED, [], "too_late").endswith(
        "It was dispatched 2026-11-02. It was delivered 2026-11-07."
    )
    undelivered = ORDER.model_copy(update={"delivered_at": None})
    assert "delivered" not in words.is_our_fault(undelivered, ASKED, [], "too_late")


def test_each_line_has_an_option_that_the_question_names() -> None:
    options = words.line_options(ORDER.items)
    assert [item.line_id for item in options.values()] == [item.line_id for item in ORDER.items]
    assert f"line_1 ({TITLE})" in words.in_which_line(ORDER.items, ASKED, [])


def test_the_question_for_an_exception_names_the_goodwill_only_where_some_was_offered() -> None:
    assert "refuses 36.00 USD of goodwill" in words.is_exception(ORDER, ASKED, Decimal("36.00"))
    assert "goodwill" not in words.is_exception(ORDER, ASKED, Decimal(0))


def test_a_request_is_read_like_a_message_with_its_words_and_photos() -> None:
    message = words.as_message(ASKED)
    assert (message.text, message.attachments, message.identity) == (ASKED.text, ASKED.photos, ASKED.identity)
    assert words.as_message(message) is message
