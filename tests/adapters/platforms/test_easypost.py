"""What EasyPost tells of parcels: every payload that lies beside this checkout, and every status of a tracker."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.platforms.easypost import STATUSES
from aftersales.events import Checkpoint
from aftersales.scans import scan_meaning
from tests.adapters.platforms.payloads import NEEDED, files, load, parsed, raws, refusal

PAYLOADS = {
    "event_body": "",
    "event_example": "result.tracking_code is missing",
    "events_list": "only tracker.created and tracker.updated are read",
    "events_retrieve": "result.tracking_code is missing",
}
DETAILS = [
    {"status": "pre_transit", "datetime": "2026-11-18T08:00:00Z", "message": "Label made"},
    {"status": "in_transit", "datetime": "2026-11-19T08:00:00Z", "message": "Departed"},
]


def tracker(status: str, detail: str = "unknown", **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": "trk_1",
        "tracking_code": "JD01",
        "carrier": "USPS",
        "status": status,
        "status_detail": detail,
    }
    result |= {"updated_at": "2026-11-20T09:00:00Z", "tracking_details": DETAILS}
    return {"object": "Event", "id": "evt_1", "description": "tracker.updated", "result": result | more}


def scan(payload: object) -> dict[str, Any]:
    (event,) = raws("easypost", payload)
    assert (event["type"], event["orderalias"].partition("/")[0]) == ("shipment.checkpoint", "tracking")
    return event


@NEEDED
def test_no_payload_is_left_out() -> None:
    assert set(PAYLOADS) == files("easypost-webhook")
    assert len(PAYLOADS) == 4


@NEEDED
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload(name: str) -> None:
    payload = load(f"easypost-webhook/{name}")
    if PAYLOADS[name]:
        assert PAYLOADS[name] in refusal("easypost", payload)
        return
    event = scan(payload)
    assert event["id"] == "trk_1/2024-08-02T18:50:00+00:00/in_transit/arrived_at_facility"
    assert (event["orderalias"], event["time"]) == ("tracking/1", "2024-08-02T18:50:00+00:00")
    assert event["data"] == {
        "status": "in_transit",
        "substatus": "arrived_at_facility",
        "location": "EDISON, NJ, US",
        "at": "2024-08-02T18:50:00+00:00",
        "message": "Arrived at FedEx location",
    }


@pytest.mark.parametrize("status", STATUSES)
def test_every_status(status: str) -> None:
    assert scan(tracker(status))["data"]["status"] == STATUSES[status]


@pytest.mark.parametrize(
    ("status", "detail", "state", "trouble"),
    [
        ("return_to_sender", "return", "returning", None),
        ("return_to_sender", "unknown", "returning", None),
        ("return_to_sender", "refused", "returning", None),
        ("return_to_sender", "damaged", "moving", "damaged"),
        ("failure", "lost", "lost", None),
        ("failure", "damaged", "moving", "damaged"),
        ("failure", "refused", "moving", "refused"),
        ("failure", "address_correction", "moving", "bad_address"),
        ("failure", "unknown", "moving", "stuck"),
        ("cancelled", "cancelled", "moving", "stuck"),
        ("in_transit", "lost", "lost", None),
        ("in_transit", "return", "returning", None),
        ("in_transit", "weather_delay", "moving", None),
        ("delivered", "refused", "delivered", None),
    ],
)
def test_a_scan_is_read_as_it_is_meant(status: str, detail: str, state: str, trouble: str | None) -> None:
    event = parsed(scan(tracker(status, detail)))
    assert isinstance(event, Checkpoint)
    assert scan_meaning(event) == (state, trouble)


def test_a_repeat_is_the_same_event() -> None:
    again = tracker("in_transit", updated_at="2026-11-20T09:20:00Z") | {"id": "evt_2"}
    assert scan(tracker("in_transit"))["id"] == scan(again)["id"]
    assert scan(tracker("in_transit"))["id"] != scan(tracker("delivered"))["id"]


def test_a_status_that_no_scan_tells_began_when_the_tracker_changed() -> None:
    assert scan(tracker("in_transit"))["data"]["at"] == "2026-11-19T08:00:00+00:00"
    late = scan(tracker("delivered"))["data"]
    assert (late["at"], late["message"]) == ("2026-11-20T09:00:00+00:00", "")


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (tracker("error"), "check tracking code and carrier"),
        (tracker("beamed"), "result.status 'beamed' is not known"),
        (tracker("in_transit") | {"description": "batch.updated"}, "gives no event"),
        (tracker("in_transit") | {"description": "refund.successful"}, "gives no event"),
        (None, "gives no event"),
    ],
)
def test_what_gives_no_event_says_why(payload: object, why: str) -> None:
    assert why in refusal("easypost", payload)
