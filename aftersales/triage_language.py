"""In which language a message is written: by its script, and by the words that are only of one language. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from aftersales.phrase_book import HAN, KANA

_SCRIPTS = (
    ("ja", KANA),
    ("zh", HAN),
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("uk", re.compile("[іїєґІЇЄҐ]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
_LETTERS = (
    ("de", re.compile("[ßẞ]")),
    ("es", re.compile("[ñÑ¿¡]")),
    ("pt", re.compile("[ãõÃÕ]")),
    ("pl", re.compile("[łąęńśźżŁ]")),
)
_LEAST_SHARE = 0.2
"""From what share of letters a script other than Latin decides; a Chinese name in an English message does not."""


def language_of(text: str, words: str, known: Mapping[str, str]) -> str:
    """The ISO 639-1 code of a message, empty where nothing tells it.

    `words` is the message as `plain` leaves it, `known` the language of each word that is of one language only.
    """
    letters = sum(map(str.isalpha, text))
    for language, script in _SCRIPTS:
        if len(script.findall(text)) > (0 if language in {"ja", "uk"} else _LEAST_SHARE * letters):
            if language == "ja" and len(KANA.findall(text)) + len(HAN.findall(text)) < _LEAST_SHARE * letters:
                continue
            return language
    votes = Counter(known[word] for word in words.split() if word in known)
    for language, letter in _LETTERS:
        if letter.search(text):
            votes[language] += 2
    best = votes.most_common(2)
    if not best or (len(best) > 1 and best[0][1] == best[1][1]):
        return ""
    return best[0][0]
