"""The policy: every number of the rules is a field here (`spec/processes.md`), with its value in `policies/`.

A policy travels inside every case as a snapshot. A field added later needs a default here, so that the
snapshots of running cases stay readable. Field names are unique over all sections.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import not_
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    field_validator,
    model_serializer,
)

from aftersales.bulk import Bulk
from aftersales.channels import Channels
from aftersales.complaints import Complaints
from aftersales.deadlines import Hours
from aftersales.disputes import Disputes
from aftersales.faults import BadFile, Fault, Loc, Mark, faults_of
from aftersales.inquiries import Inquiries
from aftersales.invoicing import Invoices
from aftersales.lanes import Parcels, Section
from aftersales.law import LawPack, Market, check_policy, load_packs, pack_for
from aftersales.layers import Layers
from aftersales.model import Amount, Model, Name
from aftersales.order import Currency
from aftersales.people import Person
from aftersales.perks import Perks
from aftersales.public_holidays import with_public_holidays
from aftersales.reporting import Reporting
from aftersales.reviews import Reviews
from aftersales.serving import Area, Shape
from aftersales.units import Share, Window
from aftersales.variants import Shares, parse_key, without
from aftersales.yamlfile import Document

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Returns(Section):
    """Goods that come back: the letter ladder, the terms, the way back (`§2`, `§3`)."""

    return_window: Window
    """How long after delivery a customer may ask to return (`§1`)."""
    reply_window: Window
    """How long a letter of the ladder waits for the customer's answer (`§2`)."""
    restocking_fee: Share
    """Restocking fee of the first letter, as a share of the price of the goods (`§2`)."""
    ship_back_window: Window
    """How long the customer has to send the goods; the reminder goes out at half of it (`§3`)."""
    inspection_window: Window
    """How long a supervisor has to decide about goods that came back other than described (`§3`)."""
    partial_refund: Share
    """What a partial refund gives back when nobody names an amount, of the agreed refund (`§3`)."""
    refund_lead: Window
    """How long before the law's date a refund goes out that still waits for inspection or transport (`§3`)."""
    insurer_window: Window
    """Time of the freight insurer to pay after the refund; then it is chased and has as long again (`§3`)."""
    insurance_cap: Mapping[Name, Amount]
    """What freight insurance pays at most, in CNY by category; `default` for all others (`§3`)."""
    return_address: str = ""
    """Where customers send goods, in one line, for the instructions; empty where the label says it (`§3`)."""
    self_authorised: tuple[Name, ...]
    """Channels that authorise returns themselves: requests from them go straight to return-parcel (`§2`)."""
    return_windows: Mapping[Market, Window] = {}
    """`return_window` by market, where it differs (`§1`)."""
    reason_window: Window = timedelta(hours=72)
    """How long a customer has to say why the goods come back; the reminder goes out at half of it (`§1`)."""
    return_evidence_window: Window = timedelta(hours=72)
    """How long a customer who names a fault has to send photos; the reminder goes out at half of it (`§1`)."""
    retention_window: Window = timedelta(hours=48)
    """How long the offer of help or an exchange waits for the customer's answer (`§1`)."""
    return_goodwill: Share = Decimal("0.30")
    """Offered for keeping goods that may not come back, as a share of what was paid for them; 0: none (`§1`)."""
    not_returnable: tuple[Name, ...] = ()
    """Categories of goods that are never taken back, nor inside a right to withdraw (`§1`)."""
    must_be_sealed: tuple[Name, ...] = ()
    """Categories of goods that come back unopened and with their labels only (`§1`)."""

    @field_validator("insurance_cap")
    @classmethod
    def _has_default(cls, caps: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        if "default" not in caps:
            raise ValueError('needs a default, such as default: "12.00"')
        return caps

    def window_for(self, market: str) -> timedelta:
        """How long after delivery a customer of this market may ask to return."""
        return self.return_windows.get(market, self.return_window)

    def insurance_cap_for(self, category: str) -> Decimal:
        """The most that freight insurance pays for goods of this category, in CNY."""
        return self.insurance_cap.get(category, self.insurance_cap["default"])


class Products(Section):
    """Goods that were not what was ordered, exchanges and repairs (`§10`, `§11`, `§12`)."""

    evidence_window: Window
    """How long the customer has to send photos; the reminder goes out at half of it (`§10`)."""
    keep_offer: Share
    """Compensation for keeping the wrong item, as a share of the item's value (`§10`)."""
    keep_offer_window: Window
    """How long the keep-offer waits for the customer's answer (`§10`)."""
    reship_on: Literal["receipt", "dispatch_scan"]
    """When the right item leaves: on receipt of the wrong one, or at the scan of its dispatch (`§10`)."""
    return_freight: Mapping[Currency, Amount] = {}
    """What the way back of a wrong item costs the shop, by currency; for others what the customer paid for the way
    out stands for it (`§10`)."""
    exchange_window: Window = timedelta(days=30)
    """How long after delivery a customer may ask for an exchange (`§11`)."""
    refusal_window: Window = timedelta(days=14)
    """How long after a refused exchange goods that were sent all the same, or an objection, are awaited (`§11`)."""
    payment_window: Window = timedelta(hours=72)
    """How long the customer has to pay a price difference or a repair; the reminder goes out at half of it (`§11`,
    `§12`)."""
    restock_window: Window = timedelta(days=14)
    """How long a customer waits for goods out of stock, where the warehouse names no date (`§11`)."""
    quote_window: Window = timedelta(hours=72)
    """How long a quote for a repair waits for the customer's answer; the reminder goes out at half of it (`§12`)."""
    repair_silence: Window = timedelta(days=7)
    """How long the repair centre may be silent; then it is asked (`§12`)."""
    repair_answer_window: Window = timedelta(hours=72)
    """How long the repair centre has to answer; then an operator decides (`§12`)."""
    solution_window: Window = timedelta(hours=72)
    """How long the customer has to choose between a new item and the money, where no repair is possible (`§12`)."""


class LateGift(Section):
    """A small gift for a customer who waits (`§6`)."""

    sku: str = Field(default="", max_length=200)
    """The gift as the warehouse knows it; empty for no gift (`§6`)."""
    costs: Mapping[Currency, Amount] = {}
    """What it costs the shop, by currency of the order; none in other currencies (`§6`)."""
    at_most: Share = Decimal("0.1")
    """The most that it may cost, as a share of the order's total (`§6`)."""


class Orders(Section):
    """Orders that have not left yet (`§6`, `§7`, `§8`, `§9`)."""

    follow_up: Window = timedelta(hours=24)
    """How often a late order is followed up until it is dispatched (`§6`)."""
    follow_ups: Annotated[int, Field(ge=1)] = 3
    """After how many follow-ups without a date an operator decides (`§6`)."""
    dispatch_within: Window = timedelta(days=3)
    """How long after payment an order leaves that was promised no date, by the clock of `hours` (`§6`, `§9`)."""
    stock_choice_window: Window = timedelta(hours=48)
    """Time of a customer to choose whether to wait for goods, replace them, or have the money back (`§6`)."""
    late_gift: LateGift = LateGift()
    """What goes into the parcel of an order that is late, with our apology (`§6`)."""
    address_window: Window = timedelta(hours=72)
    """Time of the customer to complete an address or name another; the reminder goes out at half of it (`§9`)."""
    unserved: tuple[Area, ...] = ()
    """Areas to which nothing is sent: countries, regions, postcodes (`§9`)."""
    remote: Mapping[Area, Name] = {}
    """Areas that are served from a transit or overseas warehouse, with its name (`§9`)."""
    postcodes: Mapping[Market, tuple[Shape, ...]] = {}
    """How postcodes look, by country: `9` a digit, `A` a letter; none where a country has no postcodes (`§9`)."""
    change_question_window: Window = timedelta(hours=72)
    """How long a customer has to say what to change, where the request does not; a reminder at half of it (`§8`)."""
    amend_window: Window = timedelta(hours=12)
    """Time of the warehouse to say whether it changed an order; then it is asked and has as long again (`§8`)."""
    change_confirm_window: Window = timedelta(hours=48)
    """How long the customer may object to the changed order; silence confirms it (`§8`)."""
    carrier_change_window: Window = timedelta(hours=48)
    """Time of the carrier to stop or redirect a parcel; it is nudged at half of it (`§8`)."""
    change_payment_window: Window = timedelta(hours=72)
    """How long the customer has to pay what a changed order costs more; a reminder at half of it (`§8`)."""
    exemption_lead: Window = timedelta(hours=12)
    """How long before the platform's deadline an exemption is filed at the latest, proof or not (`§7`)."""
    exemption_window: Window = timedelta(hours=48)
    """Time to file an exemption where the platform names no deadline (`§7`)."""
    platform_window: Window = timedelta(days=14)
    """Time of the platform to decide about an exemption once it is filed; then an operator finds out (`§7`)."""
    dispatch_compensation: Share = Decimal("0.10")
    """Paid to a customer who waits for a blocked order, as a share of the value of the goods (`§7`)."""


class Limit(Section):
    """A sum of money in a currency (ISO 4217)."""

    amount: Amount
    """The sum, as a decimal string."""
    currency: Currency
    """Its currency."""


class Operators(Section):
    """People who decide (rules in every case `§5`, `§8`, `§10`)."""

    operator_window: Window
    """How long a question waits for an operator, before it is answered in the customer's favour (`§5`)."""
    supervisor_limit: Limit
    """Money above this needs a supervisor (words, `operator / supervisor`)."""
    other_limits: Mapping[Currency, Amount] = {}
    """The same limit in other currencies; in one that stands nowhere all money needs a supervisor (words, `operator /
    supervisor`)."""
    hours: Hours
    """Whether windows run always, or only while the shop works (`§10`)."""
    people: Mapping[Name, Person] = {}
    """Who decides, by name; where none are named, everybody may under any name (words, `operator / supervisor`)."""
    four_eyes: Mapping[Currency, Amount] = {}
    """Above this, by currency, two people must decide the same; none says that one is enough (`§8`)."""
    dispute_check: Window = timedelta(hours=24)
    """How often a payment that a dispute holds up looks whether it still is open (`§18`)."""
    dispute_hold: Window = timedelta(days=45)
    """How long a dispute holds up a payment; then a supervisor decides (`§18`)."""

    def limit_in(self, currency: str) -> Decimal:
        """The most in this currency that needs no supervisor."""
        limit = self.supervisor_limit
        return limit.amount if currency == limit.currency else self.other_limits.get(currency, Decimal(0))


class Letters(Section):
    """Letters to customers (rules in every case `§2`, `§4`)."""

    languages: tuple[Language, ...] = Field(min_length=1)
    """Languages of letters: for a customer with another one the first is taken (`§2`)."""

    variants: Annotated[Mapping[Name, Shares], Field(exclude_if=not_)] = {}
    """Variants of letters and the shares of cases that write each: `base` is the letter itself (`§20`)."""

    acknowledge_every: Window
    """How long no second letter says that a message is here and being read by a person (`§4`)."""

    @field_validator("languages")
    @classmethod
    def _once(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(languages)) != len(languages):
            raise ValueError("each language may stand once")
        return languages


class Policy(Model):
    """All numbers of all rules, and the law packs of the markets."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    version: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,40}(\+[0-9a-f]{6})?$")]
    """The version in the file and, once loaded, a short hash of all numbers: `2026-11+3fa2c1`."""
    returns: Returns
    """Returns."""
    parcels: Parcels
    """Parcels."""
    products: Products
    """Wrong goods."""
    orders: Orders = Orders()
    """Orders."""
    complaints: Complaints = Complaints()
    """Complaints."""
    bulk: Bulk = Bulk()
    """Large orders."""
    reviews: Reviews = Reviews()
    """Bad reviews."""
    inquiries: Inquiries = Inquiries()
    """Inquiries."""
    invoices: Invoices = Invoices()
    """Invoices."""
    perks: Perks = Perks()
    """Gifts and free shipping."""
    disputes: Disputes = Disputes()
    """Disputes."""
    operators: Operators
    """Operators and supervisors."""
    letters: Letters
    """Letters."""
    channels: Channels = Channels()
    """Channels."""
    report: Reporting = Reporting()
    """The report of figures."""
    law: Mapping[str, LawPack] = {}
    """Law packs by id. Filled on loading, not written in the policy's file."""

    @property
    def counts(self) -> bool:
        """Whether a case writes down what the figures need: not in one that began before there were any."""
        return "report" in self.model_fields_set

    @model_serializer(mode="wrap")
    def _as_it_began(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        if not self.counts:
            written.pop("report", None)
        return written

    def pack(self, market: str) -> LawPack | None:
        """The law pack of an order's market; None where none is known."""
        return pack_for(market, self.law)

    def for_market(self, market: str) -> Policy:
        """The same policy with no other law pack than that of this market: the snapshot for a case."""
        pack = self.pack(market)
        return self.model_copy(update={"law": {pack.id: pack} if pack else {}})

    def without_variants(self, stopped: Collection[str]) -> Policy:
        """The same policy while variants of letters are stopped, each given as `<letter>.<variant>`.

        Their shares go to the letter's other variants. Where that changes anything, the version's hash says so.
        """
        names = {parse_key(key) for key in stopped}
        dealt = {
            letter: without(shares, [variant for owner, variant in names if owner == letter])
            for letter, shares in self.letters.variants.items()
        }
        variants = {letter: shares for letter, shares in dealt.items() if shares}
        if variants == self.letters.variants:
            return self
        changed = self.model_copy(update={"letters": self.letters.model_copy(update={"variants": variants})})
        return changed.model_copy(update={"version": f"{self.version.partition('+')[0]}+{_fingerprint(changed)}"})


def load_policy(
    path: Path,
    law_dir: Path,
    overrides: Mapping[str, Any] | Document | None = None,
    markets: Collection[str] | None = None,
) -> Policy:
    """Read a policy with what it extends, put overrides on top, add the law packs, and check it against them.

    An override may name a field in its section, in another one or in none. `markets` limits the check to
    their packs; None means all. Raises `BadFile` with the file and line of everything wrong.
    """
    layers = _layers(path)
    if overrides:
        layers.add_overrides(overrides)
    packs = load_packs(law_dir)
    try:
        policy = Policy.model_validate({"report": {}, **layers.data, "law": packs})
        faults = [*layers.faults, *_illegal(policy, layers, markets), *_unwritten(policy, layers)]
        policy = _with_holidays(policy, layers, faults)
    except ValidationError as error:
        faults = [*layers.faults, *faults_of(error, layers.mark, Policy)]
    if "+" in str(layers.data.get("version")):
        line = layers.mark(("version",))
        faults.append(Fault(line.line, "version", "the hash after + is added on loading", "take it out", line.path))
    if faults:
        raise BadFile(path, faults)
    return policy.model_copy(update={"version": f"{policy.version}+{_fingerprint(policy)}"})


def places(path: Path) -> Callable[[Loc], Mark]:
    """File and line of the values of a policy, for what is found wrong with them later. Raises `BadFile`."""
    return _layers(path).mark


def sections() -> dict[str, list[str]]:
    """The names of the fields in each section of a policy file."""
    kinds = {name: field.annotation for name, field in Policy.model_fields.items()}
    return {
        name: list(kind.model_fields)
        for name, kind in kinds.items()
        if isinstance(kind, type) and issubclass(kind, Section)
    }


def _layers(path: Path) -> Layers:
    # A shop that tries other variants, or none, says so in one line: merged, the shares of both would not add up.
    layers = Layers(path, sections(), plain=["version"], whole=["hours", "variants"])
    layers.add_file(path)
    return layers


def _with_holidays(policy: Policy, layers: Layers, faults: list[Fault]) -> Policy:
    """The policy with the public holidays of last year to those after next, which outlast every case of today."""
    this_year = datetime.now(UTC).year
    try:
        hours = with_public_holidays(policy.operators.hours, range(this_year - 1, this_year + 4))
    except ValueError as error:
        place = layers.mark(("operators", "hours"))
        faults.append(Fault(place.line, "operators.hours.country", str(error), path=place.path))
        return policy
    return policy.model_copy(update={"operators": policy.operators.model_copy(update={"hours": hours})})


def _illegal(policy: Policy, layers: Layers, markets: Collection[str] | None) -> list[Fault]:
    packs = policy.law.values() if markets is None else filter(None, map(policy.pack, markets))
    found = []
    for contradiction in check_policy(policy, packs):
        path, line = layers.mark(contradiction.field)
        what = f"{contradiction.what}: {contradiction.rule}"
        found.append(Fault(line, ".".join(contradiction.field), what, path=path))
    return found


def _unwritten(policy: Policy, layers: Layers) -> list[Fault]:
    """The languages of channels in which there are no letters."""
    faults = []
    for channel, rules in policy.channels.channel_rules.items():
        for language in rules.languages:
            if language not in policy.letters.languages:
                place = layers.mark(("channels", "channel_rules", channel, "languages"))
                what = f"{channel} asks for letters in {language}, which letters.languages lacks"
                where = f"channels.channel_rules.{channel}.languages"
                faults.append(Fault(place.line, where, what, "write them, or take it out", place.path))
    return faults


def _fingerprint(policy: Policy) -> str:
    numbers = json.loads(policy.model_dump_json(exclude={"version"}))
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:6]
