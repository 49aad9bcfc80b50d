"""`events`: the events received, sent again or marked as done by hand."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from adapters.database import Store, open_store
from adapters.platforms import Untranslated, translate
from adapters.platforms.kept import webhook_in
from adapters.settings import Settings
from aftersales.plaintext import one_line
from aftersales.records import EventRecord, EventStatus, Unreadable
from cli.connection import open_starter
from cli.running import Stop, run
from cli.send import fields, line, told
from cli.show import cell, console, emit, moment, table
from starter import Starter

MOST = 10_000
"""Events that `--all-refused` sends again in one go."""


def events(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these: an id, or 'source id' in quotes.")
    ] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only those that could not be taken.")] = False,
    unrouted: Annotated[bool, typer.Option("--unrouted", help="Only those that no open case awaits.")] = False,
    for_a_person: Annotated[bool, typer.Option("--for-a-person", help="Only those that somebody must read.")] = False,
    order: Annotated[str | None, typer.Option(help="Only those of this order.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most to list, the newest first.")] = 100,
    resend: Annotated[bool, typer.Option("--resend", help="Send the events named again, as they came.")] = False,
    all_refused: Annotated[bool, typer.Option("--all-refused", help="Send all refused events again.")] = False,
    done: Annotated[bool, typer.Option("--done", help="Mark the events named as done by hand.")] = False,
    by: Annotated[str, typer.Option(help="Who did it by hand.")] = "",
    reason: Annotated[str, typer.Option(help="What was done, in a few words.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per event.")] = False,
) -> None:
    """List the events received; send refused ones again, or mark them as done by hand."""
    asked = list(dict.fromkeys(ids or []))
    statuses = [
        status
        for status, wanted in (
            (EventStatus.REFUSED, refused),
            (EventStatus.NO_OPEN_CASE, unrouted),
            (EventStatus.FOR_A_PERSON, for_a_person),
        )
        if wanted
    ]
    if (resend or done) and not asked:
        raise typer.BadParameter("name the events: ./dev events --resend ID …")
    if done and not (by.strip() and reason.strip()):
        raise typer.BadParameter('--done needs who and what: --by "your name" --reason "what was done"')
    if resend or all_refused:
        run(lambda settings: _resend(settings, asked, as_json))
    if done:
        run(lambda settings: _done(settings, asked, f"by {by.strip()}: {reason.strip()}", as_json))
    run(lambda settings: _list(settings, asked, statuses, order, limit, as_json))


async def _list(
    settings: Settings, ids: list[str], statuses: list[EventStatus], order: str | None, limit: int, as_json: bool
) -> int:
    async with open_store(settings.store) as store:
        if ids:
            found = await named(store, ids)
        else:
            wanted: list[EventStatus | None] = [*statuses] or [None]
            lists = [await store.views.events(status=status, order_id=order, limit=limit) for status in wanted]
            found = sorted((record for some in lists for record in some), key=_received, reverse=True)[:limit]
    if as_json:
        for record in found:
            emit(fields(record))
        return 0
    shown = table("received (UTC)", "id", "source", "type", "order", "what became of it")
    for record in found:
        shown.add_row(
            moment(record.received_at),
            *(cell(text) for text in (record.id, record.source, record.type, record.order_id, told(record))),
        )
    screen = console()
    if found:
        screen.print(shown)
    if len(found) == limit:
        screen.print(f"the newest {limit}; --limit shows more")
    elif not found:
        screen.print("no such events")
    return 0


async def _resend(settings: Settings, ids: list[str], as_json: bool) -> int:
    refused = False
    async with open_starter(settings) as (desk, starter):
        again = await (named(desk.store, ids) if ids else _all_refused(desk.store))
        for record in again:
            for result in await _again(settings, desk.store, starter, record):
                refused |= result.status == EventStatus.REFUSED
                if as_json:
                    emit(fields(result))
                else:
                    print(line(result))
    return 1 if refused else 0


async def _again(settings: Settings, store: Store, starter: Starter, record: EventRecord) -> list[EventRecord]:
    """Send an event again; a platform's message is translated again, by the settings of today."""
    webhook = webhook_in(record.raw)
    if webhook is None:
        return [await starter.handle(_raw(record))]
    storefront = settings.storefront(webhook.shop)
    try:
        made = translate(
            webhook.platform,
            webhook.headers,
            webhook.payload,
            storefront=storefront,
            received_at=record.received_at,
        )
    except Untranslated as why:
        return [record.model_copy(update={"status": EventStatus.REFUSED, "detail": str(why)})]
    became = await starter.handle_all(made, shop=webhook.shop)
    done = {"status": EventStatus.DONE_BY_HAND, "detail": f"sent again as {', '.join(one.id for one in became)}"}
    await store.settle_events([record.model_copy(update=done)])
    return became


async def _done(settings: Settings, ids: list[str], detail: str, as_json: bool) -> int:
    async with open_store(settings.store) as store:
        found = await named(store, ids)
        settled = [record.model_copy(update={"status": EventStatus.DONE_BY_HAND, "detail": detail}) for record in found]
        await store.settle_events(settled)
    for record in settled:
        if as_json:
            emit(fields(record))
        else:
            print(line(record))
    return 0


async def named(store: Store, ids: list[str]) -> list[EventRecord]:
    """The events with these ids. Raises `Stop` for one that is not there, or that several sources use."""
    found = []
    for identity in ids:
        match await store.views.event(identity):
            case []:
                raise Stop(f"no event {one_line(identity)!r} was received; ./dev events lists them")
            case [record]:
                found.append(record)
            case several:
                names = ", ".join(repr(f"{record.source} {record.id}") for record in several)
                raise Stop(f"{len(several)} sources have an event {identity!r}; name it with its source: {names}")
    return found


async def _all_refused(store: Store) -> list[EventRecord]:
    return sorted(await store.views.events(status=EventStatus.REFUSED, limit=MOST), key=_received)


def _received(record: EventRecord) -> tuple[object, str]:
    return record.received_at, record.id


def _raw(record: EventRecord) -> object:
    """The event as it came in."""
    try:
        return json.loads(record.raw)
    except ValueError:
        return Unreadable(record.raw, record.detail)
