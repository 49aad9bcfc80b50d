"""`POST /mail/{shop}` and the attachments."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.http.signing import sign
from aftersales.records import Unreadable
from tests.adapters.http.conftest import ATTACHMENT, Served
from tests.adapters.http.doubles import LAMPS, POST, TOKEN, kind

MAIL = b"From: ada@example.com\r\n\r\nWo ist meine Lampe? \xe4\xff\r\n"
RFC822 = {"content-type": "message/rfc822"}
BASIC = {"authorization": "Basic " + base64.b64encode(f"anybody:{TOKEN}".encode()).decode()}
BEARER = {"authorization": f"Bearer {TOKEN}"}
Proof = Callable[[], dict[str, str]]
"""Made when the test runs: a signature is soon too old."""


def signed(secret: str, **besides: str) -> Proof:
    return lambda: {**sign(secret, "m1", datetime.now(UTC), MAIL), **besides}


def given(**headers: str) -> Proof:
    return lambda: headers


@pytest.mark.parametrize("proof", [given(**BASIC), given(**BEARER), signed(POST)])
@pytest.mark.parametrize("media", ["message/rfc822", "application/octet-stream"])
async def test_a_mail_becomes_an_event_of_the_shop(served: Served, proof: Proof, media: str) -> None:
    assert (await served.post("/mail/lamps", MAIL, {"content-type": media, **proof()}))[0] == 200
    [(shop, raw)] = served.intake.taken
    assert (shop, raw["id"]) == ("lamps", "mail-1")  # type: ignore[index]


@pytest.mark.parametrize(
    ("shop", "proof", "said"),
    [
        ("lamps", given(), "credentials-wrong"),
        ("lamps", given(authorization="Bearer wrong"), "credentials-wrong"),
        ("sofas", given(**BEARER), "credentials-wrong"),
        ("unknown", given(**BEARER), "credentials-wrong"),
        ("lamps", signed(LAMPS), "signature-wrong"),
        ("sofas", signed(POST), "signature-wrong"),
        ("lamps", signed(POST, authorization="Bearer x"), "credentials-wrong"),
    ],
)
async def test_nobody_else_hands_in_mail(served: Served, shop: str, proof: Proof, said: str) -> None:
    answer = await served.post(f"/mail/{shop}", MAIL, {**RFC822, **proof()})
    assert (answer[0], kind(answer)) == (401, said)
    assert "www-authenticate" in answer[1]
    assert served.intake.taken == []


async def test_what_cannot_be_read_is_kept_and_answered_200(served: Served) -> None:
    status, _, body = await served.post("/mail/lamps", b"nothing", {**RFC822, **BEARER})
    assert status == 200
    assert json.loads(body)["note"] == "kept for a person: the mail has no sender"
    assert isinstance(served.intake.taken[0][1], Unreadable)


async def test_a_signed_mail_that_comes_again_is_not_handled_again(served: Served) -> None:
    for _ in range(2):
        headers = {**RFC822, **sign(POST, "m1", datetime.now(UTC), MAIL)}
        assert (await served.post("/mail/lamps", MAIL, headers))[0] == 200
    assert len(served.intake.taken) == 1


async def test_mail_has_a_limit_of_its_own(served: Served) -> None:
    fits = MAIL + b"x" * (2 * 1024 * 1024 - len(MAIL))
    assert (await served.post("/mail/lamps", fits, {**RFC822, **BEARER}))[0] == 200
    assert kind(await served.post("/mail/lamps", fits + b"x", {**RFC822, **BEARER})) == "body-large"


async def test_only_raw_mail_is_taken(served: Served) -> None:
    answer = await served.post("/mail/lamps", MAIL, {"content-type": "multipart/form-data", **BEARER})
    assert kind(answer) == "media-type"


async def test_while_nothing_can_be_taken_the_provider_is_to_try_again(served: Served) -> None:
    served.intake.away = True
    assert (await served.post("/mail/lamps", MAIL, {**RFC822, **BEARER}))[0] == 503


async def test_an_attachment_is_only_saved_never_shown(served: Served) -> None:
    status, headers, body = await served.get(f"/attachments/{ATTACHMENT}/photo.html")
    assert (status, body) == (200, b"<script>alert(1)</script>")
    assert headers["content-disposition"] == 'attachment; filename="photo.html"'
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        f"{ATTACHMENT}/absent.txt",
        f"{ATTACHMENT}/..%2Fsecret.txt",
        f"{ATTACHMENT}/%2e%2e",
        f"{ATTACHMENT}/..%5Csecret.txt",
        f"{ATTACHMENT}/a%00b",
        f"{ATTACHMENT}/",
        ATTACHMENT,
        f"{'A' * 22}/photo.html",
        "short/photo.html",
        "..%2F..%2F..%2F..%2Fetc/passwd",
        "",
    ],
)
async def test_nothing_else_is_served_and_nothing_listed(served: Served, path: str) -> None:
    from yarl import URL

    async with served.client.get(URL(f"{served.url}/attachments/{path}", encoded=True)) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
