"""Larger numbers of units: what they cost, who wants more, and where the goods go."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aftersales.bulk import Bulk, dearest, in_one_line, is_of_the_order, named_place, price_of, wanted_share
from aftersales.events import parse_event
from aftersales.order import Order
from aftersales.policy import load_policy
from aftersales.routing import Start, case_for, start_for
from tests import events

POLICIES = Path(__file__).parents[2] / "policies"


def order(*quantities: int, price: str = "15.00", **changed: Any) -> Order:
    item = events.order("A-1")["items"][0] | {"unit_price": price}
    items = [item | {"line_id": str(at), "quantity": quantity} for at, quantity in enumerate(quantities)]
    return Order.model_validate(events.order("A-1", items=items, total="1000.00", **changed))


@pytest.mark.parametrize(
    ("quantities", "units", "of_the_order", "price"),
    [
        ((1,), 10, True, "150.00"),
        ((6,), 6, True, "90.00"),
        ((6,), 5, True, "75.00"),
        ((1, 2), 6, True, "90.00"),
        ((1, 2), 7, False, "105.00"),
    ],
)
def test_units_cost_what_those_of_the_order_cost(
    quantities: tuple[int, ...], units: int, of_the_order: bool, price: str
) -> None:
    asked_in = order(*quantities)
    assert is_of_the_order(asked_in, units) is of_the_order
    assert str(price_of(asked_in, units)) == price


def test_prices_are_in_whole_units_of_the_currency() -> None:
    assert str(price_of(order(3, price="33", currency="JPY"), 5)) == "165"


def test_no_units_cost_more_than_the_dearest() -> None:
    assert dearest(order(1, 2), 7) == Decimal("105.00")


@pytest.mark.parametrize(
    ("wanted", "more"),
    [
        (None, False),
        (" ", False),
        ("10 %", False),
        ("0.08", False),
        ("10.5 %", True),
        ("15%", True),
        ("half off", True),
        ("50.00", True),
    ],
)
def test_more_is_what_the_policy_does_not_give(wanted: str | None, more: bool) -> None:
    assert Bulk().asks_for_more(wanted) is more


def test_a_wish_is_read_where_it_is_a_share() -> None:
    assert wanted_share("15 %") == Decimal("0.15")
    assert wanted_share("a bit less") is None
    assert wanted_share(None) is None


def test_a_policy_leaves_room_for_a_supervisor() -> None:
    with pytest.raises(ValidationError, match="most_bulk_discount is less than bulk_discount"):
        Bulk.model_validate({"bulk_discount": "30 %"})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Apart, please. They go to 9 Elm Rd, Dallas.", "Apart, please. They go to 9 Elm Rd, Dallas."),
        ("2. 14 Oak Ave, Salem", "14 Oak Ave, Salem"),
        ("9 Elm Rd\nDallas, TX 75201\n\n> On Monday you wrote 123:", "9 Elm Rd Dallas, TX 75201"),
        ("送到上海市南京路10号", "送到上海市南京路10号"),
        ("2", ""),
        ("Option 1, please", ""),
        ("all 12 units together", ""),
        ("packed together please", ""),
        ("", ""),
    ],
)
def test_words_name_a_place_where_they_hold_a_number_of_their_own(text: str, place: str) -> None:
    assert named_place(text, 12) == place


def test_a_place_fits_into_a_letter() -> None:
    assert len(named_place("to 9 Elm Rd " + 500 * "and on ", 12)) == 300


def test_an_address_stands_in_one_line() -> None:
    address = order(1).ship_to.model_copy(update={"region": None})
    assert in_one_line(address) == f"{address.name}, {address.line1}, {address.postcode} {address.city}, US"


def test_a_request_opens_one_case_for_the_order() -> None:
    asked = parse_event(events.event("order.bulk_requested", "A-1", order=events.order("A-1"), units=6))
    start = start_for(asked, order(6), load_policy(POLICIES / "default.yaml", POLICIES / "law"))
    assert isinstance(start, Start)
    assert case_for(start.process, start.trigger, order(6)) == "large-order/A-1"
