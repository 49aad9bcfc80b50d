"""What is wrong with a file, where, and what to do: `BadFile`, and how pydantic's complaints become one."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

Loc = tuple[str | int, ...]
"""A path into data: mapping keys and list indices, as in pydantic's errors."""


class Mark(NamedTuple):
    """A place in a file; lines count from 1, line 0 means the file as a whole."""

    path: Path
    line: int


class Fault(NamedTuple):
    """One thing wrong with a file. `path` is given when it is not the file that was asked for."""

    line: int
    where: str
    what: str
    remedy: str = ""
    path: Path | None = None

    def text(self, path: Path) -> str:
        """One line: `policies/default.yaml:12: returns.reply_window: what is wrong; what to do`."""
        place = f"{self.path or path}:{self.line}" if self.line else str(self.path or path)
        return "; ".join(filter(None, [": ".join(filter(None, [place, self.where, self.what])), self.remedy]))


class BadFile(ValueError):
    """A file that cannot be used; `faults` has every reason, its text one line for each."""

    def __init__(self, path: Path, faults: Iterable[Fault | tuple[int, str, str, str]]) -> None:
        self.path = path
        self.faults = [Fault(*fault) for fault in faults]
        super().__init__("\n".join(fault.text(path) for fault in self.faults))


def faults_of(error: ValidationError, mark: Callable[[Loc], Mark], model: type[BaseModel]) -> Iterator[Fault]:
    """Pydantic's complaints, each with the file and line that `mark` gives for its place."""
    for detail in error.errors(include_url=False):
        loc, given = detail["loc"], detail["input"]
        path, line = mark(loc)
        remedy = ""
        match detail["type"]:
            case "missing":
                what, remedy = "is missing", "add it"
            case "extra_forbidden":
                what, remedy = "is not a known key", nearest(str(loc[-1]), names_at(model, loc[:-1]))
            case "value_error" | "assertion_error":
                what = str(detail["ctx"]["error"])
            case "model_type" | "dict_type" | "model_attributes_type":
                what = f"must be a mapping of keys to values, got {_short(given)}"
            case _:
                what = f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, got {_short(given)}"
        yield Fault(line, dotted(loc), what, remedy, path)


def nearest(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: the known one it was probably meant to be, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known here: {', '.join(names)}" if names else "take it out"


def dotted(loc: Sequence[str | int]) -> str:
    """A path as people write it: `events[2].data.order`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return text.removeprefix(".")


def names_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys known at `loc`; none when the path leads through anything but models and lists."""
    kind: Any = model
    for step in loc:
        kind = _plain(kind)
        kind = _fields(kind).get(str(step)) if _is_model(kind) else next(reversed(_arguments(kind)), None)
    kind = _plain(kind)
    return list(_fields(kind)) if _is_model(kind) else []


def _plain(kind: Any) -> Any:
    """The type without `Annotated` and without `| None`."""
    if typing.get_origin(kind) is typing.Annotated:
        return _plain(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType) and len(_arguments(kind)) == 1:
        return _plain(_arguments(kind)[0])
    return kind


def _arguments(kind: Any) -> list[Any]:
    return [argument for argument in typing.get_args(kind) if argument not in (Ellipsis, types.NoneType)]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
