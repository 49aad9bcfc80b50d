from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.events import ReceivedItem
from aftersales.keeping import compensation, is_other_item, line_refund, line_value, worth_returning
from aftersales.order import Order
from tests.events import order

SHARE = Decimal("0.2")


def lamp(**changes: Any) -> Order:
    return Order.model_validate(order("A-1", **changes))


def got(value: str = "60.00", sku: str = "FAN-03") -> ReceivedItem:
    return ReceivedItem(sku=sku, title="Table fan", value=Decimal(value))


def offer(value: str | None, **changes: Any) -> Decimal:
    snapshot = lamp(**changes)
    return compensation(snapshot, snapshot.items[0], got(value) if value else None, SHARE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "24.00"), ("500.00", "24.00"), ("96.00", "24.00"), ("95.99", "24.01"), ("0", "120.00")],
)
def test_the_offer_is_the_share_or_the_price_difference_whichever_is_more(value: str | None, expected: str) -> None:
    assert offer(value) == Decimal(expected)


def test_the_offer_is_rounded_to_the_currency() -> None:
    items = [{**order("A-1")["items"][0], "unit_price": "1233"}]
    assert offer(None, items=items, currency="JPY", total="1233", freight_paid="0") == Decimal("247")


def test_a_line_of_several_counts_whole() -> None:
    items = [{**order("A-1")["items"][0], "quantity": 3, "unit_price": "40.00"}]
    assert offer("30.00", items=items) == Decimal("30.00")


def test_the_refund_of_the_whole_order_holds_its_freight() -> None:
    snapshot = lamp()
    assert line_refund(snapshot, snapshot.items[0]) == Decimal("129.90")
    assert line_value(snapshot, snapshot.items[0]) == Decimal("120.00")


@given(st.decimals("0", "1000", places=2))
def test_never_more_than_the_customer_paid(value: Decimal) -> None:
    assert Decimal("24.00") <= offer(str(value)) <= Decimal("120.00")


@pytest.mark.parametrize(("value", "expected"), [("9.89", False), ("9.90", True), ("60.00", True)])
def test_not_worth_returning_where_the_freight_is_greater_than_its_value(value: str, expected: bool) -> None:
    snapshot = lamp()
    assert worth_returning(snapshot, snapshot.items[0], got(value), {}) is expected


def test_the_return_freight_of_the_policy_counts_in_its_currency() -> None:
    snapshot = lamp()
    item = snapshot.items[0]
    assert not worth_returning(snapshot, item, got(), {"USD": Decimal("60.01")})
    assert worth_returning(snapshot, item, got(), {"EUR": Decimal("60.01")})
    assert worth_returning(snapshot, item, None, {"USD": Decimal("120.00")})


def test_an_sku_is_the_same_however_it_is_written() -> None:
    item = lamp().items[0]
    assert is_other_item(item, got())
    assert not is_other_item(item, got(sku=" lamp-01"))
    assert not is_other_item(item, None)
