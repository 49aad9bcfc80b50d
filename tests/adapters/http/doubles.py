"""What the HTTP door is tested with: an intake that remembers, memory for ids, keys, and calls of the app itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from adapters.http.app import build_app
from adapters.http.door import Check, Door
from adapters.http.seen import Remembered
from adapters.http.senders import Senders
from adapters.http.settings import HttpDoor, Keys, Platform, ShopKeys
from adapters.http.signing import sign
from adapters.platforms.errors import Untranslated
from aftersales.events import BadEvent, parse_event
from aftersales.ports import Unavailable
from aftersales.records import EventRecord, EventStatus, Unreadable

OWN, NEXT = "whsec_b3duIG93biBvd24gb3duIG93biBvd24gMQ==", "whsec_bmV4dCBuZXh0IG5leHQgbmV4dCBuZXh0IDE="
LAMPS, SOFAS = "whsec_bGFtcHMgbGFtcHMgbGFtcHMgbGFtcHMgMQ==", "whsec_c29mYXMgc29mYXMgc29mYXMgc29mYXMgMQ=="
POST = "whsec_bWFpbCBtYWlsIG1haWwgbWFpbCBtYWlsIDE="
TOKEN, PLATFORM_SECRET, OLD_PLATFORM_SECRET = "a-token-of-the-mail-provider", "hush-ﬁne-secret-16", "hush-an-old-secret"
PLATFORMS: dict[Platform, tuple[SecretStr, ...]] = {
    name: (SecretStr(PLATFORM_SECRET), SecretStr(OLD_PLATFORM_SECRET))
    for name in ("shopify", "aftership", "easypost", "woocommerce")
}
KEYS = Keys(
    own=(SecretStr(OWN), SecretStr(NEXT)),
    shops={
        "lamps": ShopKeys(
            events=(SecretStr(LAMPS),),
            mail=(SecretStr(POST),),
            mail_tokens=(SecretStr(TOKEN),),
            platforms=PLATFORMS,
        ),
        "sofas": ShopKeys(events=(SecretStr(SOFAS),)),
    },
)


class Intake:
    """Takes events as the real one does, without cases: what it was given, by whom, and what it made of it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, object]] = []
        self.parts: list[int] = []
        """How many events were handed in at a time."""
        self.away = self.broken = False
        self.delay = 0.0
        self.status = EventStatus.STARTED
        self._known: set[tuple[str, str]] = set()

    async def handle_all(self, raws: Sequence[object], *, shop: str = "") -> list[EventRecord]:
        await asyncio.sleep(self.delay)
        if self.away:
            raise Unavailable("the database at db.internal is away")
        if self.broken:
            raise RuntimeError("the customer wrote: hello")
        self.taken += [(shop, raw) for raw in raws]
        self.parts.append(len(raws))
        return [self._record(raw) for raw in raws]

    def _record(self, raw: object) -> EventRecord:
        try:
            if isinstance(raw, Unreadable):
                raise BadEvent([raw.reason])
            event = parse_event(raw)
        except BadEvent as bad:
            return EventRecord(
                source=bad.source,
                id=bad.id or "sha256:1",
                received_at=datetime.now(UTC),
                status=EventStatus.REFUSED,
                detail="; ".join(bad.problems),
            )
        key = (event.source, event.id)
        status = EventStatus.DUPLICATE if key in self._known else self.status
        self._known.add(key)
        cases = (f"return-request/{event.order_id}",)
        return EventRecord(source=event.source, id=event.id, received_at=datetime.now(UTC), status=status, cases=cases)


class Memory:
    """Remembers ids as the database does."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], tuple[datetime, Remembered]] = {}
        self.forgotten: list[datetime] = []

    async def first(self, sender: str, id: str) -> Remembered | None:
        found = self.answers.get((sender, id))
        return found[1] if found else None

    async def remember(self, sender: str, id: str, answer: Remembered, at: datetime) -> None:
        self.answers.setdefault((sender, id), (at, answer))

    async def forget(self, before: datetime) -> None:
        self.forgotten.append(before)
        self.answers = {key: kept for key, kept in self.answers.items() if kept[0] >= before}


def translate(
    platform: Platform, headers: Mapping[str, str], payload: object, *, shop: str, received_at: datetime
) -> list[dict[str, object]]:
    """One event of an object that names an order; a topic `crash` shows what a fault of a translator does."""
    if headers.get("x-shopify-topic") == "crash":
        raise KeyError("customer")
    if not isinstance(payload, dict) or "order" not in payload:
        raise Untranslated("no event follows from a message without an order; unsubscribe from its topic")
    return [event(str(payload["order"]), source=f"{platform}/{shop}", time=received_at.isoformat())]


async def read_mail(raw: bytes, shop: str, received_at: datetime) -> dict[str, object] | Unreadable:
    if not raw.startswith(b"From:"):
        return Unreadable(raw.decode("latin-1"), "the mail has no sender")
    return event("mail-1", source=f"mail/{shop}", time=received_at.isoformat())


def event(id: str = "evt-1", **changes: Any) -> dict[str, object]:
    """A return that is taken back: the smallest event."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": "shop/lamps",
        "type": "order.return_cancelled",
        "subject": "A-1001",
        "time": "2026-11-20T09:30:00Z",
        **changes,
    }


def door(intake: Intake | None = None, *, checks: Mapping[str, Check] | None = None, **settings: Any) -> Door:
    """A door with everything in memory."""
    return Door(
        intake=intake or Intake(),
        settings=HttpDoor(**{"rate": 1000.0, "burst": 100_000, **settings}),
        senders=Senders(KEYS),
        seen=Memory(),
        translate=translate,
        read_mail=read_mail,
        attachments=lambda token, name: None,
        checks=checks or {},
    )


def app_with(intake: Intake | None = None, **settings: Any) -> FastAPI:
    """The app of such a door."""
    return build_app(door(intake, **settings))


def signed(
    body: bytes | object, *, secret: str = OWN, id: str = "msg_1", at: datetime | None = None, **headers: str
) -> tuple[bytes, dict[str, str]]:
    """A body (JSON of what is no bytes) and all headers for it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    media = {"content-type": "application/cloudevents+json"}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return data, {**media, **sign(secret, id, at or datetime.now(UTC), data), **more}


Answer = tuple[int, dict[str, str], bytes]


async def call(
    app: FastAPI, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, method: str = "POST"
) -> Answer:
    """Ask the app itself, without a server between."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    told: list[dict[str, Any]] = []
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(sent, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        told.append(message)

    await app(scope, receive, send)
    names = {name.decode(): value.decode("latin-1") for name, value in told[0]["headers"]}
    return told[0]["status"], names, b"".join(part.get("body", b"") for part in told[1:])


def problem(answer: Answer) -> dict[str, Any]:
    """The problem that was answered."""
    status, headers, body = answer
    assert headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = json.loads(body)
    assert said["status"] == status
    assert said["instance"].startswith("urn:uuid:")
    return said


def kind(answer: Answer) -> str:
    """Which kind of problem was answered."""
    return str(problem(answer)["type"]).removeprefix("/docs#")


SHARED = Path(__file__).parents[3].parent / "shared/data"
