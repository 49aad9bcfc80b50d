"""Cancelling an order; its money goes back by a command of its own."""

from __future__ import annotations

import asyncio

from pydantic import Json

from adapters.counterparts.envelope import command_id
from adapters.shopify_admin.client import Admin, Answer, Document, UserError, refuse
from adapters.shopify_admin.marks import keep
from adapters.shopify_admin.orders import OrderName
from aftersales.commands import Command, CommandRefused, NotNow

PAUSE_SECONDS = 0.5
"""Between two looks at a cancellation that Shopify works on; the time of the command ends it."""


class _Begun(Answer):
    job: str


class _Kept(Answer):
    value: Json[_Begun]


class _State(Answer):
    cancelled_at: str | None
    metafield: _Kept | None


class _Cancelled(Answer):
    order: _State


class _Job(Answer):
    id: str


class _JobState(Answer):
    done: bool


class _Looked(Answer):
    job: _JobState | None


class _Cancel(Answer):
    job: _Job | None
    order_cancel_user_errors: tuple[UserError, ...]


class _Asked(Answer):
    order_cancel: _Cancel


CANCELLED = Document("cancelled", _Cancelled)
CANCEL = Document("cancel", _Asked)
JOB = Document("job", _Looked)


async def cancel(admin: Admin, order: OrderName, command: Command) -> None:
    """Cancel the whole order without paying anything back. One that is cancelled stays so.

    Shopify works on it by itself. What it works on is kept with the order, so that the next try waits for it and does
    not take a second cancellation's refusal for an answer.

    Raises:
        CommandRefused: Shopify says no, such as for an order that has left, or gives up.
        NotNow: Shopify has not come to an end with it.
    """
    before = await _state(admin, order, command)
    if before.cancelled_at:
        return
    job = before.metafield.value.job if before.metafield else await _begin(admin, order, command)
    if job is None:
        return
    while True:
        known = (await admin.ask(JOB, id=job)).job
        if known is None or known.done:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    if not (await _state(admin, order, command)).cancelled_at:
        raise CommandRefused(f"Shopify began to cancel {order.name} and gave up; look at the order in Shopify")


async def _begin(admin: Admin, order: OrderName, command: Command) -> str | None:
    """Have Shopify begin; what it works on, None where the order is cancelled."""
    note = f"{command.case_id} ({command_id(command.key)})"[-255:]
    asked = (await admin.ask(CANCEL, id=order.id, staffNote=note)).order_cancel
    # An earlier try, whose answer was lost, may have had it cancelled between our look and this.
    if asked.order_cancel_user_errors and (await _state(admin, order, command)).cancelled_at:
        return None
    refuse(asked.order_cancel_user_errors)
    if asked.job is None:
        raise NotNow("Shopify did not say what became of the cancellation")
    await keep(admin, order, command, {"job": asked.job.id})
    return asked.job.id


async def _state(admin: Admin, order: OrderName, command: Command) -> _State:
    return (await admin.ask(CANCELLED, id=order.id, key=command_id(command.key))).order
