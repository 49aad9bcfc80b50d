"""What a case cost, exactly split over its goods."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.losses import UNITS, LineLoss, losses, split
from aftersales.outcome import Goods, Kind, Outcome

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
LARGEST = Decimal("999999999999.9999")
KINDS: tuple[Kind, ...] = ("refund", "compensation", "freight", "gift", "reship", "claim_lost", "fee", "recovered")


def line(id: str, value: str = "100", cost: str = "40", *, quantity: int = 1, back: int = 0) -> Goods:
    return Goods(
        line_id=id,
        sku=f"S-{id}",
        category="lamps",
        quantity=quantity,
        value=Decimal(value),
        cost=Decimal(cost),
        back=back,
    )


def closed(*goods: Goods, **amounts: str) -> Outcome:
    return Outcome.model_validate(
        {
            "case_id": "return-parcel/A-1",
            "trigger": "shop e1",
            "process": "return-parcel",
            "order_id": "A-1",
            "shop": "amazon-us",
            "currency": "USD",
            "result": "refunded",
            "stage": "refund-sent",
            "cause": "product",
            "at_fault": True,
            "amounts": amounts,
            "letters_sent": 0,
            "first_response_time": None,
            "resolution_time": 0,
            "decisions": (),
            "decisions_missed": 0,
            "angry": False,
            "policy_version": "1",
            "template_versions": {},
            "opened_at": NOON,
            "closed_at": NOON,
            "goods": goods,
        }
    )


def lost(*goods: Goods, **amounts: str) -> list[int]:
    return [each.loss for each in losses(closed(*goods, **amounts))]


def test_all_money_that_left_is_lost_but_for_what_a_carrier_paid_and_the_fee_is_off_the_refund_already() -> None:
    amounts = {kind: str(2**number) for number, kind in enumerate(KINDS)}
    assert lost(line("1"), **amounts) == [(1 + 2 + 4 + 8 + 16 + 32 - 128) * UNITS]


def test_what_came_back_as_described_is_not_lost_where_the_case_paid_for_it() -> None:
    assert lost(line("1", back=1), refund="100") == [60 * UNITS]
    assert lost(line("1", back=1), reship="100") == [60 * UNITS]
    assert lost(line("1", back=1), freight="5") == [5 * UNITS]
    assert lost(line("1", cost="99.99", quantity=3, back=2), refund="100") == [333400]


def test_money_is_split_by_what_was_paid_and_goods_that_came_back_are_taken_off_their_own_line() -> None:
    assert lost(line("1", "30"), line("2", "90", back=1), refund="120") == [30 * UNITS, 50 * UNITS]


def test_goods_that_cost_the_customer_nothing_share_by_their_number() -> None:
    assert lost(line("1", "0", quantity=1), line("2", "0", quantity=3), gift="8") == [2 * UNITS, 6 * UNITS]


def test_what_does_not_divide_goes_to_the_largest_remainder_and_among_equals_to_the_first() -> None:
    assert lost(line("1"), line("2"), line("3"), refund="0.0002") == [1, 1, 0]
    assert lost(line("1", "1"), line("2", "2"), refund="0.0001") == [0, 1]
    assert lost(line("1"), line("2"), recovered="0.0001") == [0, -1]


def test_an_outcome_of_an_earlier_build_names_no_line() -> None:
    assert losses(closed(refund="12.90")) == [LineLoss("", "", "", 0, 129000)]


def test_a_line_is_named_with_its_sku_category_and_quantity() -> None:
    assert losses(closed(line("7", quantity=2))) == [LineLoss("7", "S-7", "lamps", 2, 0)]


AMOUNTS = st.decimals(min_value=0, max_value=LARGEST, places=4)


@st.composite
def goods(draw: st.DrawFn) -> Goods:
    quantity = draw(st.integers(1, 100_000))
    unit_cost = draw(st.decimals(min_value=0, max_value=9_000_000, places=4))
    back = draw(st.integers(0, quantity))
    return line("x", str(draw(AMOUNTS)), str(unit_cost * quantity), quantity=quantity, back=back)


@given(st.lists(goods(), min_size=1, max_size=6), st.dictionaries(st.sampled_from(KINDS), AMOUNTS))
def test_the_lines_add_up_to_the_whole_and_fit_the_column(some: list[Goods], amounts: dict[Kind, Decimal]) -> None:
    whole = sum(amount for kind, amount in amounts.items() if kind not in ("fee", "recovered"))
    whole -= amounts.get("recovered", Decimal(0))
    if amounts.get("refund") or amounts.get("reship"):
        whole -= sum(each.cost / each.quantity * each.back for each in some)
    parts = lost(*some, **{kind: str(amount) for kind, amount in amounts.items()})
    assert sum(parts) == whole * UNITS
    assert all(abs(part) < 2**63 for part in parts)


@given(st.integers(-(10**17), 10**17), st.lists(st.integers(0, 10**16), min_size=1, max_size=20).filter(any))
def test_a_part_is_never_a_whole_unit_away_from_its_share(whole: int, weights: list[int]) -> None:
    parts = split(whole, weights)
    assert sum(parts) == whole
    total = sum(weights)
    assert all(abs(part * total - whole * weight) < total for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize("amount", ["0.0001", "1E+3", "999999999999.9999"])
def test_every_amount_is_counted_exactly(amount: str) -> None:
    outcome = closed(line("1")).model_copy(update={"amounts": {"refund": Decimal(amount)}})
    assert Decimal(losses(outcome)[0].loss) / UNITS == Decimal(amount)
