"""An order as the customer wants it changed: its lines, its address, and what it costs more or less (`§8`)."""

from __future__ import annotations

from decimal import Decimal

from pydantic import JsonValue

from aftersales.events import ChangedLine, OrderChange
from aftersales.order import Address, Item, Order


def changed(order: Order, change: OrderChange) -> Order:
    """The order with the change carried out; changing it again changes nothing. Its total stays what was paid."""
    wanted = {line.line_id: line for line in change.lines}
    kept = [_changed(item, wanted[item.line_id]) if item.line_id in wanted else item for item in order.items]
    known = {item.line_id for item in order.items}
    items = [item for item in (*kept, *(_new(line) for line in change.lines if line.line_id not in known)) if item]
    return order.model_copy(update={"items": tuple(items) or order.items, "ship_to": change.address or order.ship_to})


def difference(order: Order, change: OrderChange) -> Decimal | None:
    """What the changed goods cost more (less: negative); None where the price of a new product is not known."""
    items = {item.line_id: item for item in order.items}
    more = Decimal(0)
    for line in change.lines:
        before = items.get(line.line_id)
        other = before is None or (line.wanted_sku not in ("", before.sku))
        price = line.wanted_price if other else before.unit_price if before else None
        if price is None and line.quantity:
            return None
        more += (price or Decimal(0)) * line.quantity - (before.value if before else Decimal(0))
    return more


def is_empty(change: OrderChange) -> bool:
    """Whether the request does not say what to change."""
    return change.address is None and not change.lines


def takes_all_out(order: Order, change: OrderChange) -> bool:
    """Whether nothing would be left of the order: that is a cancellation and no change."""
    gone = {line.line_id for line in change.lines if not line.quantity}
    return {item.line_id for item in order.items} <= gone and all(not line.quantity for line in change.lines)


def in_words(change: OrderChange) -> str:
    """A change for the question of an operator."""
    goods = [f"{line.quantity} × {line.wanted_sku or 'line ' + line.line_id}" for line in change.lines]
    to = [f"to {change.address.line1}, {change.address.city}"] if change.address else []
    return ", ".join([*goods, *to]) or "something that is not said"


def goods_of(order: Order) -> Decimal:
    """What the goods of an order are worth at the prices of the customer."""
    return sum((item.value for item in order.items), Decimal(0))


def address_of(address: Address | None) -> JsonValue:
    """An address for a letter or a counterpart; nothing where none is to be changed."""
    return address.model_dump() if address else None


def lines_of(order: Order) -> list[JsonValue]:
    """The lines of an order for a counterpart."""
    return [item.model_dump(include={"line_id", "sku", "title", "quantity"}) for item in order.items]


def _changed(item: Item, line: ChangedLine) -> Item | None:
    if not line.quantity:
        return None
    if line.wanted_sku in ("", item.sku):
        return item.model_copy(update={"quantity": line.quantity})
    price = item.unit_price if line.wanted_price is None else line.wanted_price
    title = line.wanted_title or line.wanted_sku
    other = {"sku": line.wanted_sku, "title": title, "unit_price": price}
    return item.model_copy(update={"quantity": line.quantity, **other})


def _new(line: ChangedLine) -> Item | None:
    if not line.quantity:
        return None
    sku = line.wanted_sku or line.line_id
    return Item(
        line_id=line.line_id,
        sku=sku,
        title=line.wanted_title or sku,
        category="default",
        quantity=line.quantity,
        unit_price=line.wanted_price or Decimal(0),
        unit_cost=Decimal(0),
    )
