"""The terms on which goods come back (`spec/processes.md` §2, §3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import unquote

from aftersales.events import ReturnAgreed, ReturnLine, ReturnRequested, ReturnTerms, WrongItemReported
from aftersales.ids import parse_case_id
from aftersales.money import goods_value, paid_for, rounded
from aftersales.order import Order
from aftersales.outcome import Cause

_NO_FAULT = (None, "changed_mind", "no_longer_needed", "bought_by_other", "found_cheaper", "size")


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


def our_fault(order: Order, asked: ReturnRequested, cause: Cause) -> ReturnTerms:
    """The shop bears everything, because the return is no fault of the customer's (`003 §12`, `004`)."""
    return shop_pays(order, asked).model_copy(update={"our_fault": True, "cause": cause})


def agreed(order: Order, asked: ReturnRequested, terms: ReturnTerms) -> ReturnAgreed:
    """What return-parcel is told of a request whose terms are settled."""
    return ReturnAgreed(**_known(asked), order=order, terms=terms)


def asks_the_same(terms: ReturnTerms, asked: ReturnRequested) -> bool:
    """Whether a request says nothing that these terms do not cover: no other goods, and no fault of ours."""
    settled = {line.line_id for line in terms.lines}
    known = not settled or (asked.lines and settled.issuperset(line.line_id for line in asked.lines))
    return bool(known) and (terms.freight == "shop" or asked.reason in _NO_FAULT)


def wrong_item(order: Order, asked: ReturnRequested, line_id: str) -> WrongItemReported:
    """What wrong-item is told of a request whose reason is a wrong item."""
    return WrongItemReported(**_known(asked), order=order, line_id=line_id, text=asked.text, photos=asked.photos)


def taken_over(case: str, order: Order, asked: ReturnRequested) -> ReturnRequested | WrongItemReported:
    """A request as the process of this case takes it, which return-request handed it to."""
    process, _, part = parse_case_id(case)
    ids = [unquote(line) for line in part.split("+")] if part else [item.line_id for item in order.items]
    if process == "wrong-item":
        return wrong_item(order, asked, ids[0])
    if not part:
        return asked
    lines = asked.lines or tuple(ReturnLine(line_id=item.line_id, quantity=item.quantity) for item in order.items)
    return asked.model_copy(update={"lines": tuple(line for line in lines if line.line_id in ids)})


def _known(asked: ReturnRequested) -> dict[str, Any]:
    return asked.model_dump(include={"id", "source", "order_id", "time"})


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
