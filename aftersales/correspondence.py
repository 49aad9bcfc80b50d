"""What became of the letters of a case, and how long its customer waited for them (`§20`)."""

from __future__ import annotations

from datetime import datetime
from operator import not_
from typing import Annotated

from pydantic import BaseModel, Field

from aftersales.model import Model, Time

ACCEPTING = frozenset({"accept", "keep", "solved"})
"""The choices with which a customer takes what a letter offers."""
ACKNOWLEDGEMENT = "message-received"
"""What a customer hears whose message a person reads: an answer to it, but nothing that asks for one."""


class Written(Model):
    """A letter of a case and what became of it.

    `awaited`: it was for the customer to answer it, and the case waited. `answered_at` is when the customer first
    wrote, or did what was asked, after it and before the next one; `accepted` says that a message between the two was
    read as one of `ACCEPTING`.
    """

    letter: str
    language: str
    variant: Annotated[str, Field(exclude_if=not_)] = ""
    sent_at: Time
    awaited: Annotated[bool, Field(exclude_if=not_)] = False
    answered_at: Annotated[Time | None, Field(exclude_if=not_)] = None
    accepted: Annotated[bool, Field(exclude_if=not_)] = False
    called_off: Annotated[bool, Field(exclude_if=not_)] = False
    """The order was cancelled while it was the last letter: nobody need answer it any more."""


class Correspondence(BaseModel):
    """The letters of a running case and the customer's messages, as far as they are counted.

    A letter is counted in the run that sent it: a case that reopens at a letter of an earlier run does not count it
    again, and what answers it late counts as a message only.
    """

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
        self.answered(at)

    def answered(self, at: datetime) -> None:
        """Note that the customer answered the letter before this moment, by words or by doing what it asks."""
        number = self._letter_before(at)
        if number is not None and self.letters[number].answered_at is None:
            self._set(number, answered_at=at)

    def called_off(self, at: datetime) -> None:
        """Note that the order was cancelled."""
        if (number := self._letter_before(at)) is not None:
            self._set(number, called_off=True)

    def passed_on(self, at: datetime) -> None:
        """Take back a message of this moment that no letter has followed: another case counts it, and answers it."""
        if at in self.unanswered:
            self.unanswered.remove(at)
            self.messages -= 1

    def we_wrote(self, letter: Written, composed_at: datetime) -> None:
        """Count a letter; it follows every message before the moment at which it was composed."""
        self.letters.append(letter)
        here = [at for at in self.unanswered if at <= composed_at]
        self.replies += [(letter.sent_at - at).total_seconds() for at in here]
        self.unanswered = [at for at in self.unanswered if at > composed_at]

    def awaits(self, stage: str) -> None:
        """Note that the case waits at this stage for its customer: for an answer, where its letter is the last one."""
        number = self._letter_before(None)
        if number is not None and self.letters[number].letter == stage and not self.letters[number].awaited:
            self._set(number, awaited=True)

    def read_as(self, intent: str, written_at: datetime) -> None:
        """Note what a message of the customer means to the letter that it answers."""
        number = self._letter_before(written_at)
        if number is not None and intent in ACCEPTING:
            self._set(number, accepted=True)

    def _letter_before(self, at: datetime | None) -> int | None:
        """The last letter that was out at a moment, or is now; acknowledgements do not count."""
        for number in reversed(range(len(self.letters))):
            letter = self.letters[number]
            if letter.letter != ACKNOWLEDGEMENT and (at is None or letter.sent_at <= at):
                return number
        return None

    def _set(self, number: int, **changed: object) -> None:
        self.letters[number] = self.letters[number].model_copy(update=changed)
