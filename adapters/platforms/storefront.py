"""What a platform does not tell of a shop, and what its owner says instead."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aftersales.deadlines import TimeZone
from aftersales.events import ReturnReason
from aftersales.model import Name
from aftersales.order import Currency

ShopName = Annotated[str, StringConstraints(pattern=r"^[^\s/]+$", max_length=100)]
"""A shop's name as it stands in addresses: no spaces, no slash."""


class Storefront(BaseModel):
    """One shop on one platform."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    shop: ShopName = "shop"
    """The shop's name, as in `order.shop` and in the address `/platforms/<platform>/<shop>`; filled in by settings."""
    channel: Name = "webshop"
    """The channel of its orders, a name of `channels.channel_rules` in the policy."""
    order_prefix: Annotated[str, StringConstraints(pattern=r"^\S*$", max_length=50)] = ""
    """What stands before the platform's order number in our order id, so that two shops may both have a #1001."""
    market: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    """The country (ISO 3166 alpha-2) of orders whose address names none; empty where such an order is to be refused."""
    locale: Name = "en"
    """The language tag of customers of whom the platform tells none, such as `en` or `de-AT`."""
    currency: Currency | Literal[""] = ""
    """The shop's currency (ISO 4217), for orders that name none; empty where such an order is to be refused."""
    timezone: TimeZone = "UTC"
    """The time zone (IANA name) of times that are told without an offset."""
    unit_cost_share: Decimal = Field(default=Decimal(0), ge=0, le=1)
    """What goods cost the shop, as a share of their price (0 to 1), where the platform tells no cost; 0 is unknown."""
    category: Name = "goods"
    """The category of goods where the platform tells none, as it stands in the policy's lists of categories."""
    return_reasons: Mapping[str, ReturnReason] = {}
    """The shop's own reasons of returns in small letters, each with the reason code that it means."""
    tracking_order_field: Literal["order_id", "order_number", "none"] = "none"
    """The field of an AfterShip tracking that holds our order id; `none` where only the tracking number counts."""
