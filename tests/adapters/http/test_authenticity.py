"""Who may speak: Standard Webhooks signatures as the reference library makes them, rotation, tolerance, strictness."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook

from adapters.http.authenticity import has_token
from adapters.http.settings import Keys, ShopKeys
from adapters.http.signing import sign
from tests.adapters.http.conftest import Served
from tests.adapters.http.doubles import LAMPS, NEXT, OWN, POST, SOFAS, event, kind, problem, signed

BODY = json.dumps(event()).encode()


def now() -> datetime:
    return datetime.now(UTC)


async def test_the_reference_library_signs_for_us_and_verifies_what_we_sign(served: Served) -> None:
    at, hook = now(), Webhook(OWN)
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": hook.sign("msg_1", at, BODY.decode()),
    }
    assert (await served.post("/events", BODY, headers))[0] == 200
    assert hook.verify(BODY, sign(OWN, "msg_1", at, BODY)) == event()


@pytest.mark.parametrize(("secret", "shop"), [(OWN, ""), (NEXT, ""), (LAMPS, "lamps"), (SOFAS, "sofas")])
async def test_both_secrets_of_a_rotation_live_and_each_speaks_for_its_shop(
    served: Served, secret: str, shop: str
) -> None:
    assert (await served.post("/events", *signed(event(), secret=secret)))[0] == 200
    assert served.intake.taken[0][0] == shop


async def test_one_of_several_signatures_suffices(served: Served) -> None:
    body, headers = signed(event())
    headers["webhook-signature"] = f"v1a,c2lnbmF0dXJl v1,AAAA {headers['webhook-signature']}"
    assert (await served.post("/events", body, headers))[0] == 200


async def test_too_many_signatures_are_not_looked_at(served: Served) -> None:
    body, headers = signed(event())
    headers["webhook-signature"] = "v1,AAAA " * 10 + headers["webhook-signature"]
    assert kind(await served.post("/events", body, headers)) == "signature-missing"


@pytest.mark.parametrize("seconds", [-299, 299])
async def test_a_clock_may_be_off_by_five_minutes(served: Served, seconds: int) -> None:
    assert (await served.post("/events", *signed(event(), at=now() + timedelta(seconds=seconds))))[0] == 200


@pytest.mark.parametrize(("seconds", "where"), [(-302, "past"), (302, "future")])
async def test_a_timestamp_further_off_is_stale(served: Served, seconds: int, where: str) -> None:
    answer = await served.post("/events", *signed(event(), at=now() + timedelta(seconds=seconds)))
    assert (answer[0], kind(answer)) == (401, "signature-stale")
    assert where in problem(answer)["detail"]
    assert "clock" in problem(answer)["remedy"]
    assert served.intake.taken == []


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_missing_header_is_named(served: Served, name: str) -> None:
    body, headers = signed(event())
    del headers[name]
    answer = await served.post("/events", body, headers)
    assert (answer[0], problem(answer)["detail"]) == (401, f"missing: {name}")
    assert "StandardWebhooks" in answer[1]["www-authenticate"]


@pytest.mark.parametrize("write", ["{}.0", "0{}", "+{}", "{}e0", " {}_0"])
async def test_a_timestamp_has_one_writing(served: Served, write: str) -> None:
    body, headers = signed(event())
    headers["webhook-timestamp"] = write.format(headers["webhook-timestamp"])
    assert (await served.post("/events", body, headers))[0] == 401


async def test_an_id_cannot_take_a_part_of_the_content_along(served: Served) -> None:
    stamp = str(int(now().timestamp()))
    headers = sign(OWN, "msg_1", now(), stamp.encode() + b"." + BODY)
    moved = {**headers, "webhook-id": f"msg_1.{headers['webhook-timestamp']}", "webhook-timestamp": stamp}
    answer = await served.post("/events", BODY, {"content-type": "application/json", **moved})
    assert answer[0] == 401
    assert served.intake.taken == []


async def test_a_secret_of_the_mail_door_does_not_sign_events(served: Served) -> None:
    assert kind(await served.post("/events", *signed(event(), secret=POST))) == "signature-wrong"


async def test_a_header_that_counts_may_not_come_twice(served: Served) -> None:
    body, headers = signed(event())
    twice = [*headers.items(), ("webhook-id", "msg_2")]
    async with served.client.post(f"{served.url}/events", data=body, headers=twice) as answer:
        assert answer.status == 400
        assert "webhook-id" in (await answer.json())["detail"]


async def test_no_answer_tells_a_secret(served: Served) -> None:
    body, headers = signed(event(), secret="whsec_" + base64.b64encode(b"x" * 24).decode())
    said = (await served.post("/events", body, headers))[2].decode()
    right = signed(event())[1]["webhook-signature"]
    assert right.removeprefix("v1,") not in said
    assert not any(secret.removeprefix("whsec_")[:12] in said for secret in (OWN, NEXT, LAMPS, SOFAS, POST))


@pytest.mark.parametrize("secret", ["", "whsec_", "b3duIG93biBvd24gb3duIG93biBvd24gMQ==", "whsec_c2hvcnQ=", "whsec_!!"])
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValidationError, match="24 to 64 random bytes") as refused:
        Keys(own=(SecretStr(secret),))
    assert "b3duIG93" not in str(refused.value)


def test_a_secret_belongs_to_one_sender() -> None:
    with pytest.raises(ValidationError, match="given twice"):
        Keys(own=(SecretStr(OWN),), shops={"lamps": ShopKeys(events=(SecretStr(OWN),))})


def test_two_secrets_can_live_at_a_time() -> None:
    with pytest.raises(ValidationError, match="at most 2"):
        Keys(own=tuple(map(SecretStr, (OWN, NEXT, LAMPS))))
    with pytest.raises(ValidationError, match="shopify has 3 secrets"):
        ShopKeys(platforms={"shopify": tuple(SecretStr(f"a-long-secret-{n:02}") for n in range(3))})


@pytest.mark.parametrize(
    ("header", "right"),
    [
        ("Bearer good", True),
        ("bearer good", True),
        ("Basic " + base64.b64encode(b"any:good").decode(), True),
        ("Basic " + base64.b64encode(b"good").decode(), False),
        ("Basic " + base64.b64encode(b"good:bad").decode(), False),
        ("Basic %%%", False),
        ("Bearer bad", False),
        ("Bearer ", False),
        ("good", False),
        ("Digest good", False),
        ("", False),
    ],
)
def test_a_token_comes_as_bearer_or_as_password(header: str, right: bool) -> None:
    assert has_token(header, ["other", "good"]) is right
    assert not has_token(header, [])
