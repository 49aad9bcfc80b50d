"""What became of the letters of a case, and how long its customer waited for them (`§20`)."""

from __future__ import annotations

from datetime import datetime
from operator import not_
from typing import Annotated

from pydantic import BaseModel, Field

from aftersales.model import Model, Time

ACCEPTING = frozenset({"accept", "keep", "solved"})
"""The choices with which a customer takes what a letter offers."""


class Written(Model):
    """A letter of a case and what became of it.

    `awaited`: the case waited for an answer to it. `answered_at` is when the customer wrote first after it and before
    the next one; `accepted` says that this was, or was read as, one of `ACCEPTING`.
    """

    letter: str
    language: str
    variant: Annotated[str, Field(exclude_if=not_)] = ""
    sent_at: Time
    awaited: Annotated[bool, Field(exclude_if=not_)] = False
    answered_at: Annotated[Time | None, Field(exclude_if=not_)] = None
    accepted: Annotated[bool, Field(exclude_if=not_)] = False


class Correspondence(BaseModel):
    """The letters of a running case and the customer's messages, as far as they are counted."""

    letters: list[Written] = []
    messages: int = 0
    unanswered: list[Time] = []
    """When the customer wrote what no letter has followed yet."""
    replies: list[float] = []
    """For each message that a letter followed, how many seconds later."""

    def customer_wrote(self, at: datetime) -> None:
        """Count a message of the customer; it answers the letter before it."""
        self.messages += 1
        self.unanswered.append(at)
        number = self._letter_before(at)
        if number is not None and self.letters[number].answered_at is None:
            self._set(number, answered_at=at)

    def we_wrote(self, letter: Written) -> None:
        """Count a letter; it follows every message before it."""
        self.letters.append(letter)
        here = [at for at in self.unanswered if at <= letter.sent_at]
        self.replies += [(letter.sent_at - at).total_seconds() for at in here]
        self.unanswered = [at for at in self.unanswered if at > letter.sent_at]

    def awaits(self) -> None:
        """Note that the case waits for an answer to its last letter."""
        if self.letters and not self.letters[-1].awaited:
            self._set(len(self.letters) - 1, awaited=True)

    def read_as(self, intent: str, written_at: datetime) -> None:
        """Note what a message of the customer means to the letter that it answers."""
        number = self._letter_before(written_at)
        if number is not None and intent in ACCEPTING:
            self._set(number, accepted=True)

    def _letter_before(self, at: datetime) -> int | None:
        before = [number for number, letter in enumerate(self.letters) if letter.sent_at <= at]
        return before[-1] if before else None

    def _set(self, number: int, **changed: object) -> None:
        self.letters[number] = self.letters[number].model_copy(update=changed)
