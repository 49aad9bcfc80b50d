"""What a customer's reply means: which of the choices that the letter offered, and whether it is angry.

Pure and fast: phrase lists and a few rules about negation, questions and conditions, no model and no network. Whatever
is not plain is `unclear`, which an operator reads: a wrong acceptance costs the customer money, a wrong refusal the
shop. How the rules go together: docs/screening.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aftersales.anger import is_angry_in
from aftersales.choice_number import NUMBER_GROUPS, numbered_choice
from aftersales.phrase_book import book, languages_for
from aftersales.reply_meaning import FUNCTION_GROUPS, REASON_GROUPS, Meaning, read_meaning
from aftersales.reply_text import LONGEST, own_words, without_signature

UNCLEAR = "unclear"
_ACCEPTING = "accept"
_REFUSALS = {"insist", "decline"}
_KEEP_OFFER = "decline"
_WISHES = frozenset({"demand", "send_back", "unwanted", "refund", "reship"})
# Where the letter offers remedies, "I want a full refund" picks one and refuses nothing.
_NOT_WHEN_PICKING = {"accept", "refuse", "keep"} | _WISHES
# Compensation of a loss, help or the reason of a return means something only to the letter that offers or asks for it.
_ONLY_WHERE_OFFERED = {"wait", "replace", "cancel", "other_address", "other_carrier", "loss", "help", *REASON_GROUPS}
_ONLY_WHERE_OFFERED |= {"solved", "unsolved", "together", "apart"}
# "I send it back because it is too small" gives the reason behind the "because".
_NOT_IN_A_REASON = {"because", "only_denied", "complaint", "objection"}
_NAMED_BY = {
    "cancel": {"cancel", "refund"},
    "send_back": {"send_back", "unwanted"},
    "return": {"send_back", "unwanted"},
    "exchange": {"reship"},
    "loss": {"loss", "keep"},
    "compensation": {"loss"},
    "help": {"help", "keep"},
    "insist": {"demand", "send_back", "unwanted", "refund", "refuse"},
}


@dataclass(frozen=True)
class Screened:
    """`intent` is one of the letter's choice ids or "unclear"; `angry` by rule 6 of `spec/processes.md` (000)."""

    intent: str
    angry: bool


def screen(text: str, choice: str | int | None, options: Sequence[str], language: str) -> Screened:
    """Judge one reply to a letter.

    `choice`: the number (from 1) or id of a button; one that exists wins over the text. `options`: the choice ids of
    that letter in its order, empty when it offered none (the intent is then "unclear"). `language`: the customer's tag
    ("en", "zh-CN"); English is always read too, Chinese whenever the text holds Chinese characters. Never raises.
    """
    own = own_words(text)
    languages = languages_for(language, own)
    angry = is_angry_in(own, languages)
    chosen = _chosen(choice, options)
    if chosen is None and options and len(text) <= LONGEST and len(own) < LONGEST:
        chosen = _meant(without_signature(own), tuple(options), languages)
    return Screened(chosen or UNCLEAR, angry)


def _chosen(choice: str | int | None, options: Sequence[str]) -> str | None:
    if choice is None or isinstance(choice, bool):
        return None
    named = str(choice)[:100].strip().lower() if isinstance(choice, str) else str(choice if abs(choice) < 100 else "")
    for option in options:
        if option.lower() == named:
            return option
    number = int(named) if named.isdecimal() and len(named) <= 2 else 0
    return options[number - 1] if 1 <= number <= len(options) else None


def _meant(text: str, options: tuple[str, ...], languages: tuple[str, ...]) -> str | None:
    accepting = _ACCEPTING in options
    if accepting:
        keeping = _KEEP_OFFER in options
        left_out = _ONLY_WHERE_OFFERED | (set() if keeping else {"unwanted", "request"})
        askable = _WISHES if keeping else frozenset()
    else:
        askable = _WISHES | {"keep", "accept", "yes", "replace", "cancel", "other_address", "other_carrier", "loss"}
        offered = (_NAMED_BY.get(option, {option}) for option in options)
        left_out = (_NOT_WHEN_PICKING | _ONLY_WHERE_OFFERED).difference(*offered)
        left_out |= set() if set(REASON_GROUPS).isdisjoint(options) else _NOT_IN_A_REASON
    phrases = book(languages, FUNCTION_GROUPS)
    meaning = read_meaning(phrases.words(text), phrases, askable=askable, without=left_out)
    named = numbered_choice(meaning, book(languages, NUMBER_GROUPS), len(options))
    if set(options) == {"solved", "unsolved"}:
        answer = _helped(meaning)
    else:
        answer = _answer(meaning, options) if accepting else _pick(meaning, options)
    if named is None:
        return answer.option
    option = options[named.number - 1]
    if answer.option == option and answer.sure:
        return option
    return option if named.sure and not answer.sure and not meaning.conceded else None


@dataclass(frozen=True)
class _Answer:
    """What the words alone say. `sure`: said outright, so that a number saying something else makes it unclear."""

    option: str | None
    sure: bool = False


def _answer(meaning: Meaning, options: Sequence[str]) -> _Answer:
    """Whether the customer takes the offer: plain words count most, then a wish for something else, then a bare yes."""
    refusal = next((option for option in options if option in _REFUSALS), None)
    keeping = _KEEP_OFFER in options
    other_wish = meaning.has("demand") or (keeping and meaning.has("send_back", "unwanted", "refund", "reship"))
    refuses = meaning.has("refuse", "refuse_asked") or meaning.has("accept", denied=True)
    refuses = refuses or (keeping and meaning.has("keep", denied=True))
    accepts = meaning.has("accept") or (keeping and meaning.has("keep"))
    agrees = meaning.has("yes", "yes_alone", "yes_asked")
    says_no = meaning.has("no")
    understood = meaning.covered and not meaning.doubt
    if not keeping and meaning.has("refund", "reship"):
        understood = False
    if meaning.undecided:
        return _Answer(None)
    if not keeping and meaning.has("keep"):
        # Who keeps the goods takes back the wish to return them, which neither accepts terms nor insists.
        return _Answer(None, sure=True)
    if refuses:
        return _Answer(None if accepts or agrees or meaning.conceded else refusal, sure=True)
    if accepts:
        torn = says_no or meaning.doubt or (keeping and other_wish)
        return _Answer(None if torn else _ACCEPTING, sure=True)
    if other_wish:
        return _Answer(None if agrees or meaning.doubt or meaning.conceded else refusal)
    if not understood or meaning.torn:
        return _Answer(None)
    if agrees:
        return _Answer(None if says_no or meaning.amounts else _ACCEPTING)
    return _Answer(refusal if says_no or meaning.has("objection") else None)


def _helped(meaning: Meaning) -> _Answer:
    """Whether an answer helped. Who says it did and goes on may ask for something else, which must be read."""
    if meaning.undecided or meaning.doubt:
        return _Answer(None)
    if meaning.has("unsolved") or meaning.has("solved", denied=True):
        return _Answer("unsolved", sure=True)
    yes, no = meaning.has("solved", "yes", "yes_alone"), meaning.has("no")
    if yes == no or not meaning.covered:
        return _Answer(None)
    return _Answer("solved" if yes else "unsolved", sure=meaning.has("solved"))


def _pick(meaning: Meaning, options: Sequence[str]) -> _Answer:
    """Which of several remedies is named, when exactly one is."""
    wanted = [option for option in options if meaning.has(*_NAMED_BY.get(option, {option}))]
    if meaning.undecided or meaning.doubt or len(wanted) != 1:
        return _Answer(None, sure=len(wanted) > 1)
    return _Answer(wanted[0], sure=True)
