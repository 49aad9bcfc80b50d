"""Telling the shop's staff of a command that Shopify itself cannot carry out: a tag and the whole command on the order.

Not in the order's note: that is overwritten as a whole, and what staff wrote in it meanwhile would be lost.
"""

from __future__ import annotations

import json

from pydantic import JsonValue

from adapters.counterparts.envelope import command_id
from adapters.shopify_admin.client import Admin, Answer, Document, Done
from adapters.shopify_admin.orders import OrderName
from aftersales.commands import Command

NAMESPACE = "aftersales"


class _Marked(Answer):
    metafields_set: Done
    tags_add: Done


MARK = Document("mark", _Marked)


async def mark(admin: Admin, order: OrderName, command: Command) -> None:
    """Tag the order `aftersales-<command>`, and keep what is asked in a metafield of it. A repeat changes nothing."""
    asked: dict[str, JsonValue] = {
        "command": command.type,
        "case_id": command.case_id,
        "at": command.at.isoformat(),
        "data": command.data,
    }
    await keep(admin, order, command, asked)


async def keep(admin: Admin, order: OrderName, command: Command, value: dict[str, JsonValue]) -> None:
    """Keep a value for a command in a metafield of the order, under its key, and tag the order."""
    field = {"ownerId": order.id, "namespace": NAMESPACE, "key": command_id(command.key), "type": "json"}
    kept = await admin.ask(
        MARK,
        id=order.id,
        tags=[f"{NAMESPACE}-{command.type}"],
        metafields=[{**field, "value": json.dumps(value, ensure_ascii=False)}],
    )
    kept.metafields_set.check()
    kept.tags_add.check()
