"""Which perks the rules allow."""

from decimal import Decimal

import pytest

from adapters.settings import ROOT
from aftersales.order import Order
from aftersales.perks import Perk, Perks
from aftersales.yamlfile import load_yaml

PERKS = Perks(gift_sku="GIFT-01", gift_costs={"USD": Decimal("3.00")})
LIMIT = Decimal("100.00")


def order(**changed: object) -> Order:
    told = load_yaml(ROOT / "scenarios" / "orders" / "lamp-us.yaml").data
    dates = {"placed_at": "2026-11-01T08:00:00Z", "dispatched_at": None, "delivered_at": None}
    return Order.model_validate({**told, **dates, **changed})


@pytest.mark.parametrize(
    ("perk", "changed", "cost", "why_not"),
    [
        ("free_shipping", {}, "9.90", None),
        ("free_shipping", {"freight_paid": "0.00"}, "0.00", "free_already"),
        ("free_shipping", {"freight_paid": "0.00", "special_price": True}, "0.00", "free_already"),
        ("free_shipping", {"special_price": True}, "9.90", "special_price"),
        ("free_shipping", {"freight_paid": "100.00", "total": "300.00"}, "100.00", None),
        ("free_shipping", {"freight_paid": "100.01", "total": "300.00"}, "100.01", "above_limit"),
        ("gift", {}, "3.00", None),
        ("gift", {"special_price": True}, "3.00", "special_price"),
        ("gift", {"total": "30.00"}, "3.00", None),
        ("gift", {"total": "29.99"}, "3.00", "too_small"),
        ("gift", {"currency": "CHF"}, "0", "none_here"),
    ],
)
def test_a_perk_costs_what_it_costs_and_is_refused_for_one_reason(
    perk: Perk, changed: dict[str, object], cost: str, why_not: str | None
) -> None:
    assert PERKS.offer(order(**changed), perk, left=False, limit=LIMIT) == (Decimal(cost), why_not)


def test_a_gift_needs_a_parcel_that_is_still_here_and_freight_does_not() -> None:
    assert PERKS.offer(order(), "gift", left=True, limit=LIMIT).why_not == "left"
    assert PERKS.offer(order(), "free_shipping", left=True, limit=LIMIT).why_not is None


def test_without_a_gift_in_the_policy_there_is_none() -> None:
    assert Perks().offer(order(), "gift", left=False, limit=LIMIT) == (Decimal(0), "none_here")
