"""What Shopify does with each command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import ClientSession
from typing_extensions import override

from adapters.counterparts.answers import Misconfigured
from adapters.shopify_admin.cancelling import cancel
from adapters.shopify_admin.changes import amend, readdress, take_out
from adapters.shopify_admin.client import Admin
from adapters.shopify_admin.holds import hold, release
from adapters.shopify_admin.marks import mark
from adapters.shopify_admin.orders import OrderName, find_order
from adapters.shopify_admin.refunds import refund
from adapters.shopify_admin.returns import open_return
from adapters.shopify_admin.settings import ShopifySettings
from aftersales.commands import Command, CommandAccepted, CommandRefused, CommandType, NotNow
from aftersales.ports import Counterpart

_log = structlog.get_logger(__name__)

Operation = Callable[[Admin, OrderName, Command], Awaitable[str | None]]
"""Does a command once per key; its number in Shopify, None where the order's name is all there is."""

NEEDS_A_NUMBER: dict[CommandType, str] = {
    "issue_return_label": "make a return label",
    "send_back": "send goods back",
    "reship": "send goods again",
    "request_payment": "ask for a payment",
    "issue_invoice": "issue an invoice",
}
"""What Shopify cannot do, and where a tag on the order is not enough: the customer is told a number or a link that only
who does it knows, or is told that goods are on their way."""


async def _apply_discount(admin: Admin, order: OrderName, command: Command) -> str | None:
    # What is ordered already is paid; what is still to be ordered, the staff give when it is.
    if command.data.get("pays"):
        return await refund(admin, order, command)
    await mark(admin, order, command)
    return None


async def _amend(admin: Admin, order: OrderName, command: Command) -> None:
    # Words, such as another product or carrier that a person agreed on, are for the staff.
    if not command.data.get("lines") and not command.data.get("address"):
        await mark(admin, order, command)
    else:
        await amend(admin, order, command)


async def _cancel(admin: Admin, order: OrderName, command: Command) -> None:
    lines = command.data.get("lines")
    if isinstance(lines, list) and lines:
        await take_out(admin, order, command, lines)
    else:
        await cancel(admin, order, command)


async def _release(admin: Admin, order: OrderName, command: Command) -> None:
    if isinstance(address := command.data.get("ship_to"), dict):
        await readdress(admin, order, address)
    if command.data.get("via") or command.data.get("note"):
        await mark(admin, order, command)
    await release(admin, order, command)


OPERATIONS: dict[CommandType, Operation] = {
    "refund": refund,
    "pay_compensation": refund,
    "waive_freight": refund,
    "apply_discount": _apply_discount,
    "create_rma": open_return,
    "amend_order": _amend,
    "cancel_order": _cancel,
    "hold_order": hold,
    "release_order": _release,
}
"""What Shopify carries out itself. Any other command is a tag on the order (`mark`), or refused (`NEEDS_A_NUMBER`)."""
DONE_BY_SHOPIFY = frozenset(OPERATIONS)


class ShopifyCounterpart(Counterpart):
    """A shop's Shopify, by its GraphQL Admin API."""

    def __init__(self, name: str, settings: ShopifySettings, session: ClientSession) -> None:
        """`name` is what logs call it."""
        self._name, self._settings, self._admin = name, settings, Admin(settings, session)

    @override
    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Have one command done. Raises as the port says."""
        if what := NEEDS_A_NUMBER.get(command.type):
            raise CommandRefused(f"Shopify cannot {what}; do it by hand, or name a counterpart for {command.type}")
        if command.type == "pay_compensation" and self._settings.compensation == "refuse":
            raise CommandRefused("this shop does not pay compensation by Shopify; pay it by hand")
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                order = await find_order(self._admin, self._settings, command.order_id)
                number = await OPERATIONS.get(command.type, mark)(self._admin, order, command)
        except TimeoutError:
            later = NotNow(f"Shopify did not answer within {self._settings.timeout_seconds:g} s")
            self._tell(command, shop, later)
            raise later from None
        except NotNow as later:
            self._tell(command, shop, later)
            raise
        return CommandAccepted(reference=number or order.name)

    def _tell(self, command: Command, shop: str, later: NotNow) -> None:
        loud = _log.error if isinstance(later, Misconfigured) else _log.warning
        loud("command.later", counterpart=self._name, shop=shop, command=command.type, why=str(later))
