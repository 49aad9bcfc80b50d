"""A counterpart behind a URL: what it is sent, and what its answers mean."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import unused_port
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from adapters.counterparts.answers import LONGEST_WAIT, LONGEST_WORDS
from adapters.counterparts.http import LONGEST_ANSWER, HttpCounterpart
from adapters.counterparts.settings import CounterpartSettings
from aftersales.commands import CommandAccepted, CommandRefused, NotNow
from tests.adapters.counterparts.conftest import SECRET, Server
from tests.commands import command

REFUND = command("refund", pays="refund", amount="12.90", currency="EUR", key="not this one")


async def ask(server: Server, session: ClientSession, *, timeout: float = 2) -> CommandAccepted:
    return await HttpCounterpart("payment", server.settings(timeout=timeout), session).execute(REFUND, shop="eu")


async def test_a_command_is_a_signed_cloudevent(server: Server, session: ClientSession) -> None:
    assert (await ask(server, session)).reference == "R-1"
    ((headers, body),) = server.asked
    event = Webhook(SECRET).verify(body, headers)
    assert event == {
        "specversion": "1.0",
        "id": headers["webhook-id"],
        "source": "aftersales",
        "type": "command.refund",
        "subject": "A-1001",
        "time": "2026-11-03T12:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {
            "pays": "refund",
            "amount": "12.90",
            "currency": "EUR",
            "key": "return-parcel/A-1001#shop evt-1#refund:1",
            "case_id": "return-parcel/A-1001",
            "shop": "eu",
        },
    }
    assert headers["Idempotency-Key"] == event["id"]
    assert headers["Content-Type"].startswith("application/cloudevents+json")


async def test_every_try_has_the_same_key_and_body(server: Server, session: ClientSession) -> None:
    await ask(server, session)
    await ask(server, session)
    (first, body), (second, again) = server.asked
    assert (first["Idempotency-Key"], body) == (second["Idempotency-Key"], again)


async def test_names_in_any_script_are_sent_whole(server: Server, session: ClientSession) -> None:
    asked = command("create_rma", order="订单-7", note="“ok” \ud800")
    await HttpCounterpart("warehouse", server.settings(), session).execute(asked, shop="中国")
    ((headers, body),) = server.asked
    event = Webhook(SECRET).verify(body, headers)
    assert (event["subject"], event["data"]["shop"], event["data"]["note"]) == ("订单-7", "中国", "“ok” ?")


@pytest.mark.parametrize(
    ("status", "said", "reference"),
    [
        (200, {"accepted": True, "reference": "RF-7"}, "RF-7"),
        (202, {"accepted": True, "reference": 7}, "7"),
        (201, {"accepted": True}, ""),
        (409, {"accepted": True, "reference": "RF-7"}, "RF-7"),
        (409, {"reference": "RF-7"}, "RF-7"),
        (200, {"accepted": True, "reference": "a\r\nb"}, "a b"),
    ],
)
async def test_accepted(
    server: Server, session: ClientSession, status: int, said: dict[str, object], reference: str
) -> None:
    server.says(status, json.dumps(said))
    assert (await ask(server, session)).reference == reference


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (200, '{"accepted": false, "reason": "packed already"}', "packed already"),
        (409, '{"accepted": false, "reason": "another refund runs"}', "another refund runs"),
        (200, '{"accepted": false}', "refused without a reason"),
        (422, '{"title": "Not possible", "detail": "no such\\n order"}', "no such order"),
        (400, '{"message": "bad amount"}', "bad amount"),
        (400, '{"error": {"code": 7}}', "answered 400 Bad Request"),
        (422, "the books\x00 are closed", "the books are closed"),
        (400, "<html><body>Bad</body></html>", "answered 400 Bad Request"),
        (402, "", "answered 402 Payment Required"),
        (451, "x" * 5000, "x" * (LONGEST_WORDS - 1) + "…"),
    ],
)
async def test_refused_in_its_words(server: Server, session: ClientSession, status: int, text: str, words: str) -> None:
    server.says(status, text)
    with pytest.raises(CommandRefused) as refusal:
        await ask(server, session)
    assert str(refusal.value) == words


@pytest.mark.parametrize(
    ("status", "text"),
    [
        *((status, "") for status in (500, 503, 408, 425, 429, 204)),
        *((200, text) for text in ("ok", "[1]", "[" * 5000, '{"reference": "RF-1"}', '{"accepted": "yes"}')),
        *((409, text) for text in ("busy", '{"accepted": true}')),
    ],
)
async def test_what_does_not_say_is_asked_again(server: Server, session: ClientSession, status: int, text: str) -> None:
    server.says(status, text)
    with pytest.raises(NotNow, match=rf"^payment: it answered {status}") as later:
        await ask(server, session)
    assert later.value.retry_after is None


@pytest.mark.parametrize("status", [401, 403, 404, 405, 301, 307])
async def test_wrong_settings_are_nobodys_refusal_but_an_error_in_the_log(
    server: Server, session: ClientSession, status: int
) -> None:
    server.says(status, '{"accepted": false, "reason": "go away"}', Location="http://127.0.0.1:9/")
    with capture_logs() as lines, pytest.raises(NotNow, match="check its"):
        await ask(server, session)
    assert [(one["log_level"], one["event"]) for one in lines] == [("error", "command.later")]
    assert len(server.asked) == 1, "a redirect is not followed"


async def test_it_says_when_to_come_again(server: Server, session: ClientSession) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90))
    waits = []
    for status, said in [(429, "7"), (503, soon), (429, "0"), (429, "999999"), (429, "soon")]:
        server.says(status, Retry_After=said)
        with pytest.raises(NotNow) as later:
            await ask(server, session)
        waits.append(later.value.retry_after)
    assert waits[0] == timedelta(seconds=7)
    assert waits[1] is not None
    assert timedelta(seconds=80) < waits[1] <= timedelta(seconds=90)
    assert waits[2:] == [timedelta(seconds=1), LONGEST_WAIT, None]


async def test_one_that_hangs_is_given_up(server: Server, session: ClientSession) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    server.answering = hang
    with capture_logs() as lines, pytest.raises(NotNow, match=r"no answer within 0\.1 s"):
        await ask(server, session, timeout=0.1)
    assert lines[0]["log_level"] == "warning"


async def test_one_that_is_not_there_or_breaks_off_is_asked_again(server: Server, session: ClientSession) -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"accepted": true')
        assert request.transport
        request.transport.abort()
        return response

    server.answering = break_off
    with pytest.raises(NotNow, match="cannot be reached"):
        await ask(server, session)
    server.url = f"http://127.0.0.1:{unused_port()}/"
    with pytest.raises(NotNow, match="cannot be reached"):
        await ask(server, session)


async def test_an_endless_answer_is_not_read_to_its_end(server: Server, session: ClientSession) -> None:
    server.says(200, '{"accepted": true, "reference": "' + "x" * LONGEST_ANSWER + '"}')
    with pytest.raises(NotNow, match="longer than 64 KiB"):
        await ask(server, session)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "erp.example", "secret": SECRET},
        {"url": "https://erp.example/"},
        {"url": "https://erp.example/", "secret": "whsec_"},
        {"url": "https://erp.example/", "secret": SECRET, "timeout_seconds": 10},
        {"uri": "https://erp.example/"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CounterpartSettings.model_validate(wrong)


def test_the_secret_is_not_shown() -> None:
    settings = CounterpartSettings(url="https://erp.example/", secret=SecretStr(SECRET))
    assert SECRET not in repr(settings) + settings.model_dump_json()
