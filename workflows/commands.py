"""Giving a command: once, within the order's total, and with a person asked where its counterpart refuses."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.commands import HELD, OVER_LIMIT, ChargeRequest, CommandRequest, GivenRequest
    from aftersales.commands import ASKING, Command, CommandType
    from aftersales.events import DisputeClosed
    from aftersales.outcome import Kind

from workflows import effects
from workflows.board import BY_HAND
from workflows.values import Value, plain

if TYPE_CHECKING:
    from workflows.case import Case

DO_NOT_PAY = "do_not_pay"
WITHOUT_NUMBER = "accepted"
"""The reference of a command whose counterpart took it and has no number for it."""
OPTIONS = {
    "try_again": "give the same command again, once the cause is mended",
    BY_HAND: 'you had it done yourself; write the counterpart\'s number beside the option: "reference": "…"',
    "approve": "let the amount go out although the order's total does not cover it",
    DO_NOT_PAY: "nothing goes out, and no letter of this case any more: write to the customer yourself",
    "pay_now": "pay although a dispute about the order is still open, which may take the same money again",
    "wait": "hold the payment as long again",
}
"""What an operator may say to a refusal, and what each does."""


async def give(
    case: Case,
    name: CommandType,
    pays: Kind | None,
    amount: Decimal | None,
    *,
    instead: str,
    replaces: CommandType | None,
    data: dict[str, Value],
) -> str:
    """See `Case.command`."""
    if amount is not None:
        data |= {"amount": amount, "currency": case.order.currency}
    if pays:
        data["pays"] = pays
    limit = case.order.total if pays and pays != "freight" else None
    void = case.key(f"{replaces}:{case.state.done[replaces]}") if replaces else ""
    asked_by = tuple(dict.fromkeys(by for taken in case.state.decisions for by in (taken.by, taken.seconded_by) if by))
    paid = amount if pays else None
    allowed: dict[str, Any] = {}
    held_since = workflow.now()
    reference = ""
    while not reference:
        activity_id = case.state.next_id(name)
        command = Command(
            key=case.key(activity_id),
            type=name,
            case_id=case.ref.case_id,
            order_id=case.ref.order_id,
            at=workflow.now(),
            data=plain(data),
        )
        try:
            request = CommandRequest(case=case.ref, command=command, limit=limit, replaces=void, **allowed)
            reference = await effects.give_command(activity_id, request) or WITHOUT_NUMBER
            case.note(f"command {name} accepted, reference {reference}")
        except effects.Refused as refusal:
            case.note(f"command {name} refused: {refusal}")
            if refusal.kind == HELD:
                said = await _held(case, name, held_since, paid)
                allowed |= {"despite_dispute": True} if said == "pay_now" else {}
                held_since = workflow.now() if said == "wait" else held_since
                continue
            if name in ASKING:
                await case.tell(f"aftersales {command.key}", f"command {name} was refused: {refusal}")
                return ""
            match await _after(case, name, refusal, instead, asked_by, paid):
                case way if way == instead:
                    return ""
                case way if way == DO_NOT_PAY:
                    case.state.unpaid = f"{name} {amount} {case.order.currency}"
                    return ""
                case "approve":
                    taken = case.state.decisions[-1]
                    limit, data["approved_by"] = None, taken.by
                    allowed |= {"approved_by": taken.by, "reason": taken.reason}
                case way if way == BY_HAND:
                    done = case.state.decisions[-1]
                    reference = done.reference or f"by hand, {done.by}"
                    if pays and amount is not None and workflow.patched("what-is-paid-by-hand-is-entered"):
                        await _enter(case, case.state.next_id("charge"), activity_id, pays, amount)
                case _:
                    await case.hand_strays_on(f"the case waits for a decision about {name}, which was refused")
    if replaces:
        case.state.amounts.pop(cast(Kind, replaces), None)
    if pays and amount is not None:
        case.state.book(pays, amount)
    return reference


async def given_before(case: Case, name: CommandType) -> bool:
    """Whether the order has had this by another case, for what an order gets once."""
    request = GivenRequest(case=case.ref, type=name)
    return await effects.given_before(case.state.next_id("given_before"), request)


async def charge(case: Case, kind: Kind, amount: Decimal) -> None:
    """Enter money that somebody else took from us for the order, such as a chargeback; it counts as paid (rule 8)."""
    activity_id = case.state.next_id("charge")
    await _enter(case, activity_id, activity_id, kind, amount)
    case.state.book(kind, amount)
    case.note(f"{kind} {amount} {case.order.currency} was taken from us")


async def _enter(case: Case, activity_id: str, payment: str, kind: Kind, amount: Decimal) -> None:
    """Enter money that left without a command into the order's ledger; `payment` is the id of what paid it."""
    request = ChargeRequest(
        case=case.ref,
        key=case.key(payment),
        kind=kind,
        amount=amount,
        currency=case.order.currency,
        at=workflow.now(),
    )
    await effects.enter_charge(activity_id, request)


async def _after(
    case: Case,
    name: CommandType,
    refusal: effects.Refused,
    instead: str,
    asked_by: tuple[str, ...],
    paid: Decimal | None,
) -> str:
    """What an operator says to a refusal; to money over the order's total another supervisor than who asked for it.

    Whoever has decided anything in the case before has asked for it.
    """
    over = refusal.kind == OVER_LIMIT
    no = [instead] if instead else [DO_NOT_PAY] if over else []
    options = ["try_again", BY_HAND, *(["approve"] if over else []), *no]
    return await case.decision(
        f"{name} was refused: {refusal}.",
        *options,
        fallback=instead or "try_again",
        role="supervisor" if over else "operator",
        besides=asked_by if over else (),
        costs=_costs(paid, "approve", BY_HAND),
    )


async def _held(case: Case, name: CommandType, since: datetime, paid: Decimal | None) -> str:
    """Wait for the end of the dispute that holds a payment up, or for a look at it; what a supervisor says at last."""
    stage, operators = case.state.stage, case.policy.operators
    if case.state.owes_an_answer and workflow.patched("who-waits-for-a-payment-is-told"):
        await case.send("payment-waits")
    case.enter("payment-held")
    await case.next(DisputeClosed, within=operators.dispute_check)
    case.enter(stage)
    if workflow.now() < since + operators.dispute_hold:
        return ""
    question = f"{name} waits since {since:%Y-%m-%d}, as a dispute about the order is open. Pay, or wait on?"
    costs = _costs(paid, "pay_now")
    return await case.decision(question, "pay_now", "wait", fallback="wait", role="supervisor", costs=costs)


def _costs(paid: Decimal | None, *options: str) -> dict[str, Decimal]:
    """What options cost that pay this amount."""
    # In a case of an earlier build one person's decision counts, however much is paid.
    return dict.fromkeys(options, paid) if paid is not None and workflow.patched("payments-cost") else {}
