from decimal import Decimal
from typing import Any, Literal

import pytest

from aftersales.events import ReturnLine, ReturnTerms
from aftersales.order import Order
from aftersales.returning import ReturnFreight, return_freight
from tests.events import order

CAPS = {"default": Decimal("12.00"), "accessories": Decimal("8.00")}


def bag(bought_by: str, cap: str = "12.00", currency: str = "CNY", **changes: Any) -> Order:
    insured = {"bought_by": bought_by} | ({"cap": cap} if cap else {})
    return Order.model_validate(order("A-1", currency=currency, freight_insurance=insured, **changes))


def shared(snapshot: Order, receipt: str | None, *, fault: bool, freight: Literal["customer", "shop"]) -> ReturnFreight:
    terms = ReturnTerms(lines=(ReturnLine(line_id="1"),), freight=freight, refund=Decimal(100), our_fault=fault)
    return return_freight(snapshot, terms, Decimal(receipt) if receipt else None, CAPS)


@pytest.mark.parametrize(
    ("fault", "bought_by", "insurer", "shop"),
    [
        (True, "shop", "12.00", "8.00"),
        (True, "customer", "0", "20.00"),
        (True, "none", "0", "20.00"),
        (False, "shop", "12.00", "0"),
        (False, "customer", "0", "0"),
        (False, "none", "0", "0"),
    ],
)
def test_who_bears_the_return_freight(fault: bool, bought_by: str, insurer: str, shop: str) -> None:
    freight = shared(bag(bought_by), "20.00", fault=fault, freight="customer")
    assert freight == (Decimal(insurer), Decimal(shop))


def test_a_freight_that_we_took_over_is_ours_without_a_fault_of_ours() -> None:
    assert shared(bag("none"), "20.00", fault=False, freight="shop") == (Decimal(0), Decimal("20.00"))


def test_a_receipt_below_the_cap_is_all_the_insurers() -> None:
    assert shared(bag("shop"), "7.50", fault=True, freight="shop") == (Decimal("7.50"), Decimal(0))


def test_without_a_receipt_nobody_pays() -> None:
    assert shared(bag("shop"), None, fault=True, freight="shop") == (Decimal(0), Decimal(0))


def test_the_cap_of_the_category_where_the_order_names_none() -> None:
    items = [{**order("A-1")["items"][0], "category": "accessories"}]
    freight = shared(bag("shop", cap="", items=items), "20.00", fault=True, freight="customer")
    assert freight == (Decimal("8.00"), Decimal("12.00"))


def test_caps_by_category_are_in_cny_and_say_nothing_about_dollars() -> None:
    freight = shared(bag("shop", cap="", currency="USD"), "20.00", fault=True, freight="customer")
    assert freight == (Decimal(0), Decimal("20.00"))
