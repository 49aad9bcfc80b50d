"""A policy in layers: a file, the file that it extends, overrides on top; each value keeps its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from aftersales.faults import BadFile, Fault, Loc, Mark, dotted, nearest
from aftersales.yamlfile import Document, load_yaml

_EXTENDS = "extends"
_OVERRIDES = Path("overrides")
_NO_MAPPING = "must be a mapping of keys to values"


class Layers:
    """Values merged in the order in which they are added: `data`, with their places (`mark`) and `faults`.

    `sections` has the field names of every section, `plain` the keys outside sections. A field that is a
    mapping is merged key by key, but one named in `whole` is replaced.
    """

    def __init__(
        self,
        path: Path,
        sections: Mapping[str, Collection[str]],
        plain: Collection[str],
        whole: Collection[str],
    ) -> None:
        self.data: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._marks: dict[Loc, Mark] = {(): Mark(path, 1)}
        self._sections = sections
        self._plain = plain
        self._whole = whole
        self._home = {name: section for section, names in sections.items() for name in names}

    def mark(self, loc: Loc) -> Mark:
        """File and line of the value at `loc`; where there is none, of the nearest parent."""
        return next(self._marks[loc[:end]] for end in range(len(loc), -1, -1) if loc[:end] in self._marks)

    def add_file(self, path: Path) -> None:
        """Add a file on top of what it extends. Raises `BadFile` when one of the files cannot be read."""
        for document in _files(path, ()):
            self._add(document.data, document.mark, lenient=False)

    def add_overrides(self, overrides: Mapping[str, Any] | Document) -> None:
        """Add values in which a field may stand in any section or in none: its name tells the right one."""
        if isinstance(overrides, Document):
            self._add(overrides.data or {}, overrides.mark, lenient=True)
        else:
            self._add(overrides, lambda _: Mark(_OVERRIDES, 0), lenient=True)

    def _add(self, data: Any, mark: Callable[[Loc], Mark], lenient: bool) -> None:
        if not isinstance(data, Mapping):
            self._bad((), mark, _NO_MAPPING, f"known here: {', '.join(sorted(self._sections))}")
            return
        for key, value in data.items():
            if key == _EXTENDS and not lenient:
                continue
            if key in self._plain:
                self._put((key,), value, (key,), mark)
            elif key in self._sections:
                self._section(key, value, mark, lenient)
            elif lenient and key in self._home:
                self._put((self._home[key], key), value, (key,), mark)
            elif lenient and self._is_section_by_another_name(key, value):
                for name, inner in value.items():
                    self._put((self._home[name], name), inner, (key, name), mark)
            else:
                remedy = f"write it under {self._home[key]}" if key in self._home else self._near(key)
                self._bad((key,), mark, "is not a known key", remedy)

    def _is_section_by_another_name(self, key: str, value: Any) -> bool:
        """Whether a story groups known fields in its own words, such as `wrong-item`, and no section is misspelt."""
        known = isinstance(value, Mapping) and bool(value) and all(name in self._home for name in value)
        return known and not get_close_matches(key, self._sections)

    def _section(self, section: str, fields: Any, mark: Callable[[Loc], Mark], lenient: bool) -> None:
        self._marks[(section,)] = mark((section,))
        if not isinstance(fields, Mapping):
            if fields is not None:
                self._bad((section,), mark, _NO_MAPPING, f"known here: {', '.join(self._sections[section])}")
            return
        for name, value in fields.items():
            home = self._home.get(name)
            if home == section or (home and lenient):
                self._put((home, name), value, (section, name), mark)
            else:
                remedy = f"it belongs under {home}" if home else self._near(name, section)
                self._bad((section, name), mark, "is not a known key", remedy)

    def _put(self, loc: Loc, value: Any, source: Loc, mark: Callable[[Loc], Mark]) -> None:
        """Set the value at `loc`, which its layer has at `source`."""
        self._marks[loc] = mark(source)
        target = self.data
        for step in loc[:-1]:
            target = target.setdefault(str(step), {})
        name = loc[-1]
        if not isinstance(value, Mapping):
            target[str(name)] = value
            return
        if name in self._whole or not isinstance(target.get(str(name)), dict):
            target[str(name)] = {}
        for key, inner in value.items():
            self._put((*loc, key), inner, (*source, key), mark)

    def _near(self, name: object, section: str | None = None) -> str:
        known = self._sections[section] if section else [*self._sections, *self._plain]
        close = nearest(str(name), self._home)
        return close if close.startswith("did") else nearest(str(name), known)

    def _bad(self, loc: Loc, mark: Callable[[Loc], Mark], what: str, remedy: str) -> None:
        path, line = mark(loc)
        self.faults.append(Fault(line, dotted(loc), what, remedy, path))


def _files(path: Path, extending: tuple[Path, ...]) -> Iterator[Document]:
    """The file, after all that it extends."""
    document = load_yaml(path)
    if isinstance(document.data, dict) and _EXTENDS in document.data:
        name = document.data[_EXTENDS]
        base = path.parent / str(name)
        seen = (*extending, path.resolve())
        if not isinstance(name, str) or not base.is_file():
            fault = Fault(0, _EXTENDS, f"no file {name}", f"it is looked for in {path.parent}")
        elif base.resolve() in seen:
            fault = Fault(0, _EXTENDS, f"{name} extends itself", "take it out")
        else:
            yield from _files(base, seen)
            yield document
            return
        raise BadFile(path, [fault._replace(line=document.line((_EXTENDS,)))])
    yield document
