"""Events from Amazon SQS: long polling, and a message is deleted when it is done with.

A message that failed too often is sent to the dead-letter queue by us, with the reason, and only then deleted: a crash
in between leaves it in both, never in none. The redrive policy alone would not do: it gives no reason, and it counts
every delivery, those in an outage as well. It stays behind us as a net for messages that kill the process.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import structlog

from adapters.held import Held
from adapters.queues import QueueUnusable
from adapters.sqs_settings import LONGEST_HIDDEN, SqsSettings
from aftersales.ports import Unavailable

AT_ONCE = 10
"""Messages that SQS gives out, and takes changes of, in one call."""
LONGEST_REASON = 500
"""Characters of the reason that a dead letter carries."""
_COMES_AGAIN = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"})
"""Answers about a message that we had for too long: it is out again, and its repeat is known as one."""
_ATTRIBUTE = ("DataType", "StringValue", "BinaryValue")
_SYSTEM = ["ApproximateReceiveCount", "MessageGroupId", "MessageDeduplicationId"]

_log = structlog.get_logger(__name__)


class _Client(Protocol):
    """What we call of aiobotocore's client, which has no types."""

    async def receive_message(self, **wanted: Any) -> Mapping[str, Any]: ...
    async def delete_message(self, **wanted: Any) -> object: ...
    async def send_message(self, **wanted: Any) -> object: ...
    async def change_message_visibility(self, **wanted: Any) -> object: ...
    async def change_message_visibility_batch(self, **wanted: Any) -> object: ...
    async def get_queue_attributes(self, **wanted: Any) -> Mapping[str, Any]: ...
    async def get_queue_url(self, **wanted: Any) -> Mapping[str, Any]: ...


class SqsQueue:
    """The messages of an SQS queue, as `aftersales.ports.Queue`; an async context manager."""

    def __init__(self, settings: SqsSettings) -> None:
        """Nothing is connected yet.

        Raises:
            QueueUnusable: the extra `amazon` is not installed.
        """
        try:
            import aiobotocore.session  # type: ignore[import-untyped]
            from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
        except ImportError:
            raise QueueUnusable("SQS needs the extra `amazon`; run pip install 'aftersales[amazon]'") from None
        self._settings = settings
        self._session = aiobotocore.session.get_session()
        self._errors = (BotoCoreError, ClientError, OSError)
        self._dead = settings.dead_letter_url
        self._client: _Client | None = None
        self._open = AsyncExitStack()
        self._held = Held[str](self._extend, every=settings.visibility / 3)

    @property
    def name(self) -> str:
        """`sqs` and the queue's name."""
        return f"sqs {self._settings.queue_url.rpartition('/')[2]}"

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._held)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def take(self, most: int, seconds: float) -> Sequence[SqsDelivery]:
        """See `aftersales.ports.Queue`.

        Raises:
            Unavailable: SQS does not answer, or refuses.
            QueueUnusable: the queue has no dead-letter queue.
        """
        if not self._dead:
            self._dead = await self._dead_letter_queue()
        taken: list[SqsDelivery] = []
        wait = min(self._settings.wait, math.ceil(seconds))
        while len(taken) < most:
            try:
                some = await self._receive(min(AT_ONCE, most - len(taken)), 0 if taken else wait)
            except Unavailable:
                if not taken:
                    raise
                break
            taken += some
            if len(some) < AT_ONCE:
                break
        for delivery in taken:
            self._held.take(delivery.receipt)
        return taken

    async def look(self) -> int:
        """About how many messages wait. None is taken.

        Raises:
            Unavailable: SQS does not answer, or refuses.
            QueueUnusable: the queue has no dead-letter queue.
        """
        if not self._dead:
            self._dead = await self._dead_letter_queue()
        wanted = ["ApproximateNumberOfMessages"]
        answer = await self._call("get_queue_attributes", QueueUrl=self._settings.queue_url, AttributeNames=wanted)
        return int(answer["Attributes"][wanted[0]])

    async def delete(self, receipt: str) -> None:
        """Take a message out of the queue."""
        self._held.leave(receipt)
        await self._call("delete_message", QueueUrl=self._settings.queue_url, ReceiptHandle=receipt)

    async def hide(self, receipt: str, seconds: float) -> None:
        """Have a message come again after so many seconds, whole ones."""
        self._held.leave(receipt)
        hidden = min(max(math.ceil(seconds), 0), LONGEST_HIDDEN)
        queue = self._settings.queue_url
        await self._call("change_message_visibility", QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=hidden)

    async def keep_dead(self, message: Mapping[str, Any], reason: str) -> None:
        """Send a message to the dead-letter queue, with the reason and what it had with it."""
        system = message.get("Attributes", {})
        told = {
            "AftersalesReason": " ".join(reason.split())[:LONGEST_REASON],
            "AftersalesAttempt": system.get("ApproximateReceiveCount", "1"),
            "AftersalesMessage": message["MessageId"],
        }
        own = list(message.get("MessageAttributes", {}).items())[: AT_ONCE - len(told)]  # ten is what SQS takes
        attributes = {name: {key: value[key] for key in _ATTRIBUTE if key in value} for name, value in own}
        attributes |= {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
        ordered = {name: system[name] for name in ("MessageGroupId", "MessageDeduplicationId") if name in system}
        wanted = ordered if self._dead.endswith(".fifo") else {}
        body = message["Body"]
        await self._call("send_message", QueueUrl=self._dead, MessageBody=body, MessageAttributes=attributes, **wanted)

    async def _receive(self, most: int, wait: int) -> list[SqsDelivery]:
        answer = await self._call(
            "receive_message",
            QueueUrl=self._settings.queue_url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._settings.visibility,
            MessageSystemAttributeNames=_SYSTEM,
            MessageAttributeNames=["All"],
        )
        return [SqsDelivery(self, message) for message in answer.get("Messages", ())]

    async def _call(self, operation: str, **wanted: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = await getattr(await self._connected(), operation)(**wanted)
        except self._errors as error:
            code = (getattr(error, "response", None) or {}).get("Error", {}).get("Code", "")
            if "ReceiptHandle" in wanted and code in _COMES_AGAIN:
                _log.info("sqs.had_for_too_long", queue=self.name, operation=operation)
                return {}
            raise Unavailable(
                f"{self.name}: {error}; check the address, the region, the credentials and their rights"
            ) from None
        return answer

    async def _connected(self) -> _Client:
        if self._client is None:
            from aiobotocore.config import AioConfig  # type: ignore[import-untyped]

            config = AioConfig(
                connect_timeout=5,
                read_timeout=self._settings.wait + 10,
                max_pool_connections=50,
                retries={"mode": "standard", "total_max_attempts": 2},
            )
            making = self._session.create_client(
                "sqs",
                region_name=self._settings.region or _region_in(self._settings.queue_url) or None,
                endpoint_url=self._settings.endpoint_url or None,
                config=config,
            )
            client: _Client = await self._open.enter_async_context(making)
            self._client = client
        return self._client

    async def _dead_letter_queue(self) -> str:
        """The URL of the dead-letter queue that the redrive policy names."""
        names = ["RedrivePolicy"]
        answer = await self._call("get_queue_attributes", QueueUrl=self._settings.queue_url, AttributeNames=names)
        policy = answer.get("Attributes", {}).get("RedrivePolicy")
        if not policy:
            raise QueueUnusable(
                f"{self.name} has no dead-letter queue, so that what fails would be lost when its retention ends; "
                "make one and name it in the queue's redrive policy, or in dead_letter_url"
            )
        *_, account, name = json.loads(policy)["deadLetterTargetArn"].split(":")
        found = await self._call("get_queue_url", QueueName=name, QueueOwnerAWSAccountId=account)
        return str(found["QueueUrl"])

    async def _extend(self, receipts: Sequence[str]) -> None:
        for start in range(0, len(receipts), AT_ONCE):
            entries = [
                {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": self._settings.visibility}
                for index, receipt in enumerate(receipts[start : start + AT_ONCE])
            ]
            queue = self._settings.queue_url
            await self._call("change_message_visibility_batch", QueueUrl=queue, Entries=entries)


@dataclass(frozen=True)
class SqsDelivery:
    """One message in hand, as `aftersales.ports.Delivery`."""

    _queue: SqsQueue
    _message: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id that SQS gave it."""
        return str(self._message["MessageId"])

    @property
    def body(self) -> bytes:
        """What was sent."""
        return str(self._message["Body"]).encode()

    @property
    def attempt(self) -> int:
        """1 on the first delivery."""
        return int(self._message.get("Attributes", {}).get("ApproximateReceiveCount", 1))

    @property
    def receipt(self) -> str:
        """What names this delivery of it."""
        return str(self._message["ReceiptHandle"])

    async def done(self) -> None:
        """See `aftersales.ports.Delivery`."""
        await self._queue.delete(self.receipt)

    async def again(self, seconds: float) -> None:
        """See `aftersales.ports.Delivery`; in whole seconds, at most twelve hours."""
        await self._queue.hide(self.receipt, seconds)

    async def bury(self, reason: str) -> None:
        """See `aftersales.ports.Delivery`."""
        await self._queue.keep_dead(self._message, reason)
        await self._queue.delete(self.receipt)


def _region_in(queue_url: str) -> str:
    match (urlsplit(queue_url).hostname or "").split("."):
        case ["sqs", region, "amazonaws", "com", *_]:
            return region
        case _:
            return ""
