"""What AWS puts around a message on its way to a queue: SNS and EventBridge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aftersales.ports import Delivery
from aftersales.strict_json import events_in, read_json

_MOST = 3
"""Envelopes around one another: EventBridge to SNS to SQS are two."""


def unwrapped(value: Any) -> Any:
    """The message without the envelopes of SNS and EventBridge; a CloudEvent stays as it is.

    Raises:
        ValueError: the text in an SNS envelope is no JSON, or SNS asks to confirm a subscription.
    """
    for _ in range(_MOST):
        match value:
            case {"specversion": _}:
                return value
            case {"Type": "Notification", "TopicArn": str(), "Message": str(message)}:
                value = read_json(message.encode(errors="surrogatepass"))
            case {"Type": "SubscriptionConfirmation", "TopicArn": str(topic)}:
                raise ValueError(f"SNS asks to confirm the subscription of {topic:.200}; open its SubscribeURL")
            case {"detail-type": str(), "source": str(), "detail": dict(detail)}:
                value = detail
            case _:
                return value
    return value


def decode_wrapped(delivery: Delivery) -> Sequence[object]:
    """The CloudEvents of a message that came by SNS, by EventBridge, or directly.

    Raises:
        ValueError: it is no JSON.
    """
    return events_in(unwrapped(read_json(delivery.body)))
