"""Gifts and free shipping that customers ask for: what may be given, and why not (`§15`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import Field

from aftersales.lanes import Section
from aftersales.model import Amount
from aftersales.order import Currency, Order
from aftersales.units import Share, Window

Perk = Literal["gift", "free_shipping"]
WhyNot = Literal[
    "free_already", "none_here", "special_price", "left", "too_small", "above_limit", "given_before", "not_possible"
]
"""Why there is no perk: no freight was paid, there is no gift in this currency, the order is at a special price, it has
left, it is too small for the gift, the money needs a supervisor, the order has had it, or who was to give it refused.
"""


class Offer(NamedTuple):
    """What a perk costs the shop in the order's currency, zero where there is none to give, and why it is refused."""

    cost: Decimal
    why_not: WhyNot | None


class Perks(Section):
    """Gifts and free shipping that customers ask for (`§15`)."""

    perk_window: Window = timedelta(hours=72)
    """How long a customer who was told no may ask again (`§15`)."""
    gift_sku: str = Field(default="", max_length=200)
    """The gift as the warehouse knows it; empty for no gift (`§15`)."""
    gift_costs: Mapping[Currency, Amount] = {}
    """What the gift costs the shop, by currency of the order; none in other currencies (`§15`)."""
    gift_at_most: Share = Decimal("0.1")
    """The most that the gift may cost, as a share of the order's total (`§15`)."""

    def offer(self, order: Order, perk: Perk, *, left: bool, limit: Decimal) -> Offer:
        """A perk for an order; `left` where it has gone out, `limit` the most that needs no supervisor.

        A gift needs a parcel that is still here, while freight can be given back at any time.
        """
        gift = perk == "gift"
        cost = (self.gift_costs.get(order.currency) if self.gift_sku else None) if gift else order.freight_paid
        why: WhyNot | None = None
        if not cost:
            why = "none_here" if gift else "free_already"
        elif order.special_price:
            why = "special_price"
        elif gift and left:
            why = "left"
        elif gift and cost > order.total * self.gift_at_most:
            why = "too_small"
        elif cost > limit:
            why = "above_limit"
        return Offer(cost or Decimal(0), why)
