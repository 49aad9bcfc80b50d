"""Whether what the settings name answers: each connection is opened and closed, and nothing is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout
from temporalio.service import RPCError

from adapters.database import DatabaseUnusable
from adapters.database.addresses import parse, shown
from adapters.database.engines import connect
from adapters.database.revisions import revision_of
from adapters.nats_settings import NatsSettings
from adapters.queues import QueueUnusable
from adapters.settings import Settings
from adapters.shops import ShopSettings
from adapters.smtp_connections import Connections
from adapters.smtp_settings import Smtp
from adapters.sqs_settings import SqsSettings
from adapters.temporal import NotReachable, rpc_problem
from aftersales.ports import Unavailable
from aftersales.sending import NotSent
from cli.connection import find_server

WITHIN = 10.0
"""Seconds that each has for its answer."""
_FAULTS = (NotReachable, NotSent, Unavailable, DatabaseUnusable, QueueUnusable, ClientError, OSError)


class Found(NamedTuple):
    """One connection: which setting names it, whether it answers, and what it says or what is wrong."""

    where: str
    answers: bool
    what: str


Try = Callable[[], Awaitable[str]]


async def try_all(settings: Settings) -> AsyncIterator[Found]:
    """Every connection, one after the other."""
    for where, attempt in _attempts(settings):
        answers, what = await _tried(attempt)
        yield Found(where, answers, what)


async def _tried(attempt: Try) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(WITHIN):
            return True, await attempt()
    except TimeoutError:
        return False, f"no answer within {WITHIN:g} s"
    except RPCError as error:
        return False, rpc_problem(error)
    except _FAULTS as error:
        return False, " ".join((str(error) or type(error).__name__).split())


def _attempts(settings: Settings) -> Iterator[tuple[str, Try]]:
    yield "database", lambda: _database(settings)
    yield "temporal", lambda: _temporal(settings)
    if nats := settings.nats:
        yield "nats", lambda: _nats(nats)
    if sqs := settings.sqs:
        yield "sqs", lambda: _sqs(sqs)
    yield from _outgoing("", settings)
    for name, shop in settings.shops.items():
        if amazon := shop.amazon:
            yield f"shops.{name}.amazon", lambda amazon=amazon: _sqs(amazon)  # type: ignore[misc]
        yield from _outgoing(f"shops.{name}.", shop)


def _outgoing(before: str, place: Settings | ShopSettings) -> Iterator[tuple[str, Try]]:
    if letters := place.letters:
        if smtp := letters.smtp:
            yield f"{before}letters.smtp", lambda: _smtp(smtp)
        if bridge := letters.bridge:
            yield f"{before}letters.bridge", lambda: _http(bridge.url)
    if commands := place.commands:
        for name, counterpart in commands.counterparts.items():
            if counterpart.url:
                yield f"{before}commands.counterparts.{name}", lambda url=counterpart.url: _http(url)  # type: ignore[misc]
        if shopify := commands.shopify:
            yield f"{before}commands.shopify", lambda: _http(shopify.shop_url)


async def _database(settings: Settings) -> str:
    url = parse(settings.store.url.get_secret_value())
    file = settings.data / "aftersales.db"
    if url.get_backend_name() == "sqlite" and not file.exists():
        return f"{shown(url)} is made when it is first used"
    async with connect(settings.store) as database:
        return f"{shown(url)} answers, at revision {await database.read(revision_of) or 'none'}"


async def _temporal(settings: Settings) -> str:
    client = (await find_server(settings)).client
    return f"{client.service_client.config.target_host} answers, namespace {client.namespace}"


async def _smtp(smtp: Smtp) -> str:
    connections = Connections(smtp)
    try:
        async with connections.one():
            signed_in = f", signed in as {smtp.username}" if smtp.username else ""
            return f"{connections.where} answers{signed_in}; nothing was sent"
    finally:
        await connections.close()


async def _http(url: str) -> str:
    """HEAD does nothing at all; who does not know it answers so."""
    async with (
        ClientSession(timeout=ClientTimeout(total=WITHIN), trust_env=True) as session,
        session.head(url, allow_redirects=False) as answer,
    ):
        return f"{url} answers (HTTP {answer.status} to HEAD); keys are not tried"


async def _nats(settings: NatsSettings) -> str:
    import nats.errors
    from nats.aio.client import Client

    async def quietly(error: Exception) -> None:
        """The same error is raised."""

    client = Client()
    try:
        once: dict[str, Any] = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0}
        await client.connect(**settings.access(), **once, error_cb=quietly)
        try:
            account = await client.jetstream().account_info()
        finally:
            await client.close()
    except nats.errors.Error as error:
        raise Unavailable(str(error)) from error
    return f"{settings.servers[0]} answers, JetStream has {account.streams} stream{'' if account.streams == 1 else 's'}"


async def _sqs(settings: SqsSettings) -> str:
    from adapters.sqs import SqsQueue

    async with SqsQueue(settings) as queue:
        return f"{queue.name} answers, messages that wait: {await queue.look()}"
