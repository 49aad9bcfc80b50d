"""`POST /platforms/…`: each platform's signature, what is translated, what is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata

import pytest

from adapters.http.settings import Platform
from adapters.platforms.kept import webhook_in
from aftersales.records import Unreadable
from tests.adapters.http.conftest import Served
from tests.adapters.http.doubles import OLD_PLATFORM_SECRET, PLATFORM_SECRET, SHARED, kind, problem

BODY = b'{"order": "A-1001"}'
PLATFORMS: tuple[Platform, ...] = ("shopify", "aftership", "easypost", "woocommerce")


def headers(platform: str, body: bytes = BODY, secret: str = PLATFORM_SECRET, **more: str) -> dict[str, str]:
    """The headers of a platform, made as its documentation says."""
    key = unicodedata.normalize("NFKD", secret) if platform == "easypost" else secret
    digest = hmac.new(key.encode(), body, hashlib.sha256)
    signature = {
        "shopify": ("X-Shopify-Hmac-SHA256", base64.b64encode(digest.digest()).decode()),
        "aftership": ("aftership-hmac-sha256", base64.b64encode(digest.digest()).decode()),
        "easypost": ("X-Hmac-Signature", f"hmac-sha256-hex-digest={digest.hexdigest()}"),
        "woocommerce": ("X-WC-Webhook-Signature", base64.b64encode(digest.digest()).decode()),
    }[platform]
    return {"content-type": "application/json", signature[0]: signature[1], **more}


@pytest.mark.parametrize("secret", [PLATFORM_SECRET, OLD_PLATFORM_SECRET])
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_what_a_platform_signed_is_translated_for_the_shop(served: Served, platform: str, secret: str) -> None:
    answer = await served.post(f"/platforms/{platform}/lamps", BODY, headers(platform, secret=secret))
    assert answer[0] == 200
    [(shop, raw)] = served.intake.taken
    assert (shop, raw["id"], raw["source"]) == ("lamps", "A-1001", f"{platform}/lamps")  # type: ignore[index]


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_another_secret_body_or_shop_is_refused(served: Served, platform: str) -> None:
    answers = [
        await served.post(f"/platforms/{platform}/lamps", BODY, headers(platform, secret="hush-a-wrong-secret")),
        await served.post(f"/platforms/{platform}/lamps", BODY + b" ", headers(platform)),
        await served.post(f"/platforms/{platform}/sofas", BODY, headers(platform)),
        await served.post(f"/platforms/{platform}/unknown", BODY, headers(platform)),
        await served.post(f"/platforms/{platform}/unknown", BODY, headers(platform, secret="nobody")),
    ]
    assert [(answer[0], kind(answer)) for answer in answers] == [(401, "signature-wrong")] * 5
    assert len({problem(answer)["detail"] for answer in answers}) == 1
    assert served.intake.taken == []


async def test_without_a_signature_the_missing_header_is_named(served: Served) -> None:
    answer = await served.post("/platforms/shopify/lamps", BODY, {"content-type": "application/json"})
    assert problem(answer)["detail"] == "missing: x-shopify-hmac-sha256"


async def test_an_unknown_platform_is_not_found(served: Served) -> None:
    answer = await served.post("/platforms/ebay/lamps", BODY, headers("shopify"))
    assert (answer[0], kind(answer)) == (404, "not-found")


@pytest.mark.parametrize(
    ("body", "topic", "said"),
    [
        (b'{"id": 7}', "themes/update", "unsubscribe from its topic"),
        (b'{"order": "A-1"}', "crash", "the translator failed on it (KeyError)"),
        (b'{"order": NaN}', "orders/paid", "NaN is no number"),
        (b"\xff", "orders/paid", "not UTF-8"),
        (b"[" * 5000, "orders/paid", "levels deep"),
        (b"", "orders/paid", "not JSON"),
    ],
)
async def test_what_cannot_be_translated_is_kept_and_answered_200(
    served: Served, body: bytes, topic: str, said: str
) -> None:
    more = {"X-Shopify-Topic": topic}
    status, _, answer = await served.post("/platforms/shopify/lamps", body, headers("shopify", body, **more))
    assert status == 200
    assert said in json.loads(answer)["note"]
    assert json.loads(answer)["events"][0]["status"] == "refused"
    [(shop, kept)] = served.intake.taken
    assert shop == "lamps"
    assert isinstance(kept, Unreadable)
    assert said in kept.reason


async def test_while_nothing_can_be_kept_the_platform_is_to_try_again(served: Served) -> None:
    served.intake.away = True
    answer = await served.post("/platforms/shopify/lamps", BODY, headers("shopify"))
    assert (answer[0], kind(answer)) == (503, "unavailable")


async def test_the_ping_of_woocommerce_is_answered_and_changes_nothing(served: Served) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await served.post("/platforms/woocommerce/lamps", b"webhook_id=12", form))[0] == 200
    assert (await served.post("/platforms/woocommerce/lamps", b"webhook_id=12&x=1", form))[0] == 401
    assert (await served.post("/platforms/shopify/lamps", b"webhook_id=12", form))[0] == 401
    assert served.intake.taken == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public data does not lie beside the checkout")
async def test_real_bodies_of_platforms_arrive_unchanged(served: Served) -> None:
    paths = sorted((SHARED / "platform-payloads/shopify-webhook").glob("*.json"))
    assert paths
    for path in paths:
        body = path.read_bytes()
        assert (await served.post("/platforms/shopify/lamps", body, headers("shopify", body)))[0] == 200
    kept = [raw for _, raw in served.intake.taken if isinstance(raw, Unreadable)]
    arrived = [webhook_in(one.text) for one in kept]
    assert [one and one.payload for one in arrived] == [json.loads(path.read_text("utf-8")) for path in paths]
    assert all(one and one.shop == "lamps" and "x-shopify-hmac-sha256" not in one.headers for one in arrived)
