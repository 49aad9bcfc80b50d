"""Customers who threaten with a bad review: what they get at once, what they are offered, and what a bad review is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aftersales.events import parse_event
from aftersales.order import Order
from aftersales.policy import load_policy
from aftersales.reviews import Reviews
from aftersales.routing import Start, case_for, start_for
from tests import events

POLICIES = Path(__file__).parents[2] / "policies"
POLICY = load_policy(POLICIES / "default.yaml", POLICIES / "law")


def order(total: str, currency: str = "USD") -> Order:
    return Order.model_validate(events.order("A-1", total=total, currency=currency))


@pytest.mark.parametrize(
    ("total", "currency", "at_once"),
    [
        ("20.00", "USD", True),
        ("20.01", "USD", False),
        ("140.00", "CNY", True),
        ("19.00", "EUR", False),
        ("1.00", "JPY", False),
        ("0.00", "USD", False),
    ],
)
def test_a_small_order_is_refunded_at_once(total: str, currency: str, at_once: bool) -> None:
    assert POLICY.reviews.refunds_at_once(order(total, currency)) is at_once


@pytest.mark.parametrize(
    ("total", "currency", "limit", "offered"),
    [("129.90", "USD", "100", "25.98"), ("900.00", "USD", "100", "100"), ("1299", "JPY", "0", "0")],
)
def test_the_offer_needs_no_supervisor(total: str, currency: str, limit: str, offered: str) -> None:
    assert Reviews().offer(order(total, currency), Decimal(limit)) == Decimal(offered)


@pytest.mark.parametrize(("rating", "bad"), [(None, True), (1, True), (3, True), (4, False), (5, False)])
def test_a_review_without_many_stars_is_a_bad_one(rating: int | None, bad: bool) -> None:
    assert Reviews().is_bad(rating) is bad


@pytest.mark.parametrize("kind", ["review.threatened", "review.published"])
@pytest.mark.parametrize("said", [{"text": "bad"}, {"violates": "abuse", "rating": 1}])
def test_threat_and_review_are_one_case(kind: str, said: dict[str, Any]) -> None:
    event = parse_event(events.event(kind, "A-1", order=events.order("A-1"), **said))
    start = start_for(event, order("129.90"), POLICY)
    assert isinstance(start, Start)
    assert case_for(start.process, start.trigger, order("129.90")) == "review-recovery/A-1"
