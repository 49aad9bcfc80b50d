"""What an operator reads of a case in the Web UI: its title, and its Current Details in Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.model import Amount
    from aftersales.opening import CaseOpened
    from aftersales.order import Order
    from aftersales.outcome import DecisionTaken
    from aftersales.state import CaseState


class Question(BaseModel):
    """A decision that a person must take, and what happens when nobody does."""

    text: str
    options: tuple[str, ...]
    fallback: str
    most: Amount | None = None
    answer: DecisionTaken | None = None


def title(process: str, opened: CaseOpened) -> str:
    """The title of a case, at most 200 bytes: process, order, and what it is about."""
    name = process.replace("-", " ").capitalize()
    text = f"{name} · {opened.order.order_id} · {', '.join(item.title for item in opened.order.items)}"
    while len(text.encode()) > 200:
        text = text[:-2].rstrip(" ,·…") + "…"
    return text


def about(order: Order, policy_version: str) -> str:
    """The facts of the order that do not change, for the run's details."""
    lines = [
        f"- {item.quantity} × {item.title} ({item.sku}), {item.unit_price} {order.currency}" for item in order.items
    ]
    return "\n".join(
        [
            f"**Order {order.order_id}** of shop {order.shop} (channel {order.channel}, market {order.market}), "
            f"total {order.total} {order.currency}",
            "",
            *lines,
            "",
            f"Policy {policy_version}",
        ]
    )


def current_details(state: CaseState, deadline: datetime | None, question: Question | None) -> str:
    """What happened, what is awaited until when, and the options to decide with the JSON to paste."""
    parts = [f"**Stage:** {state.stage}" + (f" · **until** {_moment(deadline)}" if deadline else "")]
    if question:
        parts.append(_decision(question))
    parts.append(_story(state))
    if deadline and not question:
        payload = json.dumps({"until": deadline.isoformat(timespec="seconds"), "by": "your name", "reason": "why"})
        parts.append(f"To move the deadline, send the update **extend** with\n\n```json\n{payload}\n```")
    return "\n\n".join(parts)


def _decision(question: Question) -> str:
    options = "\n\n".join(
        f"**{option}**\n\n```json\n"
        + json.dumps({"option": option, "by": "your name", "reason": "why"}, ensure_ascii=False)
        + "\n```"
        for option in question.options
    )
    return (
        f"### Your decision is needed\n\n{_cell(question.text)}\n\nSend the update **decide** with one of these "
        f"(if nobody does: **{question.fallback}**).\n\n{options}"
    )


def _story(state: CaseState) -> str:
    rows: Sequence[str] = [f"| {_moment(item.at)} | {_cell(item.what)} |" for item in state.story[-30:]]
    return "\n".join(["### What happened", "", "| When (UTC) | What |", "| --- | --- |", *rows])


def _cell(text: str) -> str:
    flat = " ".join(text.split())
    for char in "\\`*_[]<>|":
        flat = flat.replace(char, f"\\{char}")
    return flat


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
