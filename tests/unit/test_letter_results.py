"""What became of each letter of a closed case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aftersales.correspondence import Written
from aftersales.letter_results import FELL_SILENT, LetterResult, letter_results
from tests.unit.test_losses import NOON, closed


def sent(letter: str, hour: float = 0, *, answered: float | None = None, awaited: bool = True, **more: Any) -> Written:
    return Written(
        letter=letter,
        language="en",
        sent_at=NOON + timedelta(hours=hour),
        awaited=awaited,
        answered_at=None if answered is None else NOON + timedelta(hours=answered),
        **more,
    )


def results(result: str, *letters: Written) -> list[LetterResult]:
    return letter_results(closed().model_copy(update={"result": result, "letters": letters}))


def abandoned(result: str, *letters: Written) -> list[bool]:
    return [each.abandoned for each in results(result, *letters)]


def test_an_answer_counts_from_its_letter_and_its_acceptance_with_it() -> None:
    (terms,) = results("terms_accepted", sent("return-terms", 1, answered=3.5, accepted=True))
    assert (terms.number, terms.answered, terms.answer_seconds, terms.accepted) == (0, True, 9000, True)


def test_the_answer_to_a_reminder_answers_the_letter_too() -> None:
    first, reminder = results("kept", sent("offer"), sent("offer-reminder", 24, answered=30, accepted=True))
    assert (first.answered, first.answer_seconds, first.accepted) == (True, 30 * 3600, True)
    assert (reminder.answered, reminder.answer_seconds, reminder.accepted) == (True, 6 * 3600, True)


def test_a_letter_that_was_answered_before_its_reminder_keeps_its_own_time() -> None:
    first, _ = results("kept", sent("offer", answered=2), sent("offer-reminder", 24, answered=30))
    assert first.answer_seconds == 2 * 3600


def test_a_reminder_reminds_of_the_letter_that_was_written_last() -> None:
    letters = sent("offer"), sent("offer", 10), sent("offer-reminder", 24, answered=30)
    assert [each.answered for each in results("kept", *letters)] == [False, True, True]


@pytest.mark.parametrize("result", sorted(FELL_SILENT))
def test_the_last_letter_is_abandoned_with_the_one_that_it_reminds_of(result: str) -> None:
    letters = sent("first", answered=1), sent("ask", 2), sent("ask-reminder", 24), sent("closed", 48, awaited=False)
    assert abandoned(result, *letters) == [False, True, True, False]


def test_a_letter_is_not_abandoned_whose_reminder_alone_got_no_answer() -> None:
    assert abandoned("no_evidence", sent("ask", answered=1), sent("ask-reminder", 24)) == [False, True]


def test_nothing_is_abandoned_where_the_customer_answered() -> None:
    assert abandoned("refused", sent("no", answered=1)) == [False]
    assert abandoned("not_shipped", sent("ask"), sent("ask-reminder", 24, answered=25)) == [False, False]


def test_nothing_is_abandoned_where_the_order_was_cancelled() -> None:
    assert abandoned("not_shipped", sent("ask", called_off=True)) == [False]
    assert abandoned("not_shipped", sent("ask"), sent("cancelled", 1, awaited=False, called_off=True)) == [False, False]


def test_nothing_is_abandoned_where_silence_ended_nothing_or_no_answer_was_awaited() -> None:
    assert abandoned("reshipped", sent("keep-offer")) == [False]
    assert abandoned("lapsed", sent("told", awaited=False)) == [False]
    assert abandoned("lapsed") == []
