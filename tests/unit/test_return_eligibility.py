"""Which goods may come back, on which terms, and what is offered for keeping them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from aftersales.events import ReturnLine, ReturnRequested
from aftersales.order import Order
from aftersales.policy import Policy, load_policy
from aftersales.return_eligibility import (
    OUR_FAULT,
    REASONS,
    dispatched_late,
    goodwill,
    judge,
    may_withdraw,
    return_ends,
    way_back,
)
from aftersales.returning import our_fault, taken_over
from tests.events import order as order_data

ASKED = datetime(2026, 11, 20, 9, tzinfo=UTC)


def policy(**returns: Any) -> Policy:
    settings = Settings()
    return load_policy(settings.policy, settings.law, {"returns": returns} if returns else None)


def order(**changes: Any) -> Order:
    data = order_data("A-1") | {"delivered_at": (ASKED - timedelta(days=3)).isoformat()}
    item = {"category": "lighting"} | changes.pop("item", {})
    data["items"] = [data["items"][0] | item]
    return Order.model_validate(data | changes)


def asked(*lines: ReturnLine, at: datetime = ASKED, **data: Any) -> ReturnRequested:
    return ReturnRequested(id="1", source="shop", order_id="A-1", time=at, lines=lines, reason="size", **data)


def obstacle(snapshot: Order, request: ReturnRequested, rules: Policy) -> str | None:
    refused = judge(snapshot, request, rules).refused
    return next((why for _, why in refused.values()), None)


LINE = ReturnLine(line_id="1")
OPENED = ReturnLine(line_id="1", opened=True)
UNLABELLED = ReturnLine(line_id="1", labels_on=False)
LATER = ASKED + timedelta(days=27)


@pytest.mark.parametrize(
    ("changes", "rules", "line", "at", "why"),
    [
        ({}, {}, LINE, ASKED, None),
        ({}, {}, LINE, LATER - timedelta(seconds=1), None),
        ({}, {}, LINE, LATER, "late"),
        ({"delivered_at": None}, {}, LINE, LATER, None),
        ({}, {"return_windows": {"US": "60d"}}, LINE, LATER, None),
        ({"item": {"final_sale": True}}, {}, LINE, ASKED, "final_sale"),
        ({}, {"not_returnable": ["lighting"]}, LINE, ASKED, "not_returnable"),
        ({}, {"must_be_sealed": ["lighting"]}, LINE, ASKED, None),
        ({}, {"must_be_sealed": ["lighting"]}, OPENED, ASKED, "opened"),
        ({}, {"must_be_sealed": ["lighting"]}, UNLABELLED, ASKED, "labels_off"),
        ({}, {}, OPENED, ASKED, None),
        ({"market": "DE"}, {"must_be_sealed": ["lighting"]}, OPENED, ASKED, None),
        ({"market": "DE", "item": {"final_sale": True}}, {}, LINE, ASKED, None),
        ({"market": "DE"}, {"not_returnable": ["lighting"]}, LINE, ASKED, "not_returnable"),
        ({"market": "DE"}, {"must_be_sealed": ["lighting"]}, OPENED, ASKED + timedelta(days=20), "opened"),
        ({"channel": "webshop"}, {"self_authorised": ["webshop"]}, LINE, LATER, None),
    ],
)
def test_what_may_not_come_back_and_why(
    changes: dict[str, Any], rules: dict[str, Any], line: ReturnLine, at: datetime, why: str | None
) -> None:
    assert obstacle(order(**changes), asked(line, at=at), policy(**rules)) == why


def test_a_request_without_lines_means_all_of_them_and_each_is_judged() -> None:
    data = order_data("A-1")
    lines = [data["items"][0] | {"line_id": name, "final_sale": name == "2"} for name in ("1", "2")]
    snapshot = Order.model_validate(data | {"items": lines, "delivered_at": ASKED.isoformat()})
    judged = judge(snapshot, asked(), policy())
    assert [line.line_id for line in judged.eligible] == ["1"]
    assert [line.line_id for line in judged.refused_lines] == ["2"]


def test_the_law_goes_before_the_channel_and_the_ladder_is_for_the_rest() -> None:
    rules = policy(self_authorised=["webshop"])
    by_law = way_back(order(market="DE", channel="webshop"), asked(LINE), rules)
    by_channel = way_back(order(channel="webshop"), asked(LINE), rules)
    assert by_law
    assert by_channel
    assert (by_law.freight, by_law.refund) == ("customer", order().total)
    assert (by_channel.freight, by_channel.fee) == ("customer", Decimal(0))
    assert way_back(order(channel="other"), asked(LINE), rules) is None


def test_a_right_to_withdraw_is_the_laws_and_ends_with_its_period() -> None:
    rules = policy()
    assert not may_withdraw(rules.pack("US"), None, ASKED)
    assert may_withdraw(rules.pack("DE"), None, ASKED)
    assert may_withdraw(rules.pack("DE"), ASKED - timedelta(days=14), ASKED)
    assert not may_withdraw(rules.pack("DE"), ASKED - timedelta(days=18), ASKED)
    assert return_ends(order(delivered_at=None), rules) is None


def test_the_orders_dates_tell_that_it_left_late() -> None:
    promised = ASKED - timedelta(days=8)
    known: dict[str, Any] = {"promised_dispatch_by": promised.isoformat()}
    assert not dispatched_late(order(), ASKED)
    assert dispatched_late(order(**known, dispatched_at=(promised + timedelta(hours=1)).isoformat()), ASKED)
    assert not dispatched_late(order(**known, dispatched_at=promised.isoformat()), ASKED)
    assert dispatched_late(order(**known, dispatched_at=None), ASKED)


def test_goodwill_is_a_share_of_what_was_paid() -> None:
    snapshot = order()
    assert goodwill(snapshot, asked(), Decimal("0.3")) == (snapshot.total * 3 / 10).quantize(Decimal("0.01"))


def test_faults_have_their_cause_and_the_shop_bears_everything() -> None:
    assert set(OUR_FAULT) < set(REASONS)
    terms = our_fault(order(), asked(LINE), OUR_FAULT["too_late"])
    assert (terms.freight, terms.fee, terms.our_fault, terms.cause) == ("shop", Decimal(0), True, "logistics")


def test_a_case_that_was_handed_over_is_known_by_the_request() -> None:
    data = order_data("A-1")
    data["items"] = [data["items"][0] | {"line_id": name} for name in ("1", "2+3")]
    snapshot = Order.model_validate(data)
    request = asked(LINE, ReturnLine(line_id="2+3"), text="A fan came.", photos=("https://p.example/1.jpg",))
    assert taken_over("return-escalation/A-1", snapshot, request) == request
    wrong = taken_over("wrong-item/A-1/2%2B3", snapshot, request)
    assert (wrong.type, getattr(wrong, "line_id", "")) == ("order.wrong_item_reported", "2+3")
    some = taken_over("return-escalation/A-1/1", snapshot, request)
    assert [line.line_id for line in getattr(some, "lines", ())] == ["1"]


def test_a_line_that_was_split_off_a_request_for_the_whole_order_is_known() -> None:
    data = order_data("A-1")
    data["items"] = [data["items"][0] | {"line_id": name, "quantity": 2} for name in ("1", "2")]
    some = taken_over("return-escalation/A-1/2", Order.model_validate(data), asked())
    assert [(line.line_id, line.quantity) for line in getattr(some, "lines", ())] == [("2", 2)]
