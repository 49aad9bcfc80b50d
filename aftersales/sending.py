"""A letter as a channel is given it, and what may become of it other than that it is out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aftersales.letters import Rendered
from aftersales.order import Customer

LONGEST = 9.0
"""Seconds that a letter may take on its channel, or on all channels that it is given to: an effect has ten."""


@dataclass(frozen=True)
class Outgoing:
    """A letter that is to reach a customer, once per `key`.

    `name` is the letter's name, `shop` the shop's, `order_channel` where the order was placed (empty where that is not
    known), `at` the moment of the letter, with its offset.
    """

    key: str
    case_id: str
    message_id: str
    to: Customer
    shop: str
    name: str
    rendered: Rendered
    at: datetime
    order_channel: str = ""


class NotSent(Exception):
    """A letter is certainly not out, for a reason that passes. The text is one line for whoever reads the log.

    `retry_after` is how many seconds to wait before the next try, None for the usual growing pauses; `expected` says
    that nothing is wrong, as where a channel's rate is kept.
    """

    def __init__(self, text: str, *, retry_after: float | None = None, expected: bool = False) -> None:
        super().__init__(text)
        self.retry_after, self.expected = retry_after, expected


class PutOff(NotSent):
    """The same for this one letter alone: the customer's side does not take it yet. It is not tried for ever."""


class Undeliverable(Exception):
    """A letter is certainly not out and will not be taken, for this reason; a person decides."""


class PerhapsSent(Exception):
    """Nobody can tell whether a letter is out, for this reason. It must not be sent again unless a person says so."""
