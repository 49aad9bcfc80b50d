"""A platform's message from which no event followed, as it is kept: with all that it takes to translate it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from aftersales.records import Unreadable

_PROOFS = ("hmac", "signature", "authorization", "cookie", "token")
_OWN = ("x-", "aftership-", "am-")


class Webhook(BaseModel):
    """A message of a platform for a shop. Names of headers are in small letters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    platform: str
    shop: str
    headers: Mapping[str, str]
    payload: Any


def kept(platform: str, shop: str, headers: Mapping[str, str], payload: object, reason: str) -> Unreadable:
    """The message with the reason why it is kept, without what proved who sent it."""
    told = {
        name: value
        for name, value in headers.items()
        if name.startswith(_OWN) and not any(proof in name for proof in _PROOFS)
    }
    webhook = Webhook(platform=platform, shop=shop, headers=told, payload=payload)
    return Unreadable(webhook.model_dump_json(), f"{platform}: {reason}")


def webhook_in(text: str) -> Webhook | None:
    """The inverse of `kept`, from its text; None for anything else that was kept."""
    try:
        return Webhook.model_validate(json.loads(text))
    except (ValueError, ValidationError):
        return None
