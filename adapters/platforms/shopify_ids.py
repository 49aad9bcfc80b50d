"""What Shopify calls things, and what we call them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.platforms.notices import Notice, stable_id
from adapters.platforms.reading import amount, fields, moment, text


def message_id(notice: Notice) -> str:
    """The event id of a message: the same for every repeat, by whichever subscription it came.

    One action of a merchant has one event id in all messages that it causes, also in those about several orders at
    once, so topic and resource belong to it.
    """
    resource = text(notice.payload.get("id"))
    for header in ("x-shopify-event-id", "x-shopify-webhook-id"):
        if given := text(notice.headers.get(header)):
            return stable_id(given, notice.topic, *([resource] if resource else []))
    return stable_id(notice.topic, *([resource] if resource else []), notice.digest())


def alias(notice: Notice, order_id: object) -> str:
    """The alias of an order by Shopify's number; empty where the message does not tell it.

    It is the plain number, also where a GraphQL id stands beside it: other messages about the order have nothing else.
    """
    number = text(order_id, 40)
    return f"shopify/{notice.storefront.shop}/{number}" if number and number != "0" else ""


def order_id(notice: Notice, name: object) -> str:
    """Our order id for the order with this name, such as `#1001`."""
    given = text(name, 150)
    return f"{notice.storefront.order_prefix}{given}" if given else ""


def line_id(line: Mapping[str, Any]) -> str:
    """The id of an order's line; that of GraphQL is a text, which no JavaScript on the way has rounded."""
    return text(line.get("admin_graphql_api_id")).rpartition("/")[2] or text(line.get("id"), 40)


def told_at(notice: Notice, *names: str) -> datetime | None:
    """When something happened: the first of these fields that is a time, else when Shopify wrote the message."""
    given = [notice.payload.get(name) for name in names] + [notice.headers.get("x-shopify-triggered-at")]
    return next((at for value in given if (at := moment(value))), None)


def shop_amount(holder: Mapping[str, Any], name: str) -> Decimal | None:
    """An amount in the shop's currency, which is the one that orders are kept in."""
    in_both = fields(fields(holder.get(f"{name}_set")).get("shop_money"))
    found = amount(in_both.get("amount"))
    return found if found is not None else amount(holder.get(name))
