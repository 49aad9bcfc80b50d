"""Phrase lists (`phrases/<language>.yaml`) and how their phrases are found in the words of a reply.

A phrase is words with a space between them. `a|b` is either word, `a?` may be missing, `go_ahead|proceed` lets an
alternative be several words, `..` stands for up to three words. Words are compared after the language's rewrites
("don't" is "do not"). Chinese needs no spaces: every character is a word.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from aftersales.yamlfile import load_yaml

FOLDER = Path(__file__).with_name("phrases")
GAP = ".."
WORD_GROUPS = ("own", "others", "opener", "not_in_a_gap", "currency")
OPENING = "question_opening"
"""The group whose phrases count only where a clause begins: "is it …" asks, "it is …" does not."""
ALONE = "yes_alone"
"""The group whose phrases count only at the end of a clause: "I will." but not "I will call you"."""
_LONGEST_GAP = 3
SENTENCE_ENDS = frozenset({".", "?", ","})
"""The marks among the words of a text: "." and "?" end a sentence, "," a clause."""

_CASELESS = "\u2e80-\u9fff\uf900-\ufaff"
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_TOKEN = re.compile(
    r"(?P<number>(?:[$€£¥] ?)?\d+(?:[.,:/-]\d+)*(?: ?[%€$£¥°]|[^\W_" + _CASELESS + r"]*))"
    r"|(?P<word>[^\W_" + _CASELESS + r"]+(?:'[^\W_" + _CASELESS + r"]+)*)"
    r"|(?P<one>[" + _CASELESS + r"#\U0001f44c-\U0001f44e])"
    r"|(?P<end>[.!?;…。]+)"
    r"|(?P<line>\n\s*)"
    r"|(?P<pause>[,:、–—()\[\]]|(?<=\s)-+(?=\s)|(?<=\d)-)"
)


@dataclass(frozen=True)
class Language:
    """One phrase file: phrases by group, profanity, and how the language's words are brought to one spelling."""

    rewrites: Mapping[str, tuple[str, ...]]
    endings: Mapping[str, str]
    misspelt: Mapping[str, str]
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


class PhraseBook:
    """The phrases of some languages for some groups, with the reading of a text into words that they need."""

    def __init__(self, languages: Sequence[Language], groups: Sequence[str]) -> None:
        self._languages = tuple(languages)
        self._groups = tuple(groups)
        self._single: dict[str, frozenset[str]] = {}
        self.numerals: dict[str, int] = {}
        for language in languages:
            self.numerals |= language.numerals
            for group in WORD_GROUPS:
                words_of = {word for phrase in language.groups.get(group, ()) for word in phrase.split("|")}
                self._single[group] = self._single.get(group, frozenset()) | words_of
        self._no_gap = SENTENCE_ENDS | self.single_words("not_in_a_gap")
        phrases = [
            _Phrase(group, self._elements(phrase))
            for language in languages
            for group in groups
            for phrase in language.groups.get(group, ())
        ]
        self._root = _graph(frozenset(phrases), {})

    def words(self, text: str) -> list[str]:
        """The words of cleaned text in lower case, rewritten; "." and "?" end a sentence, "," a part of one."""
        for language in self._languages:
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

    def single_words(self, group: str) -> frozenset[str]:
        """The words of a group whose phrases are one word each."""
        return self._single.get(group, frozenset())

    def all_at(self, words: Sequence[str], at: int) -> Iterator[tuple[str, int]]:
        """The group and the end of every phrase that begins at `at`."""
        return self._walk(self._root, words, at)

    def find(
        self, words: Sequence[str], at: int, *, opens_clause: bool, without: Set[str] = frozenset()
    ) -> tuple[str, int] | None:
        """The group and the end of the longest phrase that begins at `at`; of two, the group named first wins.

        `opens_clause`: nothing that matters stands before it in its clause. `without`: groups not to look for.
        """
        best: tuple[int, int] | None = None
        for group, end in self._walk(self._root, words, at):
            if group == ALONE and end < len(words) and words[end] not in SENTENCE_ENDS:
                continue
            if group in without or (group == OPENING and not opens_clause):
                continue
            best = max(best or (0, 0), (end, -self._groups.index(group)))
        return None if best is None else (self._groups[-best[1]], best[0])

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

    def _elements(self, phrase: str) -> tuple[_Element, ...]:
        elements = tuple(self._element(written) for written in phrase.split())
        if all(() in element for element in elements):
            raise ValueError(f"the phrase {phrase!r} has no word that must be there")
        return elements

    def _element(self, written: str) -> _Element:
        if written == GAP:
            return ((GAP,),)
        parts = written.removesuffix("?").split("|")
        variants = [tuple(sys.intern(word) for word in self.words(part.replace("_", " "))) for part in parts]
        return (*variants, ()) if written.endswith("?") else tuple(variants)

    def _rewritten(self, token: str) -> tuple[str, ...]:
        known = self._looked_up(token)
        if known:
            return known
        for language in self._languages:
            for ending, meaning in language.endings.items():
                if token.endswith(ending) and len(token) > len(ending):
                    return (*self._rewritten(token[: -len(ending)]), meaning)
        for language in self._languages:
            if (meant := language.misspelt.get(token)) is not None:
                return (meant,)
        shorter = _LONG_RUN.sub(r"\1", token)
        return self._rewritten(shorter) if shorter != token else (token,)

    def _looked_up(self, token: str) -> tuple[str, ...] | None:
        return next((language.rewrites[token] for language in self._languages if token in language.rewrites), None)


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


def languages_for(tag: str, has_han: bool) -> tuple[str, ...]:
    """The phrase files to use: the customer's language when there is one, English, and Chinese for Han characters."""
    own = re.split("[-_]", tag.strip().lower())[0]
    return tuple(sorted({own, "en", *(["zh"] if has_han else [])} & available()))


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
    right = frozenset(data.get("correctly_spelt", ()))
    return Language(
        rewrites={word: tuple(str(meaning).split()) for word, meaning in data.get("rewrites", {}).items()},
        endings=dict(data.get("endings", {})),
        misspelt={
            wrong: word
            for word in data.get("often_misspelt", ())
            for wrong in _misspellings(word)
            if wrong not in right
        },
        characters={ord(pair[0]): pair[1] for pair in data.get("same_character", "").split()},
        numerals=dict(data.get("numerals", {})),
        groups={group: tuple(phrases) for group, phrases in data["phrases"].items()},
        profanity=data.get("profanity", {}),
    )


def _misspellings(word: str) -> set[str]:
    """Every word one slip away: a letter left out, doubled or mixed in, mistyped, or two swapped."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    slips = {a + b[1:] for a, b in cuts if b}
    slips |= {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    slips |= {a + letter + b[1:] for a, b in cuts if a and b for letter in letters}
    slips |= {a + letter + b for a, b in cuts if a for letter in letters}
    return slips - {word}
