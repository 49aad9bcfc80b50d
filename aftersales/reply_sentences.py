"""The sentences of a reply as phrases: where a clause ends, what is asked, and what stands under a condition."""

from __future__ import annotations

import itertools
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from aftersales.phrase_book import SENTENCE_ENDS, PhraseBook

ASKED_BUT_MEANT = frozenset({"yes_asked", "refuse_asked"})
"""Groups of rhetorical questions: "why not?" agrees and "why should I pay?" refuses."""
ASKING = frozenset({"question", "question_opening", "polite_question", "question_anywhere", "request_behind"})
"""Groups of phrases that ask."""
_BEFORE_AN_OPENING = {"greeting", "closing", "contrast", "yes", "no"}
_NOT_SAID = {"accept", "yes", "demand", "keep", "refund", "reship", "send_back"}
_NOT_LEADING = {"polite", "greeting", "closing", "contrast"}
_LEADING_A_QUESTION = {"question", "question_opening", "polite_question"}
_CURRENCIES = set("$€£¥")
_AMOUNT_LOOKS_BACK = 4
_GREETED, _SIGNED = 3, 4
_ORDER_NUMBER_DIGITS = 4


@dataclass(slots=True)
class Item:
    """A phrase (its group), a word that no phrase holds ("word"), or the end of a clause ("end")."""

    group: str
    words: Sequence[str]
    start: int

    @property
    def first(self) -> str:
        """The first word, or the mark at the end of a clause."""
        return self.words[0]


@dataclass(slots=True)
class Sentence:
    """The items of one sentence, and which of them (by index) are questions or inside a condition."""

    items: list[Item]
    asks: bool = False
    void: set[int] = field(default_factory=set)


def read_sentences(
    words: Sequence[str], phrases: PhraseBook, *, askable: Set[str], without: Set[str] = frozenset()
) -> list[Sentence]:
    """The sentences of a reply, their phrases found, with what is asked or conditional marked as void.

    `askable`: groups of phrases that a polite question states: where a letter offered remedies, "could you send a new
    one?" is a wish. `without`: groups that mean nothing to this letter.
    """
    items = _items(words, phrases, without)
    _cover_names(items, phrases.single_words("sign_off"))
    _find_amounts(items, phrases)
    sentences = _sentences(items)
    for sentence in sentences:
        _find_questions(sentence, askable)
        _find_conditions(sentence, phrases.single_words("then"))
    return sentences


def _items(words: Sequence[str], phrases: PhraseBook, without: Set[str]) -> list[Item]:
    items: list[Item] = []
    openers = phrases.single_words("opener")
    opens_clause = True
    at = 0
    while at < len(words):
        if words[at] in SENTENCE_ENDS:
            items.append(Item("end", (words[at],), at))
            opens_clause = True
            at += 1
            continue
        found = phrases.find(words, at, opens_clause=opens_clause, without=without)
        opens_clause = opens_clause and (words[at] in openers or (found is not None and found[0] in _BEFORE_AN_OPENING))
        if found is not None:
            group, end = found
            items.append(Item("no" if group == "no_alone" else group, words[at:end], at))
            at = end
        else:
            word = words[at]
            order_number = word.isdecimal() and len(word) >= _ORDER_NUMBER_DIGITS
            items.append(Item("polite" if order_number else "word", (word,), at))
            at += 1
    return items


def _cover_names(items: list[Item], sign_off: Set[str]) -> None:
    """Take names after a greeting ("Hi Anna,") and under a closing ("Thanks,", "Jo Smith", "LG Eva") as understood."""
    at_start = True
    for index, item in enumerate(items):
        if at_start and item.group == "greeting":
            following = items[index + 1 : index + 1 + _GREETED]
            for name in following:
                if name.group == "word":
                    name.group = "greeting"
                if name.group not in {"polite", "greeting"}:
                    break
        at_start = item.group == "end"
    words_behind = 0
    for index in range(len(items) - 1, -1, -1):
        words_behind += items[index].group == "word"
        if words_behind > _SIGNED:
            return
        if items[index].group != "closing":
            continue
        if items[index].words[-1] in sign_off or any(item.group == "end" for item in items[index + 1 : index + 3]):
            for item in items[index:]:
                if item.group == "word":
                    item.group = "polite"
            return


def _find_amounts(items: list[Item], phrases: PhraseBook) -> None:
    """Mark amounts ("$24", "24 dollars", "15 %"); the letter's own ("the 15 %") say nothing new."""
    currency = phrases.single_words("currency")
    for index, item in enumerate(items):
        if not _is_amount(items, index, currency):
            continue
        named = items[index : index + 2] if _is_currency(items, index + 1, currency) else [item]
        before, end = items[max(0, index - _AMOUNT_LOOKS_BACK) : index], index + len(named)
        known = _is_definite(before, phrases) or _is_agreed(before, items[end : end + 2], phrases.single_words("being"))
        for part in named:
            part.group = "polite" if known else "amount"


def _is_amount(items: list[Item], at: int, currency: Set[str]) -> bool:
    word = items[at].first
    if word[:1] in _CURRENCIES:
        return True
    if not word[:1].isdigit():
        return False
    unit = word.lstrip("0123456789.,")
    beside = _is_currency(items, at - 1, currency) or _is_currency(items, at + 1, currency)
    return unit in currency or unit[-1:] in _CURRENCIES | {"%"} if unit else beside


def _is_currency(items: list[Item], at: int, currency: Set[str]) -> bool:
    return 0 <= at < len(items) and items[at].first in currency


def _is_definite(before: list[Item], phrases: PhraseBook) -> bool:
    """Whether these items end in "the", "your" or, with a little more in between, "the fee of"."""
    words = [word for item in before for word in item.words]
    known = phrases.single_words("known_amount")
    if phrases.single_words("amount_of").isdisjoint(words[-1:]):
        return not known.isdisjoint(words[-1:])
    articles = known | phrases.single_words("any_amount")
    return next((word for word in reversed(words) if word in articles), "") in known


def _is_agreed(before: list[Item], behind: list[Item], being: Set[str]) -> bool:
    """Whether what is said of an amount agrees to it, beside another yes: "ok, 24 dollars is fine"."""
    sentence = itertools.takewhile(lambda item: item.first not in {".", "?"}, reversed(before))
    said = behind[1:] if behind and behind[0].first in being else behind
    return any(item.group == "yes" for item in sentence) and bool(said) and said[0].group in {"yes", "accept"}


def _sentences(items: list[Item]) -> list[Sentence]:
    sentences: list[Sentence] = []
    current: list[Item] = []
    for index, item in enumerate(items):
        current.append(item)
        # "I agree. But only if …" is one thought.
        goes_on = index + 1 < len(items) and items[index + 1].group == "contrast"
        if item.group == "end" and item.first != "," and not (goes_on and item.first == "."):
            sentences.append(Sentence(current))
            current = []
    if current:
        sentences.append(Sentence(current))
    return sentences


def _find_questions(sentence: Sentence, askable: Set[str]) -> None:
    items = sentence.items
    asking = False
    any_asking = False
    requested = False
    wondering = any(item.group in ASKING and not _is_request(item) and item.first not in _ASKING_END for item in items)
    clause: list[int] = []
    led_by: Item | None = None
    for index, item in enumerate([*items, Item("end", (".",), 0)]):
        if item.group != "end":
            clause.append(index)
            if led_by is None and item.group not in _NOT_LEADING:
                led_by = item
            continue
        asked_here = any(items[at].group == "question_anywhere" for at in clause)
        behind = next((items[at] for at in clause if items[at].group == "request_behind"), None)
        if led_by is not None and (led_by.group in _LEADING_A_QUESTION or asked_here or behind):
            said = {items[at].group for at in clause} & _NOT_SAID
            if said & askable == said and askable and _is_request(behind or led_by) and not wondering:
                requested = True
            else:
                asking = any_asking = True
        elif asked_here:
            asking = any_asking = True
        # "I have to check what you accept": what comes behind the question word is asked, not said.
        asked_from = next((at for at in clause if items[at].group == "question"), len(items))
        sentence.void.update(at for at in clause if at > asked_from and items[at].group in _NOT_SAID)
        if asking:
            sentence.void.update(at for at in clause if items[at].group not in ASKED_BUT_MEANT)
        clause, led_by = [], None
    proceeding = any(item.group == "proceeding" for item in items)
    if items[-1].first == "?" and not any_asking and not requested and not proceeding:
        any_asking = not any(item.group in ASKED_BUT_MEANT for item in items)
        sentence.void.update(at for at, item in enumerate(items) if item.group not in ASKED_BUT_MEANT)
    sentence.asks = any_asking


_ASKING_END = {"吗", "嘛", "么"}
_REQUESTING_HAN = {"能", "可", "麻", "请"}


def _is_request(item: Item) -> bool:
    if item.group in {"request", "polite_question", "request_behind"}:
        return True
    return item.group in ASKING and item.first in _REQUESTING_HAN


def _find_conditions(sentence: Sentence, then: Set[str]) -> None:
    inside = False
    reason = False
    for index, item in enumerate(sentence.items):
        if item.group == "end" or (len(item.words) == 1 and item.first in then):
            inside = reason = False
        elif item.group == "contrast":
            reason = False
        elif item.group == "condition":
            inside = True
        elif item.group == "because" and index and sentence.items[index - 1].group != "end":
            reason = True
        if reason:
            item.group = "because"
        if inside:
            sentence.void.add(index)
