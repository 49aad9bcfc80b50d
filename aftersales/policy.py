"""The policy: every number of the rules is a field here (`spec/processes.md`), with its value in `policies/`.

A policy travels inside every case as a snapshot. A field added later needs a default here, so that the
snapshots of running cases stay readable. Field names are unique over all sections.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, field_validator

from aftersales.deadlines import Hours
from aftersales.faults import BadFile, Fault, faults_of
from aftersales.lanes import Parcels, Section
from aftersales.law import LawPack, check_policy, load_packs, pack_for
from aftersales.layers import Layers
from aftersales.model import Amount, Model, Name
from aftersales.order import Currency
from aftersales.units import Share, Window
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

    @field_validator("insurance_cap")
    @classmethod
    def _has_default(cls, caps: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        if "default" not in caps:
            raise ValueError('needs a default, such as default: "12.00"')
        return caps

    def insurance_cap_for(self, category: str) -> Decimal:
        """The most that freight insurance pays for goods of this category, in CNY."""
        return self.insurance_cap.get(category, self.insurance_cap["default"])


class Products(Section):
    """Goods that were not what was ordered (`§10`)."""

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


class Orders(Section):
    """Orders that have not left yet (`§6`, `§7`, `§8`, `§9`)."""

    follow_up: Window = timedelta(hours=24)
    """How often a late order is followed up until it is dispatched (`§6`)."""


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
    hours: Hours
    """Whether windows run always, or only while the shop works (`§10`)."""


class Letters(Section):
    """Letters to customers (rules in every case `§2`, `§4`)."""

    languages: tuple[Language, ...] = Field(min_length=1)
    """Languages of letters: for a customer with another one the first is taken (`§2`)."""

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
    operators: Operators
    """Operators and supervisors."""
    letters: Letters
    """Letters."""
    law: Mapping[str, LawPack] = {}
    """Law packs by id. Filled on loading, not written in the policy's file."""

    def pack(self, market: str) -> LawPack | None:
        """The law pack of an order's market; None where none is known."""
        return pack_for(market, self.law)

    def for_market(self, market: str) -> Policy:
        """The same policy with no other law pack than that of this market: the snapshot for a case."""
        pack = self.pack(market)
        return self.model_copy(update={"law": {pack.id: pack} if pack else {}})


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
    layers = Layers(path, sections(), plain=["version"], whole=["hours"])
    layers.add_file(path)
    if overrides:
        layers.add_overrides(overrides)
    packs = load_packs(law_dir)
    try:
        policy = Policy.model_validate({**layers.data, "law": packs})
        faults = [*layers.faults, *_illegal(policy, layers, markets)]
    except ValidationError as error:
        faults = [*layers.faults, *faults_of(error, layers.mark, Policy)]
    if "+" in str(layers.data.get("version")):
        line = layers.mark(("version",))
        faults.append(Fault(line.line, "version", "the hash after + is added on loading", "take it out", line.path))
    if faults:
        raise BadFile(path, faults)
    return policy.model_copy(update={"version": f"{policy.version}+{_fingerprint(policy)}"})


def sections() -> dict[str, list[str]]:
    """The names of the fields in each section of a policy file."""
    kinds = {name: field.annotation for name, field in Policy.model_fields.items()}
    return {
        name: list(kind.model_fields)
        for name, kind in kinds.items()
        if isinstance(kind, type) and issubclass(kind, Section)
    }


def _illegal(policy: Policy, layers: Layers, markets: Collection[str] | None) -> list[Fault]:
    packs = policy.law.values() if markets is None else filter(None, map(policy.pack, markets))
    found = []
    for contradiction in check_policy(policy, packs):
        path, line = layers.mark(contradiction.field)
        what = f"{contradiction.what}: {contradiction.rule}"
        found.append(Fault(line, ".".join(contradiction.field), what, path=path))
    return found


def _fingerprint(policy: Policy) -> str:
    numbers = json.loads(policy.model_dump_json(exclude={"version"}))
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:6]
