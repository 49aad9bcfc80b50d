"""Customers who threaten with a bad review, and reviews that are out: what we pay and how long we wait (§19)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from aftersales.lanes import Section
from aftersales.model import Amount
from aftersales.money import rounded
from aftersales.order import Currency, Order
from aftersales.units import Share, Window


class Reviews(Section):
    """Threats and reviews, and what helps the customer (`§19`)."""

    goodwill_limit: Mapping[Currency, Amount] = {"USD": Decimal("20.00")}
    """Up to which order total a customer who threatens is refunded at once, by currency; in others never (`§19`)."""
    recovery_share: Share = Decimal("0.2")
    """What is offered above that, as a share of the order's total; at most what needs no supervisor (`§19`)."""
    recovery_window: Window = timedelta(hours=72)
    """How long that offer waits for an answer; the reminder goes out at half of it (`§19`)."""
    review_appeal_window: Window = timedelta(days=7)
    """Time of the platform to decide about an appeal; then it is asked again and has as long again (`§19`)."""
    bad_rating: Annotated[int, Field(ge=1, le=5)] = 3
    """The best rating in stars, 1 to 5, that still counts as a bad review; one without stars does too (`§19`)."""

    def refunds_at_once(self, order: Order) -> bool:
        """Whether an order is so small that its whole total goes back at once."""
        return Decimal(0) < order.total <= self.goodwill_limit.get(order.currency, Decimal(0))

    def offer(self, order: Order, limit: Decimal) -> Decimal:
        """What is offered for an order, in its currency, at most this limit."""
        return min(rounded(order.total * self.recovery_share, order.currency), limit)

    def is_bad(self, rating: int | None) -> bool:
        """Whether a review with so many stars, or with none, is a bad one."""
        return rating is None or rating <= self.bad_rating
