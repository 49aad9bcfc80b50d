"""Amazon's messages in a queue: notifications by SQS, directly or by EventBridge, and answers of the API put there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from adapters.aws_envelopes import unwrapped
from adapters.platforms import amazon
from adapters.platforms.errors import Untranslated
from adapters.platforms.kept import kept
from adapters.platforms.storefront import Storefront
from adapters.queues import Decode
from aftersales.ports import Delivery
from aftersales.strict_json import events_in, read_json

_log = structlog.get_logger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


def amazon_decoder(storefront: Storefront, *, clock: Callable[[], datetime] = _now) -> Decode:
    """What `adapters.queues.consume` decodes the messages of one seller's queue with.

    CloudEvents pass as they are. What nothing follows from and nobody has to look at is noted in the log only; what
    cannot be translated otherwise becomes unreadable, with the reason.
    """

    def decode(delivery: Delivery) -> Sequence[object]:
        events: list[object] = []
        for told in events_in(unwrapped(read_json(delivery.body))):
            if isinstance(told, dict) and "specversion" in told:
                events.append(told)
                continue
            try:
                events += amazon.translate({}, told, storefront=storefront, received_at=clock())
            except amazon.NothingToDo as why:
                _log.info("amazon.nothing_to_do", message=delivery.id, reason=str(why))
            except Untranslated as why:
                events.append(kept("amazon", storefront.shop, {}, told, str(why)))
        return events

    return decode
