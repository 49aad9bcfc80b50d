"""Which goods a case is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from aftersales.about import MOST, goods_of
from aftersales.events import (
    CustomerMessage,
    Event,
    OrderShipped,
    ReturnAgreed,
    ReturnRequested,
    ReturnTerms,
    WrongItemReported,
)
from aftersales.order import Order
from aftersales.shipments import Shipped, lane, shipped
from tests.events import order
from tests.unit.test_losses import NOON


def item(id: str, quantity: int = 3, **changes: str) -> dict[str, Any]:
    known = {"sku": f"S-{id}", "title": "Lamp", "category": "lighting", "unit_price": "20", "unit_cost": "8.0001"}
    return known | {"line_id": id, "quantity": quantity} | changes


ORDER = Order.model_validate(order("A-1", items=[item("1"), item("2", 1)]))
PARCEL = {"parcel_no": "P1", "carrier": "DHL", "origin": "DE", "destination": "FR"}


def told(kind: type[Event], **data: Any) -> Any:
    return kind.model_validate({"id": "e1", "source": "shop", "order_id": "A-1", "time": NOON, **data})


def about(trigger: Event, **back: int) -> list[tuple[str, int, int]]:
    return [(each.line_id, each.quantity, each.back) for each in goods_of(trigger, ORDER, back)]


def line(id: str, quantity: int) -> dict[str, Any]:
    return {"line_id": id, "quantity": quantity}


def test_a_request_is_about_the_lines_that_it_names_added_up_but_never_more_than_there_are() -> None:
    assert about(told(ReturnRequested, lines=[line("1", 2)])) == [("1", 2, 0)]
    assert about(told(ReturnRequested, lines=[line("1", 1), line("1", 1)])) == [("1", 2, 0)]
    assert about(told(ReturnRequested, lines=[line("2", 9)])) == [("2", 1, 0)]


def test_who_names_no_line_means_the_whole_order() -> None:
    whole = [("1", 3, 0), ("2", 1, 0)]
    assert about(told(ReturnRequested)) == about(told(CustomerMessage, text="Where is it?")) == whole


def test_agreed_terms_name_the_lines_and_a_wrong_item_is_one() -> None:
    terms = ReturnTerms.model_validate({"lines": [line("1", 2)], "freight": "shop", "refund": "40"})
    assert about(told(ReturnAgreed, terms=terms)) == [("1", 2, 0)]
    assert about(told(WrongItemReported, line_id="1")) == [("1", 1, 0)]


def test_what_came_back_is_no_more_than_the_case_was_about() -> None:
    asked = told(ReturnRequested, lines=[line("1", 2)])
    assert about(asked, **{"1": 1, "2": 1}) == [("1", 2, 1)]
    assert about(asked, **{"1": 9}) == about(asked, **{"": 1}) == [("1", 2, 2)]


def test_goods_are_worth_what_was_paid_and_at_most_what_an_amount_may_be() -> None:
    (lamps, _) = goods_of(told(ReturnRequested), ORDER, {})
    assert (lamps.value, lamps.cost) == (Decimal(60), Decimal("24.0003"))
    assert (lamps.sku, lamps.category) == ("S-1", "lighting")
    dear = Order.model_validate(order("A-1", items=[item("1", 100_000, unit_price=str(MOST), unit_cost=str(MOST))]))
    (gold,) = goods_of(told(ReturnRequested), dear, {})
    assert (gold.value, gold.cost) == (MOST, MOST)


def test_goods_that_an_order_no_longer_has_are_none() -> None:
    assert goods_of(told(ReturnRequested, lines=[line("9", 1)]), ORDER, {}) == ()


def test_a_parcel_holds_its_lines_or_the_whole_order_and_nothing_where_that_is_not_known() -> None:
    some = told(OrderShipped, order=ORDER, parcel=PARCEL, lines=[line("1", 2)])
    assert shipped(some) == [Shipped("1", "S-1", "lighting", 2, 160002, capped=False)]
    assert [each.quantity for each in shipped(told(OrderShipped, order=ORDER, parcel=PARCEL))] == [3, 1]
    assert shipped(told(OrderShipped, parcel=PARCEL, lines=[line("1", 2)])) == []


def test_goods_that_cost_too_much_to_be_counted_fit_and_say_so() -> None:
    dear = order("A-1", items=[item("1", 100_000, unit_cost="999999999999.9999")])
    (gold,) = shipped(told(OrderShipped, order=dear, parcel=PARCEL))
    assert (gold.cost, gold.capped) == (9_999_999_999_990_000, True)


def test_a_lane_is_what_its_shop_calls_it() -> None:
    assert lane(told(OrderShipped, parcel=PARCEL)) == "DHL:DE>FR"
    assert lane(told(OrderShipped, parcel=PARCEL | {"lane": "dhl-eu"})) == "dhl-eu"
