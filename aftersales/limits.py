"""Limits that were crossed: what is kept of each, and what changes when they are compared again (`§20`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
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
