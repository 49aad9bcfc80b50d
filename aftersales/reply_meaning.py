"""What the words of a reply stand for: the phrases found, with negation, questions and conditions taken into account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aftersales.phrase_book import SENTENCE_ENDS, PhraseBook

FUNCTION_GROUPS = (
    "undecided", "other", "condition_meant_politely", "yes_asked", "refuse_asked", "accept", "refuse", "demand",
    "keep", "send_back", "refund", "reship", "yes", "yes_alone", "no", "only_denied", "denial", "not", "condition", "reserve",
    "hedge", "contrast", "because", "complaint", "question", "request", "question_anywhere", "greeting", "closing", "polite",
)  # fmt: skip
_SIGNS = {"accept", "refuse", "refuse_asked", "demand", "keep", "send_back", "refund", "reship", "yes", "yes_asked", "yes_alone", "no"}
_ASKED = {"yes_asked", "refuse_asked"}
_HEADS = {"accept", "yes", "keep", "only_denied"}
_DENIABLE = _SIGNS - _ASKED - {"no"} | {"only_denied"}
_COVERED = {"other", "condition_meant_politely", "complaint", "greeting", "closing", "polite", "because"}
_NEGATION_REACHES = 6
_REFUSAL_REACHES = 5
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
class Sign:
    """A phrase that says something about the choice. `denied`: it was negated ("I do not accept")."""

    group: str
    denied: bool = False


@dataclass(slots=True)
class Sentence:
    """The items of one sentence, and which of them (by index) are questions or inside a condition."""

    items: list[Item]
    asks: bool = False
    void: set[int] = field(default_factory=set)


@dataclass
class Meaning:
    """What `read_meaning` found. `covered`: there is no word, question or condition that was not understood."""

    words: Sequence[str]
    phrases: PhraseBook
    groups: list[str]
    signs: list[Sign] = field(default_factory=list)
    covered: bool = True
    doubt: bool = False
    undecided: bool = False
    doubtful_words: set[int] = field(default_factory=set)

    def has(self, *groups: str, denied: bool = False) -> bool:
        """Whether a phrase of one of these groups counts."""
        return any(sign.group in groups and sign.denied == denied for sign in self.signs)


def read_meaning(words: Sequence[str], phrases: PhraseBook, *, asking_allowed: bool) -> Meaning:
    """Find the phrases in the words of a reply.

    `asking_allowed`: "could you send a new one?" states a wish (where a letter offered remedies), not a question.
    """
    items = _items(words, phrases)
    _cover_names(items)
    meaning = Meaning(words, phrases, [item.group for item in items for _ in item.words])
    sentences = _sentences(items, phrases, asking_allowed)
    conditional = any(item.group == "condition" for item in items)
    for sentence in sentences:
        _read(sentence, meaning, conditional)
    return meaning


def _items(words: Sequence[str], phrases: PhraseBook) -> list[Item]:
    items: list[Item] = []
    at = 0
    while at < len(words):
        if words[at] in SENTENCE_ENDS:
            items.append(Item("end", (words[at],), at))
            at += 1
        elif (found := phrases.find(words, at)) is not None:
            group, end = found
            items.append(Item(group, words[at:end], at))
            at = end
        else:
            word = words[at]
            order_number = word.isdecimal() and len(word) >= _ORDER_NUMBER_DIGITS
            items.append(Item("polite" if order_number else "word", (word,), at))
            at += 1
    return items


def _cover_names(items: list[Item]) -> None:
    """Names after a greeting ("Hi Anna,") and under a closing ("Thanks,\\nJo Smith") are no words to understand."""
    at_start = True
    for index, item in enumerate(items):
        if at_start and item.group == "greeting":
            following = items[index + 1 : index + 1 + _GREETED]
            for name in following:
                if name.group == "word":
                    name.group = "polite"
                if name.group not in {"polite", "greeting"}:
                    break
        at_start = item.group == "end"
    words_behind = 0
    for index in range(len(items) - 1, -1, -1):
        words_behind += items[index].group == "word"
        if words_behind > _SIGNED:
            return
        if items[index].group == "closing" and any(item.group == "end" for item in items[index + 1 : index + 3]):
            for item in items[index:]:
                if item.group == "word":
                    item.group = "polite"
            return


def _sentences(items: list[Item], phrases: PhraseBook, asking_allowed: bool) -> list[Sentence]:
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
    for sentence in sentences:
        _find_questions(sentence, asking_allowed)
        _find_conditions(sentence)
    return sentences


def _find_questions(sentence: Sentence, asking_allowed: bool) -> None:
    items = sentence.items
    asking = False
    any_asking = False
    requested = False
    wondering = any(item.group in {"question", "question_anywhere"} and not _is_request(item) for item in items)
    clause: list[int] = []
    led_by: Item | None = None
    for index, item in enumerate([*items, Item("end", (".",), 0)]):
        if item.group != "end":
            clause.append(index)
            if led_by is None and item.group not in {"polite", "greeting", "closing", "contrast"}:
                led_by = item
            continue
        asked_here = any(items[at].group == "question_anywhere" for at in clause)
        if led_by is not None and (led_by.group == "question" or asked_here):
            if asking_allowed and _is_request(led_by) and not wondering:
                requested = True
            else:
                asking = any_asking = True
        elif asked_here:
            asking = any_asking = True
        if asking:
            sentence.void.update(at for at in clause if items[at].group not in _ASKED)
        clause, led_by = [], None
    if items[-1].first == "?" and not any_asking and not requested:
        any_asking = not any(item.group in _ASKED for item in items)
        sentence.void.update(at for at, item in enumerate(items) if item.group not in _ASKED)
    sentence.asks = any_asking


_REQUESTING = {"can", "could", "would", "will", "may", "能", "可", "麻", "请"}


def _is_request(item: Item) -> bool:
    return item.group == "request" or (item.group == "question" and item.first in _REQUESTING)


def _find_conditions(sentence: Sentence) -> None:
    inside = False
    reason = False
    for index, item in enumerate(sentence.items):
        if item.group == "end" or item.words == ("then",):
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


def _read(sentence: Sentence, meaning: Meaning, conditional: bool) -> None:
    items = sentence.items
    groups = {item.group for item in items}
    own, others = meaning.phrases.single_words("own"), meaning.phrases.single_words("others")
    blocked = bool(groups & {"condition", "hedge"})
    no_accepting = conditional or bool(groups & {"reserve", "hedge"})
    accepted: list[Sign] = []
    negation: Item | None = None
    left = refusal = 0
    other_speaks = False
    for index, item in enumerate(items):
        group = item.group
        if group == "end":
            refusal = 0
            other_speaks = False
            if negation is not None and negation is items[index - 1] and index not in sentence.void:
                meaning.signs.append(Sign("no"))
                negation = None
            elif item.first != ",":
                negation = _dangling(negation, meaning, accepted)
            continue
        if group == "undecided":
            meaning.undecided = True
        if group == "no" and not _stands_alone(items, index, own):
            group = "not"
        if group in {"not", "denial"}:
            if negation is not None and negation.group != "end":
                meaning.doubt = True
            negation, left = Item(group, item.words, item.start), _NEGATION_REACHES
            items[index] = negation
            continue
        if group == "yes" and index + 1 < len(items) and items[index + 1].group in {"not", "denial"}:
            continue
        if group == "contrast":
            negation = _dangling(negation, meaning, accepted)
            refusal = 0
            other_speaks = False
            meaning.covered = meaning.covered and not meaning.has("yes", "yes_alone")
            if accepted and not _only_courtesy(items[index + 1 :]):
                _withdraw(accepted, meaning)
            continue
        if group in _DENIABLE | _ASKED | {"no"}:
            taken_back = index in sentence.void or (other_speaks and group not in _ASKED)
            crosses = negation is not None and (group in _HEADS or not _ends_between(items, negation, index))
            if taken_back:
                meaning.covered = False
            elif refusal and group in _HEADS | {"yes_alone"}:
                pass
            elif crosses and group in _DENIABLE:
                _deny(group, meaning)
                negation = None
                refusal = _REFUSAL_REACHES
            elif group == "only_denied":
                meaning.covered = False
            elif group in {"accept", "keep"} and no_accepting:
                meaning.covered = False
            elif group in {"demand", "send_back", "refund", "reship"} and blocked:
                meaning.doubt = True
            elif group == "refuse" and "hedge" in groups:
                meaning.doubt = True
            elif group == "accept" and _followed_by_amount(items, index):
                meaning.doubt = True
            else:
                sign = Sign(group)
                meaning.signs.append(sign)
                if group == "accept":
                    accepted.append(sign)
                if group == "refuse":
                    refusal = _REFUSAL_REACHES
            continue
        if group in {"word", "condition", "reserve", "hedge", "question", "question_anywhere"}:
            meaning.covered = False
        if negation is not None:
            left -= len(item.words)
            new_subject = negation.group != "denial" and item.first in own and group == "polite"
            if left <= 0 or new_subject:
                negation = _dangling(negation, meaning, accepted)
        refusal = max(0, refusal - len(item.words))
        if group in {"polite", "word"}:
            for word in item.words:
                other_speaks = word in others or (other_speaks and word not in own)
            if item.words[:1] == ("thank",) or item.words[-1:] == ("please",):
                other_speaks = False
    _dangling(negation, meaning, accepted)
    meaning.covered = meaning.covered and not sentence.asks
    if sentence.asks or groups & {"condition", "hedge", "reserve", "undecided", "contrast"}:
        meaning.doubtful_words.update(range(items[0].start, items[-1].start + 1))


def _dangling(negation: Item | None, meaning: Meaning, accepted: list[Sign]) -> None:
    """A negation that found nothing to deny: the sentence says "not" to something that was not understood."""
    if negation is not None:
        meaning.covered = False
        _withdraw(accepted, meaning)


def _withdraw(accepted: list[Sign], meaning: Meaning) -> None:
    for sign in accepted:
        meaning.signs = [kept for kept in meaning.signs if kept is not sign]
        meaning.doubt = True
    accepted.clear()


def _deny(group: str, meaning: Meaning) -> None:
    if group in {"refuse", "yes", "yes_alone"}:
        meaning.doubt = True
    else:
        meaning.signs.append(Sign("accept" if group == "only_denied" else group, denied=True))


def _stands_alone(items: list[Item], index: int, own: frozenset[str]) -> bool:
    """"No." and "No I want …" refuse; the "no" of "no accident" only denies the word behind it."""
    if index + 1 >= len(items):
        return True
    after = items[index + 1]
    return after.group in {"end", "closing", "no", "refuse", "demand", "contrast"} or after.first in own | {"please", "sorry"}


def _only_courtesy(items: list[Item]) -> bool:
    return all(item.group in {"end", "polite", "complaint", "closing", "greeting", "other"} for item in items)


def _ends_between(items: list[Item], negation: Item, index: int) -> bool:
    for item in reversed(items[:index]):
        if item is negation:
            return False
        if item.group == "end":
            return True
    return True


def _followed_by_amount(items: list[Item], index: int) -> bool:
    after = items[index + 1].first if index + 1 < len(items) else ""
    return after[:1].isdigit() and not after.isdecimal() or after[:1] in set("$€£¥")
