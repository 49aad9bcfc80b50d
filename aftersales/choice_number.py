"""A choice named by its number in the text of a reply: "2", "Option 1", "the second one", "选2"."""

from __future__ import annotations

from dataclasses import dataclass

from aftersales.phrase_book import SENTENCE_ENDS, PhraseBook
from aftersales.reply_meaning import Meaning

NUMBER_GROUPS = (
    "marker",
    "numbering",
    "choosing",
    "ordinal_noun",
    "not_choice_before",
    "before_number",
    "after_number",
)
_BEFORE = {"greeting", "closing", "yes", "yes_alone", "no", "objection", "complaint", "end"}
_AFTER = {
    "yes",
    "yes_alone",
    "no",
    "accept",
    "refuse",
    "demand",
    "closing",
    "send_back",
    "keep",
    "refund",
    "reship",
    "end",
}
_LONGEST_LEAD = 4
_MOST_NUMBERS = 20


@dataclass(frozen=True)
class Named:
    """The choice that the text names, from 1. Not `sure`: a question, condition or "not" stands with it."""

    number: int
    sure: bool


def numbered_choice(meaning: Meaning, numbers: PhraseBook, count: int) -> Named | None:
    """The choice from 1 to `count` that a text names, None when it names none.

    `numbers`: the phrases of `NUMBER_GROUPS`. Two different numbers name no choice surely. Numbers that count something
    else ("2 weeks", "order 1001", "2 lamps") are no choice.
    """
    named: set[int] = set()
    beside: set[int] = set()
    sure = not meaning.undecided
    reader = _Reader(meaning, numbers)
    in_range = [at for at in range(len(meaning.words)) if 1 <= reader.value(at) <= count]
    # Nobody chooses with so many numbers.
    sure = sure and len(in_range) <= _MOST_NUMBERS
    for at in in_range[:_MOST_NUMBERS]:
        value, word = reader.value(at), meaning.words[at]
        if reader.is_choice(at):
            named.add(value)
            sure = sure and at not in meaning.doubtful_words and not reader.denied(at)
        elif word.isdecimal() and reader.joined(at):
            beside.add(value)
    if not named:
        return None
    return Named(min(named), sure and len(named | beside) == 1)


class _Reader:
    def __init__(self, meaning: Meaning, numbers: PhraseBook) -> None:
        self._words = meaning.words
        self._numbers = numbers
        self._groups = meaning.groups
        self._definite, self._indefinite = numbers.single_words("definite"), numbers.single_words("indefinite")
        self._wanting, self._joining = numbers.single_words("wanting"), numbers.single_words("joining")
        self._being = numbers.single_words("being")
        self._only_word = sum(word not in SENTENCE_ENDS for word in meaning.words) == 1

    def value(self, at: int) -> int:
        word = self._words[at]
        if word.isdecimal():
            return int(word) if len(word) <= 2 else 0
        return self._numbers.numerals.get(word, 0)

    def is_choice(self, at: int) -> bool:
        before = self._before(at)
        if "not_choice_before" in before or (at and "not_choice_before" in self._before(at - 1)):
            return False
        if self._word(at - 1) == "第":
            return self._begins("ordinal_noun", at + 1) > 0
        if "marker" in before:
            return True
        if "numbering" in before:
            marker = at - 2 if self._word(at - 1) == "," else at - 1
            chosen = "choosing" in self._before(marker) or self._word(marker - 1) in self._wanting
            chosen = chosen or self._stands_free(marker)
            return chosen and self._ends_well(at + 1)
        if not self._words[at].isdecimal():
            return self._is_ordinal(at, before)
        if not self._ends_well(at + 1):
            return False
        return "choosing" in before or self._stands_free(at)

    def _is_ordinal(self, at: int, before: set[str]) -> bool:
        """ "the second one", "I choose two"; alone, a number word is a choice only when nothing else is said."""
        end = self._begins("ordinal_noun", at + 1)
        definite = self._word(at - 1) in self._definite
        chosen = "choosing" in before or (definite and "choosing" in self._before(at - 1))
        if self._word(at - 1) in self._indefinite or not self._ends_well(end or at + 1):
            return False
        chosen = chosen or (definite and self._stands_free(at - 1))
        return chosen or self._only_word or bool(end and (definite or self._stands_free(at)))

    def denied(self, at: int) -> bool:
        first, last = self._sentence(at)
        return any(group in {"not", "denial"} for group in self._groups[first:last])

    def joined(self, at: int) -> bool:
        return self._word(at - 1) in self._joining or self._word(at + 1) in self._joining

    def _sentence(self, at: int) -> tuple[int, int]:
        first = last = at
        while first > 0 and self._words[first - 1] not in {".", "?"}:
            first -= 1
        while last < len(self._words) and self._words[last] not in {".", "?"}:
            last += 1
        return first, last

    def _stands_free(self, at: int) -> bool:
        """Nothing before it in the sentence but a greeting, a yes or no, or a word such as "so"."""
        while at > 0 and self._words[at - 1] not in {".", "?"}:
            at -= 1
            if self._groups[at] not in _BEFORE and not self._begins("before_number", at):
                return False
        return True

    def _ends_well(self, at: int) -> bool:
        if at >= len(self._words) or self._groups[at] in _AFTER or self._begins("after_number", at):
            return True
        return self._words[at] in self._being and at + 1 < len(self._words) and self._groups[at + 1] in _AFTER - {"end"}

    def _word(self, at: int) -> str:
        return self._words[at] if 0 <= at < len(self._words) else ""

    def _before(self, at: int) -> set[str]:
        if self._word(at - 1) == ",":
            at -= 1
        starts = range(max(0, at - _LONGEST_LEAD), at)
        return {group for start in starts for group, end in self._numbers.all_at(self._words, start) if end == at}

    def _begins(self, group: str, at: int) -> int:
        """Where the phrase of this group that begins here ends, 0 when there is none."""
        return max((end for found, end in self._numbers.all_at(self._words, at) if found == group), default=0)
