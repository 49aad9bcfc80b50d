"""What a mail says, as mail programs of all kinds wrote it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.mail import UnreadableMail, read_mail
from aftersales.reply_text import own_words
from tests.adapters.mail.corpus import (
    APPLE,
    CARRIER,
    CASE,
    EVERY,
    GMAIL,
    HEAD,
    LETTER,
    NETEASE,
    NOW,
    OUTLOOK,
    QQ,
    YAHOO,
    raw,
    read,
)


@pytest.mark.parametrize(
    ("content", "words", "sender", "name"),
    [
        (raw(GMAIL), "Yes, that's fine for me.", "ada@example.com", "Ada Reyes"),
        (
            raw(OUTLOOK, charset="cp1252"),
            "Nein, ich möchte die Ware zurückgeben – für 9,90 €.",
            "juergen.mueller@example.de",
            "Jürgen Müller",
        ),
        (raw(APPLE), "Oui, d'accord.", "marie@example.fr", "Marie Dupont"),
        (raw(YAHOO), "Sí, lo acepto.\n\n- uno\n- dos", "ana@yahoo.example", "Ana Ruiz"),
        (QQ, "可以,就这样吧。镕", "12345@qq.example", "王小明"),
        (raw(NETEASE), "麻烦退款,谢谢!", "li@163.example", "李莉"),
        (CARRIER, "1 でお願いします。", "taro@docomo.example", ""),
    ],
    ids=["gmail", "outlook", "apple", "yahoo", "qq", "netease", "carrier"],
)
def test_the_customers_own_words_are_left_whatever_program_wrote_them(
    content: bytes, words: str, sender: str, name: str
) -> None:
    mail = read(content)
    assert (mail.kind, mail.sender, mail.sender_name) == ("message", sender, name)
    assert own_words(mail.text) == words
    assert (mail.case_id, mail.order_id, mail.letter) == (CASE, "A-1001", LETTER)


def test_headers_in_many_charsets_are_read() -> None:
    assert read(APPLE).subject == "Re: Votre commande reçue"
    assert read(QQ).subject == "回复：您的订单"
    assert read(CARRIER).subject == "Re: お問い合わせ"
    assert read(raw("From: a@b.example\nSubject: Größe – ü\n\nx")).subject == "Größe – ü"
    assert read(raw("From: a@b.example\nSubject: Größe\n\nx", charset="latin-1")).subject == "Größe"
    assert read("From: a@b.example\nSubject: =?utf-8?B?5L2g5aW?= =?nonsense?Q?=FF?= =?broken\n\nx").subject


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("A.B@Example.COM", "a.b@example.com"),
        ('"Reyes, Ada" <ada@example.com>', "ada@example.com"),
        ('"boss@shop.example" <real@example.com>', "real@example.com"),
        ("boss@shop.example <real@example.com>", "real@example.com"),
        ("=?utf-8?Q?boss=40shop.example?= <real@example.com>", "real@example.com"),
        ("Ada <ada@example.com>, Bob <bob@example.com>", "ada@example.com"),
        ("ada@example.com (Ada Reyes)", "ada@example.com"),
        ("=?utf-8?B?YWRhQGV4YW1wbGUuY29t?=", "ada@example.com"),
        ("Ada", ""),
        ("<>", ""),
    ],
)
def test_the_sender_is_the_address_and_never_one_in_a_display_name(sender: str, address: str) -> None:
    assert read(f"From: {sender}\nReply-To: other@example.com\nSubject: x\n\ny").sender == address


def part(content: bytes, kind: str, encoding: str = "8bit") -> bytes:
    return raw(f"{HEAD}Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n") + content


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (part("Grüße".encode(), "text/plain; charset=us-ascii"), "Grüße"),
        (part("Grüße".encode(), "text/plain; charset=iso-8859-1"), "Grüße"),
        (part("Grüße".encode("latin-1"), "text/plain; charset=utf-8"), "Grüße"),
        (part("Grüße".encode("latin-1"), "text/plain; charset=x-unknown"), "Grüße"),
        (part("Grüße".encode("latin-1"), "text/plain; charset=unicode_escape"), "Grüße"),
        (part("“9 €”".encode("cp1252"), "text/plain; charset=iso-8859-1"), "“9 €”"),
        (part("退款，谢谢".encode("gbk"), "text/plain"), "退款，谢谢"),
        (part("返品です".encode("iso-2022-jp"), "text/plain"), "返品です"),
        (part("返品㈱".encode("cp932"), "text/plain; charset=Shift_JIS"), "返品㈱"),
        (part("hi".encode("utf-16"), "text/plain; charset=utf-8"), "hi"),
        (part(b"R8O8w58=!!", "text/plain; charset=utf-8", "base64"), "Güß"),
        (part(b"Gr=C3=BC=C3=9Fe =ZZ =", "text/plain; charset=utf-8", "quoted-printable"), "Grüße =ZZ "),
        (part(b"x" * 300, "text/plain; charset=utf-8", "nonsense"), "x" * 300),
        (part(b"a long \r\nline \r\n-- \r\nAda", "text/plain; format=flowed"), "a long line \n-- \nAda"),
        (part("返品 \r\nです".encode(), "text/plain; format=flowed; delsp=yes"), "返品です"),
        (part(b"> old \r\n> one\r\n no", "text/plain; format=flowed"), "> old one\nno"),
        (part(b"no boundary", "multipart/mixed"), "no boundary"),
        (part(b"never begun", "multipart/mixed; boundary=x"), "never begun"),
    ],
)
def test_text_is_read_although_charset_encoding_or_structure_is_wrong(content: bytes, text: str) -> None:
    assert read(content).text.replace("\r", "") == text


def multi(kind: str, *parts: str) -> str:
    inner = "".join(f"--b\n{each}\n" for each in parts)
    return f"{HEAD}Content-Type: multipart/{kind}; boundary=b\n\n{inner}--b--\n"


def test_parts_within_parts_are_sorted_into_text_and_files() -> None:
    alternative = (
        "Content-Type: multipart/related; boundary=c\n\n--c\nContent-Type: multipart/alternative; boundary=d\n\n"
        "--d\nContent-Type: text/plain\n\nHello\n--d\nContent-Type: text/html\n\n<p>Hello</p>\n--d--\n"
        "--c\nContent-Type: image/png\nContent-ID: <logo>\n\nlogo\n--c--\n"
    )
    file = 'Content-Type: application/ms-tnef; name="winmail.dat"\n\nx'
    text = "Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.txt\n\nnote"
    mail = read(multi("mixed", alternative, file, text, "Content-Type: text/plain\n\nand more"))
    assert mail.text == "Hello\n\nand more"
    assert [(each.name, each.content) for each in mail.attachments] == [("winmail.dat", b"x"), ("größe.txt", b"note")]


def test_an_inline_photo_is_a_file_and_a_small_inline_logo_is_not() -> None:
    photo = (
        f"Content-Type: image/jpeg\nContent-ID: <p>\nContent-Disposition: inline; filename=IMG_1.jpg\n\n{'x' * 6000}"
    )
    logo = "Content-Type: image/png\nContent-ID: <l>\n\nx"
    small = "Content-Type: image/png; name=shot.png\nContent-Disposition: attachment\nContent-ID: <s>\n\nx"
    mail = read(multi("related", "Content-Type: text/html\n\n<img src=cid:p>Broken", photo, logo, small))
    assert mail.text == "Broken"
    assert [each.name for each in mail.attachments] == ["IMG_1.jpg", "shot.png"]


def test_signed_mail_is_its_text_and_an_invitation_beside_it_is_left_out() -> None:
    signature = 'Content-Type: application/pgp-signature; name="signature.asc"\n\n-----BEGIN'
    mail = read(multi("signed", "Content-Type: text/plain\n\nI agree", signature))
    assert (mail.text, mail.attachments) == ("I agree", ())
    smime = 'Content-Type: application/pkcs7-signature; name="smime.p7s"\n\nMIA'
    assert read(multi("mixed", "Content-Type: text/plain\n\nI agree", smime)).attachments == ()
    invitation = "Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR"
    assert read(multi("alternative", "Content-Type: text/plain\n\nComing", invitation)).text == "Coming"


def test_html_stands_in_where_the_plain_part_says_nothing() -> None:
    mail = read(multi("alternative", "Content-Type: text/plain\n\n  ", "Content-Type: text/html\n\n<p>Said</p>"))
    assert mail.text == "Said"


def test_a_mail_that_is_attached_is_told_by_subject_and_text() -> None:
    attached = "Content-Type: message/rfc822\n\nSubject: Parcel delayed\nFrom: c@d.example\n\nIt is late."
    mail = read(multi("mixed", "Content-Type: text/plain\n\nSee below", attached))
    assert (mail.text, mail.forwarded) == ("See below", (("Parcel delayed", "It is late."),))


@pytest.mark.parametrize(
    ("date", "counts"),
    [
        ("Fri, 20 Nov 2026 12:04:00 +0000", True),
        ("Fri, 20 Nov 2026 12:06:00 +0000", False),
        ("Wed, 21 Oct 2026 12:00:01 +0000", True),
        ("Wed, 21 Oct 2026 11:59:00 +0000", False),
        ("yesterday", False),
        ("Fri, 99 Nov 99999 12:00:00 +9999", False),
    ],
)
def test_the_date_of_a_mail_counts_where_it_can_be_true(date: str, counts: bool) -> None:
    mail = read(f"From: a@b.example\nDate: {date}\n\nx")
    assert (mail.sent_at != NOW) == counts
    assert mail.sent_at - NOW <= timedelta(minutes=5)


def test_the_same_mail_has_the_same_id_with_and_without_a_message_id() -> None:
    assert read(GMAIL).id == "CAF+1=abc_XYZ@mail.gmail.com"
    bare = raw("From: a@b.example\n\nx")
    assert read(bare).id == read(bare).id != read(bare + b"y").id
    assert read(bare).id.startswith("sha256:")
    assert len(read(f"From: a@b.example\nMessage-ID: <{'x' * 900}@b>\n\nx").id) <= 200


def test_a_letter_is_found_in_references_the_newest_first_and_although_it_was_folded_or_encoded() -> None:
    older = LETTER.replace("mail.example.com", "old.example.com")
    assert read(f"From: a@b.example\nReferences: {older} {LETTER} <x@y.example>\n\nx").letter == LETTER
    assert read(f"From: a@b.example\nIn-Reply-To: <x@y.example>\nReferences: {LETTER}\n\nx").letter == LETTER
    assert read(f"From: a@b.example\nIn-Reply-To: {LETTER[:40]}\n {LETTER[40:]}\n\nx").letter == LETTER
    assert read(f"From: a@b.example\nIn-Reply-To: =?us-ascii?Q?{LETTER.replace('_', '=5F')}?=\n\nx").letter == LETTER
    assert read(f"From: a@b.example\nIn-Reply-To: {LETTER.replace('.', '.0', 1)}\n\nx").letter == ""


def test_only_a_time_with_an_offset_is_taken() -> None:
    with pytest.raises(ValueError, match="offset"):
        read_mail(EVERY["gmail"], shop="lumen", received_at=datetime(2026, 11, 20))


@pytest.mark.parametrize("content", [b"", b"\r\n\r\nhello", b"hello"])
def test_what_has_no_headers_is_no_mail(content: bytes) -> None:
    with pytest.raises(UnreadableMail, match="no mail"):
        read(content)
