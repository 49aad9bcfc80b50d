"""The order as its shop sees it: the snapshot that travels with events that can start a case (`spec/events.md`)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Literal

from babel import Locale
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from aftersales.model import Amount, Model, Name, Time


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes."""
    return frozenset(Locale("en").currencies)


def _currency(code: str) -> str:
    if code not in currencies():
        raise ValueError(f"{code!r} is not an ISO 4217 currency code; write one such as USD, EUR or CNY")
    return code


Currency = Annotated[str, AfterValidator(_currency)]


class Customer(Model):
    """Who bought. `language` is a language tag such as `en` or `zh-CN`."""

    name: str = Field(max_length=200)
    email: str = Field(min_length=3, max_length=254, pattern=r"^[^\s@<>]+@[^\s@<>]+$")
    language: Name


class Address(Model):
    """Where the parcel goes. `country` is an ISO 3166 alpha-2 code."""

    name: str = Field(max_length=200)
    line1: str = Field(max_length=300)
    city: str = Field(max_length=200)
    region: str | None = Field(default=None, max_length=200)
    postcode: str = Field(max_length=40)
    country: str = Field(min_length=2, max_length=2)


class FreightInsurance(Model):
    """Insurance of the return freight; `cap` is the most that it pays, in the order's currency (`004`)."""

    bought_by: Literal["shop", "customer", "none"]
    cap: Amount = Decimal(0)


_UNINSURED = FreightInsurance(bought_by="none")


class Item(Model):
    """One line of an order. `unit_price` is what the customer paid for one, `unit_cost` what it cost the shop."""

    line_id: Name
    sku: Name
    title: Name
    category: Name
    quantity: int = Field(ge=1, le=100_000)
    unit_price: Amount
    unit_cost: Amount
    final_sale: bool = False
    warranty_until: Time | date | None = None

    @property
    def value(self) -> Decimal:
        """What the customer paid for the whole line."""
        return self.unit_price * self.quantity


class Order(Model):
    """An order of one shop, in one currency."""

    order_id: Name
    shop: Name
    channel: Name
    market: Name
    locale: Name
    currency: Currency
    placed_at: Time
    promised_dispatch_by: Time | None = None
    dispatched_at: Time | None = None
    delivered_at: Time | None = None
    total: Amount
    freight_paid: Amount
    special_price: bool = False
    customer: Customer
    ship_to: Address
    freight_insurance: Annotated[FreightInsurance, BeforeValidator(lambda given: given or _UNINSURED)] = _UNINSURED
    items: tuple[Item, ...] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _lines_are_distinct(self) -> Order:
        ids = [item.line_id for item in self.items]
        if len(set(ids)) != len(ids):
            raise ValueError(f"items: each line_id may stand once, got {', '.join(ids[:20])}")
        return self

    def lines(self, line_ids: Collection[str] = ()) -> tuple[Item, ...]:
        """The items with these line ids, in the order's own sequence; without ids all of them."""
        return tuple(item for item in self.items if not line_ids or item.line_id in line_ids)


class Parcel(Model):
    """One parcel of an order. `lane` names carrier, origin and destination where the shop has a name for it."""

    parcel_no: Name
    carrier: Name
    tracking_number: str = Field(default="", max_length=200)
    tracking_url: str = Field(default="", max_length=2000)
    origin: str = Field(default="", max_length=200)
    destination: str = Field(default="", max_length=200)
    lane: str = Field(default="", max_length=200)
    cost: Amount = Decimal(0)
