from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aftersales import blocked
from aftersales.events import CarrierIntercepted, Checkpoint, DispatchBlocked
from aftersales.records import CaseRecord
from aftersales.routing import listeners

AT = datetime(2026, 11, 20, tzinfo=UTC)


def event(hours: int = 0, **data: object) -> DispatchBlocked:
    known = {"id": f"e{hours}", "source": "s", "order_id": "A-1", "time": AT + timedelta(hours=hours), "region": "TX"}
    return DispatchBlocked.model_validate(known | data)


@pytest.mark.parametrize(
    ("out", "usual", "every", "free"),
    [
        (["USPS", " ups"], ["usps", "UPS"], True, []),
        (["USPS"], ["USPS", "UPS", "FedEx"], False, ["UPS", "FedEx"]),
        ([], ["UPS"], False, ["UPS"]),
        (["USPS"], [], False, []),
    ],
)
def test_all_are_blocked_where_no_usual_carrier_is_left(
    out: list[str], usual: list[str], every: bool, free: list[str]
) -> None:
    block = event(carriers_blocked=out, carriers_usual=usual)
    assert blocked.all_blocked(block) is every
    assert blocked.free_carriers(block) == free


def test_the_newer_event_counts_with_all_proof_and_the_date_that_is_known() -> None:
    first = event(0, carriers_blocked=["USPS"], proof=["https://p.example/1"], platform_deadline=AT)
    again = event(5, proof=["https://p.example/1", "https://p.example/2"])
    for known in (blocked.latest(first, again), blocked.latest(again, first)):
        assert known.carriers_blocked == ()
        assert known.proof == ("https://p.example/1", "https://p.example/2")
        assert known.platform_deadline == AT


def test_an_exemption_is_filed_before_the_deadline_or_on_our_own_date() -> None:
    lead = timedelta(hours=12)
    assert blocked.file_by(event(platform_deadline=AT), lead, AT) == AT - lead
    assert blocked.file_by(event(), lead, AT) == AT


def test_a_case_that_has_parcels_stopped_hears_of_every_parcel_of_its_order() -> None:
    def case(name: str) -> CaseRecord:
        process = name.split("/", maxsplit=1)[0]
        return CaseRecord(case_id=name, trigger="t", process=process, order_id="A-1", part="", shop="s", opened_at=AT)

    cases = [case("order-change/A-1"), case("shipment-watch/A-1/P1"), case("shipment-watch/A-1/P2")]
    hears = {"order-change": (CarrierIntercepted, Checkpoint), "shipment-watch": (Checkpoint,)}
    stopped = CarrierIntercepted(id="1", source="s", order_id="A-1", time=AT, parcel_no="P1", ok=True)
    scan = Checkpoint(id="2", source="s", order_id="A-1", time=AT, parcel_no="P2", status="in_transit")
    assert [case.case_id for case in listeners(stopped, cases, hears)] == ["order-change/A-1"]
    assert {case.case_id for case in listeners(scan, cases, hears)} == {"order-change/A-1", "shipment-watch/A-1/P2"}
