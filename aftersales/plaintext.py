"""Plain text made safe for a subject or a line, and wrapped by its width on screen."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_NO_BREAK = "\xa0\u202f"
_BREAKABLE = rf"[^\S{_NO_BREAK}]"
_BREAKABLE_SPACES = re.compile(f"{_BREAKABLE}+")
# Where French has a space that no line may break at: a narrow one, before a colon a full one.
_FRENCH_NARROW = re.compile(r" (?=[;!?»])|(?<=«) ")
_FRENCH_FULL = re.compile(r" (?=:)")
_INVISIBLE = {"Cc", "Zl", "Zp"}
# Marks that turn the direction of everything after them; a right-to-left name needs none of them.
_DIRECTION = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])

_WIDE = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f"
    "\uff00-\uff60\uffe0-\uffe6\U0001f300-\U0001faff\U00020000-\U0003fffd"
)
_WIDE_CHARACTER = re.compile(f"[{_WIDE}]")
# Small kana and the marks of a long or repeated sound belong to what they follow.
_KANA = "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶーゝゞヽヾ々"
_CLOSING = rf"，。、；：？！）】》」』〉〕・〜～”’»…—％%,.;:?!)\]}}{_KANA}{_NO_BREAK}"
_OPENING = rf"（【《「『〈〔“‘„«￥(\[{{{_NO_BREAK}"
# What stays together: opening marks, a wide character or a word, closing marks, the spaces behind.
_PIECE = re.compile(
    rf"[{_OPENING}]*(?:[{_WIDE}]|(?:[^\s{_WIDE}]|[{_NO_BREAK}])+)[{_CLOSING}]*{_BREAKABLE}*|{_BREAKABLE}+"
)


def one_line(text: str) -> str:
    """The text as one line: control characters and breaks become spaces, which are joined."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept = text.translate(_DIRECTION)
    kept = "".join(_visible(char) for char in kept)
    return _SPACES.sub(" ", kept).strip()


def joined(text: str) -> str:
    """The text with its breaks and runs of spaces each as one space; no-break spaces stay what they are."""
    return _BREAKABLE_SPACES.sub(" ", text).strip()


def typeset(text: str, language: str) -> str:
    """A text of ours with the no-break spaces that its language has and keyboards lack: those of French marks."""
    if language.partition("-")[0] != "fr":
        return text
    return _FRENCH_FULL.sub("\xa0", _FRENCH_NARROW.sub("\u202f", text))


def wrap(text: str, width: int = 72, indent: str = "") -> list[str]:
    """Lines of at most `width` columns (a Chinese or Japanese character takes two), each but the first behind `indent`.

    Breaks at ordinary spaces and between wide characters, never inside a word, a number or a URL, and never so that
    a line begins with closing punctuation or ends with an opening bracket.
    """
    lines: list[str] = []
    line, used = "", 0
    for piece in _PIECE.findall(text):
        size = _width(piece.rstrip())
        if line and used + size > width:
            lines.append(line.rstrip())
            line, used = indent, len(indent)
        line += piece
        used += _width(piece)
    return [*lines, line.rstrip()] if line.strip() else lines


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in _INVISIBLE:
        return " "
    return "\N{REPLACEMENT CHARACTER}" if category == "Cs" else char


def _width(text: str) -> int:
    return len(text) if text.isascii() else len(text) + len(_WIDE_CHARACTER.findall(text))
