"""Running the door inside a loop: its port, its end, its log."""

from __future__ import annotations

import asyncio
import json
import socket

import aiohttp
import pytest
import structlog

from adapters.http.app import build_app
from adapters.http.serving import serve
from tests.adapters.http.doubles import Intake, app_with, call, door, event, signed


async def test_a_port_in_use_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use; stop what"):
            await serve(app_with(), "127.0.0.1", port, stop=asyncio.Event())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_requests_in_flight_finish_and_no_new_ones_are_taken(host: str) -> None:
    intake, stop = Intake(), asyncio.Event()
    intake.delay = 0.3
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(app_with(intake), host, 0, stop=stop, listening=address.set_result))
    url = await address
    async with aiohttp.ClientSession(trust_env=False) as client:
        body, headers = signed(event())
        asked = asyncio.create_task(client.post(f"{url}/events", data=body, headers=headers))
        await asyncio.sleep(0.1)
        stop.set()
        async with await asked as answer:
            assert answer.status == 200
        await asyncio.wait_for(server, 5)
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(f"{url}/healthz")


async def test_a_cancelled_server_lets_its_port_go() -> None:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(app_with(), "127.0.0.1", 0, stop=asyncio.Event(), listening=address.set_result))
    port = int((await address).rsplit(":", 1)[1])
    server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server
    socket.create_server(("127.0.0.1", port)).close()


async def test_a_fault_is_one_line_without_anybodys_words() -> None:
    intake = Intake()
    intake.broken = True
    with structlog.testing.capture_logs() as lines:
        _, _, body = await call(app_with(intake), "/events", *signed(event()))
    [line] = lines
    assert (line["event"], line["door"], line["error"]) == ("http.failed", "events", "RuntimeError")
    assert line["instance"] == json.loads(body)["instance"]
    assert "hello" not in str(line)


@pytest.mark.parametrize(("wanted", "count"), [(True, 1), (False, 0)])
async def test_each_request_has_its_line_where_that_is_wanted(wanted: bool, count: int) -> None:
    with structlog.testing.capture_logs() as lines:
        await call(build_app(door(access_log=wanted)), "/attachments/" + "t" * 20 + "/x", method="GET")
    assert len(lines) == count
    assert "tttt" not in str(lines)
