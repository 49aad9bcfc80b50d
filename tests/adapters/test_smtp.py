"""Letters by a mail server: out once, or certainly not out, or held where nobody can tell."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.headerregistry import UniqueAddressHeader
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.letter_rate import LetterRate
from adapters.smtp import SmtpChannel
from adapters.smtp_settings import Smtp
from aftersales.message_ids import case_of, message_id
from aftersales.sending import NotSent, PerhapsSent, PutOff, Undeliverable
from tests.letters_out import CASE, LETTER, Tries, letter
from tests.mail_server import DROP, HOST, MailServer, certificate


def texts(mail: EmailMessage) -> list[str]:
    """Its parts, decoded."""
    parts = [part.get_payload(decode=True) for part in mail.iter_parts()]
    return [part.decode().replace("\r\n", "\n") for part in parts if isinstance(part, bytes)]


@asynccontextmanager
async def channel(settings: Smtp) -> AsyncIterator[SmtpChannel]:
    opened = SmtpChannel(settings)
    try:
        yield opened
    finally:
        await opened.close()


async def test_a_letter_reaches_the_server_as_it_was_written() -> None:
    tries = Tries()
    async with MailServer().running() as server:
        settings = server.settings(reply_to="answers@lumen.example", envelope_sender="bounces@lumen.example")
        async with channel(settings) as smtp:
            assert await smtp.deliver(*letter(tries=tries)) == "smtp 2.0.0 queued as Q1"
    (mail,), (envelope,) = server.mails(), server.taken
    assert (envelope.mail_from, envelope.rcpt_tos, tries.count) == ("bounces@lumen.example", ["ada@example.com"], 1)
    assert (mail["From"], mail["Reply-To"]) == ("Lumen Home <service@lumen.example>", "answers@lumen.example")
    assert (mail["To"], mail["Subject"]) == ("Ada Reyes <ada@example.com>", "关于您的订单")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert case_of(mail["Message-ID"]) == case_of(mail["In-Reply-To"]) == case_of(mail["References"]) == CASE
    assert mail["References"] != mail["Message-ID"]
    assert texts(mail)[0] == LETTER.text


async def test_the_letters_of_a_case_are_one_conversation_from_the_shop_without_a_name_of_its_own() -> None:
    async with MailServer().running() as server, channel(server.settings(sender="service@lumen.example")) as smtp:
        await smtp.deliver(*letter("k-1"))
        await smtp.deliver(*letter("k-2"))
    first, second = server.mails()
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert first["From"] == "Lumen Home <service@lumen.example>"
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    ("step", "answer", "becomes", "left"),
    [
        ("rcpt", "450 4.2.1 greylisted, come back", PutOff, False),
        ("rcpt", "451 4.7.1 later", PutOff, False),
        ("rcpt", "452 4.2.2 mailbox full", PutOff, False),
        ("rcpt", "421 4.7.0 closing", NotSent, False),
        ("rcpt", "550 5.1.1 no such user", Undeliverable, False),
        ("rcpt", "552 5.2.2 over quota", Undeliverable, False),
        ("rcpt", "553 5.1.3 bad mailbox", Undeliverable, False),
        ("mail", "451 4.3.0 system trouble", NotSent, False),
        ("mail", "530 5.7.0 sign in first", NotSent, False),
        ("mail", "553 5.7.1 not your address", Undeliverable, False),
        ("data", "451 4.7.1 greylisted", PutOff, True),
        ("data", "421 4.3.2 going down", NotSent, True),
        ("data", "535 5.7.8 not signed in", NotSent, True),
        ("data", "550 5.7.1 looks like spam", Undeliverable, True),
        ("data", "552 5.3.4 too big", Undeliverable, True),
    ],
)
async def test_a_no_is_taken_by_its_code(step: str, answer: str, becomes: type[Exception], left: bool) -> None:
    tries = Tries()
    how: dict[str, Any] = {step: answer}
    async with MailServer(**how).running() as server, channel(server.settings()) as smtp:
        with pytest.raises((NotSent, Undeliverable), match=re.escape(answer)) as no:
            await smtp.deliver(*letter(tries=tries))
        assert type(no.value) is becomes
        assert (bool(tries.count), server.taken) == (left, [])
        assert f"{HOST}:{server.port} said" in str(no.value)
        assert "\n" not in str(no.value)


async def test_after_a_no_the_next_letter_goes_over_the_same_connection() -> None:
    async with MailServer(rcpt="550 no such user").running() as server, channel(server.settings()) as smtp:
        with pytest.raises(Undeliverable):
            await smtp.deliver(*letter("k-1"))
        server.rcpt = ""
        await smtp.deliver(*letter("k-2"))
        assert (len(server.taken), len(server.connections)) == (1, 1)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"data": DROP}, "was given the letter and closed the connection"),
        ({"slow": {"data": 5}}, "was given the letter and did not answer in time"),
        ({"data": "299 what"}, "answered the letter with 299 what"),
        ({"data": "hm"}, "answered the letter with -1 Malformed"),
    ],
)
async def test_a_letter_without_an_answer_may_be_out(how: dict[str, Any], said: str) -> None:
    tries = Tries()
    async with MailServer(**how).running() as server, channel(server.settings(timeout=0.8)) as smtp:
        with pytest.raises(PerhapsSent, match=f"{said}.*so the customer may have it already"):
            await smtp.deliver(*letter(tries=tries))
        assert tries.count == 1
        server.data, server.slow = "", {}
        await smtp.deliver(*letter("k-2"))


@pytest.mark.parametrize(
    "how", [{"rcpt": DROP}, {"mail": DROP}, {"slow": {"rcpt": 5}}, {"slow": {"mail": 0.2, "rcpt": 0.14}}]
)
async def test_what_fails_before_the_letter_leaves_is_not_sent(how: dict[str, Any]) -> None:
    tries = Tries()
    async with MailServer(**how).running() as server, channel(server.settings(timeout=0.4)) as smtp:
        with pytest.raises(NotSent, match=f"^{HOST}:{server.port} (closed|did not answer|was too slow)"):
            await smtp.deliver(*letter(tries=tries))
    assert (tries.count, server.taken) == (0, [])


async def test_a_server_that_greets_nobody_costs_its_time_and_no_more() -> None:
    async with MailServer().running(asyncio.Protocol) as server, channel(server.settings(timeout=0.2)) as smtp:
        with pytest.raises(NotSent, match=r"did not answer in 0\.2 s|cannot be reached"):
            await smtp.deliver(*letter())


async def test_a_server_that_is_down_gets_the_letter_when_it_is_up() -> None:
    server = MailServer()
    async with server.running():
        settings = server.settings()
    async with channel(settings) as smtp:
        with pytest.raises(NotSent, match=r"cannot be reached \(.*(refused|Connect)") as down:
            await smtp.deliver(*letter())
        assert down.value.retry_after is None
        async with server.running():
            await smtp.deliver(*letter())
    assert len(server.taken) == 1


async def test_a_host_that_has_no_address_is_named() -> None:
    async with channel(MailServer(port=1).settings(host="mail.nowhere.invalid")) as smtp:
        with pytest.raises(NotSent, match=r"mail\.nowhere\.invalid:1 cannot be reached \(.+\)"):
            await smtp.deliver(*letter())


async def test_a_connection_that_the_server_closed_is_opened_anew() -> None:
    async with MailServer().running() as server, channel(server.settings()) as smtp:
        await smtp.deliver(*letter("k-1"))
        server.hang_up()
        await smtp.deliver(*letter("k-2"))
    assert (len(server.taken), len(server.connections)) == (2, 2)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_server_proves_who_it_is(tmp_path: Path, tls: str) -> None:
    file, context = certificate(tmp_path)
    server = MailServer(options={"tls_context": context}) if tls == "starttls" else MailServer(tls=context)
    async with server.running():
        async with channel(server.settings(tls=tls)) as smtp:
            with pytest.raises(
                NotSent, match=r"the certificate of .* is not trusted \(self.signed.*`certificates`"
            ) as no:
                await smtp.deliver(*letter())
            assert no.value.retry_after == 60
        for settings in ({"certificates": file}, {"verify_certificates": False}):
            async with channel(server.settings(tls=tls, **settings)) as smtp:
                await smtp.deliver(*letter())
    assert len(server.taken) == 2


@pytest.mark.parametrize(("tls", "said"), [("starttls", "STARTTLS extension not supported"), ("implicit", "TLS")])
async def test_a_server_without_the_tls_that_is_asked_for_gets_no_letter(tls: str, said: str) -> None:
    async with MailServer().running() as server, channel(server.settings(tls=tls)) as smtp:
        with pytest.raises(NotSent, match=f"{said}.*check"):
            await smtp.deliver(*letter())
    assert server.taken == []


async def test_a_wrong_password_delays_letters_and_is_not_tried_for_each() -> None:
    async with MailServer(password="right").running() as server:
        async with channel(server.settings(username="shop", password="wrong")) as smtp:
            for number in range(5):
                with pytest.raises(NotSent, match=r"refused the sign-in of shop: 535 .*; correct user name") as no:
                    await smtp.deliver(*letter(f"k-{number}"))
                assert no.value.retry_after == 60
                assert "wrong" not in str(no.value)
        assert 1 <= server.sign_ins <= 2
        async with channel(server.settings(username="shop", password="right")) as smtp:
            await smtp.deliver(*letter())
    assert len(server.taken) == 1


async def test_an_address_beyond_ascii_needs_a_server_that_speaks_it() -> None:
    async with MailServer().running() as server, channel(server.settings()) as smtp:
        with pytest.raises(Undeliverable, match="SMTPUTF8"):
            await smtp.deliver(*letter(email="用户@example.com"))
        await smtp.deliver(*letter("k-2", email="ada@例子.cn"))
    assert server.taken[0].rcpt_tos == ["ada@xn--fsqu00a.cn"]
    async with MailServer(options={"enable_SMTPUTF8": True}).running() as server, channel(server.settings()) as smtp:
        await smtp.deliver(*letter(email="用户@example.com", name="王小明"))
    assert (server.taken[0].rcpt_tos, server.taken[0].smtp_utf8) == (["用户@example.com"], True)
    assert "<用户@example.com>\r\n".encode() in server.content()


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a\x00b@example.com", "a\r\nRCPT TO:<x@y.z>@example.com"])
async def test_an_address_that_is_none_is_for_a_person(email: str) -> None:
    async with MailServer().running() as server, channel(server.settings()) as smtp:
        with pytest.raises(Undeliverable, match="e-mail address is none"):
            await smtp.deliver(*letter(email=email))
    assert server.connections == []


async def test_no_name_adds_a_header_or_a_recipient() -> None:
    evil = 'Ada\r\nBcc: all@example.com\r\n\r\n.\r\nMAIL FROM:<x@y.z>"; <x@y.z>'
    plain, trying = letter(name=evil)
    rendered = LETTER.model_copy(update={"subject": evil, "text": f"{evil}\r\n.\r\nQUIT\r\n"})
    mine = replace(plain, shop=evil, rendered=rendered)
    async with MailServer().running() as server, channel(server.settings(sender="service@lumen.example")) as smtp:
        await smtp.deliver(mine, trying)
    (mail,), (envelope,) = server.mails(), server.taken
    assert envelope.rcpt_tos == ["ada@example.com"]
    assert "Bcc" not in mail
    for header in ("To", "From"):
        value = mail[header]
        assert isinstance(value, UniqueAddressHeader)
        assert len(value.addresses) == 1
    assert b"\r\n.\r\nQUIT" in server.content()


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_long_lines_and_other_bytes_than_ascii_arrive(ascii_only: bool) -> None:
    plain, trying = letter()
    mine = replace(plain, rendered=LETTER.model_copy(update={"html": "长" * 5000, "text": "grüße\n"}))
    async with MailServer(options={"decode_data": ascii_only}).running() as server, channel(server.settings()) as smtp:
        await smtp.deliver(mine, trying)
    content = server.content()
    assert max(map(len, content.splitlines())) <= 998
    assert content.isascii() == ascii_only
    assert ("BODY=8BITMIME" in server.taken[0].mail_options) is not ascii_only
    assert [text.strip() for text in texts(server.mails()[0])] == ["grüße", "长" * 5000]


async def test_letters_sent_at_once_all_arrive_once_over_a_few_connections() -> None:
    async with MailServer().running() as server, channel(server.settings(timeout=9)) as smtp:
        told = await asyncio.gather(*(smtp.deliver(*letter(f"k-{number}")) for number in range(200)))
    identities = {mail["Message-ID"] for mail in server.mails()}
    assert len(server.taken) == len(identities) == len(set(told)) == 200
    assert identities == {message_id(CASE, f"k-{number}", "mail.lumen.example") for number in range(200)}
    assert len(server.connections) <= 8


async def test_letters_that_find_all_connections_busy_are_sent_away() -> None:
    server = MailServer(slow={"rcpt": 0.6})
    async with server.running(), channel(server.settings(connections=1, timeout=1)) as smtp:
        done = await asyncio.gather(*(smtp.deliver(*letter(f"k-{n}")) for n in range(4)), return_exceptions=True)
    away = [one for one in done if isinstance(one, NotSent)]
    assert (len(server.taken), len(away), len(server.connections)) == (1, 3, 1)
    assert all(one.expected and "all 1 connections" in str(one) for one in away)


async def test_letters_over_the_rate_are_sent_away_at_once() -> None:
    async with MailServer().running() as server, channel(server.settings(letters_a_minute=20)) as smtp:
        done = await asyncio.gather(*(smtp.deliver(*letter(f"k-{n}")) for n in range(6)), return_exceptions=True)
    away = [one for one in done if isinstance(one, NotSent)]
    assert len(server.taken) == 2
    assert [round(one.retry_after or 0) for one in away] == [3, 6, 9, 12]
    assert all(one.expected and "more than 20 letters a minute" in str(one) for one in away)


def test_a_flood_goes_out_at_the_rate_and_nobody_comes_twice() -> None:
    now = 0.0
    rate = LetterRate(60, clock=lambda: now)
    first = {f"k-{n}": rate.wait(f"k-{n}") for n in range(300)}
    assert [wait for wait in first.values() if wait == 0] == [0] * 6
    assert max(first.values()) == pytest.approx(294)
    for key, wait in first.items():
        now = wait + 0.01
        assert not wait or rate.wait(key) == 0
    assert rate.wait("late") > 0
    now += 1_000
    assert [rate.wait(f"n-{n}") for n in range(7)] == [0] * 6 + [pytest.approx(1)]


def test_a_turn_that_is_far_off_is_asked_for_again() -> None:
    now = 0.0
    rate = LetterRate(1, clock=lambda: now)
    assert [rate.wait(f"k-{n}") for n in range(30)][-1] == 600
    now = 600.0
    assert rate.wait("k-29") == 600
    now = 29 * 60.0
    assert rate.wait("k-29") == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sender": "Lumen Home"}, "is no mailbox"),
        ({"sender": "Lumen\r\nBcc: <a@b.c>"}, "is no mailbox"),
        ({"reply_to": "a@b.c, d@e.f"}, "is no e-mail address"),
        ({"timeout": 10}, "less than or equal to 9"),
        ({"host": "mail.example.com", "username": "a", "password": "secret-1"}, "sent in clear"),
        ({"host": "a b"}, "pattern"),
        ({"tsl": "none"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as no:
        MailServer(port=25).settings(**changes)
    assert "secret-1" not in str(no.value)
