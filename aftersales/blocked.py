"""A region that cannot be served: by which carriers, until when an exemption is filed, what waiting is worth (`§7`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from aftersales.events import DispatchBlocked
from aftersales.money import goods_value, rounded
from aftersales.order import Order


def all_blocked(blocked: DispatchBlocked) -> bool:
    """Whether no usual carrier serves the region; where none is known to be usual, that is not said."""
    return bool(blocked.carriers_usual) and not free_carriers(blocked)


def free_carriers(blocked: DispatchBlocked) -> list[str]:
    """The usual carriers that still serve the region, the first of which is offered."""
    out = {_name(carrier) for carrier in blocked.carriers_blocked}
    return [carrier.strip() for carrier in blocked.carriers_usual if _name(carrier) not in out]


def latest(known: DispatchBlocked, again: DispatchBlocked) -> DispatchBlocked:
    """What is known when the event comes again: the newer one, with all proof so far; a date left out stays."""
    first, last = sorted((known, again), key=lambda event: event.happened_at)
    return last.model_copy(
        update={
            "proof": (*first.proof, *(link for link in last.proof if link not in first.proof)),
            "platform_deadline": last.platform_deadline or first.platform_deadline,
        }
    )


def file_by(blocked: DispatchBlocked, lead: timedelta, otherwise: datetime) -> datetime:
    """When the exemption is filed at the latest: the lead before the platform's deadline, else at this moment."""
    return blocked.platform_deadline - lead if blocked.platform_deadline else otherwise


def compensation(order: Order, share: Decimal) -> Decimal:
    """What a customer gets who waits for a blocked order: a share of the value of the goods."""
    return rounded(goods_value(order) * share, order.currency)


def _name(carrier: str) -> str:
    return carrier.strip().casefold()
