"""What became of each letter of a closed case (`spec/processes.md` §20, `000`: "improve it from the data")."""

from __future__ import annotations

from typing import NamedTuple

from aftersales.correspondence import Written
from aftersales.outcome import Outcome

FELL_SILENT = frozenset({"abandoned", "lapsed", "no_evidence", "not_shipped", "refused", "unpaid"})
"""The results with which a case ends where its customer does not answer (`spec/processes.md`, "Names").

`abandoned`: return-escalation. `lapsed`: return-request, order-change, compensation, invoice, large-order.
`no_evidence`: wrong-item. `not_shipped`: return-parcel, exchange, repair. `refused`: return-request, where the customer
does not come back to a no (§1.5). `unpaid`: exchange. Most of them have other ways too, so the letter must also have
been left without an answer, in an order that was not cancelled.
"""
_REMINDER = "-reminder"


class LetterResult(NamedTuple):
    """A letter of a case and what became of it; the times are those of `Written`, the answer's in seconds after it."""

    number: int
    """Counts the letters of the case from 0."""
    written: Written
    answered: bool
    answer_seconds: float | None
    accepted: bool
    abandoned: bool
    """The case ended because nobody answered it, or the reminder of it."""


def letter_results(outcome: Outcome) -> list[LetterResult]:
    """What became of the letters of a case, in their order.

    A reminder asks for what its letter asked for: what answers it answers the letter, too, that many seconds after it.
    """
    abandoned = _abandoned(outcome)
    results = []
    for number, written in enumerate(outcome.letters):
        after = _reminder_of(outcome.letters, number)
        answers = [at for each in (written, after) if each and (at := each.answered_at)]
        results.append(
            LetterResult(
                number,
                written,
                answered=bool(answers),
                answer_seconds=(min(answers) - written.sent_at).total_seconds() if answers else None,
                accepted=written.accepted or bool(after and after.accepted),
                abandoned=number in abandoned,
            )
        )
    return results


def _abandoned(outcome: Outcome) -> set[int]:
    """The last letter that was awaited, with the one that it reminds of, where the case ended for want of an answer."""
    awaited = [number for number, written in enumerate(outcome.letters) if written.awaited]
    if outcome.result not in FELL_SILENT or not awaited:
        return set()
    last = awaited[-1]
    if outcome.letters[last].answered_at or any(written.called_off for written in outcome.letters[last:]):
        return set()
    reminded = {
        number
        for number in awaited
        if _reminder_of(outcome.letters, number) is outcome.letters[last] and not outcome.letters[number].answered_at
    }
    return {last, *reminded}


def _reminder_of(letters: tuple[Written, ...], number: int) -> Written | None:
    """The reminder that follows a letter, before the letter is written again."""
    name = letters[number].letter
    for later in letters[number + 1 :]:
        if later.letter == name:
            return None
        if later.letter == name + _REMINDER:
            return later
    return None
