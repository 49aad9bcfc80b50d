"""The outcome of a case: what is written down when it closes (`spec/processes.md`, rule 9)."""

from __future__ import annotations

from operator import not_
from typing import Annotated, Literal

from pydantic import Field

from aftersales.correspondence import Written
from aftersales.model import Amount, Model, Time
from aftersales.variants import key_of

Cause = Literal["product", "logistics", "service", "customer"]
Kind = Literal["refund", "compensation", "freight", "gift", "reship", "claim_lost", "fee", "recovered"]
"""What an amount of an outcome is: money that left, or money kept back (`fee`) or that a carrier paid (`recovered`)."""


class DecisionTaken(Model):
    """Who decided what; `by` is empty where nobody did and the policy's fallback applied (rule 5)."""

    question: str
    option: str
    by: str = ""
    reason: str = ""
    amount: Amount | None = None
    reference: Annotated[str, Field(exclude_if=not_)] = ""
    """The counterpart's number for what was done by hand."""
    before: Annotated[str, Field(exclude_if=not_)] = ""
    """What the rule would have done without the decision; empty in a case of an earlier build."""
    seconded_by: Annotated[str, Field(exclude_if=not_)] = ""
    """Who decided the same, where two must."""
    at: Time


class Extended(Model):
    """Who moved which deadline, and why."""

    stage: str
    before: Time
    after: Time
    by: str
    reason: str
    at: Time


class Goods(Model):
    """Some of one line of the order, as a case was about it.

    `value` is what the customer paid for all of `quantity`, `cost` what they cost the shop.
    """

    line_id: str
    sku: str
    category: str
    quantity: int
    value: Amount
    cost: Amount
    back: Annotated[int, Field(exclude_if=not_)] = 0
    """How many of them came back as described, so that they can be sold again."""


class Outcome(Model):
    """How a case ended. Times are in seconds; amounts are in the order's currency.

    What follows `closed_at` is for the figures (`§20`); a case of an earlier build says nothing of it.
    """

    case_id: str
    trigger: str
    process: str
    order_id: str
    shop: str
    currency: str
    result: str
    stage: str
    cause: Cause
    at_fault: bool
    amounts: dict[Kind, Amount]
    letters_sent: int
    first_response_time: float | None
    resolution_time: float
    decisions: tuple[DecisionTaken, ...]
    decisions_missed: int
    extended: Annotated[tuple[Extended, ...], Field(exclude_if=not_)] = ()
    angry: bool
    policy_version: str
    template_versions: dict[str, str]
    opened_at: Time
    closed_at: Time
    goods: Annotated[tuple[Goods, ...], Field(exclude_if=not_)] = ()
    letters: Annotated[tuple[Written, ...], Field(exclude_if=not_)] = ()
    messages: Annotated[int, Field(exclude_if=not_)] = 0
    """How often the customer wrote, the request that opened the case included."""
    replies: Annotated[tuple[float, ...], Field(exclude_if=not_)] = ()
    """For each of these that a letter followed, after how many seconds."""
    replied_in_time: Annotated[int, Field(exclude_if=not_)] = 0
    """How many of them followed within `report.reply_within`."""

    def flat(self) -> dict[str, object]:
        """The fields as scenarios and lists name them: each amount by its kind, `decided_by` as one text.

        `variants` names the variants of letters that were written, each once, such as `return-terms.short`.
        """
        fields: dict[str, object] = self.model_dump(mode="json", exclude={"amounts", "decisions", "goods", "letters"})
        people = [taken.by for taken in self.decisions if taken.by]
        variants = dict.fromkeys(key_of(written.letter, written.variant) for written in self.letters if written.variant)
        texts = {"decided_by": ", ".join(people), "variants": ", ".join(variants)}
        return fields | {kind: str(amount) for kind, amount in self.amounts.items()} | texts
