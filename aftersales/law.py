"""Law packs: what a market's law asks of returns, as data in `policies/law/` (rules in every case §11).

Touch the YAML when a law changes, this file when a law asks for something of a new kind. A pack wins over a
policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from aftersales.deadlines import TimeZone, end_of_day, zone
from aftersales.model import Model, Name
from aftersales.units import Window, format_duration
from aftersales.yamlfile import BadFile, Fault, load_yaml, validate

if TYPE_CHECKING:
    from aftersales.policy import Policy

Market = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""A country as ISO 3166 alpha-2 code, in capitals."""


class LawPack(Model):
    """The law of one market, or of several that share it. No `withdrawal_days`: no right to withdraw."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
    """Short name, also that of the file."""
    version: Name
    """The state of the law that the pack describes."""
    title: Name
    """What it is about, for people."""
    rule: Name
    """Act or directive and article, as a lawyer cites it."""
    markets: tuple[Market, ...] = Field(min_length=1)
    """The markets of orders to which it applies."""
    withdrawal_days: int | None = Field(default=None, ge=1, le=3660)
    """Calendar days in which the consumer may withdraw without a reason; the last one counts to its end."""
    first_day: Literal["day_of_delivery", "after_delivery"] = "after_delivery"
    """Which day is the first: that of the delivery, or the one after it (after signing)."""
    ends_on_working_day: bool = False
    """Whether a last day on a Saturday or Sunday moves to Monday."""
    timezone: TimeZone = "UTC"
    """Whose days are counted when the customer's own time zone is unknown."""
    restocking_fee_allowed_inside: bool = True
    """Whether a restocking fee may be asked while the consumer may withdraw."""
    consumer_pays_freight_at_most: Literal["direct"] | None = None
    """What the consumer can be made to pay for the return: its direct cost; none given, no rule."""
    refund_due: Window | None = None
    """Within which time money goes back after a withdrawal."""
    refund_from: Literal["notice", "goods_received"] | None = None
    """Where that time starts. From the notice, it still waits for the goods or proof of their dispatch."""
    dispatch_limit: Window | None = None
    """The longest time to dispatch where the shop promised none."""
    delay_consent: Window | None = None
    """How long the first delay behind it may be at most to which the customer consents by silence; none given, no rule
    about delays."""
    required_words: Mapping[str, Mapping[str, tuple[str, ...]]] = {}
    """What a letter must say, by letter and language; no list for a language, no rule."""

    @model_validator(mode="after")
    def _whole(self) -> LawPack:
        if (self.refund_due is None) != (self.refund_from is None):
            raise ValueError("refund_due and refund_from go together")
        return self


class Contradiction(NamedTuple):
    """A field of a policy that would break a law: where, which rule, and what it asks."""

    field: tuple[str, str]
    rule: str
    what: str


def load_packs(folder: Path) -> dict[str, LawPack]:
    """All packs of a folder by id. Raises `BadFile` for a bad pack and for a market that two packs claim."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise BadFile(folder, [Fault(0, "", "has no law packs", "add one, such as eu.yaml")])
    packs: dict[str, LawPack] = {}
    for path in paths:
        document = load_yaml(path)
        pack = validate(document, LawPack)
        if pack.id != path.stem:
            fault = Fault(document.line(("id",)), "id", f"is {pack.id}, the file is {path.name}", "name them alike")
            raise BadFile(path, [fault])
        for other in packs.values():
            if shared := sorted(set(pack.markets) & set(other.markets)):
                what = f"{', '.join(shared)} also in the pack {other.id}"
                raise BadFile(path, [Fault(document.line(("markets",)), "markets", what, "keep one")])
        packs[pack.id] = pack
    return packs


def pack_for(market: str, packs: Mapping[str, LawPack]) -> LawPack | None:
    """The pack of a market: a country (`DE`), or a pack's own id (`EU`); None where none is known."""
    named = packs.get(market.lower())
    return named or next((pack for pack in packs.values() if market.upper() in pack.markets), None)


def withdrawal_ends(pack: LawPack, delivered_at: datetime, timezone: str | None = None) -> datetime | None:
    """The moment (UTC) up to which the consumer may withdraw; None where there is no such right.

    `timezone` is the customer's; without it the pack's own is taken.
    """
    if pack.withdrawal_days is None:
        return None
    place = timezone or pack.timezone
    days = pack.withdrawal_days - (pack.first_day == "day_of_delivery")
    if pack.ends_on_working_day:
        last = delivered_at.astimezone(zone(place)).date() + timedelta(days=days)
        days += {5: 2, 6: 1}.get(last.weekday(), 0)
    return end_of_day(delivered_at, place, days)


def fee_forbidden(
    pack: LawPack | None, delivered_at: datetime | None, asked_at: datetime, timezone: str | None = None
) -> bool:
    """Whether no restocking fee may be asked, given the delivery and when the customer asked to return.

    Not yet delivered counts as inside the withdrawal period. Times carry their offset.
    """
    if pack is None or pack.restocking_fee_allowed_inside or pack.withdrawal_days is None:
        return False
    end = withdrawal_ends(pack, delivered_at, timezone) if delivered_at else None
    return end is None or asked_at < end


def refund_due_at(
    pack: LawPack | None,
    noticed_at: datetime,
    goods_received_at: datetime | None,
    dispatch_proved_at: datetime | None = None,
) -> datetime | None:
    """When the money must be back: None where no law says so, or as long as it may wait for the goods.

    Days are counted as 24 hours from the moment, which is never later than the end of the last day.
    """
    if pack is None or pack.refund_due is None:
        return None
    if pack.refund_from == "goods_received":
        return goods_received_at + pack.refund_due if goods_received_at else None
    arrivals = [moment for moment in (goods_received_at, dispatch_proved_at) if moment]
    return max(noticed_at + pack.refund_due, min(arrivals)) if arrivals else None


def check_policy(policy: Policy, packs: Iterable[LawPack]) -> list[Contradiction]:
    """Where the policy would break a pack. The fee inside the period is none: the ladder is skipped then."""
    found: list[Contradiction] = []
    returns = policy.returns
    for pack in packs:
        period = timedelta(days=pack.withdrawal_days or 0)
        if returns.return_window < period:
            what = f"{format_duration(returns.return_window)} is shorter than the {period.days} days to withdraw"
            found.append(Contradiction(("returns", "return_window"), pack.rule, what))
        if pack.refund_due and returns.inspection_window > pack.refund_due:
            spans = format_duration(returns.inspection_window), format_duration(pack.refund_due)
            what = "{} of inspection is longer than the {} in which the refund is due".format(*spans)
            found.append(Contradiction(("returns", "inspection_window"), pack.rule, what))
    return found
