"""An order in Amazon's words, read from Orders V0 and from Orders 2026-01-01."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.platforms.amazon_facts import plain
from adapters.platforms.reading import count, entries, fields, moment, money, text


@dataclass(frozen=True)
class AmazonItem:
    """One item, with money for all of its units; `cancel` is why the customer wants it no more, None for a kept one."""

    id: str
    sku: str
    title: str
    quantity: int
    goods: Decimal
    tax: Decimal
    freight: Decimal
    freight_tax: Decimal
    cancel: str | None


@dataclass(frozen=True)
class AmazonOrder:
    """An order in Amazon's words, of either version."""

    id: str
    status: str
    marketplace: str
    placed_at: datetime | None
    changed_at: datetime | None
    ship_by: datetime | None
    total: Decimal | None
    currency: str
    buyer: str
    email: str
    address: Mapping[str, Any]
    items: Sequence[AmazonItem]
    packages: Sequence[Mapping[str, Any]] = ()


def read_v0(
    order: Mapping[str, Any],
    items: Mapping[str, Any],
    address: Mapping[str, Any],
    buyer: Mapping[str, Any],
) -> AmazonOrder:
    """An order of Orders V0, from the payloads of its four operations; missing ones are empty."""
    person = {**fields(order.get("BuyerInfo")), **buyer}
    total = fields(order.get("OrderTotal"))
    where = fields(address.get("ShippingAddress")) or fields(order.get("ShippingAddress"))
    return AmazonOrder(
        id=text(order.get("AmazonOrderId"), 100),
        status=_status(order.get("OrderStatus")),
        marketplace=text(order.get("MarketplaceId")),
        placed_at=moment(order.get("PurchaseDate")),
        changed_at=moment(order.get("LastUpdateDate")),
        ship_by=moment(order.get("LatestShipDate")),
        total=money(total.get("Amount")),
        currency=text(total.get("CurrencyCode")),
        buyer=text(person.get("BuyerName")),
        email=text(person.get("BuyerEmail")),
        address=plain(where),
        items=[_item_v0(item) for item in entries(items.get("OrderItems"))],
    )


def read_2026(order: Mapping[str, Any]) -> AmazonOrder:
    """An order of Orders 2026-01-01."""
    buyer, sent = fields(order.get("buyer")), fields(order.get("fulfillment"))
    total = fields(fields(order.get("proceeds")).get("grandTotal"))
    return AmazonOrder(
        id=text(order.get("orderId"), 100),
        status=_status(sent.get("fulfillmentStatus")),
        marketplace=text(fields(order.get("salesChannel")).get("marketplaceId")),
        placed_at=moment(order.get("createdTime")),
        changed_at=moment(order.get("lastUpdatedTime")),
        ship_by=moment(fields(sent.get("shipByWindow")).get("latestDateTime")),
        total=money(total.get("amount")),
        currency=text(total.get("currencyCode")),
        buyer=text(buyer.get("buyerName")),
        email=text(buyer.get("buyerEmail")),
        address=fields(fields(order.get("recipient")).get("deliveryAddress")),
        items=[_item_2026(item) for item in entries(order.get("orderItems"))],
        packages=entries(order.get("packages")),
    )


def _item_v0(item: Mapping[str, Any]) -> AmazonItem:
    def amount(name: str) -> Decimal:
        return money(fields(item.get(name)).get("Amount")) or Decimal(0)

    wish = fields(item.get("BuyerRequestedCancel"))
    wanted = str(wish.get("IsBuyerRequestedCancel")).lower() == "true"
    return AmazonItem(
        id=text(item.get("OrderItemId"), 150),
        sku=text(item.get("SellerSKU"), 150),
        title=text(item.get("Title")),
        quantity=count(item.get("QuantityOrdered")),
        goods=amount("ItemPrice") - amount("PromotionDiscount"),
        tax=amount("ItemTax"),
        freight=amount("ShippingPrice") - amount("ShippingDiscount"),
        freight_tax=amount("ShippingTax"),
        cancel=text(wish.get("BuyerCancelReason"), 500) if wanted else None,
    )


def _item_2026(item: Mapping[str, Any]) -> AmazonItem:
    product = fields(item.get("product"))
    quantity = count(item.get("quantityOrdered"))
    parts = {text(part.get("type")): part for part in entries(fields(item.get("proceeds")).get("breakdowns"))}

    def part(kind: str) -> Decimal | None:
        return money(str(fields(fields(parts.get(kind)).get("subtotal")).get("amount")).removeprefix("-"))

    unit = money(fields(fields(product.get("price")).get("unitPrice")).get("amount")) or Decimal(0)
    goods, tax = part("ITEM"), part("TAX") or Decimal(0)
    details = entries(fields(parts.get("TAX")).get("detailedBreakdowns"))
    on_freight = [
        money(fields(detail.get("value")).get("amount")) or Decimal(0)
        for detail in details
        if detail.get("subtype") == "SHIPPING"
    ]
    freight_tax = min(sum(on_freight, Decimal(0)), tax)
    wish = fields(fields(item.get("cancellation")).get("cancellationRequest"))
    return AmazonItem(
        id=text(item.get("orderItemId"), 150),
        sku=text(product.get("sellerSku"), 150),
        title=text(product.get("title")),
        quantity=quantity,
        goods=(unit * quantity if goods is None else goods) - (part("DISCOUNT") or Decimal(0)),
        tax=tax - freight_tax,
        freight=part("SHIPPING") or Decimal(0),
        freight_tax=freight_tax,
        cancel=text(wish.get("cancelReason"), 500) if text(wish.get("requester")).upper() == "BUYER" else None,
    )


def _status(told: object) -> str:
    """The status in the words of the newer version."""
    name = text(told).upper().replace("_", "")
    return {"CANCELED": "CANCELLED"}.get(name, name)
