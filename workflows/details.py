"""What an operator reads of a case in the Web UI: its title, and its Current Details in Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, field_validator
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import WHOSE, Clock
    from aftersales.model import Amount
    from aftersales.opening import CaseOpened
    from aftersales.order import Order
    from aftersales.outcome import DecisionTaken
    from aftersales.people import Role
    from aftersales.state import CaseState


SIGNED = {"by": "your name", "reason": "why"}
"""What an operator writes into every update, as it is shown; sent like this it is refused."""
WITH_AMOUNT = frozenset({"amended", "approve", "less", "lost", "more", "partial", "pay", "price", "recovered"})
"""The options that take an amount, where a question asks for one."""


class Question(BaseModel):
    """A decision that a person must take, and what happens when nobody does."""

    text: str
    options: tuple[str, ...]
    does: Mapping[str, str] = {}
    """What each option does; none in the answer of a worker that does not tell yet."""
    fallback: str
    most: Amount | None = None
    takes: tuple[str, ...] = ()
    """Which options take an amount, `most` of it at most."""
    role: Role = "operator"
    besides: tuple[str, ...] = ()
    """Who must not decide, as it was their idea."""
    costs: Mapping[str, Amount] = {}
    """What an option costs, where that is known."""
    first: DecisionTaken | None = None
    """What one has decided, where another must decide the same."""
    source: str = "operators.operator_window"
    """Where it is written by when it must be decided."""
    meanwhile: tuple[str, ...] = ()
    """What has come and waits until this is decided."""
    answer: DecisionTaken | None = None

    @field_validator("besides", mode="before")
    @classmethod
    def _several(cls, told: object) -> object:
        # A worker of an earlier build tells one name, or an empty one for nobody.
        return tuple(filter(None, [told])) if isinstance(told, str) else told

    def cost(self, option: str, named: Decimal | None) -> Decimal | None:
        """What an option costs: the amount that was named with it, which only one that takes it has, else what it does.

        It does not look at `takes`, as what was accepted before options had to take an amount must count as it did.
        """
        return self.costs.get(option) if named is None else named

    @property
    def terms(self) -> list[str]:
        """Who may decide, in sentences."""
        other = [f"Somebody else than {', '.join(self.besides)} must decide."] if self.besides else []
        first = self.first
        return other + ([f"{first.by} decided {first.option}; somebody else must decide the same."] if first else [])


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


def current_details(
    state: CaseState, deadline: datetime | None, question: Question | None, clocks: Sequence[Clock]
) -> str:
    """What happened, what is awaited until when, all clocks, and the options to decide with the JSON to paste."""
    parts = [f"**Stage:** {state.stage}" + (f" · **until** {_moment(deadline)} UTC" if deadline else "")]
    if question:
        parts.append(_decision(question, deadline))
    if clocks:
        parts.append(_clocks(clocks))
    parts.append(_story(state))
    if deadline and not question:
        until = deadline.isoformat(timespec="seconds").replace("+00:00", "Z")
        parts.append(f"To move the deadline: {_how('extend')}\n\n" + _payload({"until": until} | SIGNED))
    return "\n\n".join(parts)


def _decision(question: Question, deadline: datetime | None) -> str:
    options = "\n\n".join(
        f"**{option}**: {_cell(question.does.get(option, ''))}\n\n" + _payload({"option": option} | SIGNED)
        for option in question.options
    )
    parts = [
        "### A supervisor must decide" if question.role == "supervisor" else "### Your decision is needed",
        _cell(question.text),
        *map(_cell, question.terms),
        f"{_how('decide')} The option is one of these:",
        options,
    ]
    if question.meanwhile:
        lines = "\n".join(f"- {_cell(line)}" for line in question.meanwhile)
        parts.insert(2, f"**Not yet taken into account:**\n\n{lines}")
    if question.most is not None:
        beside = _cell(" or ".join(question.takes))
        parts.append(f'An amount goes beside {beside}, at most {question.most}: `"amount": "{question.most}"`')
    until = f" by {_moment(deadline)} UTC" if deadline else ""
    parts.append(f"If nobody decides{until}, the case goes on with **{question.fallback}**.")
    return "\n\n".join(parts)


def _how(update: str) -> str:
    return (
        f"**More Actions** (top right) → **Send an Update** → Name **{update}** → paste as Data, with your own name "
        "and reason."
    )


def _payload(update: dict[str, str]) -> str:
    return "```json\n" + json.dumps(update, ensure_ascii=False) + "\n```"


def _clocks(clocks: Sequence[Clock]) -> str:
    # A list, as the Web UI gives a table of five columns no room.
    rows = [
        f"- **{_moment(clock.at)} UTC** {_cell(clock.what)}: {WHOSE[clock.whose]} time"
        + (f"; who loses then: {_cell(clock.loses)}" if clock.loses else "")
        + (f" ({_cell(clock.source)})" if clock.source else "")
        for clock in clocks
    ]
    return "\n".join(["### Clocks", "", *rows])


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
