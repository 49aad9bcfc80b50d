"""What the words of a reply stand for: the phrases found, with negation, conditions and doubts taken into account."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from aftersales.phrase_book import PhraseBook
from aftersales.reply_sentences import ASKED_BUT_MEANT, ASKING, Item, Sentence, read_sentences

REASON_GROUPS = (
    *("changed_mind", "no_longer_needed", "bought_by_other", "found_cheaper", "too_late", "size", "defective"),
    *("damaged", "not_as_described", "wrong_item", "missing_part"),
)
"""The groups of phrases that give a reason of a return, named as its code."""
FUNCTION_GROUPS = (
    *("wait", "replace", "cancel", "other_address"),
    *REASON_GROUPS,
    "help",
    *("unsolved", "solved"),
    *("together", "apart"),
    *("undecided", "other", "condition_meant_politely", "yes_asked", "refuse_asked", "accept", "refuse", "demand"),
    *(
        "keep",
        "send_back",
        "unwanted",
        "refund",
        "reship",
        "loss",
        "other_carrier",
        "yes",
        "yes_alone",
        "no",
        "no_alone",
    ),
    *("only_denied", "denial", "not"),
    *("condition", "reserve", "hedge", "contrast", "because", "objection", "complaint", "proceeding", "question"),
    *("polite_question", "question_opening", "request_behind", "request", "question_anywhere"),
    *("greeting", "closing", "polite"),
)
"""The groups of phrases that are read, the one that counts first where two hold the same phrase."""
_SIGNS = {"accept", "refuse", "demand", "keep", "send_back", "unwanted", "refund", "reship", "loss", "other_carrier"}
_SIGNS |= {"yes", "yes_alone", "no", "objection", "help", *REASON_GROUPS} | ASKED_BUT_MEANT
_WISHES = {"demand", "send_back", "unwanted", "refund", "reship", "loss", "other_carrier"}
_WISHES |= {"wait", "replace", "cancel", "other_address", "together", "apart"}
_SIGNS |= {"wait", "replace", "cancel", "other_address", "solved", "unsolved", "together", "apart"}
_TAKING = {"accept", "keep"}
_BARE_YES = ("yes", "yes_alone")
_DENIABLE = _SIGNS - ASKED_BUT_MEANT - {"no"} | {"only_denied"}
_DENIED_FROM_AFAR = {"accept", "yes", "keep", "only_denied"}
_SWALLOWED_BY_A_REFUSAL = _DENIED_FROM_AFAR | {"yes_alone"}
_OF_THE_SPEAKER = {"accept", "refuse", "yes", "yes_alone", "keep", "only_denied", "demand"}
_NO_NUMBER_BESIDE = {"condition", "hedge", "reserve", "undecided", "contrast"}
_NEGATION_REACHES = 6
_REFUSAL_REACHES = 5


@dataclass(slots=True)
class Sign:
    """A phrase that says something about the choice. `denied`: it was negated ("I do not accept")."""

    group: str
    denied: bool = False


@dataclass
class Meaning:
    """What `read_meaning` found.

    `covered`: there is no word, question or condition that was not understood. `doubt`: a phrase counts for nothing
    because of a hedge, a "not" or another amount beside it. `conceded`: an acceptance was taken back in part ("but").
    `torn`: a bare yes is followed by an objection. `amounts`: one is named that need not be the letter's. `undecided`:
    the customer says so. `groups`: the group of every word. `doubtful_words`: those in a sentence in which a number
    chooses nothing.
    """

    words: Sequence[str]
    groups: list[str]
    signs: list[Sign] = field(default_factory=list)
    covered: bool = True
    doubt: bool = False
    conceded: bool = False
    torn: bool = False
    amounts: bool = False
    undecided: bool = False
    doubtful_words: set[int] = field(default_factory=set)

    def has(self, *groups: str, denied: bool = False) -> bool:
        """Whether a phrase of one of these groups counts."""
        return any(sign.group in groups and sign.denied == denied for sign in self.signs)


def read_meaning(
    words: Sequence[str], phrases: PhraseBook, *, askable: Set[str], without: Set[str] = frozenset()
) -> Meaning:
    """What a reply says about the choice; `askable` and `without` as for `read_sentences`."""
    sentences = read_sentences(words, phrases, askable=askable, without=without)
    items = [item for sentence in sentences for item in sentence.items]
    meaning = Meaning(words, [item.group for item in items for _ in item.words])
    conditional = any(item.group == "condition" for item in items)
    for sentence in sentences:
        _Reading(sentence, meaning, phrases, conditional).read()
    return meaning


class _Reading:
    """One sentence read from left to right, with what still works on the words to come."""

    def __init__(self, sentence: Sentence, meaning: Meaning, phrases: PhraseBook, conditional: bool) -> None:
        self.items = sentence.items
        self.sentence = sentence
        self.meaning = meaning
        self.own, self.others = phrases.single_words("own"), phrases.single_words("others")
        self.answering_no = phrases.single_words("answering_no")
        self.groups = {item.group for item in self.items}
        self.no_taking = conditional or bool(self.groups & {"reserve", "hedge"})
        self.no_wishing = bool(self.groups & {"condition", "hedge"})
        amounts = (at for at, item in enumerate(self.items) if item.group == "amount")
        self.first_amount = next(amounts, len(self.items))
        self.accepted: list[Sign] = []
        self.negation: tuple[str, int] | None = None
        self.negation_reaches = self.refusal_reaches = 0
        self.negation_answers = False
        self.other_speaks = self.unknown_speaks = self.own_speaks = False
        self.clauses = _clauses(self.items, phrases.single_words("deducted"))

    def read(self) -> None:
        for index, item in enumerate(self.items):
            group = item.group
            if group == "no" and not self._stands_alone(index):
                group = "not"
            if group == "end":
                self._end(index)
            elif group in {"not", "denial"}:
                # Two negations may cancel out; a person reads that.
                self.meaning.doubt = self.meaning.doubt or self.negation is not None
                self.negation, self.negation_reaches = (group, index), _NEGATION_REACHES
                self.negation_answers = False
            elif group == "contrast":
                self._contrast(index)
            elif group in _SIGNS or group == "only_denied":
                if group != "yes" or self._group(index + 1) not in {"not", "denial"}:
                    self._sign(group, index)
            else:
                self._other(item)
            self.unknown_speaks |= group == "word" and item.first.isascii() and item.first.isalpha()
            self.own_speaks |= not self.own.isdisjoint(item.words)
        self._leave_negation()
        self.meaning.covered = self.meaning.covered and not self.sentence.asks
        if self.sentence.asks or self.groups & _NO_NUMBER_BESIDE:
            self.meaning.doubtful_words.update(range(self.items[0].start, self.items[-1].start + 1))

    def _end(self, index: int) -> None:
        self.refusal_reaches = 0
        self.other_speaks = self.unknown_speaks = self.own_speaks = False
        if self.negation is not None and self.negation[1] == index - 1 and index not in self.sentence.void:
            # "I will not." answers, unless it goes on: "I will not, ever, accept".
            self.negation_answers = True
        if self.items[index].first != ",":
            self._leave_negation()

    def _contrast(self, index: int) -> None:
        self._leave_negation()
        self.refusal_reaches = 0
        self.other_speaks = self.unknown_speaks = self.own_speaks = False
        self.meaning.covered = self.meaning.covered and not self.meaning.has(*_BARE_YES)
        if self.accepted and not _only_courtesy(self.items[index + 1 :]):
            self._withdraw()

    def _sign(self, group: str, index: int) -> None:
        if index in self.sentence.void or self._another_speaks(group):
            self.meaning.covered = False
        elif self.refusal_reaches and group in _SWALLOWED_BY_A_REFUSAL:
            return
        elif group in _DENIABLE and self._is_denied(group, index):
            self._deny(group)
        elif group == "only_denied":
            self.meaning.covered = False
        elif group in _TAKING and self.no_taking:
            self.meaning.covered = False
            self.meaning.conceded = True
        elif (
            (group in _WISHES and self.no_wishing)
            or (group == "refuse" and "hedge" in self.groups)
            or (group in _TAKING and self._is_taken_back(index))
        ):
            self.meaning.doubt = True
        else:
            self.meaning.torn = self.meaning.torn or (group == "objection" and self.meaning.has(*_BARE_YES))
            sign = Sign(group)
            self.meaning.signs.append(sign)
            if group == "accept":
                self.accepted.append(sign)
            if group in {"refuse", "refuse_asked"}:
                self.refusal_reaches = _REFUSAL_REACHES

    def _another_speaks(self, group: str) -> bool:
        """Whether somebody else is said to: "you accept returns", "my accountant approved"."""
        return (self.other_speaks and group in _OF_THE_SPEAKER) or (
            group in _TAKING and self.unknown_speaks and not self.own_speaks
        )

    def _is_taken_back(self, index: int) -> bool:
        """Whether the clause bargains or objects: "50 % and we have a deal", "it is unfair that I pay"."""
        clause = self.clauses[index]
        return clause.objects or index > self.first_amount or index < clause.last_amount

    def _is_denied(self, group: str, index: int) -> bool:
        if self.negation is None:
            return False
        return group in _DENIED_FROM_AFAR or all(item.group != "end" for item in self.items[self.negation[1] : index])

    def _deny(self, group: str) -> None:
        self.negation = None
        self.negation_answers = False
        if group == "objection":
            return
        self.refusal_reaches = _REFUSAL_REACHES
        if group in {"refuse", "yes", "yes_alone"}:
            self.meaning.doubt = True
        else:
            self.meaning.signs.append(Sign("accept" if group == "only_denied" else group, denied=True))

    def _other(self, item: Item) -> None:
        group = item.group
        if group == "undecided":
            self.meaning.undecided = True
        if group in {"word", "condition", "reserve", "hedge"} | ASKING:
            self.meaning.covered = False
        elif group == "amount":
            self.meaning.amounts = True
        if self.negation is not None:
            self.negation_reaches -= len(item.words)
            new_subject = self.negation[0] != "denial" and group == "polite" and item.first in self.own
            if self.negation_reaches <= 0 or new_subject:
                self._leave_negation()
        self.refusal_reaches = max(0, self.refusal_reaches - len(item.words))
        if group in {"polite", "word"}:
            for word in item.words:
                self.other_speaks = word in self.others or (self.other_speaks and word not in self.own)
            if item.first == "thank" or item.words[-1] == "please":
                self.other_speaks = False

    def _stands_alone(self, index: int) -> bool:
        """Whether a "no" answers ("No.", "No I want …") and does not deny the word behind it ("no accident")."""
        if self._group(index + 1) in {"end", "closing", "no", "refuse", "demand", "contrast"}:
            return True
        if self.items[index].first in self.answering_no:
            return True
        return self.items[index + 1].first in self.own | {"please", "sorry"}

    def _group(self, index: int) -> str:
        return self.items[index].group if index < len(self.items) else "end"

    def _leave_negation(self) -> None:
        """A negation that found nothing to deny says "not" to something that was not understood."""
        if self.negation is not None and self.negation_answers:
            self.meaning.signs.append(Sign("no"))
        elif self.negation is not None:
            self.meaning.covered = False
            self._withdraw()
        self.negation = None
        self.negation_answers = False

    def _withdraw(self) -> None:
        taken = {id(sign) for sign in self.accepted}
        if taken:
            self.meaning.signs = [sign for sign in self.meaning.signs if id(sign) not in taken]
            self.meaning.doubt = self.meaning.conceded = True
            self.accepted.clear()


@dataclass(slots=True)
class _Clause:
    """What a clause holds beside a phrase: an objection, and where its last amount stands (one to deduct is none)."""

    objects: bool = False
    last_amount: int = -1


def _clauses(items: list[Item], deducted: Set[str]) -> list[_Clause]:
    """The clause of every item."""
    clauses = []
    clause = _Clause()
    for index, item in enumerate(items):
        clauses.append(clause)
        if item.group in {"end", "contrast"}:
            clause = _Clause()
        elif item.group == "objection":
            clause.objects = True
        elif item.group == "amount" and (not index or items[index - 1].words[-1] not in deducted):
            clause.last_amount = index
    return clauses


def _only_courtesy(items: list[Item]) -> bool:
    return all(
        item.group in {"end", "polite", "objection", "complaint", "closing", "greeting", "other"} for item in items
    )
