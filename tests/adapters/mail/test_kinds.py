"""Machines that write mail are told from customers."""

from __future__ import annotations

import pytest

from adapters.mail import event_of
from aftersales.ids import parse_case_id
from tests.adapters.mail.corpus import CASE, GMAIL, LETTER, raw, read


def mail(*lines: str, subject: str = "Re: Your return", sender: str = "ada@example.com") -> bytes:
    return raw("\n".join([f"From: {sender}", f"Subject: {subject}", f"In-Reply-To: {LETTER}", *lines, "", "Hello"]))


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: Auto-Replied; owner-email=ada@example.com",
        "X-Autoreply: yes",
        "X-Autorespond: vacation",
        "Precedence: auto_reply",
        "Precedence: bulk",
        "Precedence: junk",
    ],
)
def test_a_header_that_says_so_makes_an_automatic_answer(header: str) -> None:
    assert read(mail(header)).kind == "auto_reply"


@pytest.mark.parametrize(
    "subject",
    [
        "Out of office until Monday",
        "我休假，12月1日回来",
        "Nicht im Büro bis 1. Dezember",
        "Absence du 20 au 30 novembre",
        "Estoy fuera de la oficina",
        "不在にしております",
    ],
)
def test_exchange_says_out_of_office_in_six_languages(subject: str) -> None:
    assert read(mail("X-Auto-Response-Suppress: All", subject=subject)).kind == "auto_reply"
    assert read(mail(subject=subject)).kind == "message"


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Your return",
        "自动回复：您的订单",
        "Automatische Antwort: Ihre Rückgabe",
        "Réponse automatique : Votre retour",
        "Respuesta automática: Su pedido",
        "自動返信: ご注文",
    ],
)
def test_a_subject_that_programs_put_before_an_automatic_answer_is_enough(subject: str) -> None:
    assert read(mail(subject=subject)).kind == "auto_reply"
    assert read(mail(subject=f"Re: {subject}")).kind == "message"


def test_a_customer_on_exchange_is_no_machine() -> None:
    assert read(mail("X-Auto-Response-Suppress: DR, OOF, AutoReply", "Auto-Submitted: no")).kind == "message"


def test_lists_are_told_apart_unless_the_mail_answers_a_letter_or_the_list_is_ours() -> None:
    news = "From: news@example.org\nList-Id: Weekly <news.example.org>\nSubject: Sale\n\nBuy"
    assert read(news).kind == "list"
    assert read(news, own_lists={"<News.example.org>"}).kind == "message"
    assert read("From: a@b.example\nPrecedence: list\n\nx").kind == "list"
    assert read(mail("List-Id: <buyers.example.com>")).kind == "message"


def test_read_receipts_and_spam_complaints_are_no_answers() -> None:
    for kind, expected in (("disposition-notification", "receipt"), ("feedback-report", "auto_reply")):
        content = mail(
            f"Content-Type: multipart/report; report-type={kind}; boundary=b", "", "--b", "", "Read", "--b--"
        )
        assert read(content).kind == expected


def test_our_own_letter_that_comes_back_is_ours() -> None:
    assert read(mail(f"X-Aftersales-Case: {CASE}")).kind == "own"
    own = mail(sender="Lumen <Aftersales@Mail.example.com>")
    assert read(own, own_addresses={"aftersales@mail.example.com"}).kind == "own"
    assert read(own).kind == "message"


def test_what_no_customer_wrote_is_ignored_with_its_case() -> None:
    event = event_of(read(mail("Auto-Submitted: auto-replied", "", "Away. " * 200)))
    assert (event["type"], event["subject"]) == ("mail.ignored", parse_case_id(CASE).order_id)
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["kind"], data["in_reply_to"], data["case_id"]) == ("auto_reply", LETTER, CASE)
    assert len(str(data["text"])) == 500
    stranger = event_of(read("From: a@b.example\nPrecedence: list\n\nx"))
    assert {"subject", "orderalias"} & stranger.keys() == set()
    assert stranger["data"] == {"kind": "list", "text": "x"}


def test_a_customer_stays_a_customer() -> None:
    assert read(GMAIL).kind == "message"
    assert read("From: postmaster@little-shop.example\nSubject: Question\n\nWhere is it?").kind == "message"
