"""`money`: the ledger of one order, over all its cases."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import typer

from adapters.database import open_store
from adapters.settings import Settings
from aftersales.records import PaymentRecord
from cli.running import Stop, run
from cli.show import cell, console, emit, moment, table


def money(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order id, such as A-1001.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per payment.")] = False,
) -> None:
    """List the money that left for an order, or is about to: what for, how much, in which case, who let it go."""
    run(lambda settings: _money(settings, order, as_json))


async def _money(settings: Settings, order: str, as_json: bool) -> int:
    async with open_store(settings.store) as store:
        payments = await store.views.money(order)
        if not payments and not await store.views.cases(order_id=order):
            raise Stop(f"no case of order {order} is known; ./dev cases lists those that are")
    if as_json:
        for payment in payments:
            emit(payment.model_dump(exclude={"case"}) | {"case": payment.case.case_id})
        return 0
    _print(order, payments)
    return 0


def _print(order: str, payments: Sequence[PaymentRecord]) -> None:
    if not payments:
        print(f"no money has left for order {order}")
        return
    listed = table("at (UTC)", "what", "amount", "state", "case", "approved by")
    for one in payments:
        approved = f"{one.approved_by}: {one.reason}" if one.approved_by else ""
        listed.add_row(
            moment(one.at), one.kind, f"{one.amount} {one.currency}", one.state, cell(one.case.case_id), cell(approved)
        )
    console().print(listed)
    counted = [one for one in payments if one.state != "released" and one.kind != "freight"]
    total = sum((one.amount for one in counted), Decimal(0))
    print(f"counts against the order's total: {total} {payments[0].currency}")
