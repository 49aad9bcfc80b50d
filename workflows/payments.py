"""Payments that a case asks the customer for: a link, a reminder, and parts that are counted up (`§11`, `§12`)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import deadlines
    from aftersales.events import Event, OrderCancelled, PaymentReceived, WarehouseAnswered
    from aftersales.opening import Reply
    from aftersales.payments import meant_for

from workflows.values import Value, link

if TYPE_CHECKING:
    from workflows.case import Case


class Paid(NamedTuple):
    """What the customer paid, and the fact that ended the waiting before it was all."""

    amount: Decimal
    stopped: Event | None = None


async def collect(
    case: Case, letter: str, reminder: str, due: Decimal, *stops: type[Event], paid: Decimal, **said: Value
) -> Paid:
    """Ask for a payment and wait for it until the payment window ends; `paid` is what came before it was asked for.

    Letter and reminder get the `amount` that is open, `payment_url` and `pay_by`. A customer who declines, a cancelled
    order, or one of `stops` ends the waiting.
    """
    reference = await case.command("request_payment", amount=due - paid, purpose=case.ref.case_id)
    by = case.until(case.policy.products.payment_window)
    said |= {"payment_url": link(reference), "pay_by": by}
    await case.send(letter, amount=due - paid, **said)
    got = await _until(case, deadlines.half(workflow.now(), by), due, Paid(paid), stops)
    if got.amount < due and not got.stopped:
        await case.send(reminder, amount=due - got.amount, **said)
        got = await _until(case, by, due, got, stops)
    return got


async def counted(case: Case, payment: PaymentReceived) -> Decimal:
    """What a payment counts for this case; one that nobody can assign goes to a person."""
    whose = meant_for(payment.purpose, case.ref.case_id)
    if whose == "unknown":
        await case.to_a_person(payment, f"a payment of {payment.amount} for “{payment.purpose[:200]}”")
    return payment.amount if whose == "this" else Decimal(0)


async def give_back(case: Case, amount: Decimal) -> None:
    """Give the customer's own payment back: it came on top of the order's total, so it does not count against it."""
    await case.command("refund", amount=amount, purpose=case.ref.case_id)
    case.state.book("refund", amount)


async def _until(case: Case, by: datetime, due: Decimal, got: Paid, stops: tuple[type[Event], ...]) -> Paid:
    while got.amount < due and not got.stopped:
        match await case.next(PaymentReceived, Reply, OrderCancelled, *stops, by=by, unclear="accept"):
            case None:
                return got
            case PaymentReceived() as payment:
                got = Paid(got.amount + await counted(case, payment))
            case Reply(intent="decline") as declined:
                got = Paid(got.amount, declined)
            case Reply(angry=True) as angry:
                await case.to_a_person(angry, "an angry customer, while a payment is awaited")
            case Reply():
                continue
            case WarehouseAnswered(answer=answer) if answer != "out_of_stock":
                continue
            case stop:
                got = Paid(got.amount, stop)
    return got
