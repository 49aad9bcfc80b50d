"""Payments that a case asks the customer for: a link, a reminder, and parts that are counted up (`§11`, `§12`)."""

from __future__ import annotations

from collections.abc import Mapping
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
    case: Case, letters: tuple[str, str], said: Mapping[str, str], due: Decimal, *stops: type[Event], paid: Decimal
) -> Paid:
    """Ask for a payment and wait for it until the payment window ends; what is too much goes back at once.

    `paid` is what came for it before. The letters, the second a reminder, get what is `said`, the `amount` that is
    open, `payment_url` and `pay_by`; a customer who has paid all is not asked. One who declines, a cancelled order, or
    one of `stops` ends the waiting.
    """
    while early := case.arrived(PaymentReceived):
        paid += await counted(case, early)
    got = Paid(paid)
    if paid < due:
        reference = await case.command("request_payment", amount=due - paid, purpose=case.ref.case_id)
        by = case.until(case.policy.products.payment_window)
        request: dict[str, Value] = {**said, "payment_url": link(reference), "pay_by": by}
        await case.send(letters[0], amount=due - paid, **request)
        got = await _until(case, deadlines.half(workflow.now(), by), due, got, stops)
        if got.amount < due and not got.stopped:
            await case.send(letters[1], amount=due - got.amount, **request)
            got = await _until(case, by, due, got, stops)
    if got.amount > due:
        await give_back(case, got.amount - due)
    return Paid(min(got.amount, due), got.stopped)


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


async def patience(case: Case, *kinds: type[Event], by: datetime) -> Event | None:
    """What ends a customer's waiting: one of these facts, a cancelled order, a customer who will not; None at the end.

    What nobody can read waits on, as does an angry customer, who a person is told of.
    """
    while True:
        match await case.next(*kinds, Reply, OrderCancelled, by=by, unclear="accept"):
            case Reply(intent="decline") as declined:
                return declined
            case Reply(angry=True) as angry:
                await case.to_a_person(angry, f"an angry customer, at {case.state.stage}")
            case Reply():
                continue
            case WarehouseAnswered(answer=answer) if answer != "out_of_stock":
                continue
            case fact:
                return fact


async def _until(case: Case, by: datetime, due: Decimal, got: Paid, stops: tuple[type[Event], ...]) -> Paid:
    while got.amount < due and not got.stopped:
        match await patience(case, PaymentReceived, *stops, by=by):
            case None:
                return got
            case PaymentReceived() as payment:
                got = Paid(got.amount + await counted(case, payment))
            case stop:
                got = Paid(got.amount, stop)
    return got
