"""Holding an order back from being packed, and letting it go."""

from __future__ import annotations

import hashlib

from pydantic import JsonValue

from adapters.shopify_admin.client import Admin, Answer, Document, Done
from adapters.shopify_admin.orders import OrderName
from aftersales.commands import Command, CommandRefused

REASONS = {"payment": "AWAITING_PAYMENT", "incomplete": "INCORRECT_ADDRESS"}
"""Shopify's name for why an order is held, by ours; any other is OTHER."""


class _Hold(Answer):
    id: str
    handle: str | None
    held_by_requesting_app: bool


class _Action(Answer):
    action: str


class _Part(Answer):
    id: str
    fulfillment_holds: tuple[_Hold, ...]
    supported_actions: tuple[_Action, ...]


class _Parts(Answer):
    nodes: tuple[_Part, ...]


class _Order(Answer):
    fulfillment_orders: _Parts


class _Seen(Answer):
    order: _Order


class _Held(Answer):
    fulfillment_order_hold: Done


class _Released(Answer):
    fulfillment_order_release_hold: Done


HOLDS = Document("holds", _Seen)
HOLD = Document("hold", _Held)
RELEASE = Document("release", _Released)


async def hold(admin: Admin, order: OrderName, command: Command) -> None:
    """Hold all of the order that has not left. What this case holds already stays held.

    Raises:
        CommandRefused: nothing of it can be held any more, or Shopify says no.
    """
    handle, held = _handle(command), False
    for part in (await admin.ask(HOLDS, id=order.id)).order.fulfillment_orders.nodes:
        if _ours(part, handle):
            held = True
        elif any(one.action == "HOLD" for one in part.supported_actions):
            why = str(command.data.get("reason") or "")
            wanted: dict[str, JsonValue] = {
                "reason": REASONS.get(why, "OTHER"),
                "reasonNotes": f"{command.case_id}: {why}",
                "handle": handle,
            }
            done = (await admin.ask(HOLD, id=part.id, hold=wanted)).fulfillment_order_hold
            # A try whose answer was lost has held it.
            if not any(error.code == "DUPLICATE_FULFILLMENT_HOLD_HANDLE" for error in done.user_errors):
                done.check()
            held = True
    if not held:
        raise CommandRefused(f"{order.name} has nothing left that can be held; it is packed, sent or cancelled")


async def release(admin: Admin, order: OrderName, command: Command) -> None:
    """Let go what this case held. What others hold, such as the shop's staff, stays held."""
    handle = _handle(command)
    for part in (await admin.ask(HOLDS, id=order.id)).order.fulfillment_orders.nodes:
        if ours := _ours(part, handle):
            (await admin.ask(RELEASE, id=part.id, holdIds=[*ours])).fulfillment_order_release_hold.check()


def _handle(command: Command) -> str:
    return f"aftersales-{hashlib.sha256(command.case_id.encode()).hexdigest()[:16]}"


def _ours(part: _Part, handle: str) -> list[str]:
    return [one.id for one in part.fulfillment_holds if one.held_by_requesting_app and one.handle == handle]
