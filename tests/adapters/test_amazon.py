"""Amazon's published messages, file by file: the events that follow, or why none does. And messages that are broken."""

from __future__ import annotations

import contextlib
import copy
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.platforms import amazon_tracking
from adapters.platforms.amazon import NothingToDo, translate
from adapters.platforms.amazon_queue import amazon_decoder
from adapters.platforms.amazon_returns import STAGES
from adapters.platforms.errors import Untranslated
from adapters.platforms.kept import webhook_in
from adapters.platforms.storefront import Storefront
from aftersales import events as contract
from aftersales.events import Event, parse_event
from aftersales.records import Unreadable
from aftersales.scans import scan_meaning
from tests.queues import MemoryDelivery, MemoryQueue

DATA = Path(__file__).parents[2].parent / "shared/data/platform-payloads"
SHOP = Storefront(shop="lamps", channel="amazon", unit_cost_share=Decimal("0.4"), category="lighting")
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"Amazon's published messages are not at {DATA}")


def files() -> list[Path]:
    return sorted([*DATA.glob("amazon-notification/*.json"), *DATA.glob("amazon-api/*.json")])


def message(name: str) -> Any:
    """A file's message; those of the sandbox have the request beside it."""
    [path] = DATA.glob(f"amazon-*/{name}.json")
    told = json.loads(path.read_text("utf-8"))
    return told["response"] if set(told) == {"request", "response"} else told


def read(told: object, shop: Storefront = SHOP) -> list[Event]:
    """The events as a case gets them, once an alias stands for an order."""
    raws = translate({}, told, storefront=shop, received_at=NOON)
    for raw in raws:
        if "subject" not in raw:
            assert raw["orderalias"].startswith("tracking/")
            raw["subject"], raw["data"] = "A-1", {"parcel_no": "P-1", **raw["data"]}
    return [parse_event(raw) for raw in raws]


def order(**changes: Any) -> Any:
    """An order with two items, from Orders 2026-01-01."""
    told = message("orders_2026-01-01_getOrder_200_sb0")
    first = told["order"]["orderItems"][0]
    second = copy.deepcopy(first)
    second["orderItemId"], second["product"]["sellerSku"] = "2", "BULB"
    told["order"]["orderItems"] = [first, second]
    told["order"]["proceeds"]["grandTotal"]["amount"] = "599.80"
    told["order"] |= changes
    return told


WHY_NONE = {
    "BrandedItemContentChangeNotification": "not about an order",
    "DetailPageTrafficEventNotification": "not about an order",
    "FBAOutboundShipmentStatusNotification": "no parcel",
    "FeePromotionNotification": "not about an order",
    "FulfillmentOrderStatusNotification": "'TYPE3945' is none of Order, Shipment and Return",
    "ItemInventoryEventChangeNotification": "not about an order",
    "ItemProductTypeChangeNotification": "not about an order",
    "ItemSalesEventChangeNotification": "not about an order",
    "ListingsItemIssuesChangeNotification": "not about an order",
    "ListingsItemIssuesChangeNotification_2023-12-13": "not about an order",
    "ListingsItemMfnQuantityChange": "not about an order",
    "ProductTypeDefinitionsChangeNotification": "not about an order",
    "TransactionUpdateNotification": "books to the seller",
    "externalFulfillmentReturns_2024-09-11_getReturn_400_sb0": "Amazon refused the request (InvalidInput",
    "externalFulfillmentReturns_2024-09-11_listReturns_400_sb0": "Amazon refused the request (InvalidInput",
    "fulfillmentOutbound_2020-07-01_createFulfillmentReturn_200_ex0": "does not name the order; hand in the answer of",
    "fulfillmentOutbound_2020-07-01_listReturnReasonCodes_200_ex0": "list of reasons",
    "messaging_GetAttributes_200_ex0": "buyer's language",
    "messaging_getMessagingActionsForOrder_200_sb0": "may be written to a buyer",
    "ordersV0_getOrderAddress_200_sb0": "getOrderAddress is a part of an order; hand it in together with getOrder",
    "ordersV0_getOrderBuyerInfo_200_ex0": "getOrderBuyerInfo is a part of an order",
    "ordersV0_getOrderBuyerInfo_200_sb0": "getOrderBuyerInfo is a part of an order",
    "ordersV0_getOrderItemsBuyerInfo_200_ex0": "wrapped",
    "ordersV0_getOrderItems_200_ex0": "getOrderItems is a part of an order",
    "ordersV0_getOrderItems_200_sb0": "getOrderItems is a part of an order",
    "ordersV0_getOrderRegulatedInfo_200_ex0": "pharmacy",
    "ordersV0_getOrderRegulatedInfo_200_ex1": "pharmacy",
    "ordersV0_getOrderRegulatedInfo_200_ex2": "pharmacy",
    "ordersV0_getOrderRegulatedInfo_200_sb0": "pharmacy",
    "ordersV0_getOrderRegulatedInfo_200_sb1": "pharmacy",
    "ordersV0_getOrder_200_ex0": "has no items; hand in getOrder, getOrderItems",
    "ordersV0_getOrder_200_sb0": "has no items; hand in getOrder, getOrderItems",
    "ordersV0_getOrder_200_sb1": "has no items; hand in getOrder, getOrderItems",
    "ordersV0_getOrders_200_ex0": "has no items; hand in getOrder, getOrderItems",
    "ordersV0_getOrders_200_sb0": "has no items; hand in getOrder, getOrderItems",
    "shippingV2_createClaim_201_ex0": "claim",
    "tracking_2026-01-30_getShipmentTracking_200_sb0": "about freight",
}
"""Every published message that no event follows from, with a part of the reason."""


@pytest.mark.parametrize("name", WHY_NONE)
def test_what_no_event_follows_from_says_why_and_what_to_do(name: str) -> None:
    with pytest.raises(Untranslated) as raised:
        read(message(name))
    assert WHY_NONE[name] in str(raised.value)
    assert "; " in str(raised.value)


def test_every_other_published_message_becomes_events() -> None:
    types: Counter[str] = Counter()
    translated = [path for path in files() if path.stem not in WHY_NONE]
    for path in translated:
        found = read(message(path.stem))
        assert found, path.stem
        assert all(event.source == "amazon/lamps" for event in found)
        types.update(event.type for event in found)
    assert (len(files()), len(translated), len(WHY_NONE)) == (62, 25, 37)
    assert types == {
        "customer.message": 1,
        "order.paid": 1,
        "order.return_requested": 23,
        "order.shipped": 2,
        "shipment.checkpoint": 38,
    }


def test_the_same_message_again_gives_the_same_events() -> None:
    for path in files():
        if path.stem not in WHY_NONE:
            first, second = read(message(path.stem)), read(message(path.stem))
            assert [event.identity for event in first] == [event.identity for event in second]
            assert len({event.identity for event in first}) == len(first)


def order_change(**changes: Any) -> Any:
    told = message("OrderChangeNotification")
    told["Payload"]["OrderChangeNotification"] |= {"OrderChangeType": "OrderStatusChange"} | changes
    return told


def with_status(status: str) -> Any:
    told = order_change()
    told["Payload"]["OrderChangeNotification"]["Summary"]["OrderStatus"] = status
    return told


def test_a_buyer_who_wants_the_whole_order_cancelled_has_written_a_message() -> None:
    [asked] = read(message("OrderChangeNotification"), SHOP.model_copy(update={"order_prefix": "AMZ-"}))
    assert isinstance(asked, contract.CustomerMessage)
    assert (asked.order_id, asked.channel) == ("AMZ-903-8868176-2219830", "amazon")
    assert asked.text == "Please cancel this order. Buyer Requested Cancel"
    assert asked.time == datetime(2022, 11, 29, 19, 42, 4, 284000, UTC)


def test_a_buyer_who_wants_some_items_cancelled_wants_the_order_changed() -> None:
    told = message("OrderChangeNotification")
    items = told["Payload"]["OrderChangeNotification"]["Summary"]["OrderItems"]
    items.append(items[0] | {"OrderItemId": "2", "SellerSKU": "BULB", "IsBuyerRequestedCancel": False})
    [asked] = read(told)
    assert isinstance(asked, contract.ChangeRequested)
    assert [(line.line_id, line.quantity) for line in asked.change.lines] == [("SellerSKUID1", 0)]


def test_an_order_that_amazon_wants_sent_is_paid_and_one_that_it_cancelled_needs_no_refund() -> None:
    [paid] = read(with_status("Unshipped"))
    [gone] = read(with_status("Canceled"))
    assert (paid.type, paid.id) == ("order.paid", "903-8868176-2219830/paid")
    assert isinstance(gone, contract.OrderCancelled)
    assert gone.refunded


@pytest.mark.parametrize(
    "status", ["Pending", "PendingAvailability", "InvoiceUnconfirmed", "Shipped", "PartiallyShipped"]
)
def test_states_without_an_event_are_nothing_to_do(status: str) -> None:
    with pytest.raises(NothingToDo):
        read(with_status(status))


def test_a_state_that_nobody_knows_is_for_a_person() -> None:
    with pytest.raises(Untranslated, match="look into Seller Central") as raised:
        read(with_status("Unfulfillable"))
    assert not isinstance(raised.value, NothingToDo)


def answers(*parts: str) -> Any:
    """What the sandbox answers about one order, but for its dates, which are of 1970."""
    told = {part: message(f"ordersV0_{part}_200_sb0") for part in parts}
    told["getOrder"]["payload"]["PurchaseDate"] = "2026-10-30T03:58:30Z"
    return told


def test_the_four_answers_about_an_order_of_v0_make_its_snapshot() -> None:
    paid, asked = read(answers("getOrder", "getOrderItems", "getOrderAddress", "getOrderBuyerInfo"))
    assert isinstance(paid, contract.OrderPaid)
    assert paid.order
    assert paid.order.model_dump(include={"order_id", "market", "locale", "currency", "total", "freight_paid"}) == {
        "order_id": "902-1845936-5435065",
        "market": "US",
        "locale": "en-US",
        "currency": "USD",
        "total": "11.01",
        "freight_paid": "0.00",
    }
    [item] = paid.order.items
    assert (item.line_id, item.unit_price, item.unit_cost) == (
        "NABetaASINB00551Q3CS",
        Decimal("11.01"),
        Decimal("4.404"),
    )
    assert paid.order.customer.email == "fzyrv6gwkhbb15c@example.com"
    assert paid.order.ship_to.city == "SEATTLE"
    assert isinstance(asked, contract.CustomerMessage)
    assert asked.text == "Please cancel this order. Found cheaper somewhere else."


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("getOrderItems", "has no items"),
        ("getOrderAddress", "does not tell where it goes; ask Amazon with the right to personal data"),
        ("getOrderBuyerInfo", "does not tell the buyer's address at Amazon"),
    ],
)
def test_an_order_of_v0_with_a_part_missing_says_which(part: str, why: str) -> None:
    parts = {"getOrder", "getOrderItems", "getOrderAddress", "getOrderBuyerInfo"} - {part}
    with pytest.raises(Untranslated, match=why):
        read(answers(*parts))


def test_an_order_of_2026_has_its_price_with_tax_its_parcel_and_how_far_that_is() -> None:
    shipped, scan = read(message("orders_2026-01-01_getOrder_200_ex0"))
    assert isinstance(shipped, contract.OrderShipped)
    assert shipped.order
    [item] = shipped.order.items
    assert (item.quantity, item.unit_price, shipped.order.freight_paid) == (3, Decimal("30.99"), Decimal("11.00"))
    assert item.value + shipped.order.freight_paid == shipped.order.total == Decimal("103.97")
    assert (shipped.order.market, shipped.order.locale, shipped.order.currency) == ("GB", "en-GB", "GBP")
    assert shipped.order.ship_to.line1 == "123 High Street, Unit 4B"
    assert shipped.parcel.model_dump(include={"parcel_no", "carrier", "origin", "destination"}) == {
        "parcel_no": "RR123456789GB",
        "carrier": "Royal Mail",
        "origin": "GB",
        "destination": "GB",
    }
    assert [(line.line_id, line.quantity) for line in shipped.lines] == [("ECHO-DOT-4-UK-CHARCOAL-3PACK", 3)]
    assert isinstance(scan, contract.Checkpoint)
    assert (scan.parcel_no, scan.status) == ("RR123456789GB", "out_for_delivery")


def test_a_buyer_may_want_one_item_of_an_order_of_2026_cancelled() -> None:
    told = order()
    wish = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "NO_LONGER_NEEDED"}}
    told["order"]["orderItems"][1]["cancellation"] = wish
    paid, asked = read(told)
    assert (paid.type, paid.id) == ("order.paid", "171-9876543-2109876/paid")
    assert isinstance(asked, contract.ChangeRequested)
    assert [(line.line_id, line.quantity) for line in asked.change.lines] == [("BULB", 0)]


def test_two_items_of_one_sku_are_two_lines() -> None:
    told = order()
    told["order"]["orderItems"][1]["product"]["sellerSku"] = "ECHO-DOT-4-BR-PRETO"
    [paid] = read(told)
    assert isinstance(paid, contract.OrderPaid)
    assert paid.order
    assert [item.line_id for item in paid.order.items] == ["ECHO-DOT-4-BR-PRETO", "ECHO-DOT-4-BR-PRETO#2"]


def test_a_pending_order_with_a_total_is_made_known_and_a_cancelled_one_needs_no_snapshot() -> None:
    [known] = read(order(fulfillment={"fulfillmentStatus": "PENDING"}))
    [gone] = read({"order": {"orderId": "1", "fulfillment": {"fulfillmentStatus": "CANCELLED"}}})
    assert (known.type, gone.type) == ("order.updated", "order.cancelled")


def a_return(status: str, **changes: Any) -> Any:
    told = message("externalFulfillmentReturns_2024-09-11_getReturn_200_ex0")
    return told | {"status": status} | changes


def test_a_return_is_asked_for_once_whatever_its_state_is_when_we_first_hear() -> None:
    found = {status: read(a_return(status)) for status in STAGES if status not in ("CANCELLED", "REJECTED")}
    assert len({events[0].identity for events in found.values()}) == 1
    asked = found["CREATED"][0]
    assert isinstance(asked, contract.ReturnRequested)
    assert asked.time == datetime(2021, 5, 8, 1, 23, 33, tzinfo=UTC)
    assert [(line.line_id, line.quantity) for line in asked.lines] == [("SerialYT1", 1)]
    assert (asked.reason, asked.text) == (None, "1 × SerialYT1: Missed")
    behind = {status: [event.type for event in events[1:]] for status, events in found.items()}
    assert behind["CREATED"] == behind["CUSTOMER_CANCELLED_PICK_UP"] == []
    assert behind["IN_TRANSIT"] == behind["DELIVERED"] == ["shipment.checkpoint"]
    assert behind["PROCESSED"] == ["warehouse.return_received"]
    scan, received = found["DELIVERED"][1], found["PROCESSED"][1]
    assert isinstance(scan, contract.Checkpoint)
    assert (scan.parcel_no, scan.status) == ("19124773658", "delivered")
    assert isinstance(received, contract.ReturnReceived)
    assert received.rma == "Test"


def test_a_return_that_ends_otherwise() -> None:
    [cancelled] = read(a_return("CANCELLED"))
    assert cancelled.type == "order.return_cancelled"
    with pytest.raises(NothingToDo, match="sends as an order of its own"):
        read(a_return("CREATED", returnSubType="REPLACEMENT"))
    with pytest.raises(Untranslated, match="'REJECTED'; look into Seller Central"):
        read(a_return("REJECTED"))
    coming, back = (read(a_return(status, returnType="REJECT"))[0] for status in ("IN_TRANSIT", "DELIVERED"))
    assert isinstance(coming, contract.Checkpoint)
    assert isinstance(back, contract.Checkpoint)
    assert coming.parcel_no == back.parcel_no == "156121269663"
    assert [scan_meaning(scan).state for scan in (coming, back)] == ["returning", "returned"]


def test_amazons_reasons_are_ours() -> None:
    codes = message("fulfillmentOutbound_2020-07-01_listReturnReasonCodes_200_ex0")["reasonCodeDetails"]
    told = {}
    for code in (one["returnReasonCode"] for one in codes):
        [asked] = read(a_return("CREATED", returnMetadata={"returnReason": code}))
        assert isinstance(asked, contract.ReturnRequested)
        told[code] = asked.reason
    assert None not in told.values()
    assert told["CR-FOUND_BETTER_PRICE"] == "found_cheaper"
    assert (told["CR-SWITCHEROO"], told["AMZ-PG-BAD-DESC"]) == ("wrong_item", "not_as_described")
    own = SHOP.model_copy(update={"return_reasons": {"missed": "missing_part"}})
    [asked] = read(a_return("CREATED"), own)
    assert isinstance(asked, contract.ReturnRequested)
    assert asked.reason == "missing_part"


def test_scans_have_the_parcels_number_for_an_alias_and_come_oldest_first() -> None:
    raws = translate({}, message("ShipmentTrackingMilestoneChangedNotification"), storefront=SHOP, received_at=NOON)
    assert {raw["orderalias"] for raw in raws} == {"tracking/AFTN987654321"}
    assert not any("subject" in raw or "parcel_no" in raw["data"] for raw in raws)
    scans = [raw["data"] for raw in raws]
    assert [scan["status"] for scan in scans] == [
        *("info_received", "info_received", "in_transit", "out_for_delivery", "delivered")
    ]
    assert (scans[-1]["location"], scans[-1]["at"]) == ("Austin, Texas, US", "2026-06-14T01:26:56+00:00")


def test_a_parcel_that_turns_back_ends_returned_and_a_return_of_its_own_ends_delivered() -> None:
    told = message("shippingV2_getTracking_200_ex0")
    scans = [scan for scan in read(told) if isinstance(scan, contract.Checkpoint)]
    assert [scan_meaning(scan).state for scan in scans] == ["moving", "returning", "returned"]
    told["eventHistory"] = told["eventHistory"][1:]
    scans = [scan for scan in read(told) if isinstance(scan, contract.Checkpoint)]
    assert [scan_meaning(scan).state for scan in scans] == ["returning", "delivered"]


@pytest.mark.parametrize("table", [amazon_tracking.MILESTONES, amazon_tracking.SHIPPING, amazon_tracking.FULFILMENT])
def test_every_code_of_amazons_means_what_its_name_says(table: dict[str, tuple[str, str]]) -> None:
    wanted = {
        "DELIVERED": "delivered",
        "Delivered": "delivered",
        "EVENT_301": "delivered",
        "LOST": "lost",
        "Lost": "lost",
        "EVENT_409": "lost",
        "RETURNED": "returned",
        "EVENT_309": "returned",
        "UNDELIVERABLE": "returning",
        "ReturnInitiated": "returning",
        "EVENT_408": "returning",
    }
    known = {"id": "1", "source": "amazon/lamps", "order_id": "A-1", "time": NOON, "parcel_no": "P-1"}
    for code, (status, substatus) in table.items():
        scan = contract.Checkpoint.model_validate({**known, "status": status, "substatus": substatus})
        assert scan_meaning(scan).state == wanted.get(code, scan_meaning(scan).state), code
    assert not any(code.startswith("RETURN_") for code in table)


def test_packages_of_multi_channel_fulfilment_are_tracked_by_their_numbered_events() -> None:
    events = [
        {"eventDate": "2026-11-03T08:00:00Z", "eventCode": "EVENT_302", "eventDescription": "Out for delivery"},
        {
            "eventDate": "2026-11-02T08:00:00Z",
            "eventCode": "EVENT_102",
            "eventAddress": {"city": "Reno", "state": "NV"},
        },
    ]
    package = {"packageNumber": 1, "trackingNumber": "1Z1", "carrierCode": "UPS", "trackingEvents": events}
    scans = [scan for scan in read({"payload": package}) if isinstance(scan, contract.Checkpoint)]
    assert [(scan.status, scan.location) for scan in scans] == [("in_transit", "Reno, NV"), ("out_for_delivery", "")]


def test_what_multi_channel_fulfilment_sent_and_got_back() -> None:
    told = {
        "fulfillmentOrder": {"sellerFulfillmentOrderId": "A-1001"},
        "fulfillmentShipments": [
            {
                "amazonShipmentId": "S1",
                "fulfillmentShipmentStatus": "SHIPPED",
                "shippingDate": "2026-11-02T08:00:00Z",
                "fulfillmentShipmentItem": [
                    {"sellerFulfillmentOrderItemId": "1", "quantity": 2, "packageNumber": 7},
                    {"sellerFulfillmentOrderItemId": "2", "quantity": 1, "packageNumber": 8},
                ],
                "fulfillmentShipmentPackage": [{"packageNumber": 7, "carrierCode": "UPS", "trackingNumber": "1Z7"}],
            },
            {"amazonShipmentId": "S2", "fulfillmentShipmentStatus": "PENDING"},
        ],
        "returnItems": [
            {
                "sellerReturnItemId": "r1",
                "sellerFulfillmentOrderItemId": "1",
                "status": "Processed",
                "statusChangedDate": "2026-11-20T08:00:00Z",
                "returnReceivedCondition": "CustomerDamaged",
                "returnAuthorizationId": "RMA1",
            },
            {"sellerReturnItemId": "r2", "sellerFulfillmentOrderItemId": "1", "status": "New"},
        ],
    }
    shipped, received = read({"payload": told})
    assert isinstance(shipped, contract.OrderShipped)
    assert (shipped.order_id, shipped.parcel.tracking_number) == ("A-1001", "1Z7")
    assert [(line.line_id, line.quantity) for line in shipped.lines] == [("1", 2)]
    assert isinstance(received, contract.ReturnReceived)
    assert (received.rma, received.findings) == ("RMA1", ("used",))


def fulfilment_status(kind: str, status: str = "COMPLETE", packages: int = 1) -> Any:
    told = message("FulfillmentOrderStatusNotification")
    body = told["Payload"]["FulfillmentOrderStatusNotification"]
    body |= {"EventType": kind, "FulfillmentOrderStatus": status}
    shipment = body["FulfillmentShipment"]
    shipment["FulfillmentShipmentStatus"] = "SHIPPED"
    shipment["FulfillmentShipmentPackages"] = shipment["FulfillmentShipmentPackages"][:packages]
    return told


def test_fulfilment_notifications_count_where_they_say_which_goods() -> None:
    [shipped] = read(fulfilment_status("Shipment"))
    [received] = read(fulfilment_status("Return"))
    assert (shipped.type, shipped.order_id, received.type) == (
        "order.shipped",
        "SFOID2345",
        "warehouse.return_received",
    )
    with pytest.raises(Untranslated, match="hand in the answer of getFulfillmentOrder"):
        read(fulfilment_status("Shipment", packages=3))
    with pytest.raises(NothingToDo):
        read(fulfilment_status("Order"))


def test_a_queue_may_carry_amazons_messages_in_any_envelope_beside_events() -> None:
    decode = amazon_decoder(SHOP, clock=lambda: NOON)

    def decoded(body: object) -> Any:
        return decode(MemoryDelivery(MemoryQueue(), "m-1", json.dumps(body).encode()))

    told = message("OrderChangeNotification")
    bridged = {"version": "0", "detail-type": "ORDER_CHANGE", "source": "aws.partner/sellingpartnerapi", "detail": told}
    wrapped = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": json.dumps(bridged)}
    [direct] = decoded(told)
    assert decoded(bridged) == decoded(wrapped) == [direct]
    assert decoded({"specversion": "1.0", "id": "own"}) == [{"specversion": "1.0", "id": "own"}]
    assert decoded(message("FeePromotionNotification")) == []
    [kept] = decoded(message("ordersV0_getOrder_200_ex0"))
    assert isinstance(kept, Unreadable)
    assert "has no items" in kept.reason
    assert webhook_in(kept.text)


def test_the_document_names_every_state_of_a_return_and_every_notification_that_counts() -> None:
    text = (Path(__file__).parents[2] / "docs/amazon.md").read_text("utf-8")
    types = ("ORDER_CHANGE", "SHIPMENT_TRACKING_MILESTONE_CHANGED", "FULFILLMENT_ORDER_STATUS")
    assert [name for name in (*STAGES, *types) if f"`{name}`" not in text] == []


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["", "\0", "\ud800", "x" * 70_000, "-1", "NaN", "9" * 30, "0001-01-01T00:00:00Z", "2026-13-45"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_a_broken_message_gives_valid_events_or_a_reason_and_nothing_else(data: st.DataObject) -> None:
    names = [path.stem for path in files() if path.stem not in WHY_NONE]
    told = message(data.draw(st.sampled_from(names)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from(_places(told)))
        if not place:
            continue
        holder = told
        for key in place[:-1]:
            holder = holder[key]
        if data.draw(st.booleans()) and isinstance(holder, dict):
            del holder[place[-1]]
        else:
            holder[place[-1]] = data.draw(ODD)
    with contextlib.suppress(Untranslated):
        assert read(told)


@pytest.mark.parametrize(
    "payload", [None, [], {}, "text", 7, {"payload": None}, {"payload": []}, {"NotificationType": 3}]
)
def test_what_is_no_message_at_all_says_so(payload: object) -> None:
    with pytest.raises(Untranslated):
        read(payload)
