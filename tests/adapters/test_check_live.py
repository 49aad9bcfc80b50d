"""`./dev check --live`: what answers and what does not, on real servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from moto.server import ThreadedMotoServer

from adapters.settings import Settings
from cli.live import try_all
from tests.brokers import NatsServer
from tests.mail_server import MailServer

NOWHERE = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOWHERE)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


async def tried(**settings: Any) -> dict[str, tuple[bool, str]]:
    made = Settings.model_validate({"data": "data", **settings})
    return {found.where: (found.answers, found.what) async for found in try_all(made)}


async def test_a_mail_server_is_signed_in_to_and_gets_no_letter() -> None:
    server = MailServer(password="right")
    async with server.running():
        for password, answers in (("right", True), ("wrong", False)):
            smtp = server.settings(username="shop", password=password).model_dump()
            found = await tried(shops={"a": {"letters": {"chain": ["smtp"], "smtp": smtp}}})
            assert found["shops.a.letters.smtp"][0] == answers
    assert server.taken == []


async def test_queues_tell_what_is_in_them(tmp_path: Path) -> None:
    broker, aws = NatsServer(tmp_path), ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    await broker.start()
    await asyncio.to_thread(aws.start)
    try:
        host, port = aws.get_host_and_port()
        sqs = {"queue_url": f"http://{host}:{port}/123456789012/none", "endpoint_url": f"http://{host}:{port}"}
        found = await tried(nats={"servers": [broker.url]}, sqs={**sqs, "region": "us-east-1"})
        assert found["nats"] == (True, f"{broker.url} answers, JetStream has 0 streams")
        assert (found["sqs"][0], "does not exist" in found["sqs"][1]) == (False, True)
    finally:
        broker.kill()
        await asyncio.to_thread(aws.stop)
    assert (await tried(nats={"servers": [broker.url]}))["nats"][0] is False


async def test_a_counterpart_is_asked_for_nothing(aiohttp_posts: list[str]) -> None:
    url = aiohttp_posts[0]
    given = {"url": url, "secret": "whsec_c2VjcmV0IG9mIHRoZSB3YXJlaG91c2UsIGFuIGV4YW1wbGU="}
    away = {**given, "url": f"http://{NOWHERE}/"}
    found = await tried(commands={"counterparts": {"warehouse": given, "carrier": away}})
    assert found["commands.counterparts.warehouse"] == (True, f"{url} answers (HTTP 405 to HEAD); keys are not tried")
    assert found["commands.counterparts.carrier"][0] is False
    assert aiohttp_posts == [url]


@pytest.fixture
async def aiohttp_posts() -> Any:
    """The address of a counterpart, and then what was posted to it."""
    posts: list[str] = []

    async def take(request: web.Request) -> web.Response:
        posts.append(await request.text())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    posts.append(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield posts
    await runner.cleanup()


async def test_database_and_temporal_are_tried_always() -> None:
    found = await tried()
    assert found["database"] == (True, "data/aftersales.db is made when it is first used")
    assert (found["temporal"][0], NOWHERE in found["temporal"][1]) == (False, True)
    away = await tried(database_url="postgresql://u:hush@127.0.0.1:1/x")
    assert (away["database"][0], "hush" in away["database"][1]) == (False, False)
