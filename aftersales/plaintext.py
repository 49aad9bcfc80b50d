"""Plain text made safe for a subject or a line, and wrapped by its width on screen."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_INVISIBLE = {"Cc", "Zl", "Zp"}
# Marks that turn the direction of everything after them; a right-to-left name needs none of them.
_DIRECTION = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])

_NOT_FIRST = frozenset("，。、；：？！）】》」』”’…—％%,.;:?!)]}")
_NOT_LAST = frozenset("（【《「『“‘([{")


def one_line(text: str) -> str:
    """The text as one line: control characters and breaks become spaces, which are joined."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept = text.translate(_DIRECTION)
    kept = "".join(_visible(char) for char in kept)
    return _SPACES.sub(" ", kept).strip()


def wrap(text: str, width: int = 72, indent: str = "") -> list[str]:
    """Lines of at most `width` columns (a Chinese character takes two), each but the first behind `indent`.

    Breaks at spaces and between wide characters, never inside a word, a number or a URL, and never so that a
    line begins with closing punctuation or ends with an opening bracket.
    """
    lines: list[str] = []
    line, used = "", 0
    for piece in _pieces(text):
        size = _width(piece.rstrip())
        if line and used + size > width:
            lines.append(line.rstrip())
            line, used = indent, len(indent)
        line += piece
        used += _width(piece)
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """The parts that a line may be broken between; their concatenation is the text."""
    pieces: list[str] = []
    start = 0
    for at in range(1, len(text)):
        before, after = text[at - 1], text[at]
        at_space = before == " " and after != " "
        at_wide = (
            before != " "
            and after != " "
            and (_is_wide(before) or _is_wide(after))
            and after not in _NOT_FIRST
            and before not in _NOT_LAST
        )
        if at_space or at_wide:
            pieces.append(text[start:at])
            start = at
    return [*pieces, text[start:]] if text else []


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in _INVISIBLE:
        return " "
    return "\N{REPLACEMENT CHARACTER}" if category == "Cs" else char


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(2 if _is_wide(char) else 1 for char in text)
