from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aftersales.events import ExchangeRequested, ReturnReceived
from aftersales.exchanging import Wish
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
    assert Wish(bought(), request_).refusals(WINDOW) == expected


def test_the_window_begins_with_the_delivery() -> None:
    assert Wish(bought(delivered_at=None), asked(after=9 * WINDOW)).refusals(WINDOW) == []


def test_never_more_comes_back_than_was_bought() -> None:
    lines = Wish(bought(), asked(lines=[{"line_id": "1", "quantity": 9}])).lines
    assert [(line.line_id, line.quantity) for line in lines] == [("1", 1)]
    assert Wish(bought(), asked()).lines == lines


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
    assert Wish(bought(), asked(**wish)).difference == Decimal(expected)


def test_the_price_counts_for_each_piece() -> None:
    items = [{**order("A-1")["items"][0], "quantity": 3, "unit_price": "40.00"}]
    wish = asked(wanted_sku="LAMP-02", wanted_price=Decimal("45.00"), lines=[{"line_id": "1", "quantity": 2}])
    assert Wish(bought(items=items), wish).difference == Decimal("10.00")


def test_a_price_that_nobody_named_is_not_known() -> None:
    wish = Wish(bought(), asked(wanted_sku="LAMP-02"))
    assert wish.wanted == "LAMP-02"
    assert wish.difference is None


@pytest.mark.parametrize(
    ("reason", "found", "cause", "freight"),
    [
        ("defective", None, "product", "shop"),
        ("wrong_item", None, "service", "shop"),
        ("too_late", None, "logistics", "customer"),
        ("size", None, "customer", "customer"),
        ("size", "our_fault", "product", "shop"),
        (None, "our_fault", "product", "shop"),
        (None, "no_fault", "customer", "customer"),
        (None, None, "customer", "open"),
    ],
)
def test_the_reason_says_the_cause_and_who_pays_the_way_back(reason: Any, found: Any, cause: str, freight: str) -> None:
    wish = Wish(bought(), asked(reason=reason), found)
    assert (wish.cause, wish.freight) == (cause, freight)


@pytest.mark.parametrize(
    ("before", "again", "expected"),
    [("size", None, "size"), ("size", "damaged", "damaged"), ("damaged", "size", "damaged"), (None, "size", "size")],
)
def test_a_new_wish_takes_back_no_reason_and_nothing_that_was_promised(before: Any, again: Any, expected: str) -> None:
    wish = Wish(bought(), asked(reason=before)).renewed(asked(reason=again, wanted_sku="LAMP-02"))
    assert (wish.asked.reason, wish.wanted) == (expected, "LAMP-02")


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ([], ()),
        ([("1", 2, "as_described")], ()),
        ([("1", 1, "as_described")], ("missing",)),
        ([("1", 1, "as_described"), ("1", 1, "used")], ("used",)),
        ([("1", 1, "used")], ("used", "missing")),
    ],
)
def test_pieces_that_do_not_come_with_the_others_are_missing(
    came: list[tuple[str, int, str]], expected: tuple[str, ...]
) -> None:
    items = [{**order("A-1")["items"][0], "quantity": 2}]
    lines = [{"line_id": line, "quantity": quantity, "condition": condition} for line, quantity, condition in came]
    received = ReturnReceived.model_validate(
        {"id": "2", "source": "wms", "order_id": "A-1", "time": DELIVERED, "lines": lines}
    )
    assert Wish(bought(items=items), asked()).findings(received) == expected


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
