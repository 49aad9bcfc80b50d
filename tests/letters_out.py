"""A letter as channels are given it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypedDict

from aftersales.letters import Rendered
from aftersales.message_ids import message_id
from aftersales.order import Customer
from aftersales.ports import Trying

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CASE = "return-escalation/A-1001"
LETTER = Rendered(
    language="zh", version="1", subject="关于您的订单", text="您好：\n\n.\n好\n", html="<p>您好</p>\n", choices=()
)


class Letter(TypedDict):
    """What a channel is given."""

    key: str
    case_id: str
    message_id: str
    to: Customer
    sender: str
    name: str
    rendered: Rendered
    at: datetime
    order_channel: str
    trying: Trying


class Tries:
    """Counts how often a letter was about to leave."""

    def __init__(self) -> None:
        self.count = 0

    async def begins(self) -> None:
        """One more."""
        self.count += 1


def letter(
    key: str = "k-1", *, tries: Tries | None = None, shop: str = "Lumen Home", order_channel: str = "", **to: Any
) -> Letter:
    """One letter; `to` are changes of its customer."""
    return Letter(
        key=key,
        case_id=CASE,
        message_id=message_id(CASE, key, "mail.lumen.example"),
        to=Customer.model_construct(**{"name": "Ada Reyes", "email": "ada@example.com", "language": "zh", **to}),
        sender=shop,
        name="return-terms",
        rendered=LETTER,
        at=AT,
        order_channel=order_channel,
        trying=(tries or Tries()).begins,
    )
