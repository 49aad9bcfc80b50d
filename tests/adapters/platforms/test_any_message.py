"""Whatever is sent, by anybody: events that our contract takes, or a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.platforms import PLATFORMS, Storefront, Untranslated, translate
from adapters.platforms.notes import key_in, refund_note
from adapters.platforms.shopify import TOPICS
from aftersales.events import MAX_BYTES
from tests.adapters.platforms import shopify_samples, test_aftership, test_easypost, test_woocommerce
from tests.adapters.platforms.payloads import SHOP, raws, refusal, shopify, tracking_update, woocommerce

Path = tuple[str | int, ...]

CANCELLED = {"cancelled_at": "2026-11-19T10:00:00Z", "cancel_reason": "customer", "financial_status": "refunded"}
REFUND = {"id": 31, "order_id": 6001, "note": refund_note("k"), "created_at": "2026-11-19T10:00:00Z"}
MOVED = [{"kind": "refund", "status": "success", "amount": "12.50", "currency": "EUR"}]
SCAN = {"id": 5, "order_id": 6001, "fulfillment_id": 801, "status": "delivered", "happened_at": "2026-11-19T12:00:00Z"}
OPEN = shopify_samples.DISPUTE | {"status": "needs_response", "evidence_due_by": "2026-12-01T00:00:00Z"}
FULFILLED = shopify_samples.ORDER | {"fulfillments": [shopify_samples.FULFILLMENT]}
OF_TOPIC: dict[str, object] = {
    "orders/create": shopify_samples.ORDER,
    "orders/paid": shopify_samples.ORDER,
    "orders/updated": shopify_samples.ORDER,
    "orders/cancelled": shopify_samples.ORDER | CANCELLED,
    "orders/fulfilled": FULFILLED,
    "orders/partially_fulfilled": FULFILLED,
    "fulfillments/create": shopify_samples.FULFILLMENT,
    "fulfillments/update": shopify_samples.FULFILLMENT,
    "fulfillment_events/create": SCAN,
    "refunds/create": REFUND | {"transactions": MOVED},
    "disputes/create": OPEN,
    "disputes/update": OPEN,
    "returns/request": shopify_samples.RETURN,
    "returns/approve": shopify_samples.RETURN,
    "returns/cancel": shopify_samples.RETURN,
    "returns/decline": shopify_samples.RETURN,
}
MESSAGES: list[tuple[str, dict[str, str], object]] = [
    *(("shopify", shopify(topic), payload) for topic, payload in OF_TOPIC.items()),
    ("woocommerce", woocommerce(), test_woocommerce.ORDER | {"refunds": [{"id": 9, "total": "-5.00"}]}),
    ("woocommerce", woocommerce(), test_woocommerce.ORDER | {"status": "cancelled"}),
    ("aftership", {}, tracking_update(test_aftership.TRACKING)),
    ("aftership", {}, tracking_update(test_aftership.TRACKING | {"order_id": "A-1"})),
    ("easypost", {}, test_easypost.tracker("in_transit")),
]
ODD: list[Any] = [
    None,
    "",
    " ",
    "\x00\ud800",
    "a" * 30_000,
    "-5.00",
    "1e9999999",
    "1e-9999999",
    "NaN",
    "Infinity",
    "12,50",
    "999999999999.9999",
    "0001-01-01T00:00:00+23:00",
    "9999-12-31T23:59:59-23:00",
    "2026-02-30T00:00:00Z",
    "2026-11-19",
    10**30,
    10**400,
    -1,
    0,
    1e308,
    float("nan"),
    float("inf"),
    820982911946154500,
    8.209829119461545e17,
    True,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"shop_money": "x"},
    "refunded",
    "delivered",
    "won",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


def paths(value: object, at: Path = ()) -> Iterator[Path]:
    inside: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for key, inner in inside:
        yield (*at, key)
        yield from paths(inner, (*at, key))


def change(payload: Any, path: Path, new: object, *, drop: bool) -> None:
    """Put something else at a path, or take it out; nothing where an earlier change took the path away."""
    way: tuple[Any, ...] = path[:-1]
    last = path[-1]
    for key in way:
        try:
            payload = payload[key]
        except (KeyError, IndexError, TypeError):
            return
    may = isinstance(payload, dict) or (isinstance(payload, list) and isinstance(last, int) and last < len(payload))
    if isinstance(payload, dict) and drop:
        payload.pop(last, None)
    elif may:
        holder: Any = payload
        holder[last] = new


def is_answered(platform: str, headers: dict[str, str], payload: object, shop: Storefront = SHOP) -> bool:
    """Whether events came of it, each good; every other end but a reason fails the test."""
    why = ""
    try:
        raws(platform, payload, headers, shop=shop)
    except Untranslated as refused:
        why = str(refused)
    assert why.startswith(platform if why else "")
    return not why


def test_every_topic_and_platform_is_tried() -> None:
    assert set(OF_TOPIC) == set(TOPICS)
    assert {platform for platform, _, _ in MESSAGES} >= {"aftership", "easypost", "shopify", "woocommerce"}
    assert {"aftership", "easypost", "shopify", "woocommerce"} <= set(PLATFORMS)
    assert all(is_answered(*message) for message in MESSAGES)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_message_with_fields_changed_or_gone_is_good_events_or_a_reason(data: st.DataObject) -> None:
    platform, headers, original = data.draw(st.sampled_from(MESSAGES))
    payload = deepcopy(original)
    known = list(paths(payload))
    for _ in range(data.draw(st.integers(1, 4))):
        new = data.draw(st.sampled_from(ODD) | JSON)
        change(payload, data.draw(st.sampled_from(known)), deepcopy(new), drop=data.draw(st.booleans()))
    is_answered(platform, headers, payload)


@pytest.mark.parametrize("place", range(len(MESSAGES)))
def test_each_field_alone_may_be_gone_or_odd(place: int) -> None:
    platform, headers, original = MESSAGES[place]
    for path in paths(original):
        for new in ODD:
            payload = deepcopy(original)
            change(payload, path, new, drop=False)
            is_answered(platform, headers, payload)
        payload = deepcopy(original)
        change(payload, path, None, drop=True)
        is_answered(platform, headers, payload)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(MESSAGES),
    st.dictionaries(st.sampled_from(["x-shopify-event-id", "x-shopify-webhook-id"]), st.text()),
)
def test_no_header_breaks_an_event(message: tuple[str, dict[str, str], object], odd: dict[str, str]) -> None:
    platform, headers, payload = message
    small = {name.lower(): value for name, value in headers.items()}
    assert is_answered(platform, small | odd, payload)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(MESSAGES), JSON)
def test_any_json_is_answered(message: tuple[str, dict[str, str], object], payload: object) -> None:
    is_answered(message[0], message[1], payload)


@pytest.mark.parametrize("place", range(len(MESSAGES)))
def test_the_same_message_gives_the_same_events_whenever_it_comes(place: int) -> None:
    platform, headers, payload = MESSAGES[place]
    again = datetime(2027, 1, 1, tzinfo=UTC)
    later = translate(platform, headers, json.loads(json.dumps(payload)), storefront=SHOP, received_at=again)
    assert [event["id"] for event in later] == [event["id"] for event in raws(platform, payload, headers)]


def test_the_events_of_a_shop_come_from_that_shop() -> None:
    shop = SHOP.model_copy(update={"shop": "lamps-at"})
    for platform, headers, payload in MESSAGES:
        assert {event["source"] for event in raws(platform, payload, headers, shop=shop)} == {f"{platform}/lamps-at"}


def test_an_unknown_platform_is_named() -> None:
    assert "'ebay' is no platform that is known; write one of aftership, " in refusal("ebay", {})


def test_an_order_that_is_too_large_for_an_event_is_refused() -> None:
    line = shopify_samples.ORDER["line_items"][0] | {"name": "x" * 200, "sku": "y" * 200}
    order = shopify_samples.ORDER | {"line_items": [line | {"id": number} for number in range(1000)]}
    long = SHOP.model_copy(update={"category": "z" * 200})
    assert f"has more than {MAX_BYTES:,} bytes" in refusal("shopify", order, shopify("orders/updated"), shop=long)


@pytest.mark.parametrize(
    "wrong", [{"shop": "two words"}, {"shop": "a/b"}, {"unit_cost_share": 2}, {"market": "Austria"}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Storefront.model_validate({"shop": "lamps", **wrong})


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), st.text())
def test_a_key_comes_back_from_the_note_it_was_written_in(key: str, words: str) -> None:
    assert key_in(refund_note(key)) == key
    if "aftersales key: " not in words:
        assert key_in(refund_note(key, words)) == key
