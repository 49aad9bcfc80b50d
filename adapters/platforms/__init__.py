"""What platforms send, as order events: one file a platform, and what they share.

Touch it when a platform tells something new, or tells it in another way. What a message means is data wherever it can
be (a table of topics, of statuses, of reasons); `docs/platforms.md` has the same tables for people. Nothing here opens
a connection: a door checks the signature and decodes the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from adapters.platforms import aftership, amazon, easypost, shopify, woocommerce
from adapters.platforms.errors import Untranslated
from adapters.platforms.notices import checked, numbered
from adapters.platforms.storefront import Storefront

__all__ = ["PLATFORMS", "Storefront", "Untranslated", "translate"]


class Translator(Protocol):
    """How one platform's message becomes events. Names of headers are in small letters."""

    def __call__(
        self, headers: Mapping[str, str], payload: object, *, storefront: Storefront, received_at: datetime
    ) -> list[dict[str, Any]]:
        """The events of a message, at least one.

        Raises:
            Untranslated: no event follows from it.
        """
        ...


PLATFORMS: Mapping[str, Translator] = {
    "aftership": aftership.translate,
    "amazon": amazon.translate,
    "easypost": easypost.translate,
    "shopify": shopify.translate,
    "woocommerce": woocommerce.translate,
}
"""Every platform by its name in addresses."""


def translate(
    platform: str, headers: Mapping[str, str], payload: object, *, storefront: Storefront, received_at: datetime
) -> list[dict[str, Any]]:
    """The order events of one message: CloudEvents as `spec/events.md` has them, in the order in which they count.

    `payload` is the decoded JSON body. An event of an order that the message does not name has no `subject` and names
    it by `orderalias`. The same message again gives the same events with the same ids.

    Raises:
        Untranslated: no event follows from it; the text says why and what to do.
    """
    translator = PLATFORMS.get(platform)
    if translator is None:
        raise Untranslated(
            f"{platform!r:.60} is no platform that is known; write one of {', '.join(sorted(PLATFORMS))}"
        )
    small = {name.lower(): value for name, value in headers.items()}
    events = translator(small, payload, storefront=storefront, received_at=received_at)
    if not events:
        raise Untranslated(f"{platform}: nothing in this message concerns an order; no need to send it")
    return [checked(event) for event in numbered(events)]
