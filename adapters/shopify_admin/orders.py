"""Finding an order in Shopify, and its lines."""

from __future__ import annotations

from pydantic import JsonValue

from adapters.shopify_admin.client import Admin, Answer, Document
from adapters.shopify_admin.settings import ShopifySettings
from aftersales.commands import CommandRefused


class OrderName(Answer):
    """An order as Shopify calls it: `id` for its API, `name` for people."""

    id: str
    name: str


class _Orders(Answer):
    nodes: tuple[OrderName, ...]


class _Found(Answer):
    orders: _Orders


class _One(Answer):
    order: OrderName | None


FIND_ORDER = Document("find_order", _Found)
ORDER = Document("order", _One)


async def find_order(admin: Admin, settings: ShopifySettings, order_id: str) -> OrderName:
    """The order that we call so.

    Raises:
        CommandRefused: Shopify does not have it, or has several.
    """
    prefix = settings.order_prefix
    if not order_id.startswith(prefix) or order_id == prefix:
        raise CommandRefused(f"{order_id} does not begin with {prefix!r}, so it is no order of this Shopify")
    wanted = order_id.removeprefix(prefix)
    if settings.orders_by == "number":
        if not wanted.isdecimal():
            raise CommandRefused(f"{wanted} is no number of a Shopify order")
        found = (await admin.ask(ORDER, id=f"gid://shopify/Order/{wanted}")).order
        if found is None:
            raise CommandRefused(f"Shopify has no order {wanted}")
        return found
    nodes = (await admin.ask(FIND_ORDER, query=f"name:{quoted(wanted.removeprefix('#'))}")).orders.nodes
    # The search also finds names that only begin so, and a shop may leave the # out of its ids.
    same = [one for one in nodes if one.name == wanted] or [one for one in nodes if one.name == f"#{wanted}"]
    if len(same) != 1:
        many = f"{len(same)} orders" if same else "no order"
        raise CommandRefused(f"Shopify has {many} named {wanted}")
    return same[0]


def quoted(text: str) -> str:
    """A value in Shopify's search syntax."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_line(line_id: JsonValue, gid: str, *, sku: str | None) -> bool:
    """Whether our line id is Shopify's line item: its whole id, the number at its end, or its SKU."""
    return line_id in (gid, gid.rpartition("/")[2], sku or gid)
