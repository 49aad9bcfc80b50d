"""Events from a real NATS server: order, acknowledgement, dead letters, and what lasts when somebody is killed."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import api
from nats.js.client import JetStreamContext
from pydantic import ValidationError
from structlog.testing import capture_logs

from adapters.nats import NatsQueue
from adapters.nats_settings import NatsSettings, covers
from adapters.queues import Consuming, QueueUnusable, consume
from aftersales.ports import Unavailable
from tests.brokers import NatsServer
from tests.events import event
from tests.intakes import NotedIntake
from tests.waiting import until

ROOT = Path(__file__).parents[2]
FAST = Consuming(first_pause=0.05, longest_pause=0.2, attempts_at_most=3)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    started = NatsServer(tmp_path)
    await started.start()
    yield started
    started.kill()


@asynccontextmanager
async def taking(
    server: NatsServer, *intakes: NotedIntake, how: Consuming = FAST, ack_wait: float = 1, **settings: str
) -> AsyncIterator[None]:
    """A loop for each intake, all of one durable consumer."""
    stop = asyncio.Event()
    access = NatsSettings(servers=(server.url,), ack_wait=ack_wait, **settings)  # type: ignore[arg-type]  # texts all
    async with AsyncExitStack() as stack:
        loops = [
            asyncio.create_task(
                consume(await stack.enter_async_context(NatsQueue(access)), intake, stop=stop, consuming=how)
            )
            for intake in intakes
        ]
        try:
            await until(lambda: any(loop.done() for loop in loops) or bool(loops), 1)
            yield
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(*loops), 10)


async def prepared(server: NatsServer) -> None:
    """Stream and consumer are there."""
    async with NatsQueue(NatsSettings(servers=(server.url,), ack_wait=1)) as queue:
        await queue.take(1, 0.01)


@asynccontextmanager
async def shop(server: NatsServer) -> AsyncIterator[tuple[Client, JetStreamContext]]:
    client = await server.client()
    try:
        yield client, client.jetstream()
    finally:
        await client.close()


async def send(server: NatsServer, *names: str, subject: str = "aftersales.events") -> None:
    async with shop(server) as (_, jetstream):
        for name in names:
            body = event("order.return_cancelled", f"A-{name}") | {"id": name}
            await jetstream.publish(subject, json.dumps(body).encode(), headers={"Nats-Msg-Id": f"shop-{name}"})


async def left(server: NatsServer) -> int:
    """Messages that are not finished."""
    async with shop(server) as (_, jetstream):
        info = await jetstream.consumer_info("AFTERSALES", "aftersales")
    return int(info.num_pending or 0) + int(info.num_ack_pending or 0)


async def all_finished(server: NatsServer) -> None:
    async with asyncio.timeout(5):
        while await left(server):  # noqa: ASYNC110  # only the server knows
            await asyncio.sleep(0.05)


async def test_events_come_in_their_order_and_leave_the_stream(server: NatsServer) -> None:
    names = [str(number) for number in range(250)]
    await prepared(server)
    await send(server, *names)
    intake = NotedIntake()
    async with taking(server, intake):
        await until(lambda: len(intake.events) == 250)
    assert intake.ids == names
    assert max(map(len, intake.batches)) == 100
    assert await left(server) == 0


async def test_a_message_is_acknowledged_when_the_intake_has_it_and_is_held_while_it_is_away(
    server: NatsServer,
) -> None:
    await prepared(server)
    await send(server, "1", "2")
    intake = NotedIntake()
    intake.away = "Temporal does not answer"
    with capture_logs() as lines:
        async with taking(server, intake):
            await until(lambda: intake.tries >= 3)
            await asyncio.sleep(1.5)  # longer than ack_wait
            assert await left(server) == 2
            intake.away = ""
            await until(lambda: bool(intake.events))
    assert intake.ids == ["1", "2"]
    assert await left(server) == 0
    assert [line["event"] for line in lines if line["log_level"] != "debug"] == ["intake.away", "intake.back"]


async def test_given_back_after_a_long_outage_they_keep_their_order(server: NatsServer) -> None:
    await prepared(server)
    await send(server, *"12345")
    intake = NotedIntake()
    intake.away = "Temporal does not answer"
    async with taking(server, intake, how=FAST.model_copy(update={"hold": 0})):
        await until(lambda: intake.tries >= 4)
        await send(server, "6")
        intake.away = ""
        await until(lambda: len(intake.events) == 6)
    assert intake.ids == list("123456")


async def test_what_fails_is_tried_again_and_then_kept_as_a_dead_letter(server: NatsServer) -> None:
    await prepared(server)
    await send(server, "1", "bad", "3")
    intake = NotedIntake()
    intake.broken = {"bad"}
    async with shop(server) as (_, jetstream):
        dead = await jetstream.pull_subscribe("aftersales.events.dead", durable="undertaker", stream="AFTERSALES")
        async with taking(server, intake):
            [letter] = await dead.fetch(1, timeout=5)
        await letter.ack_sync()
    assert intake.ids == ["1", "3"]
    assert json.loads(letter.data)["id"] == "bad"
    assert letter.headers is not None
    assert letter.headers["Aftersales-Reason"] == "failed 3 times, at last with RuntimeError: bad cannot be handled"
    assert letter.headers["Aftersales-Attempt"] == "3"
    assert letter.headers["Aftersales-Subject"] == "aftersales.events"
    assert letter.headers["Aftersales-Message"] == "shop-bad"
    assert await left(server) == 0


async def test_the_server_killed_in_the_middle_loses_nothing(server: NatsServer) -> None:
    names = [str(number) for number in range(60)]
    await prepared(server)
    await send(server, *names[:30])
    intake = NotedIntake()
    with capture_logs() as lines:
        async with taking(server, intake, how=FAST.model_copy(update={"most": 7})):
            await until(lambda: len(intake.events) >= 14)
            server.kill()
            await asyncio.sleep(0.5)
            await server.start()
            await send(server, *names[30:])
            await until(lambda: set(intake.ids) == set(names))
            await all_finished(server)
    assert list(dict.fromkeys(intake.ids)) == names
    seen = [line["event"] for line in lines if line["log_level"] != "debug"]
    assert seen == ["queue.away", "queue.back"]


async def test_a_server_that_is_away_at_the_start_is_waited_for(server: NatsServer) -> None:
    server.kill()
    intake = NotedIntake()
    with capture_logs() as lines:
        async with taking(server, intake):
            await asyncio.sleep(0.3)
            await server.start()
            await prepared(server)
            await send(server, "1")
            await until(lambda: intake.ids == ["1"])
    assert [line["event"] for line in lines if line["log_level"] != "debug"] == ["queue.away", "queue.back"]
    away = next(line for line in lines if line["event"] == "queue.away")
    assert f"no answer from nats://127.0.0.1:{server.port}" in away["reason"]


async def test_a_killed_process_leaves_its_messages_to_the_next(server: NatsServer, tmp_path: Path) -> None:
    names, file = [str(number) for number in range(40)], tmp_path / "taken"
    file.touch()
    await prepared(server)
    await send(server, *names)
    told = [sys.executable, "-m", "tests.nats_consumer", server.url, str(file)]
    process = await asyncio.create_subprocess_exec(*told, cwd=ROOT)
    try:
        await until(lambda: len(file.read_text().split()) >= 15, 20)
    finally:
        process.kill()
        await process.wait()
    before = file.read_text().split()
    assert len(before) < 40
    intake = NotedIntake()
    async with taking(server, intake):
        await all_finished(server)
    assert set(before) | set(intake.ids) == set(names)
    assert len(set(before) & set(intake.ids)) <= 5  # those in hand when it died


async def test_two_loops_share_the_work(server: NatsServer) -> None:
    names = [str(number) for number in range(200)]
    await prepared(server)
    first, second = NotedIntake(), NotedIntake()
    async with taking(server, first, second, how=FAST.model_copy(update={"most": 5})):
        await send(server, *names)
        await until(lambda: len(first.events) + len(second.events) >= 200)
    assert sorted([*first.ids, *second.ids]) == sorted(names)
    assert first.events
    assert second.events


async def test_two_processes_that_start_at_once_make_one_stream(server: NatsServer) -> None:
    async with AsyncExitStack() as stack:
        queues = [await stack.enter_async_context(NatsQueue(NatsSettings(servers=(server.url,)))) for _ in range(5)]
        await asyncio.gather(*(queue.take(1, 0.01) for queue in queues))
    async with shop(server) as (_, jetstream):
        stream = (await jetstream.stream_info("AFTERSALES")).config
        assert len(await jetstream.consumers_info("AFTERSALES")) == 1
    assert stream.subjects == ["aftersales.events", "aftersales.events.dead"]
    assert stream.retention == api.RetentionPolicy.WORK_QUEUE


async def test_a_stream_of_the_shops_own_is_used_as_it_is(server: NatsServer) -> None:
    async with shop(server) as (_, jetstream):
        await jetstream.add_stream(name="AFTERSALES", subjects=["aftersales.events"], max_msgs=1000)
    with capture_logs() as lines:
        await prepared(server)
        await prepared(server)
    async with shop(server) as (_, jetstream):
        assert (await jetstream.stream_info("AFTERSALES")).config.max_msgs == 1000
        assert (await jetstream.stream_info("AFTERSALES_DEAD")).config.subjects == ["aftersales.events.dead"]
    assert [line["event"] for line in lines if line["log_level"] == "info"] == ["nats.stream_used_as_it_is"] * 2


async def test_what_is_there_and_cannot_be_used_is_said(server: NatsServer) -> None:
    async with shop(server) as (_, jetstream):
        await jetstream.add_stream(name="OTHERS", subjects=["others.>"])
        await jetstream.add_consumer("OTHERS", durable_name="lossy", filter_subject="others.one", max_deliver=3)
        await jetstream.add_consumer("OTHERS", durable_name="one", filter_subject="others.one")
        await jetstream.add_consumer("OTHERS", durable_name="all")
    for settings, why in (
        ({"subject": "orders"}, "the stream OTHERS takes others.> and not orders; add the subject"),
        ({"durable": "lossy"}, "drops a message after 3 deliveries"),
        ({"durable": "one", "subject": "others.two"}, "is for others.one and not others.two"),
        ({"durable": "all"}, "takes dead letters as well"),
    ):
        told = NatsSettings(servers=(server.url,), stream="OTHERS", **{"subject": "others.one", **settings})  # type: ignore[arg-type]  # texts all
        async with NatsQueue(told) as queue:
            with pytest.raises(QueueUnusable, match=why.replace(".", r"\.")):
                await queue.take(1, 0.01)


async def test_a_wrong_token_is_said_and_a_right_one_gets_in(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, "--auth", "s3cret", token="s3cret")
    await server.start()
    try:
        async with NatsQueue(NatsSettings(servers=(server.url,), token="wrong")) as queue:  # type: ignore[arg-type]
            with pytest.raises(Unavailable, match=r"(?i)authorization") as raised:
                await queue.take(1, 0.1)
        assert "s3cret" not in str(raised.value)
        async with NatsQueue(NatsSettings(servers=(server.url,), token="s3cret")) as queue:  # type: ignore[arg-type]
            assert await queue.take(1, 0.1) == []
    finally:
        server.kill()


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
async def test_a_server_with_tls_is_checked_by_the_certificate_that_is_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True)
    server = NatsServer(tmp_path, "--tls", "--tlscert", str(certificate), "--tlskey", str(key))
    await server.start()
    address = server.url.replace("nats:", "tls:")
    try:
        async with NatsQueue(NatsSettings(servers=(address,), tls_ca=certificate)) as queue:
            assert await queue.take(1, 0.1) == []
        async with NatsQueue(NatsSettings(servers=(address,))) as queue:
            with pytest.raises(Unavailable, match=r"(?i)certificate"):
                await queue.take(1, 0.1)
    finally:
        server.kill()


async def test_the_id_is_the_senders_else_the_place_in_the_stream(server: NatsServer) -> None:
    await prepared(server)
    await send(server, "1")
    async with shop(server) as (_, jetstream):
        await jetstream.publish("aftersales.events", b"{}")
    async with NatsQueue(NatsSettings(servers=(server.url,))) as queue:
        taken = await queue.take(10, 1)
        assert [one.id for one in taken] == ["shop-1", "AFTERSALES/2"]
        assert [one.attempt for one in taken] == [1, 1]
        await taken[0].again(0)
        [again] = await queue.take(10, 1)
        assert (again.id, again.attempt) == ("shop-1", 2)


def test_settings_that_would_bring_dead_letters_back_are_refused() -> None:
    for wrong, why in (
        ({"subject": "shop.>", "dead_subject": "shop.dead"}, "dead letters would come back"),
        ({"subject": "shop.*"}, "name a dead_subject"),
        ({"tls_key": "key.pem"}, "name both or neither"),
    ):
        with pytest.raises(ValidationError, match=why):
            NatsSettings.model_validate(wrong)
    assert NatsSettings(subject="shop.events").dead == "shop.events.dead"


@pytest.mark.parametrize(
    ("pattern", "subject", "is_covered"),
    [
        ("a.b", "a.b", True),
        ("a.*", "a.b", True),
        ("a.>", "a.b.c", True),
        (">", "a", True),
        ("a.>", "a.*", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b.c", False),
        ("a.b.c", "a.b", False),
        ("a.*", "a.>", False),
        ("a.b", "a.*", False),
        ("a.>", "a", False),
    ],
)
def test_which_subjects_a_pattern_covers(pattern: str, subject: str, is_covered: bool) -> None:
    assert covers(pattern, subject) is is_covered
