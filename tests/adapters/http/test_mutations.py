"""No request that differs from what was signed gets through: thousands of changes, none accepted."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.http.platforms import SCHEMES
from adapters.http.signing import binary_content, sign
from tests.adapters.http.binary import sign_binary
from tests.adapters.http.doubles import (
    LAMPS,
    NEXT,
    OWN,
    PLATFORM_SECRET,
    POST,
    SOFAS,
    TOKEN,
    Intake,
    app_with,
    call,
    event,
)

BODY = json.dumps(event(data={"reason": "too late"})).encode()
DATA = b'{"text": "too late"}'
BATCH = (2_200, 10)
"""Changes in all, and in one example."""
_EVENT = {name: str(value) for name, value in event().items()}
_CHANGES = st.tuples(
    st.sampled_from(["structured", "batch", "binary", "mail", "platform"]),
    st.sampled_from(
        ["flip", "insert", "delete", "append", "header", "drop header", "add header", "secret", "shop", "time"]
    ),
    st.integers(0, 10_000),
    st.integers(1, 255),
)
_NOBODY = "whsec_bm9ib2R5IG5vYm9keSBub2JvZHkgbm9ib2R5"
_EVENTS = (POST, _NOBODY)
_STRANGE = {
    "structured": _EVENTS,
    "batch": _EVENTS,
    "binary": _EVENTS,
    "mail": (OWN, NEXT, LAMPS, SOFAS, _NOBODY),
    "platform": (TOKEN, OWN, PLATFORM_SECRET.upper()),
}
"""Secrets of other doors, of other shops, and of nobody."""
SCHEME = SCHEMES["shopify"]
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
Request = tuple[str, bytes, dict[str, str]]


def right(mode: str, secret: str = "") -> Request:
    """A request that is accepted."""
    at = datetime.now(UTC)
    match mode:
        case "binary":
            return "/events", DATA, sign_binary(secret or OWN, "msg_1", at, _EVENT, DATA)
        case "mail":
            mail = b"From: Ada\r\n\r\nHello"
            made = sign(secret or POST, "msg_1", at, mail)
            return "/mail/lamps", mail, {"content-type": "message/rfc822", **made}
        case "platform":
            body = b'{"order": "A-1001"}'
            made = {SCHEME.header: SCHEME.sign(secret or PLATFORM_SECRET, body)}
            return "/platforms/shopify/lamps", body, {"content-type": "application/json", **made}
        case "batch":
            body = b"[" + BODY + b"]"
            media = {"content-type": "application/cloudevents-batch+json"}
            return "/events", body, {**media, **sign(secret or OWN, "msg_1", at, body)}
        case _:
            media = {"content-type": "application/cloudevents+json"}
            return "/events", BODY, {**media, **sign(secret or OWN, "msg_1", at, BODY)}


def changed(mode: str, how: str, where: int, by: int) -> Request:
    """The same request with one thing about it changed that the signature vouches for."""
    path, body, headers = right(mode)
    covered = [name for name in headers if name.startswith("ce-") or name in SIGNED or name.startswith("x-")]
    name = covered[where % len(covered)]
    at = where % len(body)
    match how:
        case "flip":
            body = body[:at] + bytes([body[at] ^ by]) + body[at + 1 :]
        case "insert":
            body = body[:at] + bytes([by]) + body[at:]
        case "delete":
            body = body[:at] + body[at + 1 + by % 3 :]
        case "append":
            body += bytes([by])
        case "header":
            value = headers[name]
            place = by % len(value)
            other = chr(0x21 + (ord(value[place]) - 0x21 + 1 + where % 93) % 94)
            headers[name] = value[:place] + other + value[place + 1 :]
        case "drop header":
            del headers[name]
        case "add header" if mode == "binary":
            headers[f"ce-x{by}"] = "1"
        case "add header":
            headers[name] += chr(0x21 + by % 90)
        case "secret":
            _, _, headers = right(mode, _STRANGE[mode][where % len(_STRANGE[mode])])
        case "shop" if mode in {"mail", "platform"}:
            path = path.replace("lamps", ["sofas", "nobody", "Lamps"][where % 3])
        case _ if mode == "platform":
            headers[SCHEME.header] = headers[SCHEME.header].swapcase()
        case _:
            off = by - 300 * (where % 2)
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + (off or 1))
    return path, body, headers


INTAKE = Intake()
APP = app_with(INTAKE)


@pytest.mark.parametrize("mode", ["structured", "batch", "binary", "mail", "platform"])
async def test_what_is_not_changed_is_accepted(mode: str) -> None:
    path, body, headers = right(mode)
    assert (await call(app_with(), path, body, headers))[0] == 200


def test_nothing_that_was_changed_is_accepted() -> None:
    seen = 0
    most, together = BATCH
    with asyncio.Runner() as runner:

        @settings(max_examples=most // together, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(_CHANGES, min_size=together, max_size=together))
        def change(changes: list[tuple[str, str, int, int]]) -> None:
            nonlocal seen
            for one in changes:
                path, body, headers = changed(*one)
                if (path, body, headers) == right(one[0]):
                    continue
                status, _, answer = runner.run(call(APP, path, body, headers))
                assert status in {400, 401}, (one, status, answer)
                seen += 1

        change()
    assert seen >= 2_000
    assert INTAKE.taken == []


async def test_what_is_signed_in_one_mode_serves_no_other() -> None:
    intake = Intake()
    app = app_with(intake)
    path, body, headers = right("binary")
    as_body = {name: headers[name] for name in SIGNED} | {"content-type": "application/cloudevents+json"}
    assert (await call(app, path, binary_content(headers, body), as_body))[0] == 415
    path, body, headers = right("structured")
    as_headers = {**headers, "content-type": "application/json", "ce-id": "evt-2"}
    assert (await call(app, path, body, as_headers))[0] == 401
    assert intake.taken == []
    assert (await call(app, *right("binary")))[0] == 200
