"""Letters by a platform's message bridge, over real HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.bridge import BridgeChannel
from adapters.bridge_settings import Bridge
from aftersales.sending import NotSent, Undeliverable
from tests.bridge_service import SECRET, Service
from tests.letters_out import AT, CASE, LETTER, Tries, letter


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service().running() as started:
        yield started


@asynccontextmanager
async def bridge(url: str, **changes: Any) -> AsyncIterator[BridgeChannel]:
    opened = BridgeChannel(Bridge.model_validate({"url": url, "secret": SECRET, **changes}))
    try:
        yield opened
    finally:
        await opened.close()


async def test_a_letter_is_posted_signed_and_named_the_same_on_every_try(service: Service) -> None:
    tries = Tries()
    async with bridge(service.url) as channel:
        for _ in range(2):
            assert await channel.deliver(*letter("k 1\n#ü", tries=tries)) == "bridge M-77"
        await channel.deliver(*letter("k-2"))
    first, again, other = service.letters
    assert first == again
    assert first["id"] != other["id"]
    assert [headers["Idempotency-Key"] for headers, _ in service.given] == [first["id"], first["id"], other["id"]]
    assert first == {
        "id": first["id"],
        "case_id": CASE,
        "order_id": "A-1001",
        "shop": "Lumen Home",
        "letter": "return-terms",
        "language": "zh",
        "subject": LETTER.subject,
        "text": LETTER.text,
        "to": {"name": "Ada Reyes", "email": "ada@example.com"},
        "sent_at": AT.isoformat(),
    }
    assert tries.count == 0


async def test_a_shop_may_have_html_sent_too(service: Service) -> None:
    async with bridge(service.url, html=True) as channel:
        await channel.deliver(*letter())
    assert service.letters[0]["html"] == LETTER.html


@pytest.mark.parametrize(
    ("status", "body", "reference"),
    [
        (201, '{"reference": "M-78"}', "bridge M-78"),
        (204, "", "bridge"),
        (409, '{"reference": "M-1"}', "bridge M-1"),
        (200, "<html>", "bridge"),
        (200, "[" * 50_000, "bridge"),
        (200, json.dumps({"reference": f"../../{'ü' * 900}\r\n"}), f"bridge ../../{'?' * 144}"),
    ],
)
async def test_taken_now_or_before_is_sent(service: Service, status: int, body: str, reference: str) -> None:
    service.status, service.body = status, body
    async with bridge(service.url) as channel:
        assert await channel.deliver(*letter()) == reference


@pytest.mark.parametrize(
    ("status", "after", "seconds"),
    [(429, "120", 120), (429, "", None), (429, "soon", None), (503, "999999", 3600), (500, "", None), (408, "", None)],
)
async def test_not_now_is_tried_again(service: Service, status: int, after: str, seconds: float | None) -> None:
    service.status, service.body, service.headers = status, "busy\nnow", {"Retry-After": after}
    async with bridge(service.url) as channel:
        with pytest.raises(NotSent, match=f"said: {status} busy now") as no:
            await channel.deliver(*letter())
    assert no.value.retry_after == seconds


@pytest.mark.parametrize("status", [401, 302])
async def test_a_bridge_that_does_not_know_us_delays_letters(service: Service, status: int) -> None:
    service.status, service.headers = status, {"Location": "http://127.0.0.1:1/"}
    async with bridge(service.url) as channel:
        with pytest.raises(NotSent, match=f"answered {status}; correct its `url` and `secret`"):
            await channel.deliver(*letter())
    assert len(service.given) == 1


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (422, '{"title": "No", "detail": "this buyer has\\nblocked messages"}', "422 this buyer has blocked messages"),
        (404, "no such order", "404 no such order"),
        (403, "", "403"),
        (400, "x" * 100_000, f"400 {'x' * 300}"),
    ],
)
async def test_a_refusal_is_in_the_bridges_words(service: Service, status: int, body: str, words: str) -> None:
    service.status, service.body = status, body
    async with bridge(service.url) as channel:
        with pytest.raises(Undeliverable, match=f"said: {words}$"):
            await channel.deliver(*letter())


async def test_a_slow_bridge_and_one_that_is_not_there_are_tried_again(service: Service) -> None:
    service.delay = 1
    async with bridge(service.url, timeout=0.1) as channel:
        with pytest.raises(NotSent, match=r"did not answer in 0\.1 s"):
            await channel.deliver(*letter())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with bridge(f"http://127.0.0.1:{taken.getsockname()[1]}/") as channel:
            with pytest.raises(NotSent, match="cannot be reached"):
                await channel.deliver(*letter())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "ftp://example.org/x"}, "is no address"),
        ({"secret": "whsec_"}, "a webhook secret is whsec_"),
        ({"secret": "whsec_!not base64"}, "a webhook secret is whsec_"),
        ({"timeout": 30}, "less than or equal to 9"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as no:
        Bridge.model_validate({"url": "https://bridge.example.com", "secret": SECRET, **changes})
    assert "not base64" not in str(no.value)
