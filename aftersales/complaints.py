"""Complaints about goods that need no return: what we offer, and the reason of a return that follows (§13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal, Self, get_args

from pydantic import field_validator, model_validator

from aftersales.events import ReturnReason
from aftersales.lanes import Section
from aftersales.model import Amount
from aftersales.money import rounded
from aftersales.order import Order, currencies
from aftersales.units import Share, Window

ComplaintCause = Literal["product", "logistics", "service"]
"""What a complaint is about."""
OTHER_CURRENCIES = "default"
"""The key of the bands for orders in a currency that has none of its own."""

_REASONS: Mapping[ComplaintCause, ReturnReason] = {
    "product": "not_as_described",
    "logistics": "damaged",
    "service": "other",
}


class Band(Section):
    """What is offered for complaints of one cause about orders of up to a value."""

    cause: ComplaintCause
    """What the complaint is about (`§13`)."""
    up_to: Amount | None = None
    """The highest order total to which the band applies; none for all that are higher than the band before (`§13`)."""
    share: Share | None = None
    """What is offered as a share of the order's total (`§13`)."""
    sum: Amount | None = None
    """What is offered as a sum, at most the order's total (`§13`)."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.share is None) == (self.sum is None):
            raise ValueError("write either a share or a sum")
        return self


class Complaints(Section):
    """Complaints, and the compensation for them (`§13`)."""

    offer_window: Window = timedelta(hours=72)
    """How long the offer of compensation waits for an answer; the reminder goes out at half of it (`§13`)."""
    guarantee_window: Window = timedelta(hours=72)
    """How long the customer has to choose among the three guarantees; the reminder goes out at half of it (`§13`)."""
    compensation_bands: Mapping[str, tuple[Band, ...]] = {
        OTHER_CURRENCIES: (
            Band(cause="product", share=Decimal("0.2")),
            Band(cause="logistics", share=Decimal("0.1")),
            Band(cause="service", share=Decimal("0.1")),
        )
    }
    """What is offered, by currency of the order: bands by cause and order value; `default` for all others (`§13`)."""

    @field_validator("compensation_bands")
    @classmethod
    def _cover_everything(cls, bands: Mapping[str, tuple[Band, ...]]) -> Mapping[str, tuple[Band, ...]]:
        if OTHER_CURRENCIES not in bands:
            raise ValueError(f"needs bands under {OTHER_CURRENCIES}, for currencies that have none of their own")
        for currency, listed in bands.items():
            for fault in _faults(currency, listed):
                raise ValueError(f"{currency}: {fault}")
        return bands

    def offer(self, order: Order, cause: ComplaintCause) -> Decimal:
        """What is offered for a complaint of this cause about this order, in the order's currency."""
        listed = self.compensation_bands.get(order.currency, self.compensation_bands[OTHER_CURRENCIES])
        fitting = (band for band in listed if band.cause == cause and (band.up_to is None or order.total <= band.up_to))
        band = next(fitting)
        offered = band.sum if band.sum is not None else order.total * (band.share or Decimal(0))
        return min(rounded(offered, order.currency), order.total)


def reason_of(cause: ComplaintCause) -> ReturnReason:
    """The reason of a return that follows a complaint of this cause."""
    return _REASONS[cause]


def _faults(currency: str, bands: Sequence[Band]) -> Iterator[str]:
    """What is wrong with the bands of one currency: out of order, overlapping, or with a gap."""
    if currency != OTHER_CURRENCIES and currency not in currencies():
        yield f"is not an ISO 4217 currency code; write one such as USD, or {OTHER_CURRENCIES}"
    if currency == OTHER_CURRENCIES and any(band.up_to is not None or band.sum is not None for band in bands):
        yield "holds for any currency, so it takes shares only, without up_to or sum"
    for cause in get_args(ComplaintCause):
        listed = [band.up_to for band in bands if band.cause == cause]
        if not listed or listed[-1] is not None:
            yield f"{cause} needs a last band without up_to, or an order may fit none"
        for lower, upper in pairwise(listed):
            if lower is None:
                yield f"{cause}: a band without up_to stands before another; put it last"
            elif upper is not None and upper <= lower:
                yield f"{cause}: up to {upper} stands after up to {lower}; write each band once, the lowest first"
