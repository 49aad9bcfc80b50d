"""Limits that were crossed: what is kept of each, and what changes when they are compared again (`§20`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from aftersales.figures import Warned
from aftersales.model import Model, Time


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


def compared(shop: str, at: datetime, seen: Sequence[Warned], kept: Iterable[Crossing], *, rest: timedelta) -> Changes:
    """Compare what is over its limit at a moment with what was before it, in one shop.

    `kept` are the crossings that are open, and those of the kind `claims` that ended. The latter end by a person, who
    starts the variant again; for as long as `rest`, in which the figures still look back at what stopped it, it is not
    stopped anew.
    """
    kept = list(kept)
    running = {_about(each.seen) for each in kept if each.until is None}
    resting = {_about(each.seen) for each in kept if each.until is not None and each.until + rest > at}
    over = {_about(each): each for each in seen}
    opened = [
        Crossing(seen=each.model_copy(update={"shop": shop, "since": at}))
        for about, each in over.items()
        if about not in running | resting
    ]
    ends = [
        each for each in kept if each.until is None and each.seen.kind != "claims" and _about(each.seen) not in over
    ]
    return Changes(opened, [each.model_copy(update={"until": at}) for each in ends])


def _about(warned: Warned) -> tuple[str, str]:
    return warned.kind, warned.subject
