"""The terms on which goods come back (`spec/processes.md` §2, §3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from aftersales.events import ReturnRequested, ReturnTerms
from aftersales.money import goods_value, paid_for, rounded
from aftersales.order import Order


def customer_pays(order: Order, asked: ReturnRequested, *, fee_share: Decimal = Decimal(0)) -> ReturnTerms:
    """The customer bears the return freight and a restocking fee of this share of the goods' value (`000`)."""
    value = goods_value(order, asked.lines)
    fee = rounded(value * fee_share, order.currency)
    return ReturnTerms(lines=asked.lines, freight="customer", fee=fee, refund=value - fee)


def by_law(order: Order, asked: ReturnRequested) -> ReturnTerms:
    """A withdrawal by law: all is refunded, the customer bears the direct return freight (rule 11)."""
    return ReturnTerms(lines=asked.lines, freight="customer", refund=paid_for(order, asked.lines))


def shop_pays(order: Order, asked: ReturnRequested) -> ReturnTerms:
    """A prepaid label and everything back that the customer paid (`000`, the third letter)."""
    return ReturnTerms(lines=asked.lines, freight="shop", refund=paid_for(order, asked.lines))


class ReturnFreight(NamedTuple):
    """Who pays what of the freight that the customer advanced: the insurer to the customer, and we to the customer."""

    insurer: Decimal
    shop: Decimal


def return_freight(
    order: Order, terms: ReturnTerms, receipt: Decimal | None, caps: Mapping[str, Decimal]
) -> ReturnFreight:
    """How a return freight of this receipt is shared (`004`); `caps` are the insurance's caps by category of goods.

    Our fault, or a freight that we took over: insurance bought by the shop pays up to its cap and we top up; insurance
    bought by the customer is the customer's own, so we pay all. Else the insurance pays up to its cap, the customer
    bears the excess. The caps by category are in CNY; an order in another currency names its own.
    """
    if receipt is None:
        return ReturnFreight(Decimal(0), Decimal(0))
    insurance = order.freight_insurance
    category = order.lines([line.line_id for line in terms.lines])[0].category
    usual = caps.get(category, caps["default"]) if order.currency == "CNY" else Decimal(0)
    insured = min(receipt, insurance.cap or usual) if insurance.bought_by == "shop" else Decimal(0)
    ours = terms.our_fault or terms.freight == "shop"
    return ReturnFreight(insured, receipt - insured if ours else Decimal(0))
