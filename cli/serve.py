"""`serve`: order events, platforms' webhooks and customers' mail come in by HTTP, and by the queues of the settings."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import structlog
import typer
import uvloop
from temporalio.client import Client

from adapters.aws_envelopes import decode_wrapped
from adapters.database import Store, open_store
from adapters.files import write_whole
from adapters.http.app import build_app
from adapters.http.door import Check, Door
from adapters.http.remembered import InDatabase
from adapters.http.senders import Senders
from adapters.http.serving import serve as serve_http
from adapters.http.settings import Platform
from adapters.logs import configure_logging
from adapters.mail.attachments import AttachmentStore
from adapters.mail.door import MailDoor
from adapters.memory import settled
from adapters.platforms import translate
from adapters.platforms.amazon_queue import amazon_decoder
from adapters.queues import Decode, QueueUnusable, consume
from adapters.secrets import own_secret
from adapters.settings import Settings
from adapters.shops import load_policies
from adapters.sqs_settings import SqsSettings
from adapters.temporal import Reached, connect, reach
from aftersales.ports import Intake, Unavailable
from cli.connection import Serving, running_here
from cli.running import Stop, run
from starter import Starter

PATIENCE = timedelta(seconds=2)
"""How long a sender waits for a Temporal server that is away, before it is told to come again; the start, for NATS."""
log = structlog.get_logger("serve")


def serve(
    host: Annotated[str, typer.Option(help="Where to listen; the settings' http.host without it.")] = "",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The settings' http.port without it.")] = None,
) -> None:
    """Take events by HTTP until Ctrl-C; its contract is at /docs."""
    run(
        lambda settings: _serve(settings, host or settings.http.host, settings.http.port if port is None else port),
        loop=uvloop.new_event_loop,
    )


async def _serve(settings: Settings, host: str, port: int) -> int:
    configure_logging(settings.log_level, settings.log_format)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    policies = load_policies(settings.policy, settings.law, settings.shops)
    # It comes up without database and Temporal too, tells senders to come again, and goes on by itself.
    async with open_store(settings.store, lazy=True) as store:
        running = running_here(settings)
        client = await connect(running.address if running else None, patience=PATIENCE, lazy=True)
        intake = Reached(client, Starter(client, store, policies, settings))

        def listening(url: str) -> None:
            file = Serving.file(settings)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, Serving(url=url, pid=os.getpid()).model_dump_json().encode())

        await queue_made(settings)
        app = build_app(door(settings, intake, store, client))
        settled()
        serving = serve_http(app, host, port, stop=stop, listening=listening)
        return await together(stop, serving, *(take(intake, stop) for take in takers(settings)))


async def together(stop: asyncio.Event, *loops: Coroutine[Any, Any, None]) -> int:
    """Run until all are done; where one ends with an error, the others are told to stop. Returns the exit code."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    for failed in filter(None, await asyncio.gather(*tasks, return_exceptions=True)):
        if isinstance(failed, QueueUnusable):
            raise Stop(str(failed)) from None
        raise failed
    return 0


async def queue_made(settings: Settings) -> None:
    """Have the stream of NATS made before anybody is told that we are here: what is published into none is lost.

    Where NATS is away or not as it has to be, the loop that takes from it says so.
    """
    if settings.nats:
        from adapters.nats import NatsQueue

        with contextlib.suppress(Unavailable, QueueUnusable, TimeoutError):
            async with NatsQueue(settings.nats) as queue, asyncio.timeout(PATIENCE.total_seconds()):
                await queue.reach()


Taker = Callable[[Intake, asyncio.Event], Coroutine[Any, Any, None]]


def takers(settings: Settings) -> Iterator[Taker]:
    """What takes events from each queue of the settings, until it is told to stop."""
    if nats := settings.nats:

        async def from_nats(intake: Intake, stop: asyncio.Event) -> None:
            from adapters.nats import NatsQueue

            async with NatsQueue(nats) as queue:
                await consume(queue, intake, stop=stop)

        yield from_nats
    if settings.sqs:
        yield _from_sqs(settings.sqs, decode_wrapped, "")
    for name, shop in settings.shops.items():
        if shop.amazon:
            yield _from_sqs(shop.amazon, amazon_decoder(settings.storefront(name)), name)


def _from_sqs(sqs: SqsSettings, decode: Decode, shop: str) -> Taker:
    async def take(intake: Intake, stop: asyncio.Event) -> None:
        from adapters.sqs import SqsQueue

        async with SqsQueue(sqs) as queue:
            await consume(queue, intake, stop=stop, decode=decode, shop=shop)

    return take


def door(settings: Settings, intake: Intake, store: Store, client: Client) -> Door:
    """The HTTP door of an installation."""
    attachments = AttachmentStore(settings.data / "attachments", settings.mail.attachments)

    def events_of(
        platform: Platform, headers: Mapping[str, str], payload: object, *, shop: str, received_at: datetime
    ) -> list[dict[str, object]]:
        return translate(platform, headers, payload, storefront=settings.storefront(shop), received_at=received_at)

    return Door(
        intake=intake,
        settings=settings.http,
        senders=Senders(settings.keys() if settings.secrets else settings.keys(own_secret(settings.data))),
        seen=InDatabase(store),
        translate=events_of,
        read_mail=MailDoor(settings.mail_in, attachments).take,
        attachments=attachments.open,
        checks=checks(store, client),
    )


def checks(store: Store, client: Client) -> dict[str, Check]:
    """What must be there for events to be taken."""

    async def temporal() -> None:
        await reach(client, PATIENCE)

    return {"temporal": temporal, "database": store.views.revision}
