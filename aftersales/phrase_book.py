"""Phrase lists (`phrases/<language>.yaml`) and how their phrases are found in the words of a reply.

A phrase is words with a space between them. `a|b` is either word, `a?` may be missing, `go_ahead|proceed` lets an
alternative be several words, `..` stands for up to three words. Words are compared after the language's rewrites
("don't" is "do not"). Chinese and Japanese need no spaces: every character is a word.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from aftersales.yamlfile import load_yaml

FOLDER = Path(__file__).with_name("phrases")
GAP = ".."
WORD_GROUPS = (
    *("own", "others", "opener", "not_in_a_gap", "currency", "answering_no", "then", "sign_off"),
    *("known_amount", "any_amount", "amount_of", "deducted", "definite", "indefinite", "wanting", "joining", "being"),
)
OPENING = frozenset({"question_opening", "polite_question"})
"""Groups whose phrases count only where a clause begins: "is it …" asks, "it is …" does not."""
ALONE = frozenset({"yes_alone", "no_alone"})
"""Groups whose phrases count only at the end of a clause: "I will." but not "I will call you"."""
_LONGEST_GAP = 3
SENTENCE_ENDS = frozenset({".", "?", ","})
"""The marks among the words of a text: "." and "?" end a sentence, "," a clause."""

_CASELESS = "\u2e80-\u2fff\u3005-\u3007\u3021-\u9fff\uf900-\ufaff"
CASELESS = re.compile(f"[{_CASELESS}]")
"""A character that is a word of its own: Chinese and Japanese."""
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
KANA = re.compile("[\u3041-\u30ff]")
_TOKEN = re.compile(
    r"(?P<number>(?:[$€£¥] ?)?\d+(?:[.,:/-]\d+)*(?: ?[%€$£¥°]|[^\W_" + _CASELESS + r"]*))"
    r"|(?P<word>[^\W_" + _CASELESS + r"]+(?:'[^\W_" + _CASELESS + r"]+)*)"
    r"|(?P<one>[" + _CASELESS + r"#\U0001f44c-\U0001f44e])"
    r"|(?P<end>[.!?;…。]+)"
    r"|(?P<line>\n\s*)"
    r"|(?P<pause>[,:、–—()\[\]]|(?<=\s)-+(?=\s)|(?<=\d)-)"
)


@dataclass(frozen=True, eq=False)
class Language:
    """One phrase file: phrases by group, profanity, and how the language's words are brought to one spelling."""

    rewrites: Mapping[str, tuple[str, ...]]
    endings: Mapping[str, str]
    beginnings: Mapping[str, str]
    misspelt: Mapping[str, tuple[str, ...]]
    """The words that are often misspelt, by what `_cut` leaves of them."""
    right: Set[str]
    """Words that are no slip."""
    characters: Mapping[int, str]
    numerals: Mapping[str, int]
    groups: Mapping[str, tuple[str, ...]]
    profanity: Mapping[str, Sequence[str]]


_Element = tuple[tuple[str, ...], ...]
"""One place of a phrase: the words that may stand there; an empty alternative may be left out."""


class _Phrase(NamedTuple):
    group: str
    rest: tuple[_Element, ...]
    """What is still to come of the phrase."""


class _Node:
    """Where one is in all the phrases that begin with the words so far."""

    __slots__ = ("gap", "groups", "next")

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.groups = groups
        self.next: dict[str, _Node] = {}
        self.gap: _Node | None = None


class _Phrases(NamedTuple):
    """What one language brings to a book."""

    root: _Node
    vocabulary: frozenset[str]
    """The words of its phrases, which are not taken for words of another language or for slips."""
    single: Mapping[str, frozenset[str]]


class PhraseBook:
    """The phrases of some languages for some groups, with the reading of a text into words that they need.

    Where two languages read the same words, the one named first counts.
    """

    def __init__(self, languages: Sequence[Language], groups: Sequence[str]) -> None:
        self._groups = tuple(groups)
        self._order = {group: -at for at, group in enumerate(groups)}
        phrases = [_phrases(language, self._groups) for language in languages]
        self._roots = [each.root for each in phrases]
        self._spelling = _Spelling(languages, [each.vocabulary for each in phrases])
        self._single = {
            group: frozenset(word for each in phrases for word in each.single[group]) for group in WORD_GROUPS
        }
        self.numerals = {word: number for language in languages for word, number in language.numerals.items()}
        self._no_gap = SENTENCE_ENDS | self.single_words("not_in_a_gap")

    def words(self, text: str) -> list[str]:
        """The words of cleaned text in lower case, rewritten; "." and "?" end a sentence, "," a part of one."""
        return self._spelling.words(text)

    def single_words(self, group: str) -> frozenset[str]:
        """The words of a group whose phrases are one word each."""
        return self._single.get(group, frozenset())

    def all_at(self, words: Sequence[str], at: int) -> Iterator[tuple[str, int]]:
        """The group and the end of every phrase that begins at `at`."""
        for root in self._roots:
            yield from self._walk(root, words, at)

    def find(
        self, words: Sequence[str], at: int, *, opens_clause: bool, without: Set[str] = frozenset()
    ) -> tuple[str, int] | None:
        """The group and the end of the longest phrase that begins at `at`; of two, the language and group named first.

        `opens_clause`: nothing that matters stands before it in its clause. `without`: groups not to look for.
        """
        best: tuple[int, int, int] | None = None
        found = None
        for rank, root in enumerate(self._roots):
            for group, end in self._walk(root, words, at):
                if group in ALONE and end < len(words) and words[end] not in SENTENCE_ENDS:
                    continue
                if group in without or (group in OPENING and not opens_clause):
                    continue
                if best is None or (end, -rank, self._order[group]) > best:
                    best, found = (end, -rank, self._order[group]), (group, end)
        return found

    def _walk(self, node: _Node, words: Sequence[str], at: int) -> Iterator[tuple[str, int]]:
        for group in node.groups:
            yield group, at
        if at < len(words) and (following := node.next.get(words[at])) is not None:
            yield from self._walk(following, words, at + 1)
        if node.gap is not None:
            for skipped in range(_LONGEST_GAP + 1):
                yield from self._walk(node.gap, words, at + skipped)
                if at + skipped >= len(words) or words[at + skipped] in self._no_gap:
                    break


class _Spelling:
    """How a text in some languages is read into words, the own language of the customer first."""

    def __init__(self, languages: Sequence[Language], vocabularies: Sequence[Set[str]]) -> None:
        self._languages = tuple(zip(languages, vocabularies, strict=True))

    def words(self, text: str) -> list[str]:
        for language, _ in self._languages:
            text = text.translate(language.characters)
        found: list[str] = []
        for match in _TOKEN.finditer(text):
            token = match.group().lower()
            kind = match.lastgroup
            if kind == "end":
                found.append("?" if "?" in token else ".")
            elif kind == "line":
                # A line that goes on in lower case is a sentence that the mail program wrapped.
                if token.count("\n") > 1 or not text[match.end() : match.end() + 1].islower():
                    found.append(".")
            elif kind == "pause":
                found.append(",")
            elif kind == "word":
                found.extend(self._rewritten(token))
            else:
                found.extend(self._looked_up(token) or (token.replace(" ", ""),))
        return found

    def _rewritten(self, token: str) -> tuple[str, ...]:
        known = self._looked_up(token)
        if known:
            return known
        for language, _ in self._languages:
            for ending, meaning in language.endings.items():
                if token.endswith(ending) and len(token) > len(ending):
                    return (*self._rewritten(token[: -len(ending)]), meaning)
            for beginning, meaning in language.beginnings.items():
                if token.startswith(beginning) and len(token) > len(beginning):
                    return (meaning, *self._rewritten(token[len(beginning) :]))
        for language, _ in self._languages:
            if token not in language.right and (meant := _meant(token, language.misspelt)) is not None:
                return (meant,)
        shorter = _LONG_RUN.sub(r"\1", token)
        return self._rewritten(shorter) if shorter != token else (token,)

    def _looked_up(self, token: str) -> tuple[str, ...] | None:
        for language, vocabulary in self._languages:
            if (rewritten := language.rewrites.get(token)) is not None:
                return rewritten
            if token in vocabulary:
                return (token,)
        return None


@cache
def _phrases(language: Language, groups: tuple[str, ...]) -> _Phrases:
    """The phrases of one language, shared by all books that hold it."""
    spelling = _Spelling([replace(language, misspelt={})], [frozenset()])
    phrases = frozenset(
        _Phrase(group, _elements(phrase, spelling)) for group in groups for phrase in language.groups.get(group, ())
    )
    single = {
        group: frozenset(word for phrase in language.groups.get(group, ()) for word in phrase.split("|"))
        for group in WORD_GROUPS
    }
    vocabulary = {word for phrase in phrases for element in phrase.rest for variant in element for word in variant}
    return _Phrases(_graph(phrases, {}), frozenset(vocabulary.union(language.numerals, *single.values())), single)


def _elements(phrase: str, spelling: _Spelling) -> tuple[_Element, ...]:
    elements = tuple(_element(written, spelling) for written in phrase.split())
    if all(() in element for element in elements):
        raise ValueError(f"the phrase {phrase!r} has no word that must be there")
    return elements


def _element(written: str, spelling: _Spelling) -> _Element:
    if written == GAP:
        return ((GAP,),)
    parts = written.removesuffix("?").split("|")
    variants = [tuple(sys.intern(word) for word in spelling.words(part.replace("_", " "))) for part in parts]
    return (*variants, ()) if written.endswith("?") else tuple(variants)


def _graph(phrases: frozenset[_Phrase], known: dict[frozenset[_Phrase], _Node]) -> _Node:
    """The node for these phrases, with all nodes behind it.

    Phrases that go on alike share their nodes: a tree of every spelling takes thirty times the memory.
    """
    if phrases in known:
        return known[phrases]
    waiting, seen = list(phrases), set(phrases)
    following: dict[str, set[_Phrase]] = {}
    groups = []
    while waiting:
        group, rest = waiting.pop()
        if not rest:
            groups.append(group)
            continue
        for variant in rest[0]:
            behind = _Phrase(group, ((variant[1:],), *rest[1:]) if len(variant) > 1 else rest[1:])
            if variant:
                following.setdefault(variant[0], set()).add(behind)
            elif behind not in seen:
                seen.add(behind)
                waiting.append(behind)
    node = known[phrases] = _Node(tuple(groups))
    nodes = {word: _graph(frozenset(behind), known) for word, behind in following.items()}
    node.gap = nodes.pop(GAP, None)
    node.next = nodes
    return node


_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}")


def languages_for(tag: str, text: str) -> tuple[str, ...]:
    """The phrase files to use for a text: the customer's language when there is one, English, and for Chinese
    characters Chinese, or Japanese where kana stand between them."""
    own = re.split("[-_]", tag.strip().lower())[0]
    written = "ja" if KANA.search(text) else "zh" if own != "ja" and HAN.search(text) else own
    return tuple(name for name in dict.fromkeys((own, "en", written)) if name in available())


@cache
def available() -> frozenset[str]:
    """The languages that have a phrase file, as ISO 639 codes."""
    return frozenset(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def book(languages: tuple[str, ...], groups: tuple[str, ...]) -> PhraseBook:
    """The phrase book of these languages and groups; an earlier group wins where both hold the same phrase."""
    return PhraseBook([load_language(name) for name in languages], groups)


@cache
def load_language(name: str) -> Language:
    """Read `phrases/<name>.yaml`."""
    data: dict[str, Any] = load_yaml(FOLDER / f"{name}.yaml").data
    often_misspelt = data.get("often_misspelt", ())
    misspelt: dict[str, tuple[str, ...]] = {}
    for word in often_misspelt:
        for cut in _cut(word):
            misspelt[cut] = (*misspelt.get(cut, ()), word)
    return Language(
        rewrites={word: tuple(str(meaning).split()) for word, meaning in data.get("rewrites", {}).items()},
        endings=dict(data.get("endings", {})),
        beginnings=dict(data.get("beginnings", {})),
        misspelt=misspelt,
        right=frozenset([*data.get("correctly_spelt", ()), *often_misspelt]),
        characters={ord(pair[0]): pair[1:] for pair in data.get("same_character", "").split()},
        numerals=dict(data.get("numerals", {})),
        groups={group: tuple(phrases) for group, phrases in data["phrases"].items()},
        profanity=data.get("profanity", {}),
    )


def _meant(token: str, misspelt: Mapping[str, tuple[str, ...]]) -> str | None:
    """The word that the token may be a slip of, None when there is none."""
    likely = [word for cut in _cut(token) for word in misspelt.get(cut, ()) if _is_slip(token, word)]
    return max(likely, default=None)


def _cut(word: str) -> set[str]:
    """The word, and the word with each of its letters left out: what two spellings one slip apart have in common."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _is_slip(token: str, word: str) -> bool:
    """Whether `token` is `word` with a letter left out, doubled or mixed in, mistyped, or two swapped."""
    at = next((at for at, (a, b) in enumerate(zip(token, word, strict=False)) if a != b), min(len(token), len(word)))
    typed, meant = token[at:], word[at:]
    if len(typed) < len(meant):
        return typed == meant[1:]
    if len(typed) > len(meant):
        return at > 0 and typed[1:] == meant
    return (at > 0 and typed[1:] == meant[1:]) or (typed[:2] == meant[1::-1] and typed[2:] == meant[2:])
