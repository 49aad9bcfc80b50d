"""What a changed order costs more or less: named, held for, paid by the customer or given back (`§8`)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import changing
    from aftersales.events import Event, OrderCancelled, PaymentReceived
    from aftersales.money import rounded
    from aftersales.payments import meant_for

from workflows.payments import give_back
from workflows.values import link

if TYPE_CHECKING:
    from workflows.order_change import OrderChange

Settled: TypeAlias = Literal["settled", "original", "cancelled"]
"""What became of the difference; `original` where it is not paid, and the customer gets what was bought at first."""


async def difference(case: OrderChange) -> Decimal:
    """What the changed order costs more or less; an operator says it where a new product came without a price."""
    known = changing.difference(case.opened.order, case.change)
    if known is not None:
        return rounded(known, case.order.currency)
    question = (
        f"The customer wants {changing.in_words(case.change)}. Does it cost more, less, or the same? Name the amount."
    )
    more = await case.decision(question, "more", "less", "even", fallback="even", most=case.order.total)
    named = case.state.decisions[-1].amount or Decimal(0)
    return {"more": named, "less": -named}.get(more, Decimal(0))


async def settle(case: OrderChange, more: Decimal) -> Settled:
    """Settle the difference: give it back, or have it paid; an order that is still here waits for that."""
    if more < 0:
        await case.command("refund", pays="refund", amount=-more, purpose=case.ref.case_id)
    if more <= 0:
        return "settled"
    if not case.left:
        case.held = bool(await case.command("hold_order", instead="go_on", reason="payment"))
    case.price = more
    asked = await case.command("request_payment", amount=more, purpose=case.ref.case_id, instead="unpaid")
    if asked:
        by = case.until(case.policy.orders.change_payment_window)

        async def wait(by: datetime) -> Event | None:
            return await _payment(case, by)

        paid = await case.ask("change-payment", wait, by=by, charge=more, payment_url=link(asked), pay_by=by)
        if paid:
            return "cancelled" if isinstance(paid, OrderCancelled) else "settled"
    return await _unpaid(case)


async def give_back_payments(case: OrderChange) -> Decimal:
    """Give back what the customer paid without need; how much that is."""
    paid, case.paid = case.paid or Decimal(0), Decimal(0)
    if paid:
        await give_back(case, paid)
    return paid


async def _payment(case: OrderChange, by: datetime) -> Event | None:
    """The payment that makes up the difference, by this moment; it may come in parts."""
    while isinstance(fact := await case.hear(PaymentReceived, by=by), PaymentReceived):
        if await _takes(case, fact):
            return fact
    return fact


async def _takes(case: OrderChange, payment: PaymentReceived) -> bool:
    """Count a payment for this change; whether the difference is paid with it, which may then be spent (rule 8)."""
    whose = meant_for(payment.purpose, case.ref.case_id)
    if whose == "this" or (whose == "unknown" and payment.amount == case.price):
        case.paid += payment.amount
    elif whose == "unknown":
        await case.to_a_person(payment, f"a payment of {payment.amount} for “{payment.purpose[:200]}”")
    if case.paid < case.price:
        return False
    case.order = case.order.model_copy(update={"total": case.opened.order.total + case.price})
    case.paid -= case.price
    return True


async def _unpaid(case: OrderChange) -> Settled:
    """What an operator says to a difference that was not paid; the original order when none decides."""
    if case.left and not case.stopped_on_its_way:
        await case.tell(case.key("unpaid"), f"the changed order has left, and {case.price} was not paid for it")
        return "settled"
    question = (
        f"The customer has not paid {case.price} {case.order.currency} for the changed order. Which one goes out?"
    )
    decided = await case.decision(question, "original", "changed", fallback="original")
    if case.arrived(OrderCancelled):
        return "cancelled"
    while payment := case.arrived(PaymentReceived):
        if await _takes(case, payment):
            return "settled"
    return "original" if decided == "original" else "settled"
