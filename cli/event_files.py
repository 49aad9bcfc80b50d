"""Reading files of events piece by piece: JSON Lines, one array, or objects over several lines, however long.

A broken event does not stop the others; it is handed on as text, with what is wrong with it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from aftersales.records import Unreadable
from aftersales.strict_json import DECODER, DEEPEST, depth, explained

CHUNK = 256 * 1024
"""Bytes read at a time."""
LONGEST = 16 * 1024 * 1024
"""Characters of one event that are read before it is given up; what can be taken is far shorter."""
SHOWN = 64 * 1024
"""Characters that are kept of an event that was given up."""

_BETWEEN = re.compile(r"[\s,]*")
_TOKENS = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\],]')
_LINE_OPENS = re.compile(r"^[{\[]", re.MULTILINE)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_CUT = 12
"""An error so close to the end of the text may be due to the end: `\\u12`, `tru`, `-`."""


class Piece(NamedTuple):
    """One event of a file: the line on which it begins, its length in characters, and its JSON value."""

    line: int
    size: int
    raw: object | Unreadable


def read_pieces(stream: BinaryIO) -> Iterator[list[Piece]]:
    """The events of a stream of bytes, in lists as they arrive; a pipe's events come as soon as they are there."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
    splitter = Splitter()
    while data := (stream.read1(CHUNK) if hasattr(stream, "read1") else stream.read(CHUNK)):
        yield list(splitter.feed(decoder.decode(data)))
    yield list(splitter.feed(decoder.decode(b"", final=True), last=True))


class Splitter:
    """Takes text in parts of any length and gives out the events in it. Memory holds one event and one part."""

    def __init__(self) -> None:
        self._text = ""
        self._line, self._column = 1, 1
        self._in_array = False
        self._skipping = False

    def feed(self, text: str, *, last: bool = False) -> Iterator[Piece]:
        """The events that are whole now; with `last` no more text follows."""
        self._text += text
        if self._skipping:
            self._skip_line()
        while True:
            self._pass(_BETWEEN.match(self._text).end())  # type: ignore[union-attr] # it matches nothing too
            if not self._text:
                break
            if self._text[0] == ("]" if self._in_array else "["):
                self._in_array = not self._in_array
                self._pass(1)
                continue
            if not (piece := self._next(last)):
                break
            yield piece
        if last and self._in_array:
            reason = f"line {self._line}: the array has no end; was the file cut off?"
            yield Piece(self._line, 1, Unreadable("[", reason))

    def _next(self, last: bool) -> Piece | None:
        """The event at the beginning of the text; None where more text is needed to tell."""
        try:
            value, end = DECODER.raw_decode(self._text)
        except RecursionError:
            return self._broken(0, "it is nested too deeply", last)
        except json.JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _CUT
            if cut and not last and len(self._text) < LONGEST:
                return None
            return self._broken(error.pos, explained(error), last)
        except ValueError as error:
            return self._broken(0, str(error), last)
        if end == len(self._text) and not last and not isinstance(value, dict | list | str):
            return None
        if wrong := _NOT_UTF8.search(self._text, 0, end):
            return self._unreadable(end, wrong.start(), "is not UTF-8")
        if depth(value, self._text, end) > DEEPEST:
            return self._unreadable(end, 0, f"is nested more than {DEEPEST} levels deep")
        piece = Piece(self._line, end, value)
        self._pass(end)
        return piece

    def _broken(self, at: int, reason: str, last: bool) -> Piece | None:
        """The text of a broken event, as far as one can tell where the next begins."""
        end = self._end_of_element() if self._in_array else self._end_of_lines(at)
        if end is None and not last:
            if len(self._text) < LONGEST:
                return None
            self._skipping = True
            at, reason = 0, f"has more than {LONGEST:,} characters and no end"
            return self._unreadable(len(self._text), at, reason)
        if end is None:
            end = len(self._text)
        elif at >= end:  # what was found wrong stands in the next event already
            at, reason = 0, "it has no end"
        return self._unreadable(end, at, f"is not JSON: {reason}")

    def _end_of_lines(self, at: int) -> int | None:
        """The end of the line; of an object over several lines, the next line that opens one."""
        line = self._text.find("\n")
        if line < 0:
            return None
        if at <= line:
            return line
        opens = _LINE_OPENS.search(self._text, 1)
        return opens.start() if opens else None

    def _end_of_element(self) -> int | None:
        """Where an element of an array ends, by its brackets alone."""
        depth = 0
        for token in _TOKENS.finditer(self._text):
            if token[0] in "{[":
                depth += 1
            elif token[0] in "}]":
                depth -= 1
                if depth <= 0:
                    return max(token.end() if depth == 0 else token.start(), 1)
            elif token[0] == "," and depth == 0:
                return token.start()
        return None

    def _unreadable(self, end: int, at: int, reason: str) -> Piece:
        text = _NOT_UTF8.sub("\ufffd", self._text[: end if end < LONGEST else SHOWN]).strip()
        line, column = self._place(at)
        piece = Piece(self._line, end, Unreadable(text, f"line {line}: {reason} (column {column})"))
        self._pass(end)
        return piece

    def _skip_line(self) -> None:
        """Drop the rest of a line that is too long."""
        end = self._text.find("\n")
        self._skipping = end < 0
        self._pass(len(self._text) if end < 0 else end)

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column, from 1, of a place in the text."""
        breaks = self._text.count("\n", 0, at)
        if not breaks:
            return self._line, self._column + at
        return self._line + breaks, at - self._text.rfind("\n", 0, at)

    def _pass(self, length: int) -> None:
        self._line, self._column = self._place(length)
        self._text = self._text[length:]
