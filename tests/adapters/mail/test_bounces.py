"""Bounces of the common mail servers: the letter, the address and whether it is for ever."""

from __future__ import annotations

import pytest

from adapters.mail import event_of
from tests.adapters.mail import corpus
from tests.adapters.mail.corpus import CASE, LETTER, bounce, read


@pytest.mark.parametrize(
    ("content", "status", "permanent", "text"),
    [
        (corpus.POSTFIX, "5.1.1", True, "smtp; 550 5.1.1 <ada@example.com>: Recipient address rejected: User unknown"),
        (corpus.EXCHANGE, "5.2.2", True, "smtp;554 5.2.2 mailbox full;"),
        (corpus.SES, "4.4.7", False, "smtp; 550 5.4.300 Message expired"),
        (corpus.EXIM, "5.0.0", True, "This message was created automatically by mail delivery software."),
        (corpus.QMAIL, "5.1.1", True, "Hi. This is the qmail-send program at relay.example.org."),
    ],
    ids=["postfix", "exchange", "ses", "exim", "qmail"],
)
def test_a_bounce_names_letter_case_address_and_reason(content: str, status: str, permanent: bool, text: str) -> None:
    mail = read(content)
    assert mail.kind == "bounce"
    event = event_of(mail)
    assert (event["type"], event["subject"]) == ("letter.bounced", "A-1001")
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["case_id"], data["recipient"]) == (CASE, "ada@example.com")
    assert (data["status"], data["permanent"]) == (status, permanent)
    assert str(data["text"]).startswith(text)
    # Amazon gives letters a Message-ID of its own; our case header is still there.
    assert data.get("message_id") == (None if content is corpus.SES else LETTER)


@pytest.mark.parametrize("content", [corpus.GOOGLE, corpus.WAITING], ids=["google", "exim"])
def test_a_delay_is_no_failure_yet(content: str) -> None:
    mail = read(content)
    assert (mail.kind, mail.case_id) == ("delayed", CASE)
    event = event_of(mail)
    assert event["type"] == "mail.ignored"
    assert isinstance(event["data"], dict)
    assert event["data"]["kind"] == "delayed"


def test_a_report_of_delivery_is_a_receipt() -> None:
    status = "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: relayed\nStatus: 2.0.0"
    assert read(bounce(status, returned=corpus.MAIL_BACK)).kind == "receipt"


def test_of_several_addresses_the_one_that_failed_counts() -> None:
    status = (
        "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.1\n\n"
        "Final-Recipient: rfc822; c@d.example\nAction: failed\nStatus: 5.1.10"
    )
    report = read(bounce(status)).report
    assert report is not None
    assert (report.recipient, report.status, report.permanent) == ("c@d.example", "5.1.10", True)


def test_a_bounce_of_a_letter_that_nobody_can_tell_goes_by_the_address() -> None:
    event = event_of(read(corpus.QMAIL.replace(LETTER, "<x@y.example>")))
    assert event["orderalias"] == "mail/ada@example.com"
    assert "subject" not in event
    assert isinstance(event["data"], dict)
    assert {"message_id", "case_id"} & event["data"].keys() == set()


def test_a_bounce_that_says_nothing_is_ignored() -> None:
    event = event_of(read("From: MAILER-DAEMON@x.example\nReturn-Path: <>\nSubject: failure notice\n\nSorry."))
    assert event["type"] == "mail.ignored"


@pytest.mark.parametrize("subject", ["Unzustellbar: Ihre Rückgabe", "系统退信", "配信不能", "No se ha podido entregar"])
def test_prose_without_a_sender_is_a_bounce_by_its_subject(subject: str) -> None:
    content = f"From: x@mail.example\nReturn-Path: <>\nSubject: {subject}\n\n<ada@example.com>: 550 unknown\n{LETTER}"
    mail = read(content)
    assert (mail.kind, mail.letter) == ("bounce", LETTER)


def test_a_forged_case_header_is_no_case() -> None:
    for forged in ("x", "/", "a/" + "b" * 300, "a/b/c/d"):
        mail = read(corpus.SES.replace(f"X-Aftersales-Case: {CASE}", f"X-Aftersales-Case: {forged}"))
        assert (mail.kind, mail.case_id, mail.order_id) == ("bounce", "", "")
