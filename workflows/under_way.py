"""A change of an order that has left: the parcel is redirected, or stopped and sent again (`§8`)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import changing, deadlines
    from aftersales.consignment import consignment
    from aftersales.events import CarrierIntercepted, CarrierRedirected, Checkpoint, OrderCancelled
    from aftersales.money import rounded
    from aftersales.outcome import Outcome

from workflows.price_difference import difference, give_back_payments, settle

if TYPE_CHECKING:
    from workflows.order_change import OrderChange

Stopped: TypeAlias = Literal["ok", "refused", "silent", "delivered", "cancelled"]
"""What became of the parcels; all of them have to be stopped or redirected."""


async def redirect(case: OrderChange) -> Outcome:
    """The new address for the parcel; goods that were asked for too have to wait for an exchange or a return."""
    address = changing.address_of(case.change.address)
    match await _stopped(case, "redirect", address, instead="too_late"):
        case "cancelled":
            return await case.nothing_changed("cancelled")
        case "ok" if case.change.lines:
            await case.send("change-address-only", address=address)
            return await case.finish("redirected")
        case "ok":
            await case.send("change-done", how="redirected", address=address, refund=Decimal(0))
            return await case.finish("redirected")
        case why:
            return await case.too_late(why)


async def intercept(case: OrderChange) -> Outcome:
    """Other goods: the parcel is stopped and the changed order sent; the original one where it is not paid for."""
    match await _stopped(case, "intercept", changing.address_of(case.change.address), instead="too_late"):
        case "cancelled":
            return await case.nothing_changed("cancelled")
        case "refused" | "silent" | "delivered" as why:
            return await case.too_late(why)
        case "ok":
            case.stopped_on_its_way = True
    more = await difference(case)
    match await settle(case, more):
        case "cancelled":
            return await case.nothing_changed("cancelled")
        case "original":
            return await case.nothing_changed("unpaid_reshipped") if await _reship(case) else await _money_back(case)
        case "settled":
            case.order = changing.changed(case.order, case.change)
    if not await _reship(case):
        return await _money_back(case)
    refund = max(-more, Decimal(0)) + await give_back_payments(case)
    await case.send("change-done", how="reshipped", address=None, refund=refund)
    return await case.finish("intercepted_reshipped")


async def _reship(case: OrderChange) -> str:
    """Ship the order as it stands now; its reference, or nothing where that is not possible."""
    value = rounded(changing.goods_of(case.order), case.order.currency)
    return await case.command(
        "reship",
        pays="reship",
        amount=value,
        instead="refund",
        address=changing.address_of(case.order.ship_to),
        lines=changing.lines_of(case.order),
    )


async def _money_back(case: OrderChange) -> Outcome:
    """A stopped order that cannot be shipped again: its money goes back."""
    rest = case.order.total - case.state.amounts.get("refund", Decimal(0))
    await case.command("refund", pays="refund", amount=rest)
    return await case.nothing_changed("refunded", rest)


async def _stopped(
    case: OrderChange, name: Literal["redirect", "intercept"], address: JsonValue, *, instead: str
) -> Stopped:
    """Have the carrier stop or redirect the parcels; it is nudged at half of its window."""
    case.enter(f"{name}ing")
    case.note_parcels()
    parcels: list[JsonValue] = [consignment(shipped) for shipped in case.parcels.values()]
    if not await case.command(name, instead=instead, parcels=parcels, address=address):
        return "refused"
    by, open_ones = case.until(case.policy.orders.carrier_change_window), set(case.parcels)
    answer = await _answer(case, open_ones, deadlines.half(workflow.now(), by))
    if answer == "silent":
        await case.command("nudge_carrier", parcels=parcels, question=name)
        answer = await _answer(case, open_ones, by)
    if answer != "ok" and len(open_ones) < len(parcels):
        await case.tell(case.key("parcels"), f"the carrier took {name} for a part of the parcels only")
    return answer


async def _answer(case: OrderChange, open_ones: set[str], by: datetime) -> Stopped:
    """What is known of the parcels by this moment; those that the carrier took are no longer open."""
    while fact := await case.hear(CarrierIntercepted, CarrierRedirected, by=by):
        match fact:
            case OrderCancelled():
                return "cancelled"
            case Checkpoint():
                return "delivered"
            case CarrierIntercepted() | CarrierRedirected() if open_ones and fact.parcel_no not in open_ones:
                case.note(f"parcel {fact.parcel_no} is none that we wait for")
            case CarrierIntercepted(ok=ok) | CarrierRedirected(ok=ok):
                open_ones.discard(fact.parcel_no)
                if not ok:
                    open_ones.add(fact.parcel_no)
                    return "refused"
                if not open_ones:
                    return "ok"
            case _:
                continue
    return "silent"
