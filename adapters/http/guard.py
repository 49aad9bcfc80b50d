"""Around every request: it is counted and timed, and nothing unexpected reaches its sender but a problem."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.metrics import Metrics
from adapters.http.problems import Problem

DOORS = frozenset(
    {"events", "platforms", "mail", "attachments", "healthz", "readyz", "metrics", "docs", "openapi.json"}
)
_GONE = 499
"""What stands in the metrics for a client that left before it had its answer."""

_LINGER, _DROPPED = 0.5, 256 * 1024
"""Seconds and bytes that the body of a request may still take that was answered before it was read."""

_log = structlog.get_logger(__name__)


def door_of(scope: Scope) -> str:
    """The door that a request is for, by its path; `other` for all that there is not."""
    first = str(scope["path"]).split("/", 2)[1:2]
    return first[0] if first and first[0] in DOORS else "other"


class Guard:
    """Stands outside of all doors."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access_log: bool) -> None:
        self._app, self._metrics, self._access_log = app, metrics, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        door, began, status, whole = door_of(scope), time.perf_counter(), 0, False

        async def receiving() -> Message:
            nonlocal whole
            message = await receive()
            whole = whole or not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Cache-Control", "no-store")
                if not whole and _has_body(scope):
                    await drop(receiving)
                if not whole and _has_body(scope):
                    # What follows on this connection is a body that nobody reads.
                    headers["Connection"] = "close"
            await send(message)

        async def drop(receiving: Receive) -> None:
            """Let a small body pass unread: a connection closed before may take the answer from its sender."""
            dropped = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LINGER):
                    while not whole and dropped < _DROPPED:
                        dropped += len((await receiving()).get("body", b""))

        try:
            await self._app(scope, receiving, sending)
        except ClientDisconnect:
            status = _GONE
        except Exception as error:
            problem = Problem("internal", "the request was not answered as it should be")
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
            _log.error("http.failed", door=door, error=type(error).__name__, where=where, instance=problem.instance)
            if not status:
                await problem.response()(scope, receiving, sending)
        seconds = time.perf_counter() - began
        self._metrics.requests.labels(door, str(status)).inc()
        self._metrics.seconds.labels(door).observe(seconds)
        if self._access_log:
            _log.info("http.request", door=door, status=status, seconds=round(seconds, 4))


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
