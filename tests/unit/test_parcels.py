"""The tracking of a parcel: what a scan says, which ones count, and what silence brings when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.deadlines import CALENDAR, Hours
from aftersales.events import CarrierReplied, Checkpoint, WarehouseAnswered
from aftersales.parcel_talk import parcel_topic
from aftersales.parcels import Tracking
from aftersales.policy import load_policy
from aftersales.scans import scan_meaning

ROOT = Path(__file__).parents[2]
PARCELS = load_policy(ROOT / "policies" / "default.yaml", ROOT / "policies" / "law").parcels
WINDOWS = PARCELS.for_lane("usps", "US", "US")
BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return BEGAN + timedelta(hours=hours)


def scan(hours: float, status: str = "in_transit", **data: Any) -> Checkpoint:
    return Checkpoint.model_validate(
        {"id": "1", "source": "usps", "order_id": "A-1", "time": at(hours), "parcel_no": "P1", "status": status, **data}
    )


def word(hours: float, answer: str) -> CarrierReplied:
    return CarrierReplied.model_validate(
        {"id": "1", "source": "usps", "order_id": "A-1", "time": at(hours), "parcel_no": "P1", "answer": answer}
    )


def parcel(*scans: Checkpoint) -> Tracking:
    tracking = Tracking(handed_over_at=BEGAN, since=BEGAN)
    for one in scans:
        tracking.see(one, at(10_000))
    return tracking


def steps(tracking: Tracking) -> list[tuple[float, str]]:
    """Everything that silence brings from now on, in hours, up to the end."""
    found: list[tuple[float, str]] = []
    while not found or found[-1][1] not in ("delivered", "returned", "lost"):
        due = tracking.due(WINDOWS, CALENDAR)
        found.append(((due.at - BEGAN) / timedelta(hours=1), due.step))
        tracking.done.add(due.step)
    return found


@pytest.mark.parametrize(
    ("scans", "expected"),
    [
        ([], [(24, "pickup_overdue"), (48, "pickup_late"), (72, "lost")]),
        ([scan(20, "info_received")], [(24, "pickup_overdue"), (48, "pickup_late"), (92, "lost")]),
        ([scan(10)], [(58, "stuck"), (82, "lost")]),
        ([scan(10), scan(60)], [(108, "stuck"), (132, "lost")]),
        ([scan(10, "out_for_delivery")], [(58, "stuck"), (82, "lost")]),
        ([scan(10, "attempt_fail")], [(58, "stuck"), (82, "lost")]),
        ([scan(10, "available_for_pickup")], [(178, "stuck"), (202, "lost")]),
        ([scan(10, "exception")], [(10, "stuck"), (82, "lost")]),
        ([scan(10, "exception"), scan(20)], [(68, "stuck"), (92, "lost")]),
        ([scan(10, "expired")], [(10, "lost")]),
        ([scan(10, "delivered")], [(178, "delivered")]),
        ([scan(10, "returned")], [(10, "returned")]),
    ],
)
def test_silence_brings_the_rows_of_the_table(scans: list[Checkpoint], expected: list[tuple[float, str]]) -> None:
    assert steps(parcel(*scans)) == expected


def test_windows_are_those_of_the_lane() -> None:
    lanes = {"*:CN>US": {"stuck_after": "96h", "lost_after": "240h"}}
    windows = type(PARCELS).model_validate(PARCELS.model_dump() | {"lanes": lanes}).for_lane("yanwen", "CN", "US")
    assert parcel(scan(10)).due(windows, CALENDAR).at == at(106)


def test_business_time_leaves_the_weekend_out() -> None:
    hours = Hours.model_validate(
        {"timezone": "UTC", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "00:00", "to": "24:00"}
    )
    friday = scan(4 * 24)
    assert parcel(friday).due(WINDOWS, hours).at == at(4 * 24 + 48 + 48)


@pytest.mark.parametrize(
    ("status", "substatus", "message", "state", "trouble"),
    [
        ("exception", "", "", "moving", "stuck"),
        ("exception", "customs", "", "moving", "customs"),
        ("exception", "bad_address", "", "moving", "bad_address"),
        ("exception", "refused", "", "moving", "refused"),
        ("exception", "Exception_004", "whatever", "moving", "customs"),
        ("exception", "Exception_007", "", "moving", "bad_address"),
        ("exception", "Exception_012", "", "moving", "damaged"),
        ("exception", "Exception_010", "", "returning", None),
        ("exception", "Exception_011", "", "returned", None),
        ("exception", "Exception_013", "", "lost", None),
        ("exception", "Exception_005", "", "moving", "stuck"),
        ("exception", "", "Customer addressing error found; attempting to correct", "moving", "bad_address"),
        ("exception", "", "Incorrect address", "moving", "bad_address"),
        ("exception", "", "Addressee not available", "moving", "stuck"),
        ("exception", "", "Barcode label unreadable and replaced", "moving", "stuck"),
        ("exception", "", "清关延误", "moving", "customs"),
        ("exception", "", "收件人拒收", "moving", "refused"),
        ("exception", "", "Return to sender requested", "returning", None),
        ("exception", "", "Parcel may be lost", "moving", "stuck"),
        ("attempt_fail", "", "Customer not available or business closed", "out_for_delivery", None),
        ("attempt_fail", "", "Refused by recipient", "out_for_delivery", "refused"),
        ("in_transit", "", "Held by customs", "moving", None),
    ],
)
def test_what_a_scan_says(status: str, substatus: str, message: str, state: str, trouble: str | None) -> None:
    assert scan_meaning(scan(1, status, substatus=substatus, message=message)) == (state, trouble)


def test_the_same_trouble_again_is_one_trouble() -> None:
    tracking = parcel(scan(10, "exception", substatus="customs"))
    tracking.stall()
    tracking.see(scan(30, "exception", substatus="customs"), at(30))
    assert steps(tracking.model_copy(deep=True)) == [(102, "lost")]
    tracking.see(scan(40, "exception", substatus="bad_address"), at(40))
    assert steps(tracking) == [(40, "stuck"), (112, "lost")]


def test_a_scan_from_the_future_counts_when_it_came() -> None:
    tracking = parcel()
    tracking.see(scan(20), at(10))
    assert tracking.since == at(10)


def test_scans_behind_a_delivery_change_nothing_but_a_return_does() -> None:
    tracking = parcel(scan(10), scan(20, "delivered"))
    assert not tracking.see(scan(21), at(21))
    assert not tracking.see(scan(22, "exception"), at(22))
    assert tracking.see(scan(30, "returned"), at(30))
    assert not tracking.see(scan(40), at(40))


def test_a_delivery_counts_however_late_it_is_told() -> None:
    tracking = parcel(scan(20, "out_for_delivery"))
    assert tracking.see(scan(19, "delivered"), at(40))
    assert tracking.state == "delivered"


def test_a_disputed_delivery_ends_with_newer_scans_only() -> None:
    tracking = parcel(scan(20, "delivered"))
    tracking.dispute(at(30))
    assert not tracking.see(scan(20.5), at(31))
    assert not tracking.see(scan(20, "delivered"), at(31))
    assert steps(tracking.model_copy(deep=True)) == [(78, "lost")]
    assert tracking.see(scan(40, "delivered"), at(40))
    assert tracking.state == "delivered"


@pytest.mark.parametrize(
    ("answer", "state", "expected"),
    [
        ("moving", "moving", [(108, "stuck"), (132, "lost")]),
        ("found", "moving", [(108, "stuck"), (132, "lost")]),
        ("returning", "returning", [(132, "lost")]),
        ("lost", "lost", [(60, "lost")]),
        ("damaged", "lost", [(60, "lost")]),
    ],
)
def test_the_carriers_answer_decides_next(answer: str, state: str, expected: list[tuple[float, str]]) -> None:
    tracking = parcel(scan(10))
    tracking.stall()
    assert tracking.hear(word(60, answer), at(60))
    assert tracking.state == state
    assert steps(tracking) == expected


def test_an_answer_older_than_the_last_scan_decides_nothing() -> None:
    tracking = parcel(scan(10), scan(60))
    assert not tracking.hear(word(59, "lost"), at(61))
    assert not parcel(scan(10, "delivered")).hear(word(20, "lost"), at(20))


def test_a_lost_parcel_turns_up_by_a_newer_scan_only_and_a_damaged_one_never() -> None:
    tracking = parcel(scan(10))
    tracking.lose("silent")
    assert not tracking.see(scan(9), at(100))
    assert tracking.see(scan(90), at(100))
    assert tracking.state == "moving"
    tracking.lose("damaged")
    assert not tracking.see(scan(95), at(100))
    assert not tracking.hear(word(96, "lost"), at(100))


def test_stock_is_known_from_the_warehouse() -> None:
    tracking = parcel()
    known: dict[str, Any] = {"id": "1", "source": "wms", "order_id": "A-1", "time": at(1)}
    assert not tracking.learn(WarehouseAnswered(**known, answer="dispatched"), at(1))
    assert tracking.learn(WarehouseAnswered(**known, answer="out_of_stock"), at(1))
    assert tracking.out_of_stock


def test_the_same_facts_are_told_once_a_day() -> None:
    tracking, day = parcel(scan(10)), timedelta(hours=24)
    assert tracking.may_answer("parcel-on-its-way", at(12), day)
    assert not tracking.may_answer("parcel-on-its-way", at(20), day)
    assert tracking.may_answer("parcel-stuck", at(20), day)
    assert tracking.may_answer("parcel-on-its-way", at(21), day)
    tracking.see(scan(22), at(22))
    assert tracking.may_answer("parcel-on-its-way", at(23), day)
    assert tracking.may_answer("parcel-on-its-way", at(47), day)


WAY = st.sampled_from(["info_received", "in_transit", "out_for_delivery", "attempt_fail", "exception"])


@given(st.dictionaries(st.integers(0, 500), WAY, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repeats_of_scans_do_not_matter(way: dict[int, str], random: Any) -> None:
    told = [scan(hours, status) for hours, status in way.items()] * 2
    in_turn = parcel(*sorted(told, key=lambda one: one.time))
    random.shuffle(told)
    tracking, before = parcel(), BEGAN
    for one in told:
        tracking.see(one, at(1000))
        assert tracking.since >= before
        before = tracking.since
    assert (tracking.since, tracking.state) == (in_turn.since, in_turn.state)


@given(st.lists(st.floats(0.5, 47.5), min_size=1, max_size=20))
def test_no_silence_within_the_windows(gaps: list[float]) -> None:
    tracking, now = parcel(scan(0)), 0.0
    for gap in gaps:
        assert tracking.due(WINDOWS, CALENDAR).at > at(now + gap)
        now += gap
        assert tracking.see(scan(now), at(now))


@given(st.integers(0, 500), st.integers(0, 500))
def test_state_survives_continue_as_new(first: int, second: int) -> None:
    tracking = parcel(scan(first), scan(second, "exception", substatus="customs"))
    again = Tracking.model_validate_json(tracking.model_dump_json())
    assert again == tracking
    assert again.due(WINDOWS, CALENDAR) == tracking.due(WINDOWS, CALENDAR)


@pytest.mark.parametrize(
    ("topic", "texts"),
    [
        (
            "not_received",
            [
                "Where is my parcel?",
                "WHERE IS MY PARCEL? I HAVE BEEN WAITING FOR A WEEK!",
                "I haven't received my package.",
                "It says delivered but nothing came.",
                "I received your email but no parcel",
                "There is nothing in my mailbox",
                "It says delivered but I have nothing",
                "It was delivered to the wrong address",
                "The driver left it with someone else",
                "Any news?",
                "显示签收但是我没收到",
                "快递到哪了？",
                "物流一直没有更新",
                "什么时候能到",
            ],
        ),
        (
            "received",
            [
                "Thanks, it arrived!",
                "I got the parcel today",
                "My neighbour took it",
                "Received, thank you",
                "收到了，谢谢",
                "快递到了",
            ],
        ),
        (
            "thanks",
            ["Thank you!", "Thanks a lot for your help", "Thanks for letting me know", "谢谢", "好的，谢谢告知"],
        ),
        ("other", ["The lamp is broken", "I want to cancel my order", "我要退款", "A part is missing: missing screws"]),
        (
            "unclear",
            [
                "hello",
                "Did my parcel arrive at your warehouse?",
                "",
                "?",
                "x" * 30_000,
                "🙂",
                "Tell me if it has arrived",
                "如果收到了我告诉你",
            ],
        ),
    ],
)
def test_what_customers_say_about_a_parcel(topic: str, texts: list[str]) -> None:
    for text in texts:
        assert parcel_topic(text, "en") == topic, text
