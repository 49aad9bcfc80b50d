"""What a customer says about a parcel: that it is there, that it is not, thanks, or something else (§4).

Pure and fast, as the screening of choices; what is not plain is `unclear`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from aftersales.phrase_book import SENTENCE_ENDS, PhraseBook, languages_for, load_language
from aftersales.reply_text import LONGEST, own_words
from aftersales.yamlfile import load_yaml

TOPICS = ("received", "not_received", "thanks", "other")
"""What a message may be about; a question where the parcel is says `not_received`."""

_FILE = Path(__file__).with_name("parcel_phrases.yaml")
_KINDNESS = {"thanks", "greeting", "closing", "polite"}


def parcel_topic(text: str, language: str) -> str:
    """One of `TOPICS`, or "unclear". `language` is the customer's tag ("en", "zh-CN"). Never raises."""
    own = own_words(text)
    if len(text) > LONGEST:
        return "unclear"
    phrases = _book(languages_for(language, own))
    words = phrases.words(own)
    found, at = set(), 0
    while at < len(words):
        group, end = phrases.find(words, at, opens_clause=True) or ("", at + 1)
        found.add(group or ("" if words[at] in SENTENCE_ENDS else "word"))
        at = max(end, at + 1)
    for topic in ("not_received", "other"):
        if topic in found:
            return topic
    if "received" in found:
        return "received" if "?" not in words and "condition" not in found else "unclear"
    thanks = "thanks" in found or not {"thank", "thanks"}.isdisjoint(words)
    return "thanks" if thanks and found <= _KINDNESS | {""} else "unclear"


@cache
def _book(languages: tuple[str, ...]) -> PhraseBook:
    """The phrases about parcels in the spelling rules of the languages, with their words of courtesy."""
    topics = load_yaml(_FILE).data
    read = [
        replace(known, groups={**{group: known.groups.get(group, ()) for group in _KINDNESS}, **topics.get(name, {})})
        for name, known in ((name, load_language(name)) for name in languages)
    ]
    return PhraseBook(
        read, ("not_received", "other", "condition", "received", "thanks", "greeting", "closing", "polite")
    )
