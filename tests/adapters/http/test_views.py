"""Health, metrics, and the page of the contract."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from adapters.http.app import build_app
from adapters.http.problems import KINDS
from aftersales.events import INTERNAL, TYPES
from aftersales.ports import Unavailable
from tests.adapters.http.conftest import Served
from tests.adapters.http.doubles import KEYS, TOKEN, app_with, call, door, event, kind, signed

ELSEWHERE = re.compile(
    r"""(?:src|href|action|data)\s*=\s*["']?(?:https?:)?//|@import|url\(|<script|<link|<iframe|<img"""
)


async def test_the_process_lives(served: Served) -> None:
    assert (await served.get("/healthz"))[::2] == (200, b'{"alive": true}')


async def test_readiness_names_each_check_with_its_time() -> None:
    async def fine() -> None:
        await asyncio.sleep(0.01)

    async def away() -> None:
        raise Unavailable("postgresql://user:hunter2@db.internal is away")

    async def broken() -> None:
        raise OSError("hunter2")

    async def hangs() -> None:
        await asyncio.sleep(60)

    checks = {"database": away, "temporal": fine, "queue": broken, "mail": hangs}
    status, _, body = await call(build_app(door(checks=checks, check_seconds=0.05)), "/readyz", method="GET")
    said = json.loads(body)
    assert (status, said["ready"]) == (503, False)
    assert {one["name"]: one["ready"] for one in said["checks"]} == {
        "database": False,
        "temporal": True,
        "queue": False,
        "mail": False,
    }
    assert 0.01 <= said["checks"][1]["seconds"] < 0.05
    assert b"hunter2" not in body


async def test_readiness_is_looked_up_once_a_second_however_often_it_is_asked_for() -> None:
    asked = 0

    async def count() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)

    app = build_app(door(checks={"database": count}))
    answers = await asyncio.gather(*(call(app, "/readyz", method="GET") for _ in range(20)))
    assert {answer[0] for answer in answers} == {200}
    assert asked == 1


async def test_metrics_count_requests_events_and_forgeries_and_name_nobody() -> None:
    app = app_with()
    await call(app, "/events", *signed([event("a"), event("b"), {}]))
    await call(app, "/events", *signed(event(), secret="whsec_" + "eHh4" * 8))
    await call(app, "/platforms/shopify/lamps", b"{}")
    await call(app, "/nowhere/lamps")
    status, headers, body = await call(app, "/metrics", method="GET")
    text = body.decode()
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    for line in (
        'aftersales_http_requests_total{door="events",status="200"} 1.0',
        'aftersales_http_requests_total{door="events",status="401"} 1.0',
        'aftersales_http_requests_total{door="other",status="404"} 1.0',
        'aftersales_http_events_total{status="started"} 2.0',
        'aftersales_http_events_total{status="refused"} 1.0',
        'aftersales_http_bad_signatures_total{door="events"} 1.0',
        'aftersales_http_bad_signatures_total{door="platforms"} 1.0',
        'aftersales_http_seconds_count{door="events"} 2.0',
        "aftersales_http_events_in_flight 0.0",
    ):
        assert line in text
    assert "lamps" not in text
    assert "whsec" not in text


async def test_two_apps_count_for_themselves() -> None:
    first, second = app_with(), app_with()
    await call(first, "/healthz", method="GET")
    text = (await call(second, "/metrics", method="GET"))[2].decode()
    assert 'door="healthz"' not in text


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_contract_loads_nothing_from_elsewhere_and_holds_no_secret(served: Served, path: str) -> None:
    status, _, body = await served.get(path)
    text = body.decode()
    assert status == 200
    assert not ELSEWHERE.search(text)
    assert "cdn" not in text.lower()
    for shop in KEYS.shops.values():
        assert not any(secret.get_secret_value() in text for secret in (*shop.events, *shop.mail))
    assert TOKEN not in text


async def test_the_page_may_not_load_anything(served: Served) -> None:
    policy = (await served.get("/docs"))[1]["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


async def test_the_page_shows_every_event_every_problem_and_both_colours(served: Served) -> None:
    text = (await served.get("/docs"))[2].decode()
    assert "prefers-color-scheme: dark" in text
    for name in (*KINDS, *(TYPES.keys() - INTERNAL)):
        assert f'id="{name}"' in text
    assert not any(f'id="{name}"' in text for name in INTERNAL)
    anchors = set(re.findall(r'href="#([^"]+)"', text))
    assert anchors <= set(re.findall(r'id="([^"]+)"', text))


@pytest.mark.parametrize("path", ["/", "/docs/", "/redoc", "/events/x", "/mail", "/.env"])
async def test_elsewhere_there_is_nothing(served: Served, path: str) -> None:
    assert kind(await served.get(path)) == "not-found"


async def test_another_method_is_refused_and_the_right_one_named(served: Served) -> None:
    answer = await served.get("/events")
    assert (answer[0], kind(answer), answer[1]["allow"]) == (405, "method-not-allowed", "POST")
