"""Sending events to a HTTP door: as a shop's own system does it, for `./dev send --to`."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from pydantic import SecretStr
from typing_extensions import override

from adapters.http.signing import sign
from aftersales.ports import Intake, Unavailable
from aftersales.records import EventRecord, EventStatus, Unreadable

BATCH = "application/cloudevents-batch+json"
SECONDS = 60.0
"""How long a door may take to answer."""
_TAKEN = (200, 202)
_NO_JSON, _AWAY = 400, 503


class Refused(Exception):
    """The door did not take a request; the text says why, in its words."""


class Door(Intake):
    """A door elsewhere, as an intake."""

    def __init__(self, session: ClientSession, url: str, secret: SecretStr) -> None:
        self._session, self._url, self._secret = session, url, secret

    @override
    async def handle_all(self, raws: Sequence[object], *, shop: str = "") -> list[EventRecord]:
        """See `Intake`; for whom the sender speaks, its secret says. What is no JSON goes as it is, to be kept there.

        Raises:
            Unavailable: the door does not answer, or cannot take events now.
            Refused: it does not take the request.
        """
        readable = [raw for raw in raws if not isinstance(raw, Unreadable)]
        told = iter(await self._batch(readable) if readable else [])
        return [await self._text(raw) if isinstance(raw, Unreadable) else next(told) for raw in raws]

    async def _batch(self, events: Sequence[object]) -> list[EventRecord]:
        now = datetime.now(UTC)
        status, told = await self._post(json.dumps(events, ensure_ascii=False).encode(), BATCH, now)
        if status not in _TAKEN:
            raise self._refused(status, told)
        return [_record(raw, one, now) for raw, one in zip(events, told["events"], strict=True)]

    async def _text(self, raw: Unreadable) -> EventRecord:
        now = datetime.now(UTC)
        status, told = await self._post(raw.text.encode(errors="replace"), "application/json", now)
        if status != _NO_JSON:
            raise self._refused(status, told)
        return EventRecord(
            source="", id="", received_at=now, status=EventStatus.REFUSED, detail=raw.reason, raw=raw.text
        )

    async def _post(self, body: bytes, media_type: str, now: datetime) -> tuple[int, dict[str, Any]]:
        headers = sign(self._secret.get_secret_value(), f"msg_{uuid.uuid4().hex}", now, body)
        headers["content-type"] = media_type
        try:
            async with self._session.post(self._url, data=body, headers=headers) as answer:
                status, told = answer.status, await answer.json(content_type=None)
        except (ClientError, TimeoutError, ValueError) as error:
            words = str(error) or type(error).__name__
            raise Unavailable(f"the door at {self._url} does not answer: {words}") from error
        if status == _AWAY:
            raise Unavailable(f"the door at {self._url} cannot take events now; send them again later")
        return status, told

    def _refused(self, status: int, told: object) -> Refused:
        detail = told.get("detail") or told.get("title") if isinstance(told, dict) else ""
        return Refused(f"the door at {self._url} answered {status}: {detail}")


@asynccontextmanager
async def open_door(url: str, secret: SecretStr) -> AsyncIterator[Door]:
    """The door at a URL such as `https://host/events`; its connections are closed at the end."""
    async with ClientSession(timeout=ClientTimeout(total=SECONDS), trust_env=True) as session:
        yield Door(session, url, secret)


def _record(raw: object, told: dict[str, Any], now: datetime) -> EventRecord:
    type_ = raw.get("type") if isinstance(raw, dict) else ""
    order_id = raw.get("subject") if isinstance(raw, dict) else ""
    return EventRecord(received_at=now, type=str(type_ or ""), order_id=str(order_id or ""), **told)
