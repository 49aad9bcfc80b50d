"""When an order has to leave, what follows when it does not, and whether it can be sent at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aftersales.deadlines import CALENDAR
from aftersales.dispatching import Delay, gift_cost, promised_by, still_to_send
from aftersales.events import Line, OrderShipped
from aftersales.order import Address, Order
from aftersales.serving import area_of, missing

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
SHAPES = {"US": ("99999", "999999999"), "GB": ("A99AA",), "HK": ()}


def order(**changes: Any) -> Order:
    data: dict[str, Any] = {
        "order_id": "A-1",
        "shop": "s",
        "channel": "c",
        "market": "US",
        "locale": "en-US",
        "currency": "USD",
        "placed_at": NOW,
        "total": "50.00",
        "freight_paid": "0",
        "customer": {"name": "Ada", "email": "ada@example.com", "language": "en"},
        "ship_to": {"name": "Ada", "line1": "1 Main St", "city": "Austin", "postcode": "78701", "country": "US"},
        "items": [
            {
                "line_id": "1",
                "sku": "L",
                "title": "L",
                "category": "x",
                "quantity": 1,
                "unit_price": "20",
                "unit_cost": "1",
            },
            {
                "line_id": "2",
                "sku": "B",
                "title": "B",
                "category": "x",
                "quantity": 3,
                "unit_price": "10",
                "unit_cost": "1",
            },
        ],
    }
    return Order.model_validate(data | changes)


def parcel(number: str, **lines: int) -> OrderShipped:
    return OrderShipped.model_validate(
        {
            "id": number,
            "source": "s",
            "order_id": "A-1",
            "time": NOW,
            "parcel": {"parcel_no": number, "carrier": "ups"},
            "lines": [{"line_id": line[1:], "quantity": count} for line, count in lines.items()],
        }
    )


@pytest.mark.parametrize(
    ("stated", "since", "due"),
    [
        (None, None, NOW + 3 * DAY),
        (NOW + DAY, None, NOW + DAY),
        (None, NOW + DAY, NOW + 4 * DAY),
        (NOW + 2 * DAY, NOW + DAY, NOW + 2 * DAY),
        (NOW + DAY, NOW + 5 * DAY, NOW + 8 * DAY),
    ],
)
def test_the_promise_is_the_stated_one_unless_it_had_passed(
    stated: datetime | None, since: datetime | None, due: datetime
) -> None:
    assert promised_by(order(promised_dispatch_by=stated), 3 * DAY, CALENDAR, since) == due


def test_what_is_still_to_be_sent() -> None:
    assert still_to_send(order(), [parcel("P1")]) == ()
    assert still_to_send(order(), [parcel("P1", l1=1, l2=1)]) == (Line(line_id="2", quantity=2),)
    assert still_to_send(order(), [parcel("P1", l2=1), parcel("P1", l2=1)])[1].quantity == 2
    assert still_to_send(order(), [parcel("P1", l2=3)], [Line(line_id="2", quantity=3)]) == ()


def test_a_gift_has_a_limit_and_a_currency() -> None:
    assert gift_cost(order(), {"USD": Decimal(5)}, Decimal("0.1")) == 5
    assert gift_cost(order(), {"USD": Decimal("5.01")}, Decimal("0.1")) is None
    assert gift_cost(order(), {"EUR": Decimal(1)}, Decimal("0.1")) is None


@pytest.mark.parametrize(
    ("expected", "silence", "cancel_at"),
    [
        (NOW + 10 * DAY, "wait", NOW + 10 * DAY),
        (NOW + 30 * DAY, "wait", NOW + 30 * DAY),
        (NOW + 31 * DAY, "cancel", NOW + 30 * DAY),
        (None, "cancel", NOW + 30 * DAY),
    ],
)
def test_silence_consents_to_a_first_delay_of_thirty_days_at_most(
    expected: datetime | None, silence: str, cancel_at: datetime
) -> None:
    delay = Delay(NOW, limit=NOW, consent=30 * DAY, expected=expected)
    assert delay.notify(NOW + DAY) == silence
    assert delay.cancel_at == cancel_at


def test_a_second_delay_needs_the_customers_word() -> None:
    delay = Delay(NOW, limit=NOW, consent=30 * DAY, expected=NOW + 5 * DAY)
    delay.notify(NOW)
    delay.expected = NOW + 8 * DAY
    assert delay.notify(NOW) == "cancel"
    assert delay.cancel_at == NOW + 5 * DAY
    delay.agree()
    assert delay.cancel_at == NOW + 8 * DAY


def test_nobody_is_cut_off_before_there_was_time_to_answer() -> None:
    delay = Delay(NOW, limit=NOW - 60 * DAY, consent=30 * DAY)
    delay.notify(NOW + 2 * DAY)
    assert delay.cancel_at == NOW + 2 * DAY


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ()),
        ({"name": " ", "line1": "-"}, ("name", "street")),
        ({"postcode": "78701-1234"}, ()),
        ({"postcode": "7870"}, ("postcode",)),
        ({"country": "GB", "postcode": "n1-2ab"}, ()),
        ({"country": "GB", "postcode": "W1A 1AA"}, ("postcode",)),
        ({"country": "GB", "postcode": "e1w 3ab"}, ("postcode",)),
        ({"country": "HK", "postcode": ""}, ()),
        ({"country": "FR", "postcode": ""}, ("postcode",)),
        ({"country": "--"}, ("country",)),
    ],
)
def test_what_an_address_lacks(changes: dict[str, str], found: tuple[str, ...]) -> None:
    address = order().ship_to.model_copy(update=changes)
    assert missing(address, SHAPES) == found


@pytest.mark.parametrize(
    ("area", "lies"),
    [
        ("US", True),
        ("CA", False),
        ("US/TX", True),
        ("US/tx", True),
        ("US/AK", False),
        ("US 787*", True),
        ("US 995*", False),
    ],
)
def test_where_an_address_lies(area: str, lies: bool) -> None:
    address = Address(name="A", line1="x", city="Austin", region="TX", postcode="78701", country="us")
    assert (area_of(address, [area]) == area) is lies
