"""A return request in the words in which the people read it who decide about it (`spec/processes.md` §1). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from aftersales.events import CustomerEvent, CustomerMessage, Message, ReturnRequested
from aftersales.order import Item, Order

_NO_FAULT = "not our fault, so the goods come back if the return period and their state allow it"
_FAULT = "photos are asked for where there are none, then you say whether it is our fault and the shop pays all"

REASON_OPTIONS: Mapping[str, str] = {
    "changed_mind": f"the customer does not want the goods any more; {_NO_FAULT}",
    "no_longer_needed": f"the customer does not need the goods any more; {_NO_FAULT}",
    "bought_by_other": f"the customer has the goods from elsewhere too; {_NO_FAULT}",
    "found_cheaper": f"the customer saw a better price; {_NO_FAULT}",
    "too_late": "the goods came too late; where the order's dates do not show it, you say whether it is our fault",
    "size": f"the size does not fit; {_NO_FAULT}",
    "defective": f"the goods do not work; {_FAULT}",
    "damaged": f"the goods are damaged; {_FAULT}",
    "not_as_described": f"the goods differ from their description; {_FAULT}",
    "wrong_item": "something else arrived than was ordered; a case of its own sees that the right item comes",
    "missing_part": f"something is missing; {_FAULT}",
    "other": "none of these, or nobody can tell; the goods come back with our label, and all the money is refunded",
}
"""What happens when an operator picks a reason."""
PROMISES: Mapping[str, str] = {"help": "help with using", "exchange": "an exchange of"}
"""What the customer who keeps the goods may wish for, and what a person then sees to."""


def why(order: Order, asked: ReturnRequested, said: Sequence[str]) -> str:
    """The question for a reason that nobody could read; `said` is all that the customer wrote."""
    return f"Why does the customer return {_titles(order, asked)}? {_shown(asked, said)}"


def is_our_fault(order: Order, asked: ReturnRequested, said: Sequence[str], reason: str) -> str:
    """The question whose fault it is, with the order's dates as far as they are known."""
    known = {"dispatched": order.dispatched_at, "delivered": order.delivered_at}
    dates = "".join(f" It was {what} {at:%Y-%m-%d}." for what, at in known.items() if at)
    return f"Is it our fault ({reason}) that {_titles(order, asked)} comes back? {_shown(asked, said)}{dates}"


def line_options(lines: Sequence[Item]) -> dict[str, Item]:
    """The options `line_1`, `line_2`, … for these lines of an order."""
    return {f"line_{number}": item for number, item in enumerate(lines, 1)}


def in_which_line(lines: Sequence[Item], asked: ReturnRequested, said: Sequence[str]) -> str:
    """The question for the line in which a wrong item arrived, with what each of `line_options` stands for."""
    names = ", ".join(f"{option} ({item.title})" for option, item in line_options(lines).items())
    return f"In which line did another item arrive: {names}? {_shown(asked, said)}"


def is_exception(order: Order, asked: ReturnRequested, goodwill: Decimal) -> str:
    """The question whether goods come back that may not; `goodwill` is what the customer refused, 0 for nothing."""
    refuses = f" and refuses {goodwill} {order.currency} of goodwill" if goodwill else ""
    goods = _titles(order, asked)
    return f"{goods} may not come back. The customer insists{refuses}. Accept the return all the same?"


def promised(order: Order, asked: ReturnRequested, wish: str) -> str:
    """What a person has to see to for a customer who keeps the goods."""
    return f"the customer keeps the order and was promised {PROMISES[wish]} {_titles(order, asked)}"


def as_message(fact: CustomerEvent) -> Message:
    """What the customer wrote, also where it stands in a request."""
    if not isinstance(fact, ReturnRequested):
        return cast(Message, fact)
    known = fact.model_dump(include={"id", "source", "order_id", "time", "text"})
    return CustomerMessage(**known, attachments=fact.photos)


def _titles(order: Order, asked: ReturnRequested) -> str:
    return ", ".join(item.title for item in order.lines([line.line_id for line in asked.lines]))


def _shown(asked: ReturnRequested, said: Sequence[str]) -> str:
    words = " ".join(dict.fromkeys(said)) or "nothing"
    return f"The customer wrote: “{words[:1000]}”. Photos: {', '.join(asked.photos) or 'none'}."
