"""Orders that have not left: having the warehouse stop them, and paying back what is not sent (`§6`, `§9`)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.commands import CommandType
    from aftersales.dispatching import Sending
    from aftersales.events import OrderCancelled, OrderShipped

if TYPE_CHECKING:
    from workflows.case import Case


async def stop(case: Case, sending: Sending, *, instead: str) -> bool:
    """Have the warehouse stop what has not left; False where it will not, and an operator goes the way `instead`.

    That can take a while: parcels that left meanwhile, and a shop that has paid the money back, are known afterwards.
    """
    lines: list[JsonValue] = [line.model_dump() for line in sending.left(case.order)]
    if sending.parcels or sending.missing:
        stopped = await case.command("cancel_order", instead=instead, lines=lines)
    else:
        stopped = await case.command("cancel_order", instead=instead)
    while parcel := case.arrived(OrderShipped):
        sending.parcels.append(parcel)
    if stopped and (cancelled := case.arrived(OrderCancelled)):
        sending.refunded |= cancelled.refunded
    return bool(stopped)


async def pay_back(case: Case, sending: Sending, *, replaces: CommandType | None = None) -> Decimal:
    """Give back what was paid for what has not left; how much that is. `replaces`: see `Case.command`."""
    amount = sending.owed(case.order, case.state.amounts.get("refund", Decimal(0)))
    if amount:
        await case.command("refund", pays="refund", amount=amount, replaces=replaces)
    return amount


async def left_all_the_same(case: Case) -> None:
    """Tell a person of an order that was to be cancelled and is on its way."""
    await case.tell(case.key("left"), "the order was to be cancelled and has left: recall it, or settle it on arrival")
