"""Paying back: an amount, to where it was paid from, once."""

from __future__ import annotations

from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from pydantic import JsonValue

from adapters.counterparts.envelope import command_id
from adapters.platforms.notes import refund_note
from adapters.shopify_admin.client import Admin, Answer, Document, Done
from adapters.shopify_admin.orders import OrderName
from aftersales.commands import Command, CommandRefused, NotNow

MOST = 50
"""Refunds and transactions of an order that are looked at."""


class _Money(Answer):
    amount: Decimal


class _MoneyBag(Answer):
    presentment_money: _Money


class _Parent(Answer):
    id: str


class _Transaction(Answer):
    id: str
    kind: str
    status: str
    gateway: str | None
    amount_set: _MoneyBag
    parent_transaction: _Parent | None


class _Refund(Answer):
    id: str
    note: str | None = None


class _Paid(Answer):
    presentment_currency_code: str
    refunds: tuple[_Refund, ...]
    transactions: tuple[_Transaction, ...]


class _Payments(Answer):
    order: _Paid


class _Created(Done):
    refund: _Refund | None


class _Refunded(Answer):
    refund_create: _Created


PAYMENTS = Document("payments", _Payments)
REFUND = Document("refund", _Refunded)


async def refund(admin: Admin, order: OrderName, command: Command) -> str:
    """Pay back the command's amount; the refund's number in Shopify. A repeat finds the first one by its note.

    Raises:
        CommandRefused: there is not that much to be paid back, or Shopify says no.
        NotNow: Shopify did not say what became of it.
    """
    token = command_id(command.key)
    paid = (await admin.ask(PAYMENTS, id=order.id)).order
    for earlier in paid.refunds:
        if token in (earlier.note or ""):
            return _number(earlier)
    if max(len(paid.refunds), len(paid.transactions)) >= MOST:
        # Beyond what was looked at there may be the refund that was asked for.
        raise CommandRefused(f"{order.name} has {MOST} payments or refunds, too many to look through; pay it by hand")
    if command.data.get("currency") != paid.presentment_currency_code:
        raise CommandRefused(
            f"{order.name} was paid in {paid.presentment_currency_code}, and the refund is in "
            f"{command.data.get('currency')}; pay it by hand"
        )
    shares = _shares(order, paid, Decimal(str(command.data["amount"])))
    created = await admin.ask(
        REFUND,
        key=str(uuid5(NAMESPACE_URL, command.key)),
        input={
            "orderId": order.id,
            "currency": paid.presentment_currency_code,
            "note": refund_note(command.key, f"{command.type} of {command.case_id} ({token})"),
            "notify": False,
            "discrepancyReason": "OTHER",
            "transactions": shares,
        },
    )
    created.refund_create.check()
    if created.refund_create.refund is None:
        raise NotNow("Shopify did not say what became of the refund")
    return _number(created.refund_create.refund)


def _shares(order: OrderName, paid: _Paid, amount: Decimal) -> list[JsonValue]:
    """How the amount goes back over the payments of the order, the first ones first."""
    shares: list[JsonValue] = []
    rest = amount
    for payment in paid.transactions:
        if payment.kind not in ("SALE", "CAPTURE") or payment.status != "SUCCESS":
            continue
        back = [
            one.amount_set.presentment_money.amount
            for one in paid.transactions
            if one.kind == "REFUND"
            and one.status in ("SUCCESS", "PENDING", "AWAITING_RESPONSE")
            and one.parent_transaction
            and one.parent_transaction.id == payment.id
        ]
        share = min(rest, payment.amount_set.presentment_money.amount - sum(back))
        if share > 0:
            shares.append(
                {
                    "orderId": order.id,
                    "parentId": payment.id,
                    "gateway": payment.gateway or "",
                    "kind": "REFUND",
                    "amount": str(share),
                }
            )
            rest -= share
    if rest:
        raise CommandRefused(f"{order.name} has only {amount - rest} left that Shopify can pay back, not {amount}")
    return shares


def _number(refund: _Refund) -> str:
    return refund.id.rpartition("/")[2]
