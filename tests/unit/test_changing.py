from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aftersales import changing
from aftersales.events import OrderChange
from aftersales.order import Address, Order

ITEM = {"category": "lighting", "unit_cost": "4.00"}
ADDRESS = {"name": "Bo", "line1": "7 Oak Ave", "city": "Salem", "postcode": "97301", "country": "US"}
ORDER = Order.model_validate(
    {
        "order_id": "A-1",
        "shop": "s",
        "channel": "c",
        "market": "US",
        "locale": "en-US",
        "currency": "USD",
        "placed_at": "2026-11-20T09:30:00Z",
        "total": "159.90",
        "freight_paid": "9.90",
        "customer": {"name": "Bo", "email": "bo@example.com", "language": "en"},
        "ship_to": ADDRESS,
        "items": [
            {"line_id": "1", "sku": "LAMP", "title": "Lamp", "quantity": 1, "unit_price": "120.00", **ITEM},
            {"line_id": "2", "sku": "BULB", "title": "Bulb", "quantity": 2, "unit_price": "15.00", **ITEM},
        ],
    }
)


def wish(*lines: dict[str, Any], address: dict[str, Any] | None = None) -> OrderChange:
    return OrderChange.model_validate({"lines": lines, "address": address})


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (wish(), "0"),
        (wish({"line_id": "2", "quantity": 5}), "45"),
        (wish({"line_id": "2", "quantity": 0}), "-30"),
        (wish({"line_id": "1", "wanted_sku": "LAMP-2", "wanted_price": "100.00"}), "-20"),
        (wish({"line_id": "1", "wanted_sku": "LAMP", "quantity": 1, "wanted_price": "1.00"}), "0"),
        (wish({"line_id": "3", "wanted_sku": "FAN", "wanted_price": "60.00"}), "60"),
        (wish({"line_id": "1", "wanted_sku": "LAMP-2"}), None),
        (wish({"line_id": "3", "quantity": 2}), None),
        (wish({"line_id": "3", "quantity": 0}), "0"),
    ],
)
def test_a_change_costs_what_its_lines_differ(change: OrderChange, more: str | None) -> None:
    assert changing.difference(ORDER, change) == (None if more is None else Decimal(more))


def test_lines_that_are_not_named_stay_and_the_total_stays_what_was_paid() -> None:
    changed = changing.changed(ORDER, wish({"line_id": "2", "quantity": 1}))
    assert [(item.line_id, item.quantity) for item in changed.items] == [("1", 1), ("2", 1)]
    assert changed.total == ORDER.total
    assert changed.ship_to == ORDER.ship_to


def test_changing_twice_changes_nothing_more() -> None:
    change = wish({"line_id": "3", "wanted_sku": "FAN", "wanted_price": "60.00"}, {"line_id": "2", "quantity": 0})
    once = changing.changed(ORDER, change)
    assert changing.changed(once, change) == once
    assert [item.sku for item in once.items] == ["LAMP", "FAN"]


def test_a_change_knows_its_address_and_what_it_lacks() -> None:
    moved = wish(address={**ADDRESS, "line1": "9 Elm Rd"})
    assert changing.changed(ORDER, moved).ship_to == Address.model_validate({**ADDRESS, "line1": "9 Elm Rd"})
    assert changing.address_of(None) is None
    assert changing.is_empty(wish())
    assert not changing.is_empty(moved)
    assert changing.takes_all_out(ORDER, wish({"line_id": "1", "quantity": 0}, {"line_id": "2", "quantity": 0}))
    assert not changing.takes_all_out(ORDER, wish({"line_id": "1", "quantity": 0}))
