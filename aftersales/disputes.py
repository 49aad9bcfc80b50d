"""Disputes: by when the platform wants to be answered, what is left to give back, and when an appeal pays (§18)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, Self, TypedDict
from urllib.parse import unquote

from pydantic import model_validator

from aftersales.deadlines import Hours, deadline
from aftersales.events import DisputeDecided, DisputeOpened, DisputeUpdated, DisputeWithdrawn
from aftersales.lanes import Section
from aftersales.model import Amount
from aftersales.money import rounded
from aftersales.order import Currency, Order
from aftersales.units import Share, Window

DisputeKind = Literal["a_to_z", "chargeback", "platform_complaint"]
"""What a dispute is: a claim against the seller, money taken back by the bank, a complaint to the platform."""
End = DisputeWithdrawn | DisputeDecided
"""What ends a dispute."""
Word = DisputeUpdated | End
"""What a platform says of a dispute that is open."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_WEEKDAYS = Hours(timezone="UTC", days=("mon", "tue", "wed", "thu", "fri"), opens="00:00", closes="24:00")


class Disputes(Section):
    """Claims, chargebacks and complaints to the platform (`§18`)."""

    respond_within: Mapping[DisputeKind, Window] = {
        "a_to_z": timedelta(hours=72),
        "platform_complaint": timedelta(days=3),
        "chargeback": timedelta(days=7),
    }
    """Time to answer the platform where it names no date, by kind of dispute (`§18`)."""
    in_business_days: tuple[DisputeKind, ...] = ("platform_complaint",)
    """The kinds of dispute whose time counts on weekdays only (`§18`)."""
    evidence_lead: Window = timedelta(hours=12)
    """How long before the platform's date the evidence is submitted at the latest (`§18`)."""
    evidence_retry: Window = timedelta(hours=2)
    """How soon evidence or an appeal that was refused is given once more, once it is due, while nobody decides
    (`§18`)."""
    settlement_share: Share = Decimal("0.5")
    """Offered when a supervisor offers a part without naming an amount, of what is claimed (`§18`)."""
    ruling_window: Window = timedelta(days=30)
    """Time of the platform to decide; then an operator finds out, and is asked again as often (`§18`)."""
    ruling_appeal_window: Window = timedelta(days=7)
    """How long after a lost ruling an appeal is possible (`§18`)."""
    appeal_above: Mapping[Currency, Amount] = {}
    """Lost rulings over more than this are appealed against, by currency; in others none is (`§18`)."""

    @model_validator(mode="after")
    def _each_kind_has_its_time(self) -> Self:
        if missing := {"a_to_z", "chargeback", "platform_complaint"} - self.respond_within.keys():
            raise ValueError(f"respond_within lacks {', '.join(sorted(missing))}")
        return self

    def respond_by(self, dispute: DisputeOpened) -> datetime:
        """When the platform wants an answer: its own date, else the usual time of such a dispute."""
        hours = {"hours": _WEEKDAYS} if dispute.kind in self.in_business_days else {}
        return dispute.respond_by or deadline(dispute.time, self.respond_within[dispute.kind], **hours)

    def worth_an_appeal(self, lost: Decimal, currency: str) -> bool:
        """Whether what a ruling takes, in this currency, is worth an appeal."""
        above = self.appeal_above.get(currency)
        return above is not None and lost > above


class _Envelope(TypedDict):
    id: str
    source: str
    order_id: str
    claim_id: str
    time: datetime


class Claim:
    """What is known of one dispute while it is open: the platform may tell of it again, or move its date."""

    def __init__(self, dispute: DisputeOpened, terms: Disputes, *, is_further: bool) -> None:
        """`is_further` where the order's first dispute has a case of its own beside this one's."""
        self.dispute, self.terms, self.is_further = dispute, terms, is_further
        self.respond_by, self._dated_at = terms.respond_by(dispute), dispute.time
        self.is_dated = dispute.respond_by is not None
        """Whether the platform has named the date."""
        self.further: list[str] = []
        """The parts of the order's further disputes, each of which has a case."""
        self.answered = False
        """Whether the platform has had our answer, or cannot be given one any more."""
        self.retry_at: datetime | None = None
        """When something that the platform did not take is given again."""
        self.follows_date = False
        """Whether that is wanted by the platform's date: then it is given sooner where that moves."""

    @property
    def name(self) -> str:
        """What the platform calls it, else its kind."""
        return part_of(self.dispute)

    @property
    def submit_at(self) -> datetime:
        """When evidence is due at the latest."""
        return self.respond_by - self.terms.evidence_lead

    @property
    def last(self) -> datetime:
        """How long its case may wait for anybody now."""
        return self.retry_at or (_NEVER if self.answered else self.submit_at)

    def move(self, respond_by: datetime, told_at: datetime) -> None:
        """Take another date; of two the one that the platform named later counts."""
        if told_at >= self._dated_at:
            has_moved = respond_by != self.respond_by
            self.is_dated |= has_moved
            self.respond_by, self._dated_at = respond_by, told_at
            if has_moved and self.follows_date and self.retry_at:
                self.retry_at = min(self.retry_at, max(told_at, self.submit_at))

    def is_told_again(self, opened: DisputeOpened) -> bool:
        """Take in what an event tells of this dispute once more; False where it is about another one."""
        known = self.dispute
        both_numbered = known.claim_id and opened.claim_id
        if known.claim_id != opened.claim_id if both_numbered else known.kind != opened.kind:
            return False
        self.dispute = known.model_copy(
            update={name: value for name in ("claim_id", "text", "amount") if (value := getattr(opened, name))}
        )
        self.move(opened.respond_by or self.respond_by, opened.time)
        return True

    def is_new(self, opened: DisputeOpened) -> bool:
        """Whether it is another dispute that needs a case, which it then has: the order's first one sees to that."""
        if self.is_told_again(opened) or self.is_further or part_of(opened) in self.further:
            return False
        self.further.append(part_of(opened))
        return True

    def is_meant(self, word: Word) -> bool:
        """Whether the platform speaks of this dispute; without a number it means the only one."""
        if word.claim_id and self.dispute.claim_id:
            return word.claim_id == self.dispute.claim_id
        return word.claim_id not in self.further if word.claim_id else not (self.further or self.is_further)

    def found(self, choice: str, amount: Decimal | None, at: datetime) -> End | None:
        """What an operator found out at the platform: it was `won`, `lost` or `withdrawn`; else nothing yet."""
        known = self.dispute
        envelope = _Envelope(
            id=known.id, source=known.source, order_id=known.order_id, claim_id=known.claim_id, time=at
        )
        match choice:
            case "won" | "lost":
                return DisputeDecided(**envelope, won=choice == "won", amount=amount)
            case "withdrawn":
                return DisputeWithdrawn(**envelope)
            case _:
                return None

    def part(self, amount: Decimal, currency: str) -> Decimal:
        """What is offered in part where nobody names an amount, in the currency's smallest units."""
        return rounded(amount * self.terms.settlement_share, currency)

    def amount(self, order: Order) -> Decimal:
        """What the customer claims: what the platform says, at most and otherwise what the order cost."""
        named = self.dispute.amount
        return order.total if named is None else min(named, order.total)


def part_of(dispute: DisputeOpened) -> str:
    """What tells a further dispute of an order from its first one, in the name of its case."""
    return dispute.claim_id or dispute.kind


def is_about(part: str, claim_id: str) -> bool:
    """Whether a case of this part of its order is the one of a claim."""
    return bool(part) and unquote(part) == claim_id
