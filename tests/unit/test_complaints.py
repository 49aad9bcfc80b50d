"""What is offered for a complaint, and what a policy may not say about it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aftersales.complaints import ComplaintCause, Complaints, reason_of
from aftersales.events import parse_event
from aftersales.order import Order
from aftersales.policy import Policy, load_policy
from aftersales.routing import Start, case_for, start_for
from tests import events

POLICIES = Path(__file__).parents[2] / "policies"
SHARES = [{"cause": cause, "share": "10 %"} for cause in ("product", "logistics", "service")]


def policy(overrides: Any = None) -> Policy:
    return load_policy(POLICIES / "default.yaml", POLICIES / "law", overrides)


def order(total: str, currency: str = "USD") -> Order:
    return Order.model_validate(events.order("A-1", total=total, currency=currency))


def complaints(*bands: dict[str, str], currency: str = "USD", default: Any = SHARES) -> Complaints:
    return Complaints.model_validate({"compensation_bands": {currency: bands, "default": default}})


def refusal(*bands: dict[str, str], currency: str = "USD", default: Any = SHARES) -> str:
    with pytest.raises(ValidationError) as refused:
        complaints(*bands, currency=currency, default=default)
    return str(refused.value)


@pytest.mark.parametrize(
    ("total", "currency", "cause", "offered"),
    [
        ("129.90", "USD", "product", "25.98"),
        ("25.00", "USD", "product", "5.00"),
        ("25.01", "USD", "product", "5.00"),
        ("4.00", "USD", "product", "4.00"),
        ("50.00", "USD", "logistics", "5.00"),
        ("50.10", "USD", "logistics", "5.01"),
        ("129.90", "USD", "service", "12.99"),
        ("105.90", "EUR", "product", "21.18"),
        ("1299", "JPY", "logistics", "130"),
        ("0.00", "USD", "product", "0.00"),
    ],
)
def test_the_band_of_cause_and_order_value_says_what_is_offered(
    total: str, currency: str, cause: ComplaintCause, offered: str
) -> None:
    assert policy().complaints.offer(order(total, currency), cause) == Decimal(offered)


@given(
    total=st.decimals(min_value=0, max_value=10**6, places=2),
    cause=st.sampled_from(["product", "logistics", "service"]),
    currency=st.sampled_from(["USD", "CNY", "JPY", "KWD"]),
)
def test_every_order_has_an_offer_and_none_is_more_than_the_order(
    total: Decimal, cause: ComplaintCause, currency: str
) -> None:
    assert 0 <= DEFAULT.offer(order(str(total), currency), cause) <= total


DEFAULT = policy().complaints


def test_a_running_case_without_bands_in_its_snapshot_has_those_of_the_code() -> None:
    old = policy().model_dump(mode="json")
    del old["complaints"]
    assert Policy.model_validate(old).complaints.offer(order("129.90"), "product") == Decimal("25.98")


@pytest.mark.parametrize(
    ("bands", "why"),
    [
        ([*SHARES[:2]], "USD: service needs a last band without up_to"),
        ([*SHARES, {"cause": "product", "up_to": "5.00", "share": "1 %"}], "product needs a last band without up_to"),
        ([SHARES[0], *SHARES], "product: a band without up_to stands before another; put it last"),
        (
            [{"cause": "product", "up_to": top, "share": "1 %"} for top in ("9.00", "8.00")] + SHARES,
            "product: up to 8.00 stands after up to 9.00; write each band once, the lowest first",
        ),
        (
            [{"cause": "product", "up_to": top, "share": "1 %"} for top in ("9.00", "9.00")] + SHARES,
            "product: up to 9.00 stands after up to 9.00",
        ),
        ([{"cause": "product"}, *SHARES], "write either a share or a sum"),
        ([{"cause": "product", "share": "1 %", "sum": "1.00"}, *SHARES], "write either a share or a sum"),
        ([{"cause": "weather", "share": "1 %"}, *SHARES], "'product', 'logistics' or 'service'"),
        ([{"cause": "product", "share": "1 %", "upto": "1.00"}, *SHARES], "Extra inputs are not permitted"),
    ],
)
def test_bands_with_a_gap_an_overlap_or_out_of_order_are_refused(bands: list[dict[str, str]], why: str) -> None:
    assert why in refusal(*bands)


def test_bands_are_by_currency_with_shares_for_all_others() -> None:
    assert "XXQ: is not an ISO 4217 currency code" in refusal(*SHARES, currency="XXQ")
    summed = [{"cause": "product", "sum": "5.00"}, *SHARES[1:]]
    assert "default: holds for any currency, so it takes shares only" in refusal(*SHARES, default=summed)
    with pytest.raises(ValidationError, match="needs bands under default"):
        Complaints.model_validate({"compensation_bands": {"USD": SHARES}})


def test_the_limit_is_known_by_currency() -> None:
    operators = policy().operators
    assert [operators.limit_in(currency) for currency in ("USD", "EUR", "JPY")] == [100, 90, 0]


@pytest.mark.parametrize(
    ("cause", "reason"), [("product", "not_as_described"), ("logistics", "damaged"), ("service", "other")]
)
def test_a_return_that_follows_is_never_reasoned_as_the_customers_wish(cause: ComplaintCause, reason: str) -> None:
    assert reason_of(cause) == reason


def test_a_complaint_opens_one_case_for_the_order() -> None:
    given = events.event("order.complaint", "A-1", order=events.order("A-1"), text="It is scratched.")
    event = parse_event(given)
    start = start_for(event, order("129.90"), policy())
    assert isinstance(start, Start)
    assert case_for(start.process, start.trigger, order("129.90")) == "compensation/A-1"
