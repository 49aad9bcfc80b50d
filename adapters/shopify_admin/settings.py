"""Where a shop's Shopify is, and how its orders are named there."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{text!r} is no address of a shop; write one such as https://my-shop.myshopify.com")
    return text.rstrip("/")


class ShopifySettings(BaseModel):
    """A shop's GraphQL Admin API."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    shop_url: Annotated[str, AfterValidator(_address)]
    """The shop's own Shopify address, such as `https://my-shop.myshopify.com`."""
    access_token: SecretStr
    """The Admin API access token of the app; it needs to read and write orders, order edits, returns, assigned and
    merchant-managed fulfillment orders, and to read products."""
    api_version: str = Field("2026-07", pattern=r"^\d{4}-\d{2}$")
    """The version of the API, a year and a month."""
    order_prefix: str = ""
    """What our order ids have in front of Shopify's order name or number, such as `US-` of `US-#1001`."""
    orders_by: Literal["name", "number"] = "name"
    """Whether behind the prefix comes the order's name (`#1001`), or Shopify's own number of it (5678901234567)."""
    compensation: Literal["refund", "refuse"] = "refund"
    """Whether compensation and return freight go out as refunds, or are refused, for an operator to pay otherwise."""
    timeout_seconds: float = Field(8.5, gt=0, lt=10)
    """How long all requests of one command may take, in seconds; less than the 10 s that an effect has."""
