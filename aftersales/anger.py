"""Is a reply angry? Rule 6 of `spec/processes.md` (000): profanity, or one whole sentence in capitals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from aftersales.phrase_book import CASELESS, languages_for, load_language
from aftersales.reply_text import own_words, without_signature

MINIMUM_WORDS = 2
MINIMUM_LETTERS = 8


def is_angry(text: str, language: str) -> bool:
    """Whether the customer's own words (quotations left out) hold profanity or a whole sentence in capitals.

    `language`: the customer's tag ("en", "zh-CN"); English profanity always counts, Chinese whenever the text holds
    Chinese characters. Never raises.
    """
    own = own_words(text)
    return is_angry_in(own, languages_for(language, own))


def is_angry_in(own: str, languages: Sequence[str]) -> bool:
    """`is_angry` for text from `own_words`, with the phrase files (ISO 639 codes) whose profanity counts."""
    return shouts(own) or any(swears(own, language) for language in languages)


_SENTENCE_END = re.compile(
    r"[!?;…。！？；]+|\.+(?=[\s\"')\]]|$)"
    "|[\U0001f000-\U0001faff\u2600-\u27bf]+"
)
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|(?<!\S)[^\s@]{1,80}@\S+")


def shouts(own: str) -> bool:
    """Whether a whole sentence is in capitals: at least two words and eight cased letters, codes taken out.

    A sentence ends at `.` `!` `?` `…`, an emoji or a line; lines in capitals that follow one another are one sentence.
    One that holds letters of a script without case is in a language without case and does not count. A signature is no
    sentence.
    """
    words = letters = 0
    for line in _ADDRESS.sub(" ", without_signature(own)).split("\n"):
        at = 0
        for end in [*_SENTENCE_END.finditer(line), None]:
            capitals = _capitals(line[at : end.start() if end else len(line)])
            if capitals is None:
                words = letters = 0
            else:
                words, letters = words + capitals[0], letters + capitals[1]
                if words >= MINIMUM_WORDS and letters >= MINIMUM_LETTERS:
                    return True
            if end:
                words = letters = 0
                at = end.end()
    return False


_WORD = re.compile(r"[\w'/&-]+")
_CODE = re.compile(r"\d|_|\w\w-\w\w")


def _capitals(sentence: str) -> tuple[int, int] | None:
    """Words and cased letters of a sentence all in capitals, codes left out; None when it is not in capitals."""
    words = letters = 0
    for match in _WORD.finditer(sentence):
        token = match.group()
        # Order and tracking numbers hold digits, SKUs look like LAMP-RED.
        if _CODE.search(token):
            continue
        cased = 0
        for letter in token:
            if letter.isupper():
                cased += 1
            elif letter.isalpha() and letter != "ß":
                return None
        words += cased > 0
        letters += cased
    return words, letters


@dataclass(frozen=True)
class _Profanity:
    words: frozenset[str]
    beginnings: tuple[str, ...]
    inside: tuple[str, ...]
    masked: frozenset[str]
    phrases: re.Pattern[str]
    harmless: re.Pattern[str]
    whole: frozenset[str]
    characters: dict[int, str]


_NEVER = re.compile(r"(?!)")


@cache
def _profanity(language: str) -> _Profanity:
    read = load_language(language)
    data = read.profanity
    words = [str(word) for word in data.get("words", ())]
    return _Profanity(
        words=frozenset(word for word in words if "*" not in word),
        beginnings=tuple(word[:-1] for word in words if word.endswith("*") and not word.startswith("*")),
        inside=tuple(word.strip("*") for word in words if word.startswith("*")),
        masked=frozenset(data.get("masked", ())),
        phrases=_any_of(data.get("phrases", ())),
        harmless=_any_of(data.get("harmless", ())),
        whole=frozenset(data.get("whole", ())),
        characters=dict(read.characters),
    )


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    """One pattern for all phrases; a phrase of Latin letters stands between word boundaries."""
    if not phrases:
        return _NEVER
    ordered = sorted(phrases, key=len, reverse=True)
    parts = [re.escape(phrase) if CASELESS.search(phrase) else rf"\b{re.escape(phrase)}\b" for phrase in ordered]
    return re.compile("|".join(parts))


_TOKEN = re.compile(r"[^\s,;:()\"“”<>\[\]/]+")
_MASK = re.compile(r"[*#@$%&_-]")
_JOINER = re.compile(r"[.*_\-'’~^+]")
_LEET = str.maketrans("013457@$!|€", "oieastasiie")
_EDGES = ".,!?*_-'’…~^+#%&"
_LONG_RUN = re.compile(r"(\w)\1{2,}")
_LONGEST_WORD = 40
_SPELT_OUT = re.compile(r"(?<!\w)\w(?:[ .\-*]\w){3,12}(?!\w)")
_SPACE = re.compile(r"[^\S\n]+")


def swears(own: str, language: str) -> bool:
    """Whether the text holds profanity of this language, plain, inflected, or thinly disguised (`f*ck`, `sh1t`)."""
    lists = _profanity(language)
    text = _SPACE.sub(" ", own.lower()).translate(lists.characters)
    text = lists.harmless.sub(" ", text)
    if lists.phrases.search(text) or (lists.whole and any(part in lists.whole for part in _clauses(text))):
        return True
    if any(_listed(re.sub(r"\W", "", match.group()), lists) for match in _SPELT_OUT.finditer(text)):
        return True
    return any(_disguised(token, lists) for token in {match.group() for match in _TOKEN.finditer(text)})


def _clauses(text: str) -> Iterator[str]:
    return (part.strip("啊吧呀了你 ") for part in re.split(r"[\s,.!?，。！？…~]+", text))


def _disguised(token: str, lists: _Profanity) -> bool:
    if len(token) > _LONGEST_WORD:
        return any(word in token for word in lists.inside)
    bare = token.strip(_EDGES)
    if _listed(bare, lists) or _listed(bare.removesuffix("'s"), lists):
        return True
    if any(_listed(part, lists) for part in re.split(r"[\-.!?…'*_]+|(?<=[^\W\d_])[!?]+", bare) if part != bare):
        return True
    # A word of plain letters cannot be in disguise, and an all-digit one has nothing to hide.
    if bare.isalpha() and bare == token:
        return _collapsed(bare, lists)
    if not any(letter.isalpha() for letter in token):
        return False
    folded = bare.translate(_LEET)
    if folded[:1].isalpha() and (_listed(folded, lists) or _listed(_JOINER.sub("", folded), lists)):
        return not bare[:1].isdigit() or not bare[-1:].isdigit()
    return _collapsed(folded, lists) or _masked(token.rstrip(".,!?"), lists)


def _collapsed(word: str, lists: _Profanity) -> bool:
    return bool(_LONG_RUN.search(word)) and any(_listed(_LONG_RUN.sub(run, word), lists) for run in (r"\1", r"\1\1"))


def _listed(word: str, lists: _Profanity) -> bool:
    if not word:
        return False
    return word in lists.words or word.startswith(lists.beginnings) or any(part in word for part in lists.inside)


def _masked(token: str, lists: _Profanity) -> bool:
    """`f*ck`, `sh*t`, `b**ch`: letters replaced one for one, at least two left and the first among them."""
    masked = _MASK.sub("*", token)
    if masked in lists.masked:
        return True
    letters = len(masked) - masked.count("*")
    if "*" not in masked or letters < 2 or not masked[0].isalpha():
        return False
    pattern = re.compile("".join("[a-z]" if mark == "*" else re.escape(mark) for mark in masked))
    return any(pattern.fullmatch(word) for word in (*lists.words, *_stems(lists)))


def _stems(lists: _Profanity) -> Iterator[str]:
    for stem in (*lists.inside, *lists.beginnings):
        yield from (stem + ending for ending in ("", "s", "ing", "ed", "er", "ers", "y"))
