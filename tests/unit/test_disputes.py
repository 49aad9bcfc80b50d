"""Disputes: dates, whose word is meant, and what is worth an appeal."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from aftersales.disputes import Claim, Disputes
from aftersales.events import DisputeDecided, DisputeOpened, DisputeUpdated, DisputeWithdrawn
from aftersales.order import Order
from tests.events import order

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday
HOUR = timedelta(hours=1)
TERMS = Disputes()
KNOWN: dict[str, Any] = {"source": "platform", "order_id": "A-1", "time": AT}


def opened(**data: Any) -> DisputeOpened:
    return DisputeOpened.model_validate({"id": "d1", **KNOWN, "kind": "a_to_z", **data})


def claim(is_further: bool = False, **data: Any) -> Claim:
    return Claim(opened(**data), TERMS, is_further=is_further)


def withdrawn(claim_id: str) -> DisputeWithdrawn:
    return DisputeWithdrawn(id="w1", **KNOWN, claim_id=claim_id)


@pytest.mark.parametrize(
    ("kind", "hours"),
    [("a_to_z", 72), ("chargeback", 7 * 24), ("platform_complaint", 5 * 24)],
)
def test_without_a_date_the_kind_says_by_when_and_a_complaint_counts_weekdays(kind: str, hours: int) -> None:
    assert TERMS.respond_by(opened(kind=kind)) == AT + hours * HOUR


def test_the_platforms_own_date_goes_before_the_usual_one() -> None:
    mine = claim(respond_by=AT + 5 * HOUR)
    assert mine.respond_by == AT + 5 * HOUR
    assert mine.submit_at == AT - 7 * HOUR


def test_of_two_dates_the_one_named_later_counts_though_it_came_first() -> None:
    mine = claim()
    mine.move(AT + 90 * HOUR, AT + 2 * HOUR)
    mine.move(AT + 50 * HOUR, AT + 1 * HOUR)
    assert mine.respond_by == AT + 90 * HOUR
    mine.move(AT + 40 * HOUR, AT + 3 * HOUR)
    assert mine.respond_by == AT + 40 * HOUR


def test_nothing_waits_beyond_the_evidence_until_the_platform_has_its_answer() -> None:
    mine = claim()
    assert mine.last == mine.submit_at == AT + 60 * HOUR
    mine.retry_at = AT + 62 * HOUR
    assert mine.last == AT + 62 * HOUR
    mine.retry_at, mine.answered = None, True
    assert mine.last > AT + timedelta(days=10_000)


def test_evidence_that_waits_is_given_sooner_where_its_date_moves_and_an_appeal_is_not() -> None:
    mine = claim()
    mine.retry_at = AT + 20 * HOUR
    mine.move(AT + 14 * HOUR, AT + HOUR)
    assert mine.last == AT + 20 * HOUR
    mine.follows_date = True
    mine.move(AT + 14 * HOUR, AT + 2 * HOUR)
    assert mine.last == AT + 20 * HOUR
    mine.move(AT + 28 * HOUR, AT + 3 * HOUR)
    assert mine.last == AT + 16 * HOUR
    mine.move(AT + 10 * HOUR, AT + 4 * HOUR)
    assert mine.last == AT + 4 * HOUR
    mine.move(AT + 90 * HOUR, AT + 5 * HOUR)
    assert mine.last == AT + 4 * HOUR


@pytest.mark.parametrize(
    ("own", "is_further", "siblings", "said", "meant"),
    [
        ("C-1", False, [], "C-1", True),
        ("C-1", False, [], "C-2", False),
        ("C-1", False, [], "", True),
        ("C-1", False, ["C-2"], "", False),
        ("C-1", True, [], "", False),
        ("", False, [], "C-1", True),
        ("", False, ["C-2"], "C-2", False),
        ("", False, ["C-2"], "C-1", True),
    ],
)
def test_whom_the_platform_means(own: str, is_further: bool, siblings: list[str], said: str, meant: bool) -> None:
    mine = claim(is_further, claim_id=own)
    mine.further += siblings
    assert mine.is_meant(withdrawn(said)) is meant


def test_the_same_dispute_told_again_adds_what_is_new_and_takes_nothing_away() -> None:
    mine = claim(text="It never worked.", amount="20.00")
    assert mine.is_told_again(opened(id="d2", claim_id="C-1", respond_by=AT + 9 * HOUR, time=AT + HOUR))
    assert (mine.dispute.claim_id, mine.dispute.text, mine.dispute.amount) == ("C-1", "It never worked.", Decimal(20))
    assert mine.respond_by == AT + 9 * HOUR
    assert not mine.is_told_again(opened(id="d3", claim_id="C-2"))


def test_another_dispute_needs_one_case_and_only_the_first_ones_case_opens_it() -> None:
    first, further = claim(claim_id="C-1"), claim(is_further=True, claim_id="C-2")
    assert first.is_new(opened(id="d3", claim_id="C-3"))
    assert not first.is_new(opened(id="d4", claim_id="C-3"))
    assert not first.is_new(opened(id="d5", claim_id="C-1"))
    assert not further.is_new(opened(id="d3", claim_id="C-3"))


def test_disputes_without_numbers_are_told_apart_by_their_kind() -> None:
    mine = claim(kind="a_to_z")
    assert mine.is_told_again(opened(id="d2", kind="a_to_z"))
    assert mine.is_new(opened(id="d3", kind="chargeback"))
    assert mine.further == ["chargeback"]


def test_what_is_claimed_is_at_most_what_the_order_cost() -> None:
    bought = Order.model_validate(order("A-1"))
    assert claim().amount(bought) == Decimal("129.90")
    assert claim(amount="20.00").amount(bought) == Decimal(20)
    assert claim(amount="500.00").amount(bought) == Decimal("129.90")


def test_what_an_operator_found_out_is_as_if_the_platform_had_said_it() -> None:
    mine = claim(claim_id="C-1")
    lost = mine.found("lost", Decimal(5), AT + HOUR)
    assert isinstance(lost, DisputeDecided)
    assert (lost.won, lost.amount, lost.claim_id, lost.time) == (False, Decimal(5), "C-1", AT + HOUR)
    assert isinstance(mine.found("withdrawn", None, AT), DisputeWithdrawn)
    assert mine.found("wait", None, AT) is None


@pytest.mark.parametrize(
    ("lost", "currency", "worth"), [("50.01", "USD", True), ("50", "USD", False), ("900", "JPY", False)]
)
def test_an_appeal_is_worth_it_above_a_sum_in_currencies_that_have_one(lost: str, currency: str, worth: bool) -> None:
    assert Disputes(appeal_above={"USD": Decimal(50)}).worth_an_appeal(Decimal(lost), currency) is worth


def test_every_kind_of_dispute_has_its_time() -> None:
    with pytest.raises(ValidationError, match="respond_within lacks chargeback, platform_complaint"):
        Disputes.model_validate({"respond_within": {"a_to_z": "72h"}})


def test_an_update_is_a_word_of_the_platform_too() -> None:
    moved = DisputeUpdated(id="u1", **KNOWN, claim_id="C-2", respond_by=AT)
    assert not claim(claim_id="C-1").is_meant(moved)
