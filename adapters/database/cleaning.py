"""JSON as both databases take it."""

from __future__ import annotations

import json

from adapters.database.schema import clean


def json_text(value: object) -> str:
    """A value as JSON, its texts as `clean` leaves them: PostgreSQL keeps a NUL in JSON but cannot read it again."""
    text = json.dumps(value)
    return json.dumps(_cleaned(value)) if "\\u0000" in text or "\\ud" in text else text


def _cleaned(value: object) -> object:
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): _cleaned(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_cleaned(inner) for inner in value]
        case _:
            return value
