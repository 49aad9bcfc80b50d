"""JSON as it is taken from outside: UTF-8 only, no NaN, not nested deeply. Files and doors read it alike."""

from __future__ import annotations

import json

DEEPEST = 50
"""Levels of nesting in an event; what reads it has a stack of its own to mind."""


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number in JSON")


DECODER = json.JSONDecoder(parse_constant=_no_constant)
"""Raises `json.JSONDecodeError`, `ValueError` for NaN and endless numbers, `RecursionError` for endless nesting."""


class NotJson(ValueError):
    """Bytes that are no JSON, or none that is taken; the text says what and where."""


def depth(value: object, text: str, end: int) -> int:
    """Levels of nesting of a value; its brackets are only counted where they are so few that they cannot matter."""
    brackets = text.count("{", 0, end) + text.count("[", 0, end)
    if brackets <= DEEPEST:
        return brackets
    deep, level = 0, [value]
    while level:
        deep += 1
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for items in inner for item in items]
    return deep


def explained(error: json.JSONDecodeError) -> str:
    """What the decoder found wrong, in lower case and without the place."""
    return (error.msg[:1].lower() + error.msg[1:]).removesuffix(" at")


def read_json(data: bytes) -> object:
    """The one JSON value of a body; of a key that comes twice the last one counts, as in files.

    Raises:
        NotJson: not UTF-8, not JSON, or nested more than `DEEPEST` levels.
    """
    try:
        text = data.decode("utf-8-sig")
        value: object = DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise NotJson(f"it is not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise NotJson(f"it is nested more than {DEEPEST} levels deep") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"it is not JSON: line {error.lineno}, column {error.colno}: {explained(error)}") from None
    except ValueError as error:
        raise NotJson(f"it is not JSON: {error}") from None
    if depth(value, text, len(text)) > DEEPEST:
        raise NotJson(f"it is nested more than {DEEPEST} levels deep")
    return value


def events_in(value: object) -> list[object]:
    """The events of a message: those of an array, else the one that it is."""
    return value if isinstance(value, list) else [value]
