"""How a case opens: the one envelope that every workflow takes, and what a customer's answer becomes in it."""

from __future__ import annotations

from typing import Literal

from aftersales.events import AnyEvent, Event
from aftersales.model import Model, Time
from aftersales.order import Order
from aftersales.policy import Policy
from aftersales.state import CaseState


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
    continues as new.
    """

    order: Order
    policy: Policy
    opened_at: Time
    trigger: AnyEvent
    resume: Resume | None = None
    state: CaseState | None = None

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
