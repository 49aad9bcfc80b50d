"""Aliases: what senders call an order that do not know its id, such as a carrier that knows a tracking number.

An event without `subject` names its order by the attribute `orderalias`. An alias is learned from every event that has
both, and from what orders tell of themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aftersales.events import TYPES, Event, OrderEvent, OrderShipped
from aftersales.model import Model, Time

ATTRIBUTE = "orderalias"
"""The attribute of an event's envelope that holds an alias."""
SENDER = "sentby"
"""The attribute that holds the shop for which the sender of an event spoke; empty where it speaks for all."""
LONGEST = 300
"""Characters of an alias."""
_OF_EVENTS = frozenset(name for name, kind in TYPES.items() if "parcel_no" in kind.model_fields)
"""The types of events about one parcel, whose number an alias brings along."""


class Alias(Model):
    """Another name of an order, and of one parcel of it where `parcel_no` is not empty.

    Of two orders of a shop with the same alias the one with the newer `at` has it; an order's own id stays with the
    first shop that had it.
    """

    alias: str
    shop: str
    """Whose order it is; empty where that was not told."""
    order_id: str
    parcel_no: str = ""
    at: Time

    @property
    def scope(self) -> str:
        """Among whose aliases it is unique: those of a shop, but an order's id among all."""
        return "" if self.alias.startswith(_ORDER) else self.shop


_ORDER = "order/"


def pick(known: Mapping[str, Sequence[Alias]], alias: str | None, sender: str) -> Alias | None:
    """What an alias stands for, said by who speaks for a shop, or for all; the newest where several have it."""
    found = known.get(alias or "", ())
    return next((one for one in found if not sender or one.shop in {sender, ""}), None)


def of_order(order_id: str) -> str:
    """The alias under which an order's own id is known: it tells whose order it is."""
    return _ORDER + order_id


def of_tracking(number: str) -> str:
    """The alias of the parcel with this tracking number, however it is written."""
    return f"tracking/{''.join(number.split()).upper()}"


def of_mail(address: str) -> str:
    """The alias of the newest order of a customer with this e-mail address."""
    return f"mail/{address.strip().lower()}"


def normal(alias: str) -> str:
    """An alias as it is kept, whoever wrote it."""
    kind, _, name = alias.partition("/")
    match kind:
        case "tracking":
            return of_tracking(name)
        case "mail":
            return of_mail(name)
        case _:
            return alias


def waiting_under(alias: str) -> str:
    """What stands for the order id of an event that waits until this alias is known."""
    return f"? {alias}"


def alias_in(raw: object) -> str | None:
    """The alias by which a raw event names its order; None where it has a subject, or names none."""
    if not isinstance(raw, Mapping) or raw.get("subject"):
        return None
    alias = raw.get(ATTRIBUTE)
    return normal(alias)[:LONGEST] if isinstance(alias, str) and alias.strip() else None


def named(raw: Mapping[str, Any], found: Alias | None) -> dict[str, Any]:
    """A raw event with the order, and where it is about a parcel the parcel, that its alias stands for.

    None puts something in their place, for a look at the rest of the event.
    """
    order_id, parcel_no = (found.order_id, found.parcel_no) if found else ("?", "?")
    event = {key: value for key, value in raw.items() if key != ATTRIBUTE} | {"subject": order_id}
    data = raw.get("data")
    if parcel_no and raw.get("type") in _OF_EVENTS and isinstance(data, Mapping):
        event["data"] = {"parcel_no": parcel_no, **data}
    return event


def told_by(event: Event, raw: Mapping[str, Any]) -> Iterator[Alias]:
    """The aliases that an event teaches."""
    order = event.order if isinstance(event, OrderEvent) else None
    shop = order.shop if order else str(raw.get(SENDER) or "")
    known = {"shop": shop, "order_id": event.order_id}
    if order:
        yield Alias(alias=of_order(event.order_id), at=order.placed_at, **known)
        yield Alias(alias=of_mail(order.customer.email), at=order.placed_at, **known)
    if isinstance(event, OrderShipped) and event.parcel.tracking_number:
        number = of_tracking(event.parcel.tracking_number)
        yield Alias(alias=number, parcel_no=event.parcel.parcel_no, at=event.happened_at, **known)
    if isinstance(alias := raw.get(ATTRIBUTE), str) and alias.strip():
        yield Alias(alias=normal(alias)[:LONGEST], at=event.happened_at, **known)
