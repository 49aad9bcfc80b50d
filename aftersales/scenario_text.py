"""Ids and money of a scenario file that YAML reads as numbers, as they are written: `order_id: 0042`, `total: 129.90`.

Events carry both as text. In a story the quotes may be left out, because the file still has every digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel

from aftersales.events import TYPES
from aftersales.faults import Fault, Loc, dotted
from aftersales.model import Amount
from aftersales.order import Order
from aftersales.policy import Policy
from aftersales.yamlfile import Document

_Kind = Literal["text", "money", "other"]
_STORY_TEXT = ("subject", "id", "source", "case", "by", "option", "reason")
_PLAIN_MONEY = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,3})?")


def as_written(document: Document, story_keys: Iterable[str]) -> tuple[Document, list[Fault]]:
    """The document with text where ids and money stand as numbers under these keys at the top; and what is unclear."""
    faults: list[Fault] = []
    data = dict(document.data)
    for key in data.keys() & set(story_keys):
        kinds = _policy_kinds() if key == "policy" else _event_kinds()
        data[key] = _written(document, (key,), data[key], kinds, faults)
    return document.with_data(data), faults


def _written(
    document: Document, loc: Loc, value: Any, kinds: Mapping[str, _Kind], faults: list[Fault], kind: _Kind = "other"
) -> Any:
    kind = kinds.get(str(loc[-1]), kind)
    if isinstance(value, dict):
        return {key: _written(document, (*loc, key), item, kinds, faults, kind) for key, item in value.items()}
    if isinstance(value, list):
        return [_written(document, (*loc, at), item, kinds, faults, kind) for at, item in enumerate(value)]
    if kind == "other" or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    written = document.source(loc)
    if kind == "money" and not _PLAIN_MONEY.fullmatch(written):
        path, line = document.mark(loc)
        what = f"{written} is not an amount in plain digits"
        faults.append(Fault(line, dotted(loc), what, 'write money such as "129.90", with at most 3 decimals', path))
    return written


@cache
def _event_kinds() -> Mapping[str, _Kind]:
    """What the fields of events and of their orders hold."""
    return _kinds(_fields([*TYPES.values(), Order])) | dict.fromkeys(_STORY_TEXT, "text")


@cache
def _policy_kinds() -> Mapping[str, _Kind]:
    """What the fields of the policy hold; they may stand in any section."""
    return _kinds(_fields([Policy]))


def _kinds(fields: Iterator[tuple[str, _Kind]]) -> dict[str, _Kind]:
    """The kind of every field name; "other" for one that is not the same wherever it occurs."""
    kinds: dict[str, _Kind] = {}
    for name, kind in fields:
        kinds[name] = kind if kinds.get(name, kind) == kind else "other"
    return kinds


def _fields(models: list[type[BaseModel]]) -> Iterator[tuple[str, _Kind]]:
    """Every field of the models, and of those inside them."""
    seen = set(models)
    while models:
        for name, field in models.pop().model_fields.items():
            parts = [*field.metadata, *_parts(field.annotation)]
            inner = {part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)}
            models.extend(inner - seen)
            seen |= inner
            text = str in parts and int not in parts and float not in parts and not inner
            yield name, "money" if _AMOUNT in parts else "text" if text else "other"


_AMOUNT = get_args(Amount)[1]


def _parts(kind: Any) -> Iterator[Any]:
    """The types of which an annotation is made, and what they are annotated with."""
    yield kind
    for part in get_args(kind):
        yield from _parts(part)
