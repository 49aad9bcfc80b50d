"""`POST /events` on a real server: the modes, what is answered, repeats, limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from adapters.http.signing import sign
from aftersales.records import EventStatus, Unreadable
from tests.adapters.http.binary import sign_binary
from tests.adapters.http.conftest import Served
from tests.adapters.http.doubles import LAMPS, OWN, SOFAS, Answer, app_with, call, event, kind, problem, signed


def statuses(answer: Answer) -> list[str]:
    return [one["status"] for one in json.loads(answer[2])["events"]]


def now() -> datetime:
    return datetime.now(UTC)


async def test_one_event_in_structured_mode_is_taken(served: Served) -> None:
    status, headers, body = await served.post("/events", *signed(event()))
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {
        "events": [
            {
                "id": "evt-1",
                "source": "shop/lamps",
                "status": "started",
                "cases": ["return-request/A-1001"],
                "detail": "",
            }
        ]
    }
    assert served.intake.taken == [("", event())]


@pytest.mark.parametrize("media", ["application/cloudevents-batch+json", "application/json; charset=UTF-8"])
async def test_a_batch_is_taken(served: Served, media: str) -> None:
    batch = [event("a"), event("b")]
    answer = await served.post("/events", *signed(batch, content_type=media))
    assert (answer[0], statuses(answer)) == (200, ["started", "started"])
    assert [raw for _, raw in served.intake.taken] == batch


async def test_an_empty_batch_is_a_batch(served: Served) -> None:
    answer = await served.post("/events", *signed([], content_type="application/cloudevents-batch+json"))
    assert (answer[0], json.loads(answer[2])) == (200, {"events": []})


async def test_plain_json_may_be_one_event(served: Served) -> None:
    answer = await served.post("/events", *signed(event(), content_type="application/json"))
    assert answer[0] == 200


async def test_a_large_batch_is_handed_in_by_parts_and_in_order(served: Served) -> None:
    batch = [event(f"e{number}") for number in range(250)]
    answer = await served.post("/events", *signed(batch))
    assert [one["id"] for one in json.loads(answer[2])["events"]] == [one["id"] for one in batch]


async def test_binary_mode_decodes_the_attributes_and_takes_json_as_data(served: Served) -> None:
    attributes = {**event(subject='Ä-1 "50%"', source="shop/灯"), "orderalias": "tracking/1Z 9"}
    data = json.dumps({"text": "退货"}).encode()
    headers = sign_binary(OWN, "msg_1", now(), {key: str(value) for key, value in attributes.items()}, data)
    assert headers["ce-subject"] == "%C3%84-1%20%2250%25%22"
    answer = await served.post("/events", data, headers)
    assert answer[0] == 200
    [(_, raw)] = served.intake.taken
    assert raw == {**attributes, "datacontenttype": "application/json", "data": {"text": "退货"}}


async def test_binary_mode_takes_quoted_values_of_older_senders(served: Served) -> None:
    headers = {f"ce-{name}": str(value) for name, value in event().items()}
    headers |= {"ce-subject": r'"A \"1\""', "content-type": "application/json"}
    lines = "".join(
        f"{name}: {headers[name]}\n" for name in [*sorted(headers.keys() - {"content-type"}), "content-type"]
    )
    answer = await served.post("/events", b"{}", {**headers, **sign(OWN, "m", now(), f"{lines}\n{{}}".encode())})
    assert answer[0] == 200
    assert served.intake.taken[0][1]["subject"] == 'A "1"'  # type: ignore[index]


async def test_in_binary_mode_a_signature_over_the_body_alone_is_refused(served: Served) -> None:
    data = b"{}"
    headers = sign_binary(OWN, "msg_1", now(), {key: str(value) for key, value in event().items()}, data)
    answer = await served.post("/events", data, headers | sign(OWN, "msg_1", now(), data))
    assert kind(answer) == "signature-wrong"
    assert served.intake.taken == []


@pytest.mark.parametrize("wrong", ["%ZZ", "%FF", "100%"])
async def test_an_attribute_that_is_encoded_wrongly_is_kept_and_refused(served: Served, wrong: str) -> None:
    headers = {f"ce-{name}": str(value) for name, value in event(subject=wrong).items()}
    headers["content-type"] = "application/json"
    lines = "".join(
        f"{name}: {headers[name]}\n"
        for name in sorted(headers, key=lambda name: (name[0] != "c" or name[1] != "e", name))
    )
    answer = await served.post("/events", b"{}", {**headers, **sign(OWN, "m", now(), f"{lines}\n{{}}".encode())})
    assert kind(answer) == "bad-json"
    assert "ce-subject" in problem(answer)["detail"]
    [(_, kept)] = served.intake.taken
    assert isinstance(kept, Unreadable)
    assert f"ce-subject: {wrong}" in kept.text


async def test_a_shops_secret_speaks_for_that_shop(served: Served) -> None:
    await served.post("/events", *signed(event(), secret=LAMPS))
    assert served.intake.taken[0][0] == "lamps"


async def test_one_refused_event_is_a_problem_that_names_its_fields(served: Served) -> None:
    bad = event(type="order.perk_requested", data={"perk": "car"})
    del bad["time"]
    answer = await served.post("/events", *signed(bad))
    assert (answer[0], kind(answer)) == (422, "bad-event")
    errors = {one["field"]: one for one in problem(answer)["errors"]}
    assert errors["time"]["remedy"] == "Add time."
    assert errors["data.perk"]["pointer"] == "/data/perk"
    assert problem(answer)["events"][0]["status"] == "refused"


async def test_in_a_batch_a_refused_event_does_not_stop_the_others(served: Served) -> None:
    answer = await served.post("/events", *signed([event("a"), {"id": "b"}, 7, event("c")]))
    assert (answer[0], statuses(answer)) == (200, ["started", "refused", "refused", "started"])


async def test_an_event_that_waits_for_its_case_is_answered_202(served: Served) -> None:
    served.intake.status = EventStatus.NO_OPEN_CASE
    assert (await served.post("/events", *signed(event())))[0] == 202


async def test_a_repeat_gets_the_first_answer_and_is_not_handled_again(served: Served) -> None:
    first = await served.post("/events", *signed(event()))
    again = await served.post("/events", *signed(event(), at=now() - timedelta(seconds=60)))
    assert (again[0], again[2]) == (first[0], first[2])
    assert len(served.intake.taken) == 1


async def test_a_repeat_of_what_was_refused_gets_the_same_problem(served: Served) -> None:
    first, again = [await served.post("/events", *signed({"id": "x"})) for _ in range(2)]
    assert (first[0], first[2]) == (again[0], again[2])
    assert len(served.intake.taken) == 1


async def test_single_events_side_by_side_are_handed_in_together_and_each_gets_its_own_answer(served: Served) -> None:
    served.intake.delay = 0.05
    sent = [(f"{'ab'[number % 2]}{number}", (LAMPS, SOFAS)[number % 2]) for number in range(40)]
    requests = [signed({"id": id} if id == "a20" else event(id), secret=secret, id=id) for id, secret in sent]
    answers = await asyncio.gather(*(served.post("/events", *request) for request in requests))
    assert [json.loads(answer[2])["events"][0]["id"] for answer in answers] == [id for id, _ in sent]
    assert [answer[0] for answer in answers] == [422 if id == "a20" else 200 for id, _ in sent]
    assert {shop for shop, raw in served.intake.taken if isinstance(raw, dict) and raw["id"] < "b"} == {"lamps"}
    assert sum(served.intake.parts) == 40
    assert len(served.intake.parts) < 20


async def test_copies_side_by_side_are_handled_once(served: Served) -> None:
    served.intake.delay = 0.02
    answers = await asyncio.gather(*(served.post("/events", *signed(event())) for _ in range(5)))
    assert len({answer[2] for answer in answers}) == 1
    assert len(served.intake.taken) == 1


async def test_the_same_id_with_another_content_is_refused(served: Served) -> None:
    await served.post("/events", *signed(event("a")))
    answer = await served.post("/events", *signed(event("b")))
    assert (answer[0], kind(answer)) == (409, "id-reused")
    assert len(served.intake.taken) == 1


async def test_two_senders_may_use_the_same_id(served: Served) -> None:
    await served.post("/events", *signed(event("a"), secret=OWN))
    answer = await served.post("/events", *signed(event("b"), secret=LAMPS))
    assert answer[0] == 200


async def test_ids_are_remembered_for_seven_days(served: Served) -> None:
    await served.post("/events", *signed(event()))
    kept = served.seen.answers[("installation", "msg_1")]
    await served.seen.forget(now() - timedelta(days=7))
    assert served.seen.answers == {("installation", "msg_1"): kept}


async def test_old_ids_are_forgotten_after_the_days_of_the_settings() -> None:
    from dataclasses import replace

    from adapters.http.app import build_app
    from tests.adapters.http.doubles import Memory, door

    seen = Memory()
    await call(build_app(replace(door(remembered_days=9), seen=seen)), "/events", *signed(event()))
    [before] = seen.forgotten
    assert abs(now() - timedelta(days=9) - before) < timedelta(minutes=1)


async def test_while_nothing_can_be_taken_senders_are_told_to_come_again(served: Served) -> None:
    served.intake.away = True
    answer = await served.post("/events", *signed(event()))
    assert (answer[0], kind(answer), answer[1]["retry-after"]) == (503, "unavailable", "5")
    assert b"db.internal" not in answer[2]
    served.intake.away = False
    assert (await served.post("/events", *signed(event())))[0] == 200


async def test_an_unexpected_fault_is_a_problem_without_its_text(served: Served) -> None:
    served.intake.broken = True
    answer = await served.post("/events", *signed(event()))
    assert (answer[0], kind(answer)) == (500, "internal")
    assert b"RuntimeError" not in answer[2]
    assert b"customer" not in answer[2]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b'{"id": NaN}', "NaN is no number"),
        (b'{"id": "\xff"}', "not UTF-8"),
        (b"[" * 60 + b"]" * 60, "levels deep"),
        (b"[" * 100_000, "levels deep"),
        (b'{"n": ' + b"9" * 10_000 + b"}", "not JSON"),
        (b"{} {}", "extra data"),
    ],
)
async def test_what_is_no_json_is_kept_and_refused(served: Served, body: bytes, said: str) -> None:
    answer = await served.post("/events", *signed(body))
    assert kind(answer) == "bad-json"
    assert said in problem(answer)["detail"]
    [(_, kept)] = served.intake.taken
    assert isinstance(kept, Unreadable)


async def test_what_is_no_json_is_not_kept_without_a_signature(served: Served) -> None:
    body, headers = signed(b"{")
    answer = await served.post("/events", body + b"{", headers)
    assert kind(answer) == "signature-wrong"
    assert served.intake.taken == []


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "", "application/json; charset=latin-1"])
async def test_other_content_types_are_refused(served: Served, media: str) -> None:
    assert kind(await served.post("/events", *signed(event(), content_type=media))) == "media-type"


async def test_compressed_bodies_are_refused(served: Served) -> None:
    assert kind(await served.post("/events", *signed(event(), content_encoding="gzip"))) == "media-type"


async def test_a_batch_of_too_many_events_is_refused(served: Served) -> None:
    assert kind(await served.post("/events", *signed([{}] * 1001))) == "body-large"
    assert served.intake.taken == []


async def test_a_body_over_the_limit_is_refused(served: Served) -> None:
    answer = await served.post("/events", *signed(b" " * (1024 * 1024 + 1)))
    assert (answer[0], kind(answer)) == (413, "body-large")


async def test_a_body_of_exactly_the_limit_is_read(served: Served) -> None:
    small = json.dumps(event()).encode()
    answer = await served.post("/events", *signed(small + b" " * (1024 * 1024 - len(small))))
    assert answer[0] == 200


async def test_of_an_endless_body_no_more_is_read_than_twice_the_limit(served: Served) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * 1024 * 1024:
            sent += 65536
            yield b" " * 65536

    try:
        answer = await served.post("/events", endless(), signed(b"")[1])
    except (OSError, aiohttp.ClientError):
        pass  # it was cut off while it sent
    else:
        assert answer[0] == 413
    assert sent < 16 * 1024 * 1024  # what lies in the buffers between the two


async def test_a_body_that_does_not_come_is_given_up(served: Served) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    answer = await served.post("/events", slow(), signed(b"")[1])
    assert (answer[0], kind(answer)) == (408, "body-slow")


async def test_a_sender_over_its_rate_is_told_to_wait_and_others_are_not() -> None:
    app = app_with(rate=0.5, burst=2)
    answers = [await call(app, "/events", *signed(event(str(n)), id=str(n))) for n in range(3)]
    assert [answer[0] for answer in answers] == [200, 200, 429]
    assert (kind(answers[2]), answers[2][1]["retry-after"]) == ("rate", "2")
    assert (await call(app, "/events", *signed(event(), secret=LAMPS)))[0] == 200
    text = (await call(app, "/metrics", method="GET"))[2].decode()
    assert 'aftersales_http_rate_limited_total{door="events"} 1.0' in text


async def test_forwarded_headers_change_nothing(served: Served) -> None:
    more: dict[str, Any] = {"x_forwarded_for": "8.8.8.8", "x_forwarded_proto": "https", "x_forwarded_host": "evil"}
    answer = await served.post("/events", *signed(event(), **more))
    assert answer[0] == 200
    assert b"evil" not in answer[2]
