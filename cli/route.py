"""`route`: an event that reached no case is sent where it belongs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from adapters.settings import Settings
from aftersales.events import TYPES, BadEvent, Message, parse_event
from aftersales.faults import nearest
from aftersales.ids import parse_case_id
from aftersales.plaintext import one_line
from aftersales.records import EventRecord, EventStatus
from cli.connection import Desk, open_starter
from cli.events import named
from cli.running import Stop, run
from cli.send import line
from starter import HEARS

SOURCE = "operator"
"""The source of the events that are made here."""
OPEN = (EventStatus.NO_OPEN_CASE, EventStatus.FOR_A_PERSON, EventStatus.REFUSED, EventStatus.RECEIVED)
"""What became of events that may be sent on."""


def route(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event: its id, or 'source id' in quotes.")],
    by: Annotated[str, typer.Option(help="Who decides: your name.")],
    to: Annotated[
        str | None, typer.Option(metavar="CASE", help="Give the message to this open case, as a reply.")
    ] = None,
    as_type: Annotated[
        str | None, typer.Option("--as", metavar="TYPE", help="Make an event of it, such as order.return_requested.")
    ] = None,
    data: Annotated[str, typer.Option(help='What else that event says, as JSON: \'{"line_id": "1"}\'.')] = "{}",
    order: Annotated[str | None, typer.Option(help="The order it is about, where the event names another.")] = None,
) -> None:
    """Send an event that reached no case where it belongs, and mark it as done by hand."""
    if (to is None) == (as_type is None):
        raise typer.BadParameter("write either --to CASE or --as TYPE")
    if as_type is not None and as_type not in TYPES:
        raise typer.BadParameter(f"--as {as_type}: is no event type; {nearest(as_type, TYPES)}")
    given = _object(data)
    if given is None:
        raise typer.BadParameter(f"--data {data}: write a JSON object")
    run(lambda settings: _route(settings, event, by.strip(), to, as_type or "", given, order))


async def _route(
    settings: Settings,
    identity: str,
    by: str,
    to: str | None,
    as_type: str,
    given: Mapping[str, Any],
    order: str | None,
) -> int:
    if not by:
        raise Stop("--by: write who decides, that is your own name")
    async with open_starter(settings) as (desk, starter):
        (record,) = await named(desk.store, [identity])
        if record.status not in OPEN:
            raise Stop(f"{line(record)}: there is nothing left to send on")
        if to is not None:
            await _must_await(desk, to)
            made = _made(record, "customer.replied", {**given, "case_id": to}, parse_case_id(to).order_id)
        else:
            made = _made(record, as_type, given, order or record.order_id)
        result = await starter.handle(made)
        print(line(result))
        if result.status == EventStatus.REFUSED:
            return 1
        became = f"given to {to}" if to else f"made {as_type} of it"
        done = record.model_copy(update={"status": EventStatus.DONE_BY_HAND, "detail": f"by {by}: {became}"})
        await desk.store.settle_events([done])
        print(line(done))
    return 0


async def _must_await(desk: Desk, case: str) -> None:
    """Raises `Stop` where no such case is open, or where it takes no messages."""
    try:
        name = parse_case_id(case)
    except ValueError as error:
        raise Stop(str(error)) from None
    if case not in {one.case_id for one in await desk.store.open_cases(name.order_id)}:
        raise Stop(f"{case} is not open; ./dev cases --order {one_line(name.order_id)} lists those that are")
    if Message not in HEARS.get(name.process, ()):
        raise Stop(f"{case} takes no messages; make an event of it with --as")


def _made(record: EventRecord, kind: str, given: Mapping[str, Any], order_id: str) -> dict[str, Any]:
    """The event that is made of another one: what that says, and what is given. Raises `Stop` where it cannot be."""
    raw = _object(record.raw)
    if raw is None:
        raise Stop(f"{record.id} cannot be read; write the event anew and send it with ./dev send")
    said = dict(raw["data"]) if isinstance(raw.get("data"), dict) else {}
    # It answers what it is sent to, and no letter.
    said = {name: value for name, value in said.items() if name not in ("in_reply_to", "case_id")}
    known = {"photos": said.get("attachments", []), "fault": said.get("text", "")}
    # The same event sent to the same place is a repeat.
    number = hashlib.sha256(f"{record.source} {record.id} {kind} {order_id} {json.dumps(given)}".encode()).hexdigest()
    made = {
        "specversion": "1.0",
        "id": f"route-{number[:16]}",
        "source": SOURCE,
        "type": kind,
        "subject": order_id,
        "time": raw.get("time") or record.received_at.isoformat(),
        "data": {**known, **said, **given},
    }
    try:
        parse_event(made)
    except BadEvent as bad:
        raise Stop(f"{'; '.join(bad.problems)}: say it with --data") from None
    return made


def _object(text: str) -> dict[str, Any] | None:
    """A JSON object; None for anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
