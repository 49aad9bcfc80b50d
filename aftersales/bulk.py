"""Larger numbers of units: from how many on, what they cost, and where a customer says they shall go (§16)."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from aftersales.lanes import Section
from aftersales.money import goods_value, rounded
from aftersales.order import Address, Order
from aftersales.reply_text import own_words, without_signature
from aftersales.units import Share, Window, parse_share

_CHOICE = re.compile(r"^\W*[12][).:,;-]\s*")
_LONGEST_PLACE = 300


class Bulk(Section):
    """Orders of several units at a lower price (`§16`)."""

    bulk_units: Annotated[int, Field(ge=1)] = 5
    """From how many units on an order is a large one (`§16`)."""
    bulk_discount: Share = Decimal("0.10")
    """What a large order costs less, as a share of the value of the goods (`§16`)."""
    most_bulk_discount: Share = Decimal("0.25")
    """The most that a supervisor may take off, as a share of the value of the goods (`§16`)."""
    details_window: Window = timedelta(hours=72)
    """Time of a customer to say where the goods go and how they are packed; a reminder at half of it (`§16`)."""
    bulk_offer_window: Window = timedelta(hours=72)
    """How long the offer waits for an answer in writing; the reminder goes out at half of it (`§16`)."""

    @model_validator(mode="after")
    def _room_for_a_supervisor(self) -> Self:
        if self.most_bulk_discount < self.bulk_discount:
            raise ValueError("most_bulk_discount is less than bulk_discount, which needs no supervisor")
        return self

    def asks_for_more(self, wanted: str | None) -> bool:
        """Whether a customer wants more off than every large order has; a wish that no rule can read counts as one."""
        share = wanted_share(wanted)
        return bool(wanted and wanted.strip()) and (share is None or share > self.bulk_discount)


def wanted_share(wanted: str | None) -> Decimal | None:
    """The share that a customer would like off; None where none is said, or not as a share (`15 %`, `0.15`)."""
    try:
        return parse_share(wanted)
    except ValueError:
        return None


def units_in(order: Order) -> int:
    """How many units an order holds, over all of its lines."""
    return sum(item.quantity for item in order.items)


def is_of_the_order(order: Order, units: int) -> bool:
    """Whether so many units are the order's goods, all of them a whole number of times; of one product any number."""
    return len(order.items) == 1 or units % units_in(order) == 0


def price_of(order: Order, units: int) -> Decimal:
    """What so many units cost, without freight and before a discount, in the proportions of the order."""
    return rounded(goods_value(order) * units / units_in(order), order.currency)


def dearest(order: Order, units: int) -> Decimal:
    """The most that so many units of the order's products can cost."""
    return rounded(max(item.unit_price for item in order.items) * units, order.currency)


def named_place(text: str, units: int) -> str:
    """The customer's own words where they may name a place: with a number beside those of the choices and the units."""
    said = _CHOICE.sub("", " ".join(without_signature(own_words(text)).split()))
    numbers = set(re.findall(r"\d+", said)) - {"1", "2", str(units)}
    return said[:_LONGEST_PLACE] if numbers else ""


def in_one_line(address: Address) -> str:
    """An address as a letter names it."""
    place = f"{address.postcode} {address.city}".strip()
    return ", ".join(filter(None, (address.name, address.line1, place, address.region, address.country)))
