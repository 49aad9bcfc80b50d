"""Whatever comes: an event or one clear error, soon."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mail import UnreadableMail, event_of
from adapters.mail.events import RawEvent
from aftersales.events import BadEvent, parse_event
from tests.adapters.mail.corpus import EVERY, NOW, raw, read
from tests.adapters.mail.test_door import WITH_PHOTO
from tests.effort import effort

HEAD = b"From: a@b.example\r\nMessage-ID: <1@b>\r\n"
DAEMON = b"From: mailer-daemon@b.example\r\nReturn-Path: <>\r\n\r\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def nested(count: int) -> bytes:
    level = b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'
    return b"".join(level % (at, at) for at in range(count)) + b"\r\nhi"


HOSTILE = {
    "nested parts": HEAD + nested(10_000),
    "nested mails": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 10_000,
    "many parts": HEAD + MIXED + b"--b\r\n\r\nx\r\n" * 10_000,
    "a long subject": HEAD + b"Subject: " + b"x " * 500_000 + b"\r\n\r\nhi",
    "a long encoded subject": HEAD + b"Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\r\n\r\nhi",
    "a long sender": b"From: " + b'"a' * 300_000 + b"\r\nSubject: order 55102\r\n\r\nhi",
    "many references": HEAD + b"References: " + b"<x@y>\r\n " * 100_000 + b"z\r\n\r\nhi",
    "many headers": HEAD + b"X-Y: z\r\n" * 100_000 + b"\r\nhi",
    "many parameters": HEAD + b"Content-Type: text/plain" + b"; a=b" * 200_000 + b"\r\n\r\nhi",
    "a huge parameter number": HEAD + b"Content-Type: text/plain; name*" + b"9" * 1900 + b"=x\r\n\r\nhi",
    "many lines": HEAD + b"\r\n" + b"\n" * 5_000_000,
    "deep and many lines": HEAD + nested(12) + b"\r\n" * 100_000,
    "many quoted lines": HEAD + b"\r\n" + b"> said\r\nOn 20 Nov 2026\r\n" * 20_000,
    "combining marks": HEAD + b"\r\n" + "a\u0301\u0323".encode() * 100_000,
    "a bounce of addresses": DAEMON + b"a@b.c 550 5.1.1 " * 60_000,
    "a bounce of nothing": DAEMON + b"\n" * 400_000,
    "a bounce of letters": DAEMON + b"a" * 900_000,
}


REFUSED = ("nested parts", "nested mails", "many parts", "many lines")


def taken(content: bytes) -> RawEvent | str:
    """The event that a mail is, or why it is refused."""
    try:
        mail = read(content)
        return event_of(mail, urls=["https://x.example/a"], left_out=[each.name for each in mail.attachments])
    except UnreadableMail as refused:
        return str(refused)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_costs_little(name: str) -> None:
    assert effort(lambda: taken(HOSTILE[name])) < 200
    assert isinstance(taken(HOSTILE[name]), str) == (name in REFUSED)


def check(content: bytes) -> None:
    """It is an event that the contract takes, or it is refused in words."""
    event = taken(content)
    if isinstance(event, str):
        assert event
        return
    json.dumps(event).encode("utf-8")
    assert "subject" in event or "orderalias" in event or event["type"] == "mail.ignored"
    if event["type"] in ("customer.message", "customer.replied"):
        try:
            parse_event({"subject": "by alias", **event})
        except BadEvent as bad:
            raise AssertionError(f"{bad} in {event}") from bad


SEEDS = [*EVERY.values(), WITH_PHOTO]
TOKENS = [
    *(b"\r\n", b"\n", b"\r", b"--b", b"=?utf-8?B?", b"?=", b"<", b">", b'"', b";", b"\x00", b"\xff\xfe", b"\x1b$B"),
    *(b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: message/rfc822\r\n", b"; charset=utf-7"),
    *(b"Content-Type: message/delivery-status\r\n", b"Content-Transfer-Encoding: base64\r\n", b"; charset=undefined"),
    *(b"Content-Transfer-Encoding: x-uuencode\r\n", b"begin 644 x\r\n", b"; charset*=idna''%ff", b"; name*0*=a''%e4"),
    *(b"Content-Type: text/html\r\n", b"<div>", b"&#x110000;", b"Date: Fri, 31 Feb 0000 25:61:61 +9999\r\n", b"+AGE"),
]


@given(st.randoms(use_true_random=False), st.sampled_from(SEEDS))
@settings(max_examples=300, deadline=None)
def test_a_mail_that_was_damaged_anyhow_is_an_event_or_refused(chance: random.Random, seed: bytes) -> None:
    mail = bytearray(seed)
    for _ in range(chance.randint(1, 12)):
        at, end = sorted(chance.randrange(len(mail) + 1) for _ in range(2))
        match chance.randrange(5):
            case 0:
                mail[at : at + chance.randint(1, 30)] = b""
            case 1:
                mail[at:at] = chance.choice(TOKENS)
            case 2:
                mail[at:at] = chance.randbytes(chance.randint(1, 8))
            case 3:
                mail[at:at] = mail[at : min(end, at + 300)]
            case _:
                del mail[chance.randrange(len(mail) + 1) :]
    check(bytes(mail))


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_an_event_or_refused(content: bytes) -> None:
    check(content)
    check(HEAD + content)
    check(raw("From: a@b.example\nContent-Type: text/html; charset=") + content)


def test_reading_leaves_nothing_to_chance() -> None:
    for content in SEEDS:
        assert read(content) == read(content)
        assert read(content).received_at == NOW
