"""The clocks of a case: every date by which somebody must have acted, whose it is, and who loses when it passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from aftersales.model import Model, Time

if TYPE_CHECKING:
    from aftersales.law import LawPack

Whose = Literal["ours", "customer", "platform", "carrier", "insurer", "warehouse", "law"]
"""Who must act until then: `ours` is the shop's own time, `law` a date that a law sets the shop."""
WHOSE: Mapping[Whose, str] = {
    "ours": "our own",
    "customer": "the customer's",
    "platform": "the platform's",
    "carrier": "the carrier's",
    "insurer": "the insurer's",
    "warehouse": "the warehouse's",
    "law": "the law's",
}
"""As a person reads it, before "time"."""


class Waits(NamedTuple):
    """What a stage of a process waits with: whose time runs, where its length is written, and what passing it costs.

    `source` is a field of the policy, a law pack, or a document; `loses` a short sentence that begins with who loses.
    """

    whose: Whose
    source: str
    loses: str


class Clock(Model):
    """A date by which somebody must have acted."""

    what: str
    at: Time
    whose: Whose
    source: str
    loses: str


EVERYWHERE: Mapping[str, Waits] = {
    "decision": Waits("ours", "operators.operator_window", "the shop: the policy's answer is taken"),
    "payment-held": Waits("ours", "operators.dispute_check", "nobody: the payment is tried again"),
}
"""What every process waits with."""
LAST_CLAIM = Waits("carrier", "parcels.claim_until", "the shop: the carrier takes no claim any more")
"""A lost parcel's last date for a claim against its carrier."""
NEXT_SCAN = Waits("carrier", "parcels.lost_after", "the shop: the goods are searched for, then count as lost")
SEARCH = Waits("carrier", "parcels.carrier_answer_window", "the shop: the goods count as lost, and their money is owed")
"""Goods on their way back to us, and goods whose scans have stopped."""


def by_law(pack: LawPack, loses: str) -> Waits:
    """A date that this law sets the shop."""
    return Waits("law", f"law pack {pack.id}: {pack.rule}", loses)


def waiting(stage: str, deadline: datetime, waits: Mapping[str, Waits]) -> Clock:
    """The clock of the stage that a case is in; a reminder's is that of the letter it reminds of."""
    known = waits.get(stage) or EVERYWHERE.get(stage) or waits.get(stage.removesuffix("-reminder"))
    whose, source, loses = known or Waits("ours", "", "")
    return Clock(what=stage, at=deadline, whose=whose, source=source, loses=loses)
