"""Giving a command: once, within the order's total, and with a person asked where its counterpart refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.commands import CommandRequest
    from aftersales.commands import ASKING, Command, CommandType
    from aftersales.outcome import Kind

from workflows import effects
from workflows.board import BY_HAND
from workflows.values import Value, plain

if TYPE_CHECKING:
    from workflows.case import Case

OPTIONS = {
    "try_again": "give the same command again, once the cause is mended",
    BY_HAND: 'you had it done yourself; write the counterpart\'s number beside the option: "reference": "…"',
    "approve": "let the amount go out although the order's total does not cover it",
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
            request = CommandRequest(case=case.ref, command=command, limit=limit, replaces=void)
            reference = await effects.give_command(activity_id, request)
            case.note(f"command {name} accepted, reference {reference}")
        except effects.Refused as refusal:
            case.note(f"command {name} refused: {refusal}")
            if name in ASKING:
                await case.tell(f"aftersales {command.key}", f"command {name} was refused: {refusal}")
                return ""
            match await _after(case, name, refusal, instead):
                case way if way == instead:
                    return ""
                case "approve":
                    limit, data["approved_by"] = None, case.state.decisions[-1].by
                case way if way == BY_HAND:
                    done = case.state.decisions[-1]
                    reference = done.reference or f"by hand, {done.by}"
                case _:
                    await case.hand_strays_on(f"the case waits for a decision about {name}, which was refused")
    if replaces:
        case.state.amounts.pop(cast(Kind, replaces), None)
    if pays and amount is not None:
        case.state.book(pays, amount)
    return reference


async def _after(case: Case, name: CommandType, refusal: effects.Refused, instead: str) -> str:
    """What an operator says to a refusal."""
    approval = ["approve"] if refusal.approvable else []
    options = ["try_again", BY_HAND, *approval, *filter(None, [instead])]
    return await case.decision(f"{name} was refused: {refusal}.", *options, fallback=instead or "try_again")
