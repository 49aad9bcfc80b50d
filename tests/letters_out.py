"""A letter as channels are given it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aftersales.letters import Rendered
from aftersales.message_ids import message_id
from aftersales.order import Customer
from aftersales.ports import Trying
from aftersales.sending import Outgoing

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CASE = "return-escalation/A-1001"
LETTER = Rendered(
    language="zh", version="1", subject="关于您的订单", text="您好：\n\n.\n好\n", html="<p>您好</p>\n", choices=()
)


class Tries:
    """Counts how often a letter was about to leave."""

    def __init__(self) -> None:
        self.count = 0

    async def begins(self) -> None:
        """One more."""
        self.count += 1


def letter(
    key: str = "k-1", *, tries: Tries | None = None, shop: str = "Lumen Home", order_channel: str = "", **to: Any
) -> tuple[Outgoing, Trying]:
    """What a channel is given for one letter; `to` are changes of its customer."""
    one = Outgoing(
        key=key,
        case_id=CASE,
        message_id=message_id(CASE, key, "mail.lumen.example"),
        to=Customer.model_construct(**{"name": "Ada Reyes", "email": "ada@example.com", "language": "zh", **to}),
        shop=shop,
        name="return-terms",
        rendered=LETTER,
        at=AT,
        order_channel=order_channel,
    )
    return one, (tries or Tries()).begins


async def nothing() -> None:
    """What a channel that tells repeats need not be given."""
