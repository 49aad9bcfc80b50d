"""Limits: when they are crossed, what is kept of that, and what changes when they are compared again (`§20`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from aftersales.figures import Kind, LossRate, Returned, Warned, wilson
from aftersales.model import Model, Time
from aftersales.reporting import Reporting


class Crossing(Model):
    """A limit that is or was crossed.

    `seen` is what was seen when it was crossed, its `since` the nominal time of the comparison that saw it first;
    `until` is when it was no longer, `told_at` when staff had their mail.
    """

    seen: Warned
    until: Time | None = None
    told_at: Time | None = None

    @property
    def key(self) -> str:
        """The same for the same crossing; what is sent about it is sent once for it."""
        seen = self.seen
        return f"{seen.shop}#{seen.kind}#{seen.subject}#{seen.since.isoformat()}"


class Changes(NamedTuple):
    """What a comparison changes: the crossings that begin, and those that end."""

    opened: list[Crossing]
    closed: list[Crossing]


def compared(shop: str, at: datetime, seen: Sequence[Warned], running: Iterable[Crossing]) -> Changes:
    """Compare what is over its limit at a moment with the crossings that run, in one shop.

    Those of the kind `claims` are ended by a person only, who starts the variant again.
    """
    before = {_about(each.seen): each for each in running}
    over = {_about(each): each for each in seen}
    opened = [
        Crossing(seen=each.model_copy(update={"shop": shop, "since": at}))
        for about, each in over.items()
        if about not in before
    ]
    ends = [each for about, each in before.items() if each.seen.kind != "claims" and about not in over]
    return Changes(opened, [each.model_copy(update={"until": at}) for each in ends])


def _about(warned: Warned) -> tuple[str, str]:
    return warned.kind, warned.subject


def rates_over(returned: Returned, terms: Reporting, *, shop: str, at: datetime) -> Iterator[Warned]:
    """The limits that the return rate of a category crosses (`000`): whole, and without quality causes.

    With fewer returns than `report.least_returns` none is.
    """
    category = returned.name
    whole = terms.return_limits.get(category, terms.return_limit)
    limits: list[tuple[Kind, LossRate, Decimal | None]] = [
        ("return_rate", returned.total, whole),
        ("non_quality", returned.non_quality, terms.non_quality_limits.get(category)),
    ]
    for kind, rate, limit in limits:
        enough = rate.returns >= terms.least_returns and rate.rate is not None
        if limit is not None and enough and rate.loss > limit * rate.cost:
            yield Warned(
                shop=shop,
                kind=kind,
                subject=category,
                since=at,
                rate=rate.rate or 0.0,
                limit=float(limit),
                count=rate.returns,
                of=rate.shipped,
                loss=rate.loss,
                cost=rate.cost,
            )


def variant_over(variant: str, claims: int, sent: int, terms: Reporting, *, shop: str, at: datetime) -> Warned | None:
    """A variant, `<letter>.<variant>`, of which certainly too much is followed by a claim; None where it is not.

    Certainly is by the Wilson interval, and after as many claims as there must be returns for a warning: the first
    claim after the first letter says nothing.
    """
    limit = float(terms.variant_claims_limit)
    if claims < terms.least_returns or wilson(claims, sent)[0] <= limit:
        return None
    return Warned(
        shop=shop, kind="claims", subject=variant, since=at, rate=claims / sent, limit=limit, count=claims, of=sent
    )
