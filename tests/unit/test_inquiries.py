"""What a message becomes: never more than the customer said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from temporalio.testing import ActivityEnvironment

from activities.triage import ClassifyRequest, Triage
from aftersales.events import (
    CustomerMessage,
    ExchangeRequested,
    InvoiceRequested,
    Message,
    RepairRequested,
    ReturnRequested,
    WrongItemReported,
    parse_event,
)
from aftersales.inquiries import ABOUT_LINES, Inquiries, channel_of, lines_named, requests, topic_of
from aftersales.inquiry_words import perk_meant, return_meant
from aftersales.order import Order
from aftersales.triage import Classified, Intent
from tests.events import event, order

PHOTO = "https://p.example/1.jpg"
ITEM = order("A-1")["items"][0]
BULB = {**ITEM, "line_id": "2", "sku": "BULB-E27", "title": "LED bulb", "quantity": 2}
ONE, TWO = Order.model_validate(order("A-1")), Order.model_validate(order("A-1", items=[ITEM, BULB]))


def message(text: str, **data: Any) -> CustomerMessage:
    made = parse_event(event("customer.message", "A-1", text=text, **data))
    assert isinstance(made, CustomerMessage)
    return made


def read(intent: Intent, *, abstained: bool = False) -> Classified:
    return Classified(intent=intent, confidence=0.9, abstained=abstained)


class Heard:
    """A classifier that remembers what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def classify(self, text: str, *, threshold: float, language: str = "") -> Classified:
        self.texts.append(text)
        return Classified(intent="thanks", confidence=1, abstained=False)


@pytest.mark.parametrize(
    ("text", "perk"),
    [
        ("Could I get a small gift?", "gift"),
        ("能包邮吗？", "free_shipping"),
        ("Können Sie die Versandkosten erlassen?", "free_shipping"),
        ("Un petit cadeau serait gentil.", "gift"),
        ("¿Hay envío gratis?", "free_shipping"),
        ("おまけはありますか", "gift"),
        ("Free shipping and a gift?", ""),
        ("Can I get a little extra?", ""),
    ],
)
def test_a_favour_is_the_one_that_is_named(text: str, perk: str) -> None:
    assert perk_meant(text) == perk


@pytest.mark.parametrize(
    ("order", "text", "lines"),
    [
        (ONE, "It is broken.", ["1"]),
        (TWO, "The DESK LAMP is broken.", ["1"]),
        (TWO, "bulb-e27 does not fit", ["2"]),
        (TWO, "Desk lamp and LED bulb, both.", ["1", "2"]),
        (TWO, "It is broken.", []),
    ],
)
def test_lines_are_those_that_the_message_names(order: Order, text: str, lines: list[str]) -> None:
    assert [item.line_id for item in lines_named(order, text)] == lines


def test_what_is_asked_for_in_words_only_is_for_a_person() -> None:
    said = message("I want the blue one instead.")
    for intent in ("exchange", "change", "pre_sale", "other", "perk"):
        assert topic_of(read(intent), said) == ""
    assert topic_of(read("damaged"), said) == "complaint"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("I want to return the lamp.", "return"),
        ("What is your refund policy?", "return_policy"),
        ("Bis wann kann ich die Lampe zurückgeben?", "return_policy"),
        ("Jusqu’à quand puis-je la renvoyer ?", "return_policy"),
        ("¿Hasta cuándo puedo devolverla?", "return_policy"),
        ("退货政策是什么？", "return_policy"),
        ("返品期限を教えてください", "return_policy"),
        ("How long does a refund take?", ""),
        ("Where is my refund", ""),
        ("退款什么时候到", ""),
    ],
)
def test_who_asks_for_the_rules_of_a_return_does_not_get_one(text: str, meant: str) -> None:
    assert return_meant(text) == meant
    assert topic_of(read("return"), message(text)) == meant


def test_thanks_with_a_question_are_read_by_a_person() -> None:
    assert topic_of(read("thanks"), message("Merci !")) == "thanks"
    assert topic_of(read("thanks"), message("Merci. Je vais recevoir un SMS ?")) == ""


def test_a_language_may_need_more_confidence() -> None:
    strict = Inquiries.model_validate({"confidence": "80 %", "confidence_in": {"fr": "90 %"}})
    assert [strict.threshold(language) for language in ("en", "fr", "fr-CA", "FR")] == [0.8, 0.9, 0.9, 0.9]


@given(st.sampled_from(get_args(Intent)))
def test_nothing_goes_on_by_itself_that_the_classifier_is_not_sure_of(intent: Intent) -> None:
    assert topic_of(read(intent, abstained=True), message("a gift")) == ""


def test_a_return_says_what_the_customer_said_and_no_reason() -> None:
    (request,) = requests("return", message("Too big.", attachments=[PHOTO]), TWO, TWO.items)
    asked = request.event
    assert isinstance(asked, ReturnRequested)
    assert (request.process, asked.reason, asked.lines) == ("return-request", None, ())
    assert (asked.text, asked.photos, asked.order) == ("Too big.", (PHOTO,), TWO)


def test_some_lines_are_whole_lines() -> None:
    (request,) = requests("exchange", message("x"), TWO, TWO.items[1:])
    assert isinstance(request.event, ExchangeRequested)
    assert [(line.line_id, line.quantity) for line in request.event.lines] == [("2", 2)]
    assert (request.event.wanted_sku, request.event.reason) == ("", None)


def test_each_line_with_a_wrong_item_or_a_fault_is_a_case_of_its_own() -> None:
    wrong = [request.event for request in requests("wrong_item", message("x"), TWO, TWO.items)]
    broken = [request.event for request in requests("repair", message("no light"), TWO, TWO.items[:1])]
    assert [(one.line_id, one.received) for one in wrong if isinstance(one, WrongItemReported)] == [
        ("1", None),
        ("2", None),
    ]
    assert [(one.line_id, one.fault) for one in broken if isinstance(one, RepairRequested)] == [("1", "no light")]


def test_an_invoice_is_urgent_only_where_the_message_is() -> None:
    for urgent in (True, False):
        (request,) = requests("invoice", message("x"), ONE, (), urgent=urgent)
        assert isinstance(request.event, InvoiceRequested)
        assert (request.event.urgent, request.event.tax_id) == (urgent, "")


@given(st.sampled_from([*get_args(Intent), "gift", "free_shipping"]), st.text(max_size=40), st.booleans())
def test_every_event_is_one_that_the_shop_could_have_sent(topic: str, text: str, whole: bool) -> None:
    said = message(text, attachments=[PHOTO])
    lines = (TWO.items if whole else TWO.items[1:]) if topic in ABOUT_LINES else ()
    for request in requests(topic, said, TWO, lines):
        made = request.event
        assert (made.identity, made.order_id, made.time) == (said.identity, "A-1", said.time)
        again = type(made).model_validate(made.model_dump())
        assert again == made


def test_a_message_says_its_channel_or_has_that_of_its_order() -> None:
    replied = parse_event(event("customer.replied", "A-1", case_id="x/A-1", text="hi"))
    assert isinstance(replied, Message)
    assert (channel_of(message("hi", channel="chat"), ONE), channel_of(message("hi"), ONE)) == ("chat", "webshop")
    assert channel_of(replied, ONE) == "webshop"


def test_the_first_response_has_a_default() -> None:
    numbers = Inquiries()
    assert numbers.first_response_on("Chat") == timedelta(minutes=1)
    assert numbers.first_response_on("amazon") == timedelta(hours=24)
    with pytest.raises(ValidationError, match="needs default"):
        Inquiries.model_validate({"first_response": {"chat": "1m"}})


async def test_only_the_customers_own_words_are_classified() -> None:
    heard = Heard()
    text = "Thank you!\n\nBest regards,\nAda Reyes\n\nOn Mon, 3 Nov 2025, Shop wrote:\n> Do you want to return it?"
    request = ClassifyRequest(text=text, threshold=0.8, language="en")
    answer = await ActivityEnvironment().run(Triage(heard).classify, request)
    assert (answer.intent, heard.texts) == ("thanks", ["Thank you!"])


@pytest.mark.parametrize("text", ["", "  \n", "> quoted only"])
async def test_a_message_without_words_is_for_a_person(text: str) -> None:
    heard = Heard()
    request = ClassifyRequest(text=text, threshold=0.8, language="en")
    answer = await ActivityEnvironment().run(Triage(heard).classify, request)
    assert (answer.abstained, heard.texts) == (True, [])


async def test_anger_is_rule_6_whoever_classifies() -> None:
    request = ClassifyRequest(text="WHERE IS MY PARCEL?", threshold=0.8, language="en")
    assert (await ActivityEnvironment().run(Triage(Heard()).classify, request)).angry
