"""How a case opens: the one envelope that every workflow takes, and what a customer's answer becomes in it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from operator import not_
from typing import Annotated, Any, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from aftersales.correspondence import Correspondence
from aftersales.events import AnyEvent, Event, Message
from aftersales.ids import parse_case_id
from aftersales.model import Model, Time
from aftersales.order import Order
from aftersales.policy import Policy
from aftersales.records import CaseRef
from aftersales.state import CaseState

_snapshots: dict[tuple[object, ...], tuple[object, Policy]] = {}
"""Policies by version and law packs, each with what it was read from. There are as many as versions in use."""


def _shared(value: Any, validate: ValidatorFunctionWrapHandler) -> Policy:
    """One object for all cases of the same terms: a worker holds thousands of cases and only a few policies."""
    name = (value.get("version"), *value.get("law", ())) if isinstance(value, dict) else ()
    known = _snapshots.get(name)
    if known and known[0] == value:
        return known[1]
    policy: Policy = validate(value)
    if name:
        _snapshots[name] = value, policy
    return policy


class _Same:
    """A policy as what it is, not by its many values."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.policy is self.policy

    def __hash__(self) -> int:
        return id(self.policy)


@lru_cache(maxsize=64)
def _written(same: _Same) -> str:
    """A policy as JSON: there are few, and each opens many cases."""
    return same.policy.model_dump_json()


class Resume(Model):
    """Where a lapsed case reopens: at the letter that the customer's message answers late (§2).

    `sent_by` is the trigger of the run that sent the letter.
    """

    letter: str
    sent_by: str
    message: AnyEvent


class CaseOpened(Model):
    """What opens a case. The policy is a snapshot: a running case keeps the terms it promised.

    `trigger` is the event that the case is about; `resume` is there when a lapsed case reopens, `state` when a long one
    continues as new. `inbox` holds what had come for a case before another one handed over to it. `unanswered` is when
    the customer wrote what that one has left to be answered, trigger and inbox included; None where none handed over.
    """

    order: Order
    policy: Annotated[Policy, WrapValidator(_shared)]
    opened_at: Time
    trigger: AnyEvent
    resume: Resume | None = None
    state: CaseState | None = None
    inbox: Annotated[tuple[AnyEvent, ...], Field(exclude_if=not_)] = ()
    unanswered: Annotated[tuple[Time, ...] | None, Field(exclude_if=lambda times: times is None)] = None

    def ref(self, process: str, case_id: str) -> CaseRef:
        """The run of the case that this opens."""
        return CaseRef(
            case_id=case_id,
            trigger=self.identity,
            process=process,
            order_id=self.order.order_id,
            part=parse_case_id(case_id).part,
            shop=self.order.shop,
            opened_at=self.opened_at,
        )

    def memory(self, at: datetime) -> CaseState:
        """What the case knows as its run begins."""
        state = self.state or CaseState.opened_by(self.opener, at, again=self.resume is not None)
        for event in self.inbox:
            state.receive(event, at)
        if self.unanswered is not None and not (self.state or self.resume):
            # Each message is counted in one case: what the one before has answered, there.
            state.written = Correspondence(messages=len(self.unanswered), unanswered=list(self.unanswered))
        return state

    def as_json(self) -> str:
        """What `model_dump_json` says, with the policy at the end, which is written out once for all its cases."""
        rest = self.model_dump_json(exclude={"policy"})
        return f'{rest[:-1]},"policy":{_written(_Same(self.policy))}}}'

    @property
    def opener(self) -> Event:
        """The event that opened this run of the case."""
        return self.resume.message if self.resume else self.trigger

    @property
    def identity(self) -> str:
        """The identity of the opener: part of the key of all effects of the run."""
        return self.opener.identity


class Reply(Event):
    """A customer's message, read: which of the last letter's choices it means, or `unclear`; angry or not (rule 6)."""

    type: Literal["reply"] = "reply"
    intent: str
    angry: bool
    text: str
    received_at: Time
    message: Message
