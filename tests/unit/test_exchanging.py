from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aftersales.events import ExchangeRequested
from aftersales.exchanging import cause, exchanged_lines, price_difference, refusals, same_product
from aftersales.order import Order
from aftersales.payments import meant_for
from tests.events import order

DELIVERED = "2026-11-07T15:00:00+00:00"
WINDOW = timedelta(days=30)


def bought(**changes: Any) -> Order:
    return Order.model_validate(order("A-1", **{"delivered_at": DELIVERED, **changes}))


def asked(*, after: timedelta = timedelta(days=1), **changes: Any) -> ExchangeRequested:
    time = datetime.fromisoformat(DELIVERED) + after
    return ExchangeRequested(id="1", source="shop", order_id="A-1", time=time, **changes)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asked(), []),
        (asked(after=WINDOW), []),
        (asked(after=WINDOW + timedelta(seconds=1)), ["late"]),
        (asked(opened=True), ["opened"]),
        (asked(labels_on=False, opened=True, after=2 * WINDOW), ["late", "opened", "labels_off"]),
        (asked(opened=True, reason="size"), ["opened"]),
        (asked(labels_on=False, opened=True, after=2 * WINDOW, reason="missing_part"), []),
    ],
)
def test_goods_are_exchanged_in_time_unopened_with_labels_or_where_it_is_our_fault(
    request_: ExchangeRequested, expected: list[str]
) -> None:
    assert refusals(bought(), request_, WINDOW) == expected


def test_the_window_begins_with_the_delivery() -> None:
    assert refusals(bought(delivered_at=None), asked(after=9 * WINDOW), WINDOW) == []


def test_never_more_comes_back_than_was_bought() -> None:
    lines = exchanged_lines(bought(), asked(lines=[{"line_id": "1", "quantity": 9}]))
    assert [(line.line_id, line.quantity) for line in lines] == [("1", 1)]
    assert exchanged_lines(bought(), asked()) == lines


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, "0"),
        ({"wanted_sku": " lamp-01 ", "wanted_price": Decimal("999")}, "0"),
        ({"wanted_sku": "LAMP-02", "wanted_price": Decimal("150.00")}, "30.00"),
        ({"wanted_sku": "LAMP-02", "wanted_price": Decimal("100.00")}, "-20.00"),
        ({"wanted_sku": "LAMP-02", "wanted_price": Decimal("120.004")}, "0.00"),
    ],
)
def test_the_difference_is_the_wanted_price_less_what_was_paid(wish: dict[str, Any], expected: str) -> None:
    assert price_difference(bought(), asked(**wish)) == Decimal(expected)


def test_the_price_counts_for_each_piece() -> None:
    items = [{**order("A-1")["items"][0], "quantity": 3, "unit_price": "40.00"}]
    wish = asked(wanted_sku="LAMP-02", wanted_price=Decimal("45.00"), lines=[{"line_id": "1", "quantity": 2}])
    assert price_difference(bought(items=items), wish) == Decimal("10.00")


def test_a_price_that_nobody_named_is_not_known() -> None:
    wish = asked(wanted_sku="LAMP-02")
    assert not same_product(bought(), wish)
    assert price_difference(bought(), wish) is None


@pytest.mark.parametrize(
    ("reason", "our_fault", "expected"),
    [
        ("defective", True, "product"),
        ("wrong_item", True, "service"),
        ("too_late", False, "logistics"),
        ("size", False, "customer"),
        (None, True, "product"),
        (None, False, "customer"),
    ],
)
def test_the_cause_is_that_of_the_reason(reason: Any, our_fault: bool, expected: str) -> None:
    assert cause(reason, our_fault=our_fault) == expected


@pytest.mark.parametrize(
    ("purpose", "case", "expected"),
    [
        ("", "exchange/A-1", "this"),
        ("exchange/A-1", "exchange/A-1", "this"),
        ("Price difference", "exchange/A-1", "this"),
        ("换货差价", "exchange/A-1", "this"),
        ("exchange/A-1/2", "exchange/A-1", "another"),
        ("repair", "exchange/A-1", "another"),
        ("repair", "repair/A-1/1", "this"),
        ("repair/A-1/2", "repair/A-1/1", "another"),
        ("gift card", "repair/A-1/1", "unknown"),
        ("exchange", "order-change/A-1", "another"),
        ("order-change", "order-change/A-1", "this"),
    ],
)
def test_a_payment_is_for_the_case_that_its_purpose_names(purpose: str, case: str, expected: str) -> None:
    assert meant_for(purpose, case) == expected
