"""Shopify's orders: the snapshot, and what becomes of orders/create, orders/paid, orders/updated, orders/cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import count, entries, fields, first, moment, text, written
from adapters.platforms.shopify_ids import alias, line_id, message_id, order_id, shop_amount, told_at

_PAID = frozenset({"paid", "partially_refunded", "refunded"})
_NOTHING_HELD = frozenset({"refunded", "voided", "expired", "pending", "authorized"})
"""Financial states in which the shop has none of the customer's money: given back, let go, or never taken."""


def created(notice: Notice) -> list[Raw]:
    """A new order: paid where it was paid at once, else only known from now on."""
    return paid(notice) if text(notice.payload.get("financial_status")) in _PAID else updated(notice)


def paid(notice: Notice) -> list[Raw]:
    """An order was paid, which orders/create and orders/paid both tell: the same event."""
    number = text(notice.payload.get("id"), 40)
    id = stable_id(number, "paid") if number else message_id(notice)
    return [_order_event(notice, "order.paid", id, told_at(notice, "processed_at", "created_at"))]


def updated(notice: Notice) -> list[Raw]:
    """The order as it is now."""
    return [_order_event(notice, "order.updated", message_id(notice), told_at(notice, "updated_at", "created_at"))]


def cancelled(notice: Notice) -> list[Raw]:
    """The order is off; its money is back where the shop has none of it any more."""
    order = notice.payload
    subject, name = order_id(notice, order.get("name")), alias(notice, order.get("id"))
    if not subject and not name:
        raise notice.refuse("name and id are missing", "subscribe without include_fields")
    reason = text(order.get("cancel_reason"))
    data = {"reason": reason, "refunded": _is_paid_back(order)}
    at = told_at(notice, "cancelled_at", "updated_at")
    return [notice.event("order.cancelled", message_id(notice), at, data, subject=subject, alias=name)]


def snapshot(notice: Notice) -> dict[str, Any]:
    """The order as events carry it.

    Raises:
        Untranslated: something is missing without which there is no case, such as the customer's e-mail address.
    """
    order, shop = notice.payload, notice.storefront
    customer, address = fields(order.get("customer")), _address(notice)
    email = first(order.get("email"), order.get("contact_email"), customer.get("email"), most=254)
    if not email:
        raise notice.refuse(
            "email is missing", "ask for an e-mail address at checkout, and give the app access to customer data"
        )
    total = shop_amount(order, "total_price")
    if total is None:
        raise notice.refuse("total_price is missing", "subscribe without include_fields")
    locale = first(order.get("customer_locale"), shop.locale, most=35)
    taxed = order.get("taxes_included") is True
    parcels = [one for one in entries(order.get("fulfillments")) if text(one.get("status")) == "success"]
    known = {
        "order_id": order_id(notice, order.get("name")),
        "shop": shop.shop,
        "channel": shop.channel,
        "market": address["country"],
        "locale": locale,
        "currency": first(order.get("currency"), shop.currency),
        "placed_at": _stamp(told_at(notice, "processed_at", "created_at")),
        "dispatched_at": _stamp(min(_times(parcels, "created_at"), default=None)),
        "delivered_at": _stamp(_delivered_at(order, parcels)),
        "total": written(total),
        "freight_paid": written(_freight(order, taxed)),
        "customer": {"name": _name(customer) or address["name"], "email": email, "language": locale},
        "ship_to": address,
        "items": [
            _item(notice, line, taxed) for line in entries(order.get("line_items")) if count(line.get("quantity"))
        ],
    }
    for field, remedy in (
        ("order_id", "the order has no name; subscribe without include_fields"),
        ("currency", "give the shop a currency in its settings"),
        ("placed_at", "created_at is missing; subscribe without include_fields"),
        ("items", "the order has no line_items; nothing can go wrong with it"),
    ):
        if not known[field]:
            raise notice.refuse(f"{field} cannot be told", remedy)
    return {name: value for name, value in known.items() if value is not None}


def _order_event(notice: Notice, type: str, id: str, at: datetime | None) -> Raw:
    order = snapshot(notice)
    name = alias(notice, notice.payload.get("id"))
    return notice.event(type, id, at, {"order": order}, subject=order["order_id"], alias=name)


def _item(notice: Notice, line: Mapping[str, Any], taxed: bool) -> dict[str, Any]:
    quantity, listed = count(line.get("quantity")), shop_amount(line, "price")
    if listed is None:
        raise notice.refuse("line_items: a price is missing", "subscribe without include_fields")
    paid = listed * quantity - _discounts(line) + (Decimal(0) if taxed else _taxes(line))
    price = max(paid / quantity, Decimal(0))
    title = first(line.get("name"), line.get("title"))
    own = line_id(line)
    return {
        "line_id": own,
        "sku": first(line.get("sku"), line.get("variant_id"), line.get("product_id"), own),
        "title": title or own,
        "category": notice.storefront.category,
        "quantity": quantity,
        "unit_price": written(price.quantize(Decimal("0.0001"))),
        "unit_cost": written((price * notice.storefront.unit_cost_share).quantize(Decimal("0.0001"))),
    }


def _discounts(line: Mapping[str, Any]) -> Decimal:
    """What came off a line: its share of every discount, of the whole order's too."""
    shares = [shop_amount(share, "amount") for share in entries(line.get("discount_allocations"))]
    if shares:
        return sum((share for share in shares if share), Decimal(0))
    return shop_amount(line, "total_discount") or Decimal(0)


def _taxes(line: Mapping[str, Any]) -> Decimal:
    return sum((shop_amount(tax, "price") or Decimal(0) for tax in entries(line.get("tax_lines"))), Decimal(0))


def _freight(order: Mapping[str, Any], taxed: bool) -> Decimal:
    total = Decimal(0)
    for line in entries(order.get("shipping_lines")):
        if line.get("is_removed") is True:
            continue
        price = shop_amount(line, "discounted_price")
        if price is None:
            price = (shop_amount(line, "price") or Decimal(0)) - _discounts(line)
        total += price + (Decimal(0) if taxed else _taxes(line))
    return max(total, Decimal(0))


def _address(notice: Notice) -> dict[str, Any]:
    order = notice.payload
    customer = fields(order.get("customer"))
    given = (order.get("shipping_address"), order.get("billing_address"), customer.get("default_address"))
    address = next((one for one in map(fields, given) if first(one.get("address1"), one.get("country_code"))), None)
    if address is None:
        raise notice.refuse(
            "shipping_address and billing_address are missing", "ask for an address at checkout, for digital goods too"
        )
    country = first(address.get("country_code"), notice.storefront.market, most=2).upper()
    if not country:
        raise notice.refuse("country_code is missing", "give the shop a market in its settings")
    lines = (text(address.get("address1")), text(address.get("address2")))
    return {
        "name": _name(address),
        "line1": ", ".join(filter(None, lines))[:300],
        "city": text(address.get("city")),
        "region": first(address.get("province_code"), address.get("province")) or None,
        "postcode": text(address.get("zip"), 40),
        "country": country,
    }


def _name(person: Mapping[str, Any]) -> str:
    both = (text(person.get("first_name")), text(person.get("last_name")))
    return text(person.get("name")) or " ".join(filter(None, both))[:200]


def _delivered_at(order: Mapping[str, Any], parcels: list[Mapping[str, Any]]) -> datetime | None:
    """When the last parcel arrived, where all did. Shopify says when it last heard of a parcel, never earlier."""
    whole = text(order.get("fulfillment_status")) == "fulfilled" and parcels
    if not whole or any(text(one.get("shipment_status")) != "delivered" for one in parcels):
        return None
    return max(_times(parcels, "updated_at"), default=None)


def _times(parcels: list[Mapping[str, Any]], name: str) -> list[datetime]:
    return [at for one in parcels if (at := moment(one.get(name)))]


def _stamp(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _is_paid_back(order: Mapping[str, Any]) -> bool:
    if text(order.get("financial_status")) in _NOTHING_HELD:
        return True
    total = shop_amount(order, "total_price")
    paid_back = sum((refunded(one) for one in entries(order.get("refunds"))), Decimal(0))
    return total is not None and paid_back >= total > 0


def refunded(refund: Mapping[str, Any]) -> Decimal:
    """The money that a refund has moved; what it only intends to move is not counted."""
    moved = [
        shop_amount(one, "amount") or Decimal(0)
        for one in entries(refund.get("transactions"))
        if text(one.get("kind")) == "refund" and text(one.get("status")) == "success"
    ]
    return sum((one for one in moved if one > 0), Decimal(0))
