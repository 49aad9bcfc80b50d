"""YAML 1.2 files as plain data in which every value still knows its file and line.

Dates and times stay text, as in JSON; a key may stand once; `<<: *anchor` merges and `!include other.yaml`
(beside the including file) reads a second file. Whatever is wrong with a file is raised as `BadFile`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from aftersales.faults import BadFile, Fault, Mark, faults_of

__all__ = ["BadFile", "Document", "Fault", "Mark", "load_model", "load_yaml", "validate"]

ModelType = TypeVar("ModelType", bound=BaseModel)
_INCLUDE = "!include"
_TAG = "tag:yaml.org,2002:"
_TYPES = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value", "merge")


class Document:
    """The content of a YAML file: `data` is plain Python (dict, list, str, int, float, bool, None)."""

    def __init__(self, path: Path, root: Node | None, data: Any, included: Mapping[int, Document]) -> None:
        self.path = path
        self.data: Any = data
        self._root = root
        self._included = included

    def mark(self, loc: Sequence[str | int] = ()) -> Mark:
        """File and line of the value at `loc`; where there is none, of the nearest parent."""
        return self._walk(loc)[0]

    def line(self, loc: Sequence[str | int] = ()) -> int:
        """Line of the value at `loc` (in the included file, when it stands there); see `mark`."""
        return self.mark(loc).line

    def source(self, loc: Sequence[str | int]) -> str:
        """The plain value at `loc` as it is written: `129.90`, `0042`. Raises KeyError when there is none."""
        node = self._walk(loc)[2]
        if not isinstance(node, ScalarNode):
            raise KeyError(loc)
        return str(node.value)

    def with_data(self, data: Any) -> Document:
        """A document of the same places with other data."""
        return Document(self.path, self._root, data, self._included)

    def part(self, loc: Sequence[str | int]) -> Document:
        """The value at `loc` as a document of its own. Raises KeyError or IndexError when there is none."""
        data = self.data
        for step in loc:
            data = data[step]
        _, document, node = self._walk(loc)
        return Document(document.path, node, data, document._included)

    def _walk(self, loc: Sequence[str | int]) -> tuple[Mark, Document, Node | None]:
        document, node = self, self._root
        mark = Mark(self.path, node.start_mark.line + 1 if node is not None else 1)
        for step in loc:
            while node is not None and (inner := document._included.get(id(node))) is not None:
                document, node = inner, inner._root
            found = None if node is None else next((e for e in _entries(node) if e[0] == step), None)
            if found is None:
                break
            _, line, node = found
            mark = Mark(document.path, line)
        return mark, document, node


def load_yaml(path: Path) -> Document:
    """Read one YAML file. Raises `BadFile` when it is missing, not UTF-8, not YAML, or has a key twice."""
    return _load(path, ())


def load_model(path: Path, model: type[ModelType]) -> ModelType:
    """Read one YAML file as `model`. Raises `BadFile` with the line of every value that does not fit."""
    document = load_yaml(path)
    return validate(document, model)


def validate(document: Document, model: type[ModelType]) -> ModelType:
    """The document's data as `model`. Raises `BadFile` with the line of every value that does not fit."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise BadFile(document.path, list(faults_of(error, document.mark, model))) from None


def _load(path: Path, includers: tuple[Path, ...]) -> Document:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadFile(path, [Fault(0, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadFile(path, [Fault(line, "", "is not UTF-8", "save the file as UTF-8")]) from None
    try:
        root = _composed(text)
        builder = _Builder(path, (*includers, path.resolve()))
        data = None if root is None else builder.build(root)
    except MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        what = f"is not valid YAML: {error.problem or error.context}"
        raise BadFile(path, [Fault(at.line + 1 if at else 0, "", what)]) from None
    except YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        reason = getattr(error, "reason", None) or str(error)
        raise BadFile(path, [Fault(line, "", f"is not valid YAML: {reason}")]) from None
    except RecursionError:
        raise BadFile(path, [Fault(0, "", "is nested too deeply")]) from None
    return Document(path, root, data, builder.included)


@lru_cache(maxsize=32)
def _composed(text: str) -> Node | None:
    """The nodes of a text. A policy is read for each of many stories, and composing it takes as long as a short one."""
    root: Node | None = YAML(typ="safe", pure=True).compose(text)
    return root


class _Builder:
    """Turns the nodes of one file into plain data; an anchor used twice is built once."""

    def __init__(self, path: Path, files: tuple[Path, ...]) -> None:
        self.included: dict[int, Document] = {}
        self._path = path
        self._files = files
        self._built: dict[int, Any] = {}
        self._open: set[int] = set()

    def build(self, node: Node) -> Any:
        if id(node) in self._open:
            raise self._bad(node, "an anchor contains itself")
        if id(node) not in self._built:
            self._open.add(id(node))
            self._built[id(node)] = self._value(node)
            self._open.discard(id(node))
        return self._built[id(node)]

    def _value(self, node: Node) -> Any:
        if node.tag == _INCLUDE and isinstance(node, ScalarNode):
            path = self._path.parent / node.value
            if path.resolve() in self._files:
                raise self._bad(node, f"{node.value} includes itself")
            if not path.is_file():
                raise self._bad(node, f"no file {node.value}", f"it is looked for in {path.parent}")
            self.included[id(node)] = document = _load(path, self._files)
            return document.data
        if str(node.tag).removeprefix(_TAG) not in _TYPES:
            raise self._bad(node, f"unknown tag {node.tag}", f"the only one known is {_INCLUDE}")
        if isinstance(node, SequenceNode):
            return [self.build(child) for child in node.value]
        return self._mapping(node) if isinstance(node, MappingNode) else self._scalar(node)

    def _mapping(self, node: MappingNode) -> dict[Any, Any]:
        own: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        for key, value in node.value:
            if _is_merge(key):
                for source in value.value if isinstance(value, SequenceNode) else [value]:
                    data = self.build(source)
                    if not isinstance(data, dict):
                        raise self._bad(key, "<< merges mappings only", "write <<: *anchor-of-a-mapping")
                    merged = data | merged
                continue
            if not isinstance(key, ScalarNode):
                raise self._bad(key, "a key must be plain text")
            name = self._scalar(key)
            if name in own:
                raise self._bad(key, f"the key {name} stands twice", "remove one of them")
            own[name] = self.build(value)
        return merged | own

    def _scalar(self, node: Node) -> Any:
        try:
            return _scalar(node)
        except UnicodeDecodeError:
            raise self._bad(
                node, "holds half of a character", r"write the emoji itself, or both halves: \ud83d\ude00"
            ) from None
        except ValueError:
            raise self._bad(node, f"{node.value[:40]} is not of the type {node.tag}") from None

    def _bad(self, node: Node, what: str, remedy: str = "") -> BadFile:
        return BadFile(self._path, [Fault(node.start_mark.line + 1, "", what, remedy)])


def _entries(node: Node) -> Iterator[tuple[Any, int, Node]]:
    """Key or index, line and node of everything directly inside; own keys before merged ones."""
    if isinstance(node, SequenceNode):
        for index, child in enumerate(node.value):
            yield index, child.start_mark.line + 1, child
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if not _is_merge(key):
                yield _scalar(key), key.start_mark.line + 1, value
        for key, value in node.value:
            if _is_merge(key):
                for source in value.value if isinstance(value, SequenceNode) else [value]:
                    yield from _entries(source)


def _is_merge(key: Node) -> bool:
    return bool(key.tag == f"{_TAG}merge")


def _scalar(node: Node) -> Any:
    text: str = node.value
    match str(node.tag).removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            digits = text.replace("_", "")
            return int(digits, 0) if digits.lstrip("+-").startswith(("0o", "0x")) else int(digits)
        case "float":
            return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        case _:
            # JSON writes an emoji as two escapes, and so do people who copy one from there.
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
