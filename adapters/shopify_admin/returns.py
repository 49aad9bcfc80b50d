"""Returns: goods that come back under an RMA number, which is Shopify's name of the return."""

from __future__ import annotations

from pydantic import Field, JsonValue

from adapters.counterparts.envelope import command_id
from adapters.shopify_admin.client import Admin, Answer, Document, Done
from adapters.shopify_admin.orders import OrderName, is_line
from aftersales.commands import Command, CommandRefused, NotNow


class _LineItem(Answer):
    id: str
    sku: str | None


class _FulfillmentLine(Answer):
    id: str
    line_item: _LineItem


class _Returnable(Answer):
    quantity: int
    fulfillment_line_item: _FulfillmentLine


class _ReturnableLines(Answer):
    nodes: tuple[_Returnable, ...]


class _Fulfillment(Answer):
    returnable_fulfillment_line_items: _ReturnableLines


class _Fulfillments(Answer):
    nodes: tuple[_Fulfillment, ...]


class _Note(Answer):
    return_reason_note: str


class _Notes(Answer):
    nodes: tuple[_Note, ...]


class _Return(Answer):
    name: str
    status: str
    return_line_items: _Notes


class _Returns(Answer):
    nodes: tuple[_Return, ...]


class _Order(Answer):
    returns: _Returns


class _Reason(Answer):
    id: str


class _Reasons(Answer):
    nodes: tuple[_Reason, ...]


class _Seen(Answer):
    order: _Order
    returnable_fulfillments: _Fulfillments
    return_reason_definitions: _Reasons


class _Made(Answer):
    name: str


class _Creation(Done):
    made: _Made | None = Field(None, alias="return")


class _Created(Answer):
    return_create: _Creation


RETURNABLES = Document("returnables", _Seen)
RETURN = Document("return", _Created)


async def open_return(admin: Admin, order: OrderName, command: Command) -> str:
    """Open a return of the command's lines; its name. A repeat finds the first one by the note of its lines.

    Raises:
        CommandRefused: a line has not left, or is on its way back already; or Shopify says no.
    """
    token = command_id(command.key)
    seen = await admin.ask(RETURNABLES, id=order.id)
    for earlier in seen.order.returns.nodes:
        if any(token in line.return_reason_note for line in earlier.return_line_items.nodes):
            return earlier.name
    reason = seen.return_reason_definitions.nodes
    note = f"{command.case_id} ({token})"[-255:]
    lines: list[JsonValue] = [
        {
            "fulfillmentLineItemId": item,
            "quantity": quantity,
            "returnReasonNote": note,
            **({"returnReasonDefinitionId": reason[0].id} if reason else {}),
        }
        for item, quantity in _taken(seen, command.data.get("lines"))
    ]
    created = (await admin.ask(RETURN, input={"orderId": order.id, "returnLineItems": lines})).return_create
    created.check()
    if created.made is None:
        raise NotNow("Shopify did not say what became of the return")
    return created.made.name


def _taken(seen: _Seen, lines: JsonValue) -> list[tuple[str, int]]:
    """From which fulfillments each line is taken, and how many."""
    items = [
        one
        for fulfillment in seen.returnable_fulfillments.nodes
        for one in fulfillment.returnable_fulfillment_line_items.nodes
    ]
    left = {one.fulfillment_line_item.id: one.quantity for one in items}
    taken: list[tuple[str, int]] = []
    for line in lines if isinstance(lines, list) else []:
        if not isinstance(line, dict):
            continue
        wanted = line.get("quantity", 1)
        rest = wanted if isinstance(wanted, int) else 1
        for item in (one.fulfillment_line_item for one in items):
            share = min(rest, left[item.id])
            if share and is_line(line.get("line_id"), item.line_item.id, sku=item.line_item.sku):
                taken.append((item.id, share))
                left[item.id] -= share
                rest -= share
        if rest:
            raise CommandRefused(f"Shopify has {rest} of line {line.get('line_id')} too few that can come back")
    if not taken:
        raise CommandRefused("the return names no line")
    return taken
