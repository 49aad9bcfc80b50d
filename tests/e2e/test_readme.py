"""The README's chapter for newcomers: every command of it works as it stands there.

What is put in place of what it says: addresses and ports, as nobody's real ones are used, and the moments of events.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from moto.server import ThreadedMotoServer

from adapters.preflight import pick_ports
from adapters.settings import ROOT
from tests.bridge_service import Service
from tests.brokers import NatsServer
from tests.mail_server import MailServer
from tests.postgres import PostgresServer, installation
from tests.readme import Shell, blocks, checkout, shell
from tests.waiting import until

PAYLOADS = ROOT.parent / "shared/data/platform-payloads"
NEEDED = pytest.mark.skipif(not PAYLOADS.exists(), reason="the platforms' payloads lie beside the checkout, not here")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def moments() -> dict[str, str]:
    """The README's moments as if it was read today."""
    now = datetime.now(UTC).replace(microsecond=0)
    ago = {
        "2026-11-22T06:00:00Z": 1,
        "2026-11-22T08:10:00Z": 0,
        "2026-11-10T08:00:00Z": 288,
        "2026-11-14T15:00:00Z": 192,
    }
    return {shown: f"{now - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for shown, hours in ago.items()}


@asynccontextmanager
async def newcomer(folder: Path, instead: Mapping[str, str]) -> AsyncIterator[Shell]:
    """A shell in a new checkout, whose parts listen on ports that are free here."""
    ports = pick_ports("127.0.0.1", {"--port": None, "--ui-port": None, "8088": None, "8090": None})
    here = {name: f"127.0.0.1:{ports[name]}" for name in ("8088", "8090")}
    put = {
        "127.0.0.1:8088": here["8088"],
        "127.0.0.1:8090": here["8090"],
        "--port 8090": f"--port {ports['8090']}",
        "./dev up": f"./dev up --port {ports['--port']} --ui-port {ports['--ui-port']}",
        **moments(),
        **instead,
    }
    async with shell(checkout(folder), put, AFTERSALES_HTTP__PORT=str(ports["8088"])) as opened:
        for name, block in zip(("return.json", "reply.json"), samples(), strict=True):
            text = block
            for old, new in put.items():
                text = text.replace(old, new)
            (folder / name).write_text(text)
        yield opened


def samples() -> list[str]:
    """The events that the README shows before the chapter: a return, and a reply to its first letter."""
    return [block.text for block in blocks("### Send your own events") if block.language == "json"]


async def read(shell: Shell, section: str) -> None:
    for block in blocks(f"### {section}"):
        await shell.read(block)


@NEEDED
async def test_shopify(tmp_path: Path) -> None:
    shutil.copy(PAYLOADS / "shopify-rest/py_order.json", tmp_path / "order.json")
    order = json.loads((tmp_path / "order.json").read_text())
    (tmp_path / "order.json").write_text(json.dumps(order.get("order", order)))
    mails = MailServer(password="secret")
    async with mails.running(), nothing() as shopify:
        instead = {
            "mail.lamps.example": "127.0.0.1",
            "smtp.username": f'smtp.port = {mails.port}\nsmtp.tls = "none"\nsmtp.username',
            "https://lamps.myshopify.com": shopify,
        }
        async with newcomer(tmp_path, instead) as shell:
            await read(shell, "Shopify")
            await until(lambda: bool(mails.taken), 60)
    assert mails.taken[0].rcpt_tos == ["you@lamps.example"]


@asynccontextmanager
async def nothing() -> AsyncIterator[str]:
    """The address of a server that knows no path."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@NEEDED
async def test_amazon(tmp_path: Path) -> None:
    shutil.copy(PAYLOADS / "amazon-api/orders_2026-01-01_getOrder_200_ex0.json", tmp_path / "amazon-order.json")
    aws, bridge = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False), Service()
    await asyncio.to_thread(aws.start)
    try:
        host, port = aws.get_host_and_port()
        queue = await asyncio.to_thread(make_queue, f"http://{host}:{port}")
        async with bridge.running():
            instead = {
                "https://sqs.us-east-1.amazonaws.com/123456789012/orders": queue,
                'region = "us-east-1"}': f'region = "us-east-1", endpoint_url = "http://{host}:{port}"}}',
                "https://bridge.example.com/messages": bridge.url,
            }
            async with newcomer(tmp_path, instead) as shell:
                await read(shell, "Amazon")
    finally:
        await asyncio.to_thread(aws.stop)


def make_queue(endpoint: str) -> str:
    """A queue `orders` with a dead-letter queue, as docs/amazon.md asks."""
    import botocore.session  # type: ignore[import-untyped]

    client = botocore.session.get_session().create_client(
        "sqs", "us-east-1", endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x"
    )
    dead = client.create_queue(QueueName="dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 100})
    return str(client.create_queue(QueueName="orders", Attributes={"RedrivePolicy": redrive})["QueueUrl"])


async def test_own_system_and_then_postgresql(tmp_path: Path) -> None:
    programs = installation()
    if programs is None:
        pytest.skip("there is no PostgreSQL server for this platform")
    store = tmp_path / "nats"
    store.mkdir()
    folder = tmp_path / "checkout"
    folder.mkdir()
    broker = NatsServer(store)
    await broker.start()
    try:
        with PostgresServer(programs) as server:
            url = server.url(server.new_database(upgraded=False), tcp=True)
            database = "postgresql://aftersales:secret@db.example/aftersales"
            async with newcomer(folder, {"nats://127.0.0.1:4222": broker.url, database: url}) as shell:
                await read(shell, "Your own system")
                assert any('"duplicate"' in said for said in shell.heard)
                assert "new command.create_rma A-1001 C-1" in shell.said("./dev counterpart")
                await shell.stop("./dev up")
                await read(shell, "Going to PostgreSQL")
    finally:
        broker.kill()


async def test_several_shops(tmp_path: Path) -> None:
    async with newcomer(tmp_path, {}) as shell:
        await read(shell, "Several shops")
