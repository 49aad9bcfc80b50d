"""Which event a customer's mail is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from adapters.letter_mail import compose
from adapters.mail import Mail, MailSettings, UnreadableMail, event_of
from aftersales.events import CustomerMessage, CustomerReplied, parse_event
from aftersales.letters import Rendered
from aftersales.message_ids import message_id
from aftersales.order import Customer
from aftersales.reply_text import own_words
from aftersales.screening import screen
from aftersales.sending import Outgoing
from tests.adapters.mail.corpus import CASE, GMAIL, HEAD, LETTER, NOW, QQ, raw, read


def data_of(mail: Mail, **given: Any) -> dict[str, Any]:
    data = event_of(mail, **given)["data"]
    assert isinstance(data, dict)
    return data


def test_an_answer_to_a_letter_names_case_order_and_letter() -> None:
    event = event_of(read(GMAIL), urls=["https://shop.example/attachments/t/p.jpg"])
    assert event["source"] == "mail/lumen"
    reply = parse_event(event)
    assert isinstance(reply, CustomerReplied)
    assert (reply.order_id, reply.case_id, reply.in_reply_to) == ("A-1001", CASE, LETTER)
    assert (reply.id, reply.message_id) == ("CAF+1=abc_XYZ@mail.gmail.com", "<CAF+1=abc_XYZ@mail.gmail.com>")
    assert (reply.received_at, reply.time.isoformat()) == (NOW, "2026-11-20T11:31:07+00:00")
    assert reply.attachments == ("https://shop.example/attachments/t/p.jpg",)
    assert screen(reply.text, None, ("accept", "insist"), "en").intent == "accept"
    assert reply.language is None


@pytest.mark.parametrize("case_id", ["return-escalation/A-1001", "shipment-watch/A%2F7/P1", "inquiry/订单 9"])
def test_the_answer_to_a_letter_of_the_outbox_finds_its_case(case_id: str) -> None:
    sent = Outgoing(
        key="k-9",
        case_id=case_id,
        message_id=message_id(case_id, "k-9", "mail.example.com"),
        to=Customer.model_construct(name="Ada", email="ada@example.com", language="en"),
        shop="Lumen Home",
        name="hello",
        rendered=Rendered(language="en", version="v", subject="Hi", text="Hi\n", html="<p>Hi</p>", choices=()),
        at=NOW,
    )
    letter = compose(sent)
    assert read(letter.as_bytes()).kind == "own"
    mail = read(f"From: ada@example.com\nIn-Reply-To: {letter['Message-ID']}\nSubject: Re: Hi\n\nYes")
    reply = parse_event(event_of(mail))
    assert isinstance(reply, CustomerReplied)
    assert reply.case_id == case_id


def new(subject: str, text: str) -> Mail:
    return read(raw(f"From: Ada <Ada@Example.com>\nSubject: {subject}\nMessage-ID: <n@x>\n\n{text}"))


@pytest.mark.parametrize(
    ("subject", "text", "pattern", "order_id"),
    [
        ("Order KX/77 and KX/78", "KX/99", r"KX/\d+", "KX/77"),
        ("Question", "my order KX/99\n\nOn 20 Nov 2026 L <l@x.example> wrote:\n> KX/11", r"KX/\d+", "KX/99"),
        ("Question", "where?\n\nOn 20 Nov 2026 L <l@x.example> wrote:\n> KX/11", r"KX/\d+", "KX/11"),
        ("Order 55102", "please cancel", "", "55102"),
        ("Frage", "Wo bleibt meine Bestellung 55102?", "", "55102"),
        ("订单 55102", "在哪里", "", "55102"),
    ],
)
def test_a_new_message_is_about_the_order_that_it_names_first(
    subject: str, text: str, pattern: str, order_id: str
) -> None:
    order_ids = MailSettings(order_ids=pattern).order_ids_for("lumen")
    event = event_of(new(subject, text), order_ids=order_ids)
    message = parse_event(event)
    assert isinstance(message, CustomerMessage)
    assert (message.order_id, message.channel) == (order_id, "email")
    # With both the intake would learn the alias, from whoever wrote.
    assert "orderalias" not in event


@pytest.mark.parametrize(
    ("text", "order_ids"),
    [
        ("Do you have it in blue?", None),
        ("My order 55102", re.compile(r"KX/\d+")),
        ("Tracking number 1Z999AA10123456784", None),
        (f"My order {'9' * 300}", re.compile(r"\d+")),
    ],
)
def test_a_message_that_names_no_order_goes_by_its_senders_address(
    text: str, order_ids: re.Pattern[str] | None
) -> None:
    event = event_of(new("Question", text), order_ids=order_ids)
    assert event["orderalias"] == "mail/ada@example.com"
    assert "subject" not in event


def test_each_shop_may_have_its_own_order_ids() -> None:
    settings = MailSettings.model_validate({"order_ids": r"A-\d+", "order_ids_of": {"lumen": r"KX/\d+"}})
    own, other = settings.order_ids_for("lumen"), settings.order_ids_for("other")
    assert own
    assert other
    assert (own.pattern, other.pattern) == (r"KX/\d+", r"A-\d+")
    with pytest.raises(ValueError, match="regular expression"):
        MailSettings(order_ids="(")


def test_mail_of_nobody_about_nothing_is_refused() -> None:
    with pytest.raises(UnreadableMail, match="ask who sent it"):
        event_of(read("Subject: hello\n\nHow are you?"))


def test_the_language_is_told_where_the_mail_tells_it() -> None:
    assert data_of(read(f"{HEAD}Content-Language: de-AT, en\n\nJa"))["language"] == "de-AT"
    assert "language" not in data_of(read(f"{HEAD}Content-Language: <x>\n\nJa"))


def test_what_was_left_out_is_told_behind_the_customers_words() -> None:
    data = data_of(read(GMAIL), left_out=["run.exe, of a kind that is not taken"])
    assert str(data["text"]).endswith("\n\n-- \n[attachment left out: run.exe, of a kind that is not taken]")
    assert own_words(str(data["text"])) == "Yes, that's fine for me."
    assert screen(str(data["text"]), None, ("accept", "insist"), "en").intent == "accept"


def test_an_attached_mail_is_told_but_is_not_what_the_customer_says() -> None:
    mail = read(
        f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee this\n--b\nContent-Type: message/rfc822\n\n"
        "Subject: Parcel late\n\nSorry\n--b--\n"
    )
    text = str(data_of(mail)["text"])
    assert "[attached message: Parcel late]\nSorry" in text
    assert own_words(text) == "See this"


def test_a_long_quotation_does_not_push_the_answer_out() -> None:
    quoted = "> and so on and so on\n" * 2000
    mail = read(raw(f"{HEAD}\nOn 20 Nov 2026 L <l@x.example> wrote:\n{quoted}\nYes, I accept."))
    assert data_of(mail)["text"] == "Yes, I accept."


def test_a_text_that_is_too_long_is_shortened_and_says_so() -> None:
    text = str(data_of(read(raw(f"{HEAD}\n{'I want my money back. ' * 2000}")), left_out=["x" * 200] * 500)["text"])
    assert len(text) <= 20_000
    assert "[the rest of the message left out: it is too long]" in text
    assert text.startswith("I want my money back.")


def test_a_shop_with_spaces_in_its_name_makes_a_good_source() -> None:
    from dataclasses import replace

    assert parse_event(event_of(replace(read(QQ), shop="Lumen Home"))).source == "mail/Lumen%20Home"
