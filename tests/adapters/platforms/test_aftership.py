"""What AfterShip tells of parcels: every payload that lies beside this checkout, every tag and every subtag."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.platforms.aftership_tags import LIKE, SUBTAGS, TAGS
from aftersales.events import Checkpoint
from aftersales.scans import scan_meaning
from tests.adapters.platforms.payloads import NEEDED, SHOP, files, load, parsed, raws, refusal, tracking_update

PAYLOADS: dict[str, tuple[str, str] | str] = {
    "cassette_TrackingWithAdditionalFields_test_create_tracking_0": ("pending", "2021-03-26T04:32:05"),
    "cassette_TrackingWithAdditionalFields_test_get_last_checkpoint_0": ("in_transit", "2024-04-10T09:34:56"),
    "cassette_TrackingWithAdditionalFields_test_get_tracking_0": ("in_transit", "2021-03-25T09:59:00"),
    "cassette_TrackingWithAdditionalFields_test_get_tracking_by_id_0": ("in_transit", "2021-03-25T09:59:00"),
    "cassette_TrackingWithAdditionalFields_test_update_tracking_0": ("in_transit", "2021-03-25T09:59:00"),
    "cassette_Tracking_test_create_tracking_0": ("pending", "2020-02-26T03:56:51"),
    "cassette_Tracking_test_get_last_checkpoint_0": ("pending", "2024-04-10T09:34:56"),
    "cassette_Tracking_test_get_tracking_0": ("pending", "2020-02-26T03:56:51"),
    "cassette_Tracking_test_list_trackings_0": "msg.tracking_number is missing",
    "cassette_Tracking_test_retrack_0": "msg.tag is missing",
    "cassette_Tracking_test_update_tracking_0": ("pending", "2020-02-26T03:57:00"),
    "java_CreateTrackingResult": ("pending", "2018-08-17T06:25:32"),
    "java_DeleteTrackingResult": "msg.tag is missing",
    "java_GetLastCheckpointResult": ("delivered", "2024-04-10T09:34:56"),
    "java_GetTrackingResult": ("delivered", "2018-07-25T01:10:00"),
    "java_MarkAsCompletedResult": ("exception", "2018-08-17T05:10:46"),
    "java_UpdateTrackingResult": ("delivered", "2018-08-01T17:19:47"),
    "py_post_trackings": ("pending", "2018-08-17T06:25:32"),
}
CHECKPOINTS = [
    {"checkpoint_time": "2026-11-18T08:00:00+01:00", "tag": "InfoReceived", "message": "Label made"},
    {"checkpoint_time": "2026-11-19T20:00:00+01:00", "tag": "InTransit", "message": "Left the hub", "location": "Ulm"},
    {"checkpoint_time": "2026-11-19T06:00:00+01:00", "tag": "InTransit", "message": "Picked up"},
]
TRACKING: dict[str, Any] = {
    "id": "trk-1",
    "tracking_number": "JD01",
    "slug": "dhl",
    "tag": "InTransit",
    "subtag": "InTransit_007",
    "updated_at": "2026-11-20T09:00:00+00:00",
    "checkpoints": CHECKPOINTS,
}


def scan(tracking: object, **changes: Any) -> dict[str, Any]:
    (event,) = raws("aftership", tracking_update(tracking), shop=SHOP.model_copy(update=changes))
    assert event["type"] == "shipment.checkpoint"
    return event


def body(name: str) -> Any:
    data = load(f"aftership-api/{name}")["data"]
    return data.get("tracking", data)


@NEEDED
def test_no_payload_is_left_out() -> None:
    assert set(PAYLOADS) == files("aftership-api")
    assert len(PAYLOADS) == 18


@NEEDED
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_tracking_in_the_webhooks_envelope(name: str) -> None:
    expected = PAYLOADS[name]
    if isinstance(expected, str):
        assert expected in refusal("aftership", tracking_update(body(name)))
        return
    event = scan(body(name))
    status, at = expected
    assert (event["data"]["status"], event["data"]["at"]) == (status, f"{at}+00:00")
    assert event["orderalias"] == f"tracking/{body(name)['tracking_number']}"
    assert "parcel_no" not in event["data"]


@NEEDED
@pytest.mark.parametrize("name", PAYLOADS)
def test_an_answer_of_the_api_is_no_webhook(name: str) -> None:
    assert "gives no event, only tracking_update does" in refusal("aftership", load(f"aftership-api/{name}"))


@NEEDED
def test_a_parcel_marked_as_lost_is_lost_though_its_last_scan_says_delivered() -> None:
    event = parsed(scan(body("java_MarkAsCompletedResult")))
    assert isinstance(event, Checkpoint)
    assert (event.substatus, scan_meaning(event).state) == ("Exception_013", "lost")


@NEEDED
def test_one_checkpoint_is_one_event_with_whatever_offset_it_is_written() -> None:
    names = ("get_tracking_by_id_0", "update_tracking_0")
    local, universal = (scan(body(f"cassette_TrackingWithAdditionalFields_test_{name}")) for name in names)
    assert local["id"] == universal["id"]


def test_only_the_newest_checkpoint_is_told() -> None:
    event = scan(TRACKING)
    assert (event["data"]["message"], event["data"]["location"]) == ("Left the hub", "Ulm")
    assert event["data"]["at"] == event["time"] == "2026-11-19T19:00:00+00:00"


def test_a_repeat_is_the_same_event_and_a_new_scan_another() -> None:
    later = {"checkpoint_time": "2026-11-20T05:00:00Z", "tag": "InTransit"}
    assert scan(TRACKING)["id"] == scan(TRACKING | {"updated_at": "2026-11-20T09:20:00Z"})["id"]
    assert scan(TRACKING)["id"] != scan(TRACKING | {"checkpoints": [*CHECKPOINTS, later]})["id"]


def test_a_parcel_that_expired_did_so_when_the_tracking_changed_and_once() -> None:
    first = scan(TRACKING | {"tag": "Expired", "subtag": "Expired_001"})
    again = scan(TRACKING | {"tag": "Expired", "subtag": "Expired_001", "updated_at": "2026-11-20T09:10:00Z"})
    assert (first["data"]["status"], first["data"]["at"]) == ("expired", "2026-11-20T09:00:00+00:00")
    assert first["id"] == again["id"]


def test_a_time_without_an_offset_is_the_shops() -> None:
    local = TRACKING | {"checkpoints": [{"checkpoint_time": "2026-11-19T12:00:00", "tag": "InTransit"}]}
    assert scan(local)["time"] == "2026-11-19T12:00:00+00:00"
    assert scan(local, timezone="America/New_York")["time"] == "2026-11-19T17:00:00+00:00"


def test_a_scan_is_never_in_the_future() -> None:
    ahead = TRACKING | {"checkpoints": [{"checkpoint_time": "2026-11-20T17:00:00", "tag": "InTransit"}]}
    assert scan(ahead)["data"]["at"] == "2026-11-20T09:30:00+00:00"


def test_a_field_of_the_tracking_may_hold_our_order_id() -> None:
    known = TRACKING | {"order_id": "A-1001", "order_number": "#7"}
    event = scan(known, tracking_order_field="order_id")
    assert (event["subject"], event["data"]["parcel_no"]) == ("A-1001", "JD01")
    # With it the alias would be taught anew, without its parcel.
    assert "orderalias" not in event
    assert scan(known, tracking_order_field="order_number")["subject"] == "#7"
    assert scan(known)["orderalias"] == "tracking/JD01"


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag(tag: str) -> None:
    assert scan(TRACKING | {"tag": tag, "subtag": None})["data"]["status"] == TAGS[tag]


@pytest.mark.parametrize("subtag", SUBTAGS)
def test_every_subtag(subtag: str) -> None:
    data = scan(TRACKING | {"tag": subtag.partition("_")[0], "subtag": subtag})["data"]
    assert (data["status"], data["substatus"]) == (SUBTAGS[subtag], LIKE.get(subtag, subtag))


def test_a_destroyed_parcel_is_a_lost_one() -> None:
    data = scan(TRACKING | {"tag": "Exception", "subtag": "Exception_021"})["data"]
    assert (data["status"], data["substatus"]) == ("exception", "Exception_013")


def test_every_tag_has_a_subtag_and_each_subtag_differs_from_its_tag_only_where_it_is_meant_to() -> None:
    assert {subtag.partition("_")[0] for subtag in SUBTAGS} == set(TAGS)
    other = {subtag for subtag, status in SUBTAGS.items() if status != TAGS[subtag.partition("_")[0]]}
    assert other == {"Exception_011", "OutForDelivery_002"}


@pytest.mark.parametrize(
    ("tag", "subtag", "status"),
    [("Exception", "Exception_099", "exception"), ("Delivered", "Exception_011", "delivered")],
)
def test_a_subtag_that_is_unknown_or_of_another_tag_changes_nothing(tag: str, subtag: str, status: str) -> None:
    assert scan(TRACKING | {"tag": tag, "subtag": subtag})["data"]["status"] == status


@pytest.mark.parametrize(
    ("subtag", "state", "trouble"),
    [
        ("Exception_003", "moving", "refused"),
        ("Exception_004", "moving", "customs"),
        ("Exception_007", "moving", "bad_address"),
        ("Exception_010", "returning", None),
        ("Exception_011", "returned", None),
        ("Exception_012", "moving", "damaged"),
        ("Exception_013", "lost", None),
        ("Exception_017", "moving", "stuck"),
    ],
)
def test_a_scan_is_read_as_it_is_meant(subtag: str, state: str, trouble: str | None) -> None:
    event = parsed(scan(TRACKING | {"tag": "Exception", "subtag": subtag}))
    assert isinstance(event, Checkpoint)
    assert scan_meaning(event) == (state, trouble)


def test_a_parcel_that_was_on_its_way_back_is_not_delivered_to_the_customer() -> None:
    delivered = TRACKING | {"tag": "Delivered", "subtag": "Delivered_001", "return_to_sender": True}
    assert scan(delivered)["data"]["status"] == "returned"


def test_the_time_of_the_message_stands_in_for_all_others_in_seconds_or_milliseconds() -> None:
    bare = {"tracking_number": "JD01", "slug": "dhl", "tag": "Pending"}
    assert scan(bare)["time"] == "2024-04-10T09:34:56+00:00"
    (event,) = raws("aftership", tracking_update(bare) | {"ts": 1_712_741_696_000})
    assert event["time"] == "2024-04-10T09:34:56+00:00"
    assert event["id"] == "dhl/JD01/-/Pending/-"


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"event": "edd_revise", "msg": TRACKING}, "switch on nothing but shipment statuses"),
        ({"event": "tracking_pending_time", "msg": TRACKING}, "only tracking_update does"),
        (tracking_update(None), "msg.tracking_number is missing"),
        (tracking_update(TRACKING | {"tag": "Teleported"}), "msg.tag 'Teleported' is not known"),
        ([], "only tracking_update does"),
    ],
)
def test_what_gives_no_event_says_why(payload: object, why: str) -> None:
    assert why in refusal("aftership", payload)
