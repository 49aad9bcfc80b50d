"""Goods of an awaited order that are not there: wait, take something else, or have the money back (`§6`)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.opening import Reply
    from aftersales.serving import says_more

if TYPE_CHECKING:
    from workflows.expedite import Expedite

Way: TypeAlias = Literal["watch", "choose", "replace", "cancel", "called_off", "refund", "dispatched"]
"""How it goes on; `choose` where the customer has to say, `called_off` where the shop has cancelled."""


async def choose(case: Expedite) -> Way:
    """The customer chooses; silence waits for a date, and where none is named takes the money."""
    by, date = case.until(case.policy.orders.stock_choice_window), case.coming
    default: Way | Literal["wait"] = "wait" if case.delay.waits_silently(date) else "cancel"
    case.delay.offered = date
    await case.send("out-of-stock-choice", out_of_stock=case.no_stock, until=date, default_choice=default, reply_by=by)
    match await _reply(case, by):
        case Reply(intent="wait" | "replace" | "cancel" as chosen, text=said):
            return await carry_out(case, chosen, said)
        case Reply(angry=True, text=said):
            return await carry_out(case, default, said)
        case Reply(text=said):
            question = f"The customer wrote about the goods that are not there: “{said[:1000]}”. What is meant?"
            meant = await case.decision(question, "wait", "replace", "cancel", fallback=default)
            return await case.news() or await carry_out(case, meant, said)
        case None:
            return await carry_out(case, default)
        case way:
            return way


async def carry_out(case: Expedite, chosen: str, said: str | None = None) -> Way:
    """What was chosen; with `said` by the customer, who is then told, else by silence."""
    if chosen != "wait":
        case.wish = said or ""
        return "replace" if chosen == "replace" else "cancel"
    case.delay.agree()
    if said is not None:
        await case.update(waits=True)
    return "watch"


async def replace(case: Expedite) -> Way:
    """Find out what the customer takes instead, and have an operator see to it."""
    again = "ask_again"
    while True:
        if not says_more(case.wish):
            again = "cancel"
            if (way := await _named(case)) != "replace":
                return way
        question = (
            f"The customer takes something else for what is out of stock: “{case.wish[:1000]}”. Can it be had "
            "for what was paid? Where it is cheaper, name what goes back."
        )
        most = case.sending.owed(case.order, case.state.amounts.get("refund", Decimal(0)))
        chosen = await case.decision(question, "amended", "ask_again", "cancel", fallback=again, most=most)
        if news := await case.news():
            return news
        if chosen != "ask_again":
            return await _amend(case) if chosen == "amended" else "cancel"
        case.wish = ""


async def _named(case: Expedite) -> Way:
    """Ask what the customer takes instead; `replace` once it is named, silence takes the money."""
    by = case.until(case.policy.orders.stock_choice_window)
    await case.send("replacement-question", reply_by=by)
    while True:
        match await _reply(case, by):
            case Reply(intent="wait" | "cancel" as chosen, text=said):
                return await carry_out(case, chosen, said)
            case Reply(text=said) if says_more(said):
                case.wish = said
                return "replace"
            case Reply() as message:
                await case.to_a_person(message, "the customer did not say what to send instead")
            case None:
                return "cancel"
            case way:
                return way


async def _amend(case: Expedite) -> Way:
    """Have the warehouse send the other goods, and give back what they cost less."""
    decided = case.state.decisions[-1]
    difference = decided.amount or Decimal(0)
    if not await case.command("amend_order", instead="cancel", replacement=case.wish[:1000], note=decided.reason):
        return await case.news() or "cancel"
    if difference:
        await case.command("refund", pays="refund", amount=difference, purpose="replacement")
    case.replaced, case.no_stock = True, False
    case.heard.clear()
    case.delay.starts_anew(case.tomorrow)
    await case.send("replacement-agreed", refund=difference)
    return "watch"


async def _reply(case: Expedite, by: datetime) -> Reply | Way | None:
    """The customer's answer by this moment, or how it goes on without one; None where nothing has changed."""
    while fact := await case.next(*case.FACTS, Reply, by=by):
        if isinstance(fact, Reply):
            return fact
        if way := await case.learn(fact):
            return way
    return await case.news()
