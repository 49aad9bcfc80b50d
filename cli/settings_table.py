"""Every setting in one table: its name in the file, its variable, what it takes, its default, what it is."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping, Sequence, Set
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from adapters.settings import ROOT, Settings

_KEYS = {"shops": "<name>", "counterparts": "<counterpart>"}
"""What stands for the key of a table whose keys the reader chooses."""
_PLAIN: Mapping[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    Decimal: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "**secret**",
}


class Row(NamedTuple):
    """A setting. `kind` and `default` are in words."""

    name: str
    variable: str
    kind: str
    default: str
    meaning: str


def rows(model: type[BaseModel] = Settings, before: tuple[str, ...] = ()) -> Iterator[Row]:
    """Every setting below a model, in the order of the code; a table that may be missing has a row of its own."""
    for name, field in model.model_fields.items():
        path = (*before, name)
        kind = _without_none(field.annotation)
        below = path
        if get_origin(kind) is Mapping and _is_model(get_args(kind)[1]):
            kind, below = get_args(kind)[1], (*path, _KEYS[name])
        if not _is_model(kind):
            yield _row(path, _kind(kind, field.metadata), _default(field), field)
            continue
        if field.default is None:
            yield _row(path, "table", "none", field)
        yield from rows(kind, below)


def as_markdown() -> str:
    """The table as docs/settings.md has it."""
    lines = [f"| `{row.name}` | `{row.variable}` | {row.kind} | {row.default} | {row.meaning} |" for row in rows()]
    return "\n".join(["| setting | variable | takes | default | is |", "|---|---|---|---|---|", *lines])


def _row(path: Sequence[str], kind: str, default: str, field: FieldInfo) -> Row:
    meaning = " ".join((field.description or "").split()).replace("|", "\\|")
    return Row(".".join(path), "AFTERSALES_" + "__".join(path).upper(), kind, default, meaning)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        return _without_none(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        left = [one for one in get_args(kind) if one is not types.NoneType]
        return _without_none(left[0]) if len(left) == 1 else kind
    return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _kind(kind: Any, limits: Sequence[object] = ()) -> str:
    """What a setting takes, with its limits."""
    if get_origin(kind) is Annotated:
        return _kind(get_args(kind)[0], limits)
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin is Literal:
            return " or ".join(f"`{json.dumps(one)}`" for one in arguments)
        case origin if origin in (Union, types.UnionType):
            return " or ".join(_kind(one) for one in arguments if one is not types.NoneType)
        case origin if origin in (tuple, frozenset):
            most = next((f", at most {one.max_length}" for one in limits if isinstance(one, MaxLen)), "")
            return f"list of {_kind(arguments[0])}{most}"
        case origin if origin in (Mapping, dict):
            return f"table of {_kind(arguments[1])}"
    if len(limits) == 2 and isinstance(limits[0], Ge) and isinstance(limits[1], Le):
        return f"{_PLAIN[kind]}, {limits[0].ge} to {limits[1].le}"
    return _PLAIN[kind] + "".join(_limit(one) for one in limits)


def _limit(limit: object) -> str:
    match limit:
        case Ge(ge=least):
            return f", {least} or more"
        case Gt(gt=below):
            return f", more than {below}"
        case Le(le=most):
            return f", {most} or less"
        case Lt(lt=above):
            return f", less than {above}"
        case _:
            return ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    match field.get_default(call_default_factory=True):
        case None:
            return "none"
        case SecretStr() | "" | () | []:
            return "empty"
        case Path() as path:
            return f"`{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}`"
        case Mapping() | Set() as several:
            return f"`{json.dumps(sorted(several))}`" if several else "empty"
        case Decimal() | float() as number:
            return f"`{number:g}`"
        case plain:
            return f"`{json.dumps(plain)}`"
