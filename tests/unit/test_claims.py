"""A claim against a carrier: its dates, what ends it, and which events reach it (`spec/processes.md` §5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import ROOT
from aftersales.claims import Losing, files_at, last_date, papers, return_lost
from aftersales.deadlines import CALENDAR
from aftersales.events import CarrierClaimDecided, CarrierReplied, Checkpoint, Event, LostParcel, Message, ParcelLost
from aftersales.lanes import ParcelWindows, way_of
from aftersales.order import Order, Parcel
from aftersales.policy import load_policy
from aftersales.records import CaseRecord
from aftersales.routing import case_for, listeners
from tests.events import order

BEGAN = datetime(2026, 11, 2, tzinfo=UTC)
PARCELS = load_policy(ROOT / "policies" / "default.yaml", ROOT / "policies" / "law").parcels
WINDOWS = PARCELS.for_lane("ups", "US", "US")
ORDER = Order.model_validate(order("A-1"))
HEARS: dict[str, tuple[type[Event], ...]] = {
    "shipment-watch": (Message, Checkpoint, CarrierReplied),
    "carrier-claim": (CarrierReplied, CarrierClaimDecided, Checkpoint),
    "return-parcel": (Message, Checkpoint, CarrierReplied),
}


def at(hours: float) -> datetime:
    return BEGAN + timedelta(hours=hours)


def known(hours: float, **more: Any) -> dict[str, Any]:
    return {"id": str(hours), "source": "s", "order_id": "A-1", "time": at(hours), **more}


def scan(hours: float, status: str = "in_transit", number: str = "P1", **more: Any) -> Checkpoint:
    return Checkpoint.model_validate(known(hours, parcel_no=number, status=status, **more))


def word(hours: float, answer: str, number: str = "P1") -> CarrierReplied:
    return CarrierReplied.model_validate(known(hours, parcel_no=number, answer=answer))


def lost(kind: str = "silent", traced: float | None = 100, last: Checkpoint | None = None) -> ParcelLost:
    parcel = LostParcel(parcel_no="P1", carrier="UPS", origin="US", destination="US")
    told = known(150, parcel=parcel, value=Decimal("120.00"), kind=kind, handed_over_at=at(0), last_scan=last)
    return ParcelLost.model_validate(told | {"traced_at": None if traced is None else at(traced)})


def case(name: str) -> CaseRecord:
    process, order_id, *part = name.split("/")
    return CaseRecord(
        case_id=name,
        trigger="t",
        process=process,
        order_id=order_id,
        part="".join(part),
        shop="amazon-us",
        opened_at=BEGAN,
        opening=None,
    )


@pytest.mark.parametrize(
    ("carrier", "kind", "due"),
    [
        ("ups", "silent", 100 + 7 * 24),
        ("ups", "disputed", 100 + 7 * 24),
        ("ups", "lost", 100),
        ("ups", "damaged", 100),
        ("USPS", "lost", 15 * 24),
        ("usps", "silent", 15 * 24),
        ("usps", "damaged", 100),
    ],
)
def test_a_claim_waits_for_the_search_and_for_the_carriers_first_day(carrier: str, kind: str, due: float) -> None:
    loss = lost(kind)
    assert files_at(loss, Losing.of(loss), PARCELS.for_lane(carrier, "US", "US"), CALENDAR) == at(due)


def test_no_claim_is_filed_later_than_a_lead_before_the_last_date() -> None:
    loss = lost()
    windows = ParcelWindows.model_validate(WINDOWS.model_dump() | {"claim_until": "9d", "claim_lead": "2d"})
    assert files_at(loss, Losing.of(loss), windows, CALENDAR) == at(7 * 24)
    assert last_date(loss, windows) == at(9 * 24)


@pytest.mark.parametrize(
    ("carrier", "days"), [("DHL Express", 30), ("dhl_express", 30), ("USPS", 60), ("FedEx", 30), ("", 30)]
)
def test_each_carrier_has_its_last_date(carrier: str, days: int) -> None:
    assert last_date(lost(), PARCELS.for_lane(carrier, "CN", "US")) == BEGAN + timedelta(days=days)


def test_a_carriers_terms_stand_beside_the_windows_of_the_way() -> None:
    lanes = {"usps*:*>*": {"claim_until": "60d"}, "*:*>U*": {"lost_after": "240h"}, "*:CN>US": {"appeal_window": "9d"}}
    windows = type(PARCELS).model_validate(PARCELS.model_dump() | {"lanes": lanes}).for_lane("usps", "CN", "US")
    assert windows.lost_after == timedelta(hours=240)
    assert windows.claim_until == timedelta(days=60)
    assert windows.appeal_window == timedelta(days=9)


def test_a_parcels_lane_is_read_where_its_way_is_not_told() -> None:
    told = {"parcel_no": "P1", "carrier": "Yanwen"}
    home = ORDER.ship_to
    assert way_of(Parcel.model_validate(told | {"origin": "CN", "destination": "FR"}), home) == ("Yanwen", "CN", "FR")
    assert way_of(Parcel.model_validate(told | {"lane": "yanwen:CN>CA"}), home) == ("Yanwen", "cn", "ca")
    assert way_of(Parcel.model_validate(told | {"lane": "economy"}), home) == ("Yanwen", "", "US")


@pytest.mark.parametrize(
    ("kind", "fact", "news"),
    [
        ("silent", word(160, "found"), "found"),
        ("silent", word(160, "moving"), "found"),
        ("silent", word(90, "moving"), ""),
        ("silent", word(160, "lost"), "known"),
        ("silent", word(160, "returning"), "known"),
        ("silent", scan(160, "delivered"), "found"),
        ("silent", scan(60, "delivered"), "found"),
        ("silent", scan(160, "returned"), "found"),
        ("silent", scan(160), "known"),
        ("silent", scan(10), ""),
        ("silent", scan(160, "info_received"), ""),
        ("disputed", scan(30, "delivered"), ""),
        ("disputed", scan(160, "delivered"), "found"),
    ],
)
def test_what_ends_a_claim_and_what_moves_it(kind: str, fact: Checkpoint | CarrierReplied, news: str) -> None:
    assert Losing.of(lost(kind, last=scan(10))).learn(fact) == news


def test_a_parcel_that_moves_again_is_searched_for_anew() -> None:
    loss = lost("lost")
    losing = Losing.of(loss)
    losing.learn(scan(160))
    assert losing.kind == "silent"
    assert files_at(loss, losing, WINDOWS, CALENDAR) == at(160 + 7 * 24)
    losing.learn(word(170, "damaged"))
    assert files_at(loss, losing, WINDOWS, CALENDAR) < at(170)


def test_the_evidence_names_goods_value_way_and_last_scan() -> None:
    told = papers(lost(last=scan(10, location="Memphis")), ORDER)
    assert told["order_total"] == "129.90"
    assert told["goods"] == [{"sku": "LAMP-01", "title": "Desk lamp", "unit_price": "120.00"}]
    assert told["last_scan"] == {"at": at(10).isoformat(), "place": "Memphis", "text": ""}
    assert "rma" not in told


def a_return(*way: Checkpoint | CarrierReplied, traced_for: timedelta | None = None) -> ParcelLost:
    return return_lost(
        lost(),
        ORDER,
        way,
        rma="RMA-1",
        label="LABEL-1",
        lines=(),
        value=Decimal("120.00"),
        now=at(300),
        traced_for=traced_for,
    )


def test_a_return_is_claimed_under_its_parcel_number_else_under_its_rma() -> None:
    known_by_scan = a_return(scan(60, number="BACK-1"), word(90, "lost", "BACK-1"))
    assert case_for("carrier-claim", known_by_scan, ORDER) == "carrier-claim/A-1/BACK-1"
    assert case_for("carrier-claim", a_return(), ORDER) == "carrier-claim/A-1/RMA-1"
    assert (known_by_scan.kind, known_by_scan.handed_over_at, known_by_scan.traced_at) == ("lost", at(60), None)
    silent = a_return(scan(60, number="BACK-1"), traced_for=timedelta(hours=48))
    assert (silent.kind, silent.traced_at) == ("silent", at(252))


def test_news_of_a_parcel_reaches_the_case_that_watches_it_and_the_one_that_claims_it() -> None:
    watch, claim, other = (case(f"{name}/P{n}") for name, n in _CASES)
    back = case("return-parcel/A-1")
    for fact in (scan(160), word(160, "found")):
        assert listeners(fact, [back, other, claim, watch], HEARS) == [claim, watch]
        assert listeners(fact, [back, claim], HEARS) == [claim]
    decided = CarrierClaimDecided.model_validate(known(160, parcel_no="P1", granted=True))
    assert listeners(decided, [back, other, claim, watch], HEARS) == [claim]


_CASES = (("shipment-watch/A-1", 1), ("carrier-claim/A-1", 1), ("carrier-claim/A-1", 2))


def test_the_scans_of_a_return_reach_the_return_though_a_parcel_of_the_order_is_claimed() -> None:
    watch, claim, other = (case(f"{name}/P{n}") for name, n in _CASES)
    back = case("return-parcel/A-1")
    for fact in (scan(160, number="BACK-1"), word(160, "lost", "BACK-1")):
        assert listeners(fact, [claim, watch, other, back], HEARS) == [back]
    claimed = case("carrier-claim/A-1/BACK-1")
    assert listeners(scan(160, number="BACK-1"), [claimed, back], HEARS) == [claimed]
    assert listeners(scan(160, number="BACK-2"), [claimed, back], HEARS) == [back]
