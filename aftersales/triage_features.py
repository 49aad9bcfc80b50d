"""What the embedded classifier sees of a message: words, parts of words, and the concepts that its words stand for.

Words are compared in lower case without accents; numbers, codes, amounts and addresses each become one word. Chinese
and Japanese characters are read one by one and in runs of up to four. Pure, about 0.2 ms for an ordinary message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set
from zlib import crc32

from aftersales.phrase_book import CASELESS
from aftersales.reply_text import own_words, without_signature

BUCKETS = 1 << 17
"""How many features can be told apart; two that fall into one bucket share a weight."""
LONGEST = 1_500
"""Characters of a message that are looked at: what a customer wants stands at the beginning."""

Features = tuple[Sequence[int], ...]
"""Buckets of words, of words that follow one another, of parts of words, of concepts, and of two concepts together."""


def _folded(code: int) -> str:
    base = "".join(mark for mark in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(mark))
    return {"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o"}.get(base, base)


_FOLD = {code: _folded(code) for code in range(0xC0, 0x180)}
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|(?<!\S)[^\s@]{1,80}@\S+")
_AMOUNT = re.compile(
    r"[$€£¥￥]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:[$€£¥%]|(?:usd|eur|gbp|dollars?|euros?|pounds?|yen)\b|[元円块])"
)
_CODE = re.compile(r"#?\b(?=[a-z-]*\d)[a-z0-9]+(?:[-/][a-z0-9]+)*\b", re.ASCII)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[?!]")
_ELISION = re.compile(r"\b(qu|[cdjlmnst])'(?=\w)")
_LONG_CODE = 4


def plain(text: str) -> str:
    """The customer's own words, folded, one space between words, what is different in every message masked."""
    text = without_signature(own_words(text[: 4 * LONGEST]))[:LONGEST].lower().translate(_FOLD)
    text = _ELISION.sub(r"\1e ", text)
    text = _AMOUNT.sub(" xamount ", _ADDRESS.sub(" xaddress ", text))
    text = _CODE.sub(lambda code: " xcode " if sum(c.isdigit() for c in code[0]) >= _LONG_CODE else " xnumber ", text)
    return " ".join(_WORD.findall(text))


def concepts_in(text: str, terms: Mapping[str, Set[str]], longest: int) -> set[str]:
    """The concepts whose terms stand in text from `plain`; a term that ends in `*` is the beginning of a word."""
    found: set[str] = set()
    for start in range(len(text)):
        caseless = CASELESS.match(text, start)
        if not caseless and start and text[start - 1] != " ":
            continue
        for end in range(start + 1, min(start + longest, len(text)) + 1):
            part = text[start:end]
            if part in terms and (caseless or end == len(text) or text[end] == " "):
                found |= terms[part]
            if not caseless and f"{part}*" in terms:
                found |= terms[f"{part}*"]
    return found


def features(text: str, concepts: Set[str]) -> Features:
    """The buckets of text from `plain` in which these concepts were found."""
    words: set[str] = set()
    runs: set[str] = set()
    parts: set[str] = set()
    before = "^"
    for word in text.split():
        if CASELESS.search(word):
            words |= _cut(word, 2)
            runs |= _cut(word, 3)
            parts |= _cut(word, 1) | _cut(word, 4)
            before = "^"
        else:
            words.add(word)
            runs.add(f"{before} {word}")
            parts |= {part for size in (3, 4, 5) for part in _cut(f"<{word}>", size)}
            before = word
    ordered = sorted(concepts)
    together = {f"{one}&{other}" for at, one in enumerate(ordered) for other in ordered[at + 1 :]}
    return (
        _buckets("w", words),
        _buckets("r", runs),
        _buckets("p", parts),
        _buckets("c", concepts),
        _buckets("t", together),
    )


def _cut(word: str, size: int) -> set[str]:
    return {word[at : at + size] for at in range(len(word) - size + 1)}


def _buckets(kind: str, names: Set[str]) -> list[int]:
    return sorted({crc32(f"{kind}:{name}".encode()) % BUCKETS for name in names})
