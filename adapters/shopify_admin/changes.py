"""Changing an order that has not left: its address, and how many of which product it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import JsonValue

from adapters.counterparts.envelope import command_id
from adapters.shopify_admin.client import Admin, Answer, Document, Done
from adapters.shopify_admin.orders import OrderName, is_line, quoted
from aftersales.commands import Command, CommandRefused, NotNow

MOST = 20
"""Changes of lines in one command; each is a request of its own."""


class _Line(Answer):
    id: str
    sku: str | None
    current_quantity: int
    unfulfilled_quantity: int

    @property
    def quantity(self) -> int:
        return self.current_quantity


class _Lines(Answer):
    nodes: tuple[_Line, ...]


class _OrderLines(Answer):
    line_items: _Lines


class _Has(Answer):
    order: _OrderLines


class _Address(Answer):
    name: str | None
    address1: str | None
    city: str | None
    zip: str | None
    country_code_v2: str | None


class _Shipped(Answer):
    shipping_address: _Address | None


class _Goes(Answer):
    order: _Shipped


class _Updated(Answer):
    order_update: Done


class _Draft(Answer):
    id: str
    sku: str | None
    quantity: int


class _Drafts(Answer):
    nodes: tuple[_Draft, ...]


class _Edited(Answer):
    id: str
    line_items: _Drafts


class _Begin(Done):
    calculated_order: _Edited | None


class _Began(Answer):
    order_edit_begin: _Begin


class _Set(Answer):
    order_edit_set_quantity: Done


class _Added(Answer):
    order_edit_add_variant: Done


class _Committed(Answer):
    order_edit_commit: Done


class _Variant(Answer):
    id: str
    sku: str | None


class _VariantNodes(Answer):
    nodes: tuple[_Variant, ...]


class _Variants(Answer):
    product_variants: _VariantNodes


LINES = Document("lines", _Has)
ADDRESS = Document("address", _Goes)
UPDATE_ORDER = Document("update_order", _Updated)
EDIT_BEGIN = Document("edit_begin", _Began)
EDIT_QUANTITY = Document("edit_quantity", _Set)
EDIT_ADD = Document("edit_add", _Added)
EDIT_COMMIT = Document("edit_commit", _Committed)
VARIANTS = Document("variants", _Variants)


class _OfSku(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def sku(self) -> str | None: ...
    @property
    def quantity(self) -> int: ...


async def amend(admin: Admin, order: OrderName, command: Command) -> None:
    """Bring address and lines to what the command says, each where it says so. A repeat finds nothing to change.

    Raises:
        CommandRefused: a product is unknown, there is too much to change, or Shopify says no.
    """
    lines, address = command.data.get("lines"), command.data.get("address")
    if isinstance(lines, list):
        wanted = Counter[str]()
        for line in lines:
            if not isinstance(line, dict) or not isinstance(line.get("quantity"), int) or not line.get("sku"):
                raise CommandRefused(f"a line without SKU and quantity cannot be changed in Shopify: {line}")
            wanted[str(line["sku"])] += int(str(line["quantity"]))
        has = (await admin.ask(LINES, id=order.id)).order.line_items.nodes
        gone = {line.sku: 0 for line in has if line.sku and line.sku not in wanted}
        await _edit(admin, order, command, has, dict(wanted) | gone)
    if isinstance(address, dict):
        await readdress(admin, order, address)


async def take_out(admin: Admin, order: OrderName, command: Command, lines: Sequence[JsonValue]) -> None:
    """Take out of some lines what has not left. A repeat finds that nothing is left to take out."""
    has = (await admin.ask(LINES, id=order.id)).order.line_items.nodes
    wanted = Counter({line.sku: line.current_quantity for line in has if line.sku})
    for line in lines:
        named = line.get("line_id") if isinstance(line, dict) else None
        same = next((one for one in has if is_line(named, one.id, sku=one.sku)), None)
        if same is None or not same.sku:
            raise CommandRefused(f"Shopify has no line {named} with a SKU in {order.name}")
        wanted[same.sku] -= same.unfulfilled_quantity
    await _edit(admin, order, command, has, wanted)


async def readdress(admin: Admin, order: OrderName, address: Mapping[str, JsonValue]) -> None:
    """Have the order go to this address, where it does not yet."""
    said = {name: str(address.get(name) or "") for name in ("name", "line1", "city", "region", "postcode", "country")}
    now = (await admin.ask(ADDRESS, id=order.id)).order.shipping_address
    if now and (now.name, now.address1, now.city, now.zip, now.country_code_v2) == (
        said["name"],
        said["line1"],
        said["city"],
        said["postcode"],
        said["country"],
    ):
        return
    first, _, last = said["name"].rpartition(" ")
    given: dict[str, JsonValue] = {
        "firstName": first,
        "lastName": last,
        "address1": said["line1"],
        "city": said["city"],
        "zip": said["postcode"],
        "countryCode": said["country"],
    }
    if region := said["region"]:
        # A name can only be given in the older field.
        given["provinceCode" if region.isupper() and len(region) <= 3 else "province"] = region
    (await admin.ask(UPDATE_ORDER, input={"id": order.id, "shippingAddress": given})).order_update.check()


async def _edit(
    admin: Admin, order: OrderName, command: Command, has: Sequence[_Line], wanted: Mapping[str, int]
) -> None:
    changes, added = _difference(has, wanted)
    if not changes and not added:
        return
    if (many := len(changes) + len(added)) > MOST:
        raise CommandRefused(f"{order.name} has {many} lines to change, at most {MOST} can be; change it by hand")
    variants = {sku: await _variant(admin, sku) for sku in added}
    begun = (await admin.ask(EDIT_BEGIN, id=order.id)).order_edit_begin
    begun.check()
    if begun.calculated_order is None:
        raise NotNow("Shopify did not begin to change the order")
    draft = begun.calculated_order
    # The draft has ids of its own for the lines.
    changes, _ = _difference(draft.line_items.nodes, wanted)
    for line, quantity in changes.items():
        done = await admin.ask(EDIT_QUANTITY, id=draft.id, lineItemId=line, quantity=quantity)
        done.order_edit_set_quantity.check()
    for sku, quantity in added.items():
        more = await admin.ask(EDIT_ADD, id=draft.id, variantId=variants[sku], quantity=quantity)
        more.order_edit_add_variant.check()
    note = f"{command.type} of {command.case_id} ({command_id(command.key)})"
    (await admin.ask(EDIT_COMMIT, id=draft.id, staffNote=note)).order_edit_commit.check()


def _difference(has: Sequence[_OfSku], wanted: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """The new quantity of each line that changes, and the products that no line has."""
    changes: dict[str, int] = {}
    added: dict[str, int] = {}
    for sku, quantity in wanted.items():
        lines = [line for line in has if line.sku == sku]
        more = quantity - sum(line.quantity for line in lines)
        if more > 0 and not lines:
            added[sku] = more
        elif more > 0:
            changes[lines[0].id] = lines[0].quantity + more
        for line in lines if more < 0 else ():
            less = min(-more, line.quantity)
            if less:
                changes[line.id] = line.quantity - less
                more += less
    return changes, added


async def _variant(admin: Admin, sku: str) -> str:
    found = (await admin.ask(VARIANTS, query=f"sku:{quoted(sku)}")).product_variants.nodes
    same = [one.id for one in found if one.sku == sku]
    if len(same) != 1:
        raise CommandRefused(f"Shopify has {len(same) or 'no'} products with the SKU {sku}")
    return same[0]
