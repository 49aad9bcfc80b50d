"""A counterpart behind a URL: one command is one signed POST (docs/commands.md)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from standardwebhooks import Webhook
from typing_extensions import override

from adapters.counterparts.answers import Answer, Misconfigured, clean, read_answer
from adapters.counterparts.envelope import body_of, headers_of
from adapters.counterparts.settings import CounterpartSettings
from aftersales.commands import Command, CommandAccepted, NotNow
from aftersales.ports import Counterpart

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""

_log = structlog.get_logger(__name__)


class HttpCounterpart(Counterpart):
    """Posts commands to one URL. What it did not answer for is asked again by whoever holds the command."""

    def __init__(self, name: str, settings: CounterpartSettings, session: ClientSession) -> None:
        """`name` is what logs call it, such as `warehouse`; the settings have a URL and a secret."""
        self._name, self._settings, self._session = name, settings, session
        if settings.secret is None:
            raise ValueError(f"{name} has no secret; the settings ask for one where there is a URL")
        self._webhook = Webhook(settings.secret.get_secret_value())
        self._told: type[NotNow] | None = None

    @override
    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Have one command done. Raises as the port says."""
        try:
            accepted = read_answer(await self._asked(command, shop))
        except NotNow as later:
            loud = _log.error if isinstance(later, Misconfigured) else _log.warning
            if self._told is type(later):  # once is enough, until it answers again
                loud = _log.debug
            self._told = type(later)
            loud("command.later", counterpart=self._name, shop=shop, command=command.type, why=str(later))
            raise type(later)(f"{self._name}: {later}", later.retry_after) from later
        self._told = None
        return accepted

    async def _asked(self, command: Command, shop: str) -> Answer:
        body = body_of(command, shop=shop)
        headers = headers_of(command, body, self._webhook, now=datetime.now(UTC))
        limit = self._settings.timeout_seconds
        try:
            async with self._session.post(
                self._settings.url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=limit),
            ) as response:
                return Answer(response.status, response.headers, await _text(response))
        except TimeoutError:
            raise NotNow(f"no answer within {limit:g} s") from None
        except (ClientError, OSError) as fault:
            raise NotNow(f"it cannot be reached ({clean(str(fault)) or type(fault).__name__})") from fault
        except asyncio.IncompleteReadError:
            raise NotNow("its answer broke off") from None


async def _text(response: ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise NotNow(f"its answer is longer than {LONGEST_ANSWER // 1024} KiB")
    return body.decode(errors="replace")
