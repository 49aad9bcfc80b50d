"""Events from SQS, against moto's server: batches, what stays hidden, dead letters, envelopes, FIFO."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiobotocore.session  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
from moto.server import ThreadedMotoServer
from pydantic import ValidationError
from structlog.testing import capture_logs

from adapters.aws_envelopes import decode_wrapped, unwrapped
from adapters.queues import Consuming, QueueUnusable, consume
from adapters.sqs import SqsQueue
from adapters.sqs_settings import SqsSettings
from aftersales.ports import Unavailable
from aftersales.records import Unreadable
from tests.events import event
from tests.intakes import NotedIntake
from tests.waiting import until

FAST = Consuming(first_pause=0.05, longest_pause=0.2, attempts_at_most=3)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(autouse=True)
def access(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Account:
    """What the tests do at AWS themselves."""

    def __init__(self, client: Any, endpoint: str) -> None:
        self.client, self.endpoint = client, endpoint

    async def queue(self, *, redrive: int = 0, fifo: bool = False) -> SqsSettings:
        """A new queue, with a dead-letter queue after so many deliveries where it is not 0."""
        name, suffix = f"events-{uuid.uuid4().hex[:8]}", ".fifo" if fifo else ""
        kind = {"FifoQueue": "true"} if fifo else {}
        url = (await self.client.create_queue(QueueName=name + suffix, Attributes=kind))["QueueUrl"]
        if redrive:
            dead = await self.client.create_queue(QueueName=f"{name}-dead{suffix}", Attributes=kind)
            told = await self.client.get_queue_attributes(QueueUrl=dead["QueueUrl"], AttributeNames=["QueueArn"])
            policy = {"deadLetterTargetArn": told["Attributes"]["QueueArn"], "maxReceiveCount": redrive}
            await self.client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
        return SqsSettings(
            queue_url=url, endpoint_url=self.endpoint, region="us-east-1", wait=1, visibility=3, dead_letter_url=""
        )

    async def send(self, queue: SqsSettings, *bodies: object, **more: Any) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            await self.client.send_message(QueueUrl=queue.queue_url, MessageBody=text, **more)

    async def dead(self, queue: SqsSettings) -> list[Any]:
        main, suffix, _ = queue.queue_url.partition(".fifo")
        url = f"{main}-dead{suffix}"
        wanted = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"], "VisibilityTimeout": 0}
        found = await self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, **wanted)
        return list(found.get("Messages", ()))

    async def left(self, queue: SqsSettings) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = await self.client.get_queue_attributes(QueueUrl=queue.queue_url, AttributeNames=names)
        return sum(int(count) for count in told["Attributes"].values())


@pytest_asyncio.fixture
async def account(endpoint: str) -> AsyncIterator[Account]:
    session = aiobotocore.session.get_session()
    async with session.create_client("sqs", region_name="us-east-1", endpoint_url=endpoint) as client:
        yield Account(client, endpoint)


@asynccontextmanager
async def taking(settings: SqsSettings, intake: NotedIntake, how: Consuming = FAST) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with SqsQueue(settings) as queue:
        loop = asyncio.create_task(consume(queue, intake, stop=stop, decode=decode_wrapped, consuming=how))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(loop, 10)


def named(name: str, order: str = "A-1") -> dict[str, Any]:
    return event("order.return_cancelled", order) | {"id": name}


async def test_messages_are_taken_many_at_once_and_deleted_when_done(account: Account) -> None:
    queue = await account.queue(redrive=100)
    names = [str(number) for number in range(25)]
    await account.send(queue, *(named(name, f"A-{name}") for name in names))
    intake = NotedIntake()
    async with taking(queue, intake):
        await until(lambda: len(intake.events) == 25)
    assert sorted(intake.ids) == sorted(names)
    assert max(map(len, intake.batches)) > 10
    assert await account.left(queue) == 0


async def test_a_message_stays_hidden_while_the_intake_is_away(account: Account) -> None:
    queue = await account.queue(redrive=100)
    await account.send(queue, named("1"))
    intake = NotedIntake()
    intake.away = "Temporal does not answer"
    async with taking(queue, intake):
        await until(lambda: intake.tries >= 2)
        async with SqsQueue(queue) as other:
            for _ in range(4):  # longer than it would stay hidden by itself
                assert await other.take(1, 1) == []
        intake.away = ""
        await until(lambda: intake.ids == ["1"])
    assert await account.left(queue) == 0


async def test_what_a_dead_process_had_comes_again_with_the_same_id(account: Account) -> None:
    queue = await account.queue(redrive=100)
    await account.send(queue, named("1"))
    async with SqsQueue(queue) as dying:
        [first] = await dying.take(1, 1)
    async with SqsQueue(queue) as next_one:
        again: list[Any] = []
        for _ in range(5):
            again += await next_one.take(1, 1)
        [second] = again
        assert (first.id, first.attempt, second.attempt) == (second.id, 1, 2)
        await second.done()
    assert await account.left(queue) == 0


async def test_an_end_that_is_told_too_late_is_only_noted(account: Account) -> None:
    queue = await account.queue(redrive=100)
    async with SqsQueue(queue) as taken:
        with capture_logs() as lines:
            await taken.delete("a receipt of long ago")
            await taken.hide("a receipt of long ago", 1)
    assert [line["event"] for line in lines] == ["sqs.had_for_too_long"] * 2


async def test_given_back_it_comes_after_so_many_seconds(account: Account) -> None:
    queue = await account.queue(redrive=100)
    await account.send(queue, named("1"))
    async with SqsQueue(queue) as taken:
        [first] = await taken.take(1, 1)
        await first.again(0.4)
        await asyncio.sleep(1.1)
        [second] = await taken.take(1, 1)
        await second.again(0)
        [third] = await taken.take(1, 1)
        assert [first.attempt, second.attempt, third.attempt] == [1, 2, 3]


async def test_what_fails_too_often_is_in_the_dead_letter_queue_with_the_reason(account: Account) -> None:
    queue = await account.queue(redrive=100)
    sender = {"sender": {"DataType": "String", "StringValue": "shop"}}
    await account.send(queue, named("bad", "A-1"), MessageAttributes=sender)
    await account.send(queue, named("good", "A-2"))
    intake = NotedIntake()
    intake.broken = {"bad"}
    async with taking(queue, intake):
        async with asyncio.timeout(10):
            while not (letters := await account.dead(queue)):  # noqa: ASYNC110  # only AWS knows
                await asyncio.sleep(0.1)
        await until(lambda: intake.ids == ["good"])
    [letter] = letters
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert told["AftersalesReason"] == "failed 3 times, at last with RuntimeError: bad cannot be handled"
    assert (told["AftersalesAttempt"], told["sender"]) == ("3", "shop")
    assert json.loads(letter["Body"])["id"] == "bad"
    assert await account.left(queue) == 0


async def test_the_redrive_policy_keeps_what_kills_every_process(account: Account) -> None:
    queue = await account.queue(redrive=2)
    await account.send(queue, named("killer"))
    async with SqsQueue(queue) as taken:
        for _ in range(2):
            [delivery] = await taken.take(1, 1)
            await delivery.again(0)
        assert await taken.take(1, 1) == []
    [letter] = await account.dead(queue)
    assert json.loads(letter["Body"])["id"] == "killer"


async def test_a_queue_without_a_dead_letter_queue_is_refused_with_what_to_do(account: Account) -> None:
    queue = await account.queue()
    async with SqsQueue(queue) as taken:
        with pytest.raises(QueueUnusable, match="make one and name it in the queue's redrive policy"):
            await taken.take(1, 1)
    other = await account.queue()
    async with SqsQueue(queue.model_copy(update={"dead_letter_url": other.queue_url})) as taken:
        assert await taken.take(1, 1) == []


async def test_a_group_of_a_fifo_queue_keeps_its_order(account: Account) -> None:
    queue = await account.queue(redrive=100, fifo=True)
    for number in range(6):
        group = {"MessageGroupId": f"A-{number % 2}", "MessageDeduplicationId": str(number)}
        await account.send(queue, named(str(number), f"A-{number % 2}"), **group)
    intake = NotedIntake()
    intake.away = "Temporal does not answer"
    async with taking(queue, intake):
        await until(lambda: intake.tries >= 2)
        intake.away = ""
        await until(lambda: len(intake.ids) == 6, 15)
    assert [name for name in intake.ids if int(name) % 2] == ["1", "3", "5"]
    assert [name for name in intake.ids if int(name) % 2 == 0] == ["0", "2", "4"]


async def test_a_dead_letter_of_a_fifo_queue_keeps_its_group(account: Account) -> None:
    queue = await account.queue(redrive=100, fifo=True)
    await account.send(queue, named("bad"), MessageGroupId="A-1", MessageDeduplicationId="first")
    async with SqsQueue(queue) as taken:
        [delivery] = await taken.take(1, 1)
        await delivery.bury("it\nfailed")
    [letter] = await account.dead(queue)
    assert letter["Attributes"]["MessageGroupId"] == "A-1"
    assert letter["MessageAttributes"]["AftersalesReason"]["StringValue"] == "it failed"


SNS = {"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:1:orders", "Timestamp": "t"}
EVENT_BRIDGE = {"version": "0", "id": "e", "detail-type": "ORDER_CHANGE", "source": "aws.partner/x", "account": "1"}


async def test_envelopes_of_sns_and_event_bridge_are_taken_off(account: Account) -> None:
    queue = await account.queue(redrive=100)
    bridged = EVENT_BRIDGE | {"detail": named("2", "A-2")}
    await account.send(
        queue,
        SNS | {"Message": json.dumps(named("1", "A-1"))},
        bridged,
        SNS | {"Message": json.dumps(bridged | {"detail": named("3", "A-3")})},
        named("4", "A-4"),
        "no JSON",
        SNS | {"Message": "no JSON either"},
        {"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:us-east-1:1:orders", "SubscribeURL": "https://…"},
    )
    intake = NotedIntake()
    async with taking(queue, intake):
        await until(lambda: len(intake.events) == 7)
    assert sorted(intake.ids) == ["1", "2", "3", "4"]
    reasons = sorted(raw.reason for raw in intake.events if isinstance(raw, Unreadable))
    assert reasons[0].startswith("SNS asks to confirm the subscription of arn:aws:sns:us-east-1:1:orders")
    assert [reason.partition(":")[0] for reason in reasons[1:]] == ["it is not JSON"] * 2


def test_an_event_with_fields_of_its_own_is_not_taken_for_an_envelope() -> None:
    mixed = named("1") | EVENT_BRIDGE | {"detail": {}}
    assert unwrapped(mixed) == mixed


async def test_a_wrong_address_is_unavailable_and_says_what_to_check() -> None:
    wrong = SqsSettings(queue_url="http://127.0.0.1:1/1/events", endpoint_url="http://127.0.0.1:1", region="us-east-1")
    async with SqsQueue(wrong) as queue:
        with pytest.raises(Unavailable, match=r"sqs events: .*check the address"):
            await queue.take(1, 1)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
    with pytest.raises(QueueUnusable, match=r"pip install 'aftersales\[amazon\]'"):
        SqsQueue(SqsSettings(queue_url="https://sqs.eu-west-1.amazonaws.com/1/events"))


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(ValidationError, match="queue_url"):
        SqsSettings(queue_url="events")
