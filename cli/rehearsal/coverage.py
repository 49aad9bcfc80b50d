"""Which rows of the rules the scenarios of a folder tell, and whether they came out: its `rows.yaml`.

```yaml
return-escalation:                      # a process, and the folder of its scenarios
  rows:
    1-silent:                           # the row is return-escalation/1-silent
      says: "step 1, no answer in the window: abandoned"
      scenarios: [step-1-silent, "law-*"]     # files of that folder without .yaml; of another one with its name
  extras: [duplicates-change-nothing]   # scenarios that belong to no row
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, RootModel

from aftersales.yamlfile import load_model

ROWS = "rows.yaml"
"""The file in a folder of scenarios that says which rows they tell."""
State = Literal["passed", "missed", "uncovered"]
"""A row is passed when all its scenarios are, missed when one was, uncovered when none was played."""


class Row(BaseModel):
    """A row or a branch of the rules in short words, and the scenarios that tell it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: str
    scenarios: tuple[str, ...] = ()


class Rows(BaseModel):
    """The rows of one process; `extras` are scenarios that tell something else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[str, Row]
    extras: tuple[str, ...] = ()


class _File(RootModel[dict[str, Rows]]):
    """The whole file: rows by process."""


class Told(NamedTuple):
    """A scenario that tells a row: its name in the folder, and whether it passed."""

    name: str
    passed: bool


@dataclass(frozen=True)
class Covered:
    """A row with what was played of it; `unknown` are names in `rows.yaml` that no scenario has."""

    row: str
    says: str
    told: tuple[Told, ...]
    unknown: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """What came of the row."""
        if not self.told:
            return "uncovered"
        return "passed" if all(told.passed for told in self.told) else "missed"

    def flat(self) -> dict[str, object]:
        """The row as JSON has it."""
        scenarios = [{"scenario": told.name, "passed": told.passed} for told in self.told]
        return {"row": self.row, "says": self.says, "state": self.state, "scenarios": scenarios}


@dataclass(frozen=True)
class Coverage:
    """The rows of a folder tree of scenarios, with what was played of them."""

    rows: tuple[Covered, ...]
    unclaimed: tuple[str, ...]
    """Scenarios that belong to no row and are no extras."""
    unknown: tuple[str, ...] = ()
    """Extras that no scenario is."""

    @property
    def whole(self) -> bool:
        """Whether every row was played."""
        return all(row.state != "uncovered" for row in self.rows)

    def told(self) -> str:
        """The count of rows in one line."""
        states = [row.state for row in self.rows]
        counts = ", ".join(f"{states.count(state)} {state}" for state in ("passed", "missed", "uncovered"))
        return f"{len(states)} rows of the rules: {counts}"


def coverage_of(folder: Path, passed: Mapping[Path, bool]) -> Coverage | None:
    """What the scenarios played, by file, tell of the rows of this folder; None where it has no `rows.yaml`.

    Raises `BadFile` with the line of all that is wrong with it.
    """
    file = folder / ROWS
    if not file.is_file():
        return None
    played = {
        path.resolve().relative_to(folder.resolve()).with_suffix("").as_posix(): ok
        for path, ok in passed.items()
        if path.resolve().is_relative_to(folder.resolve())
    }
    processes = load_model(file, _File).root
    rows = tuple(row for process, listed in processes.items() for row in _covered(process, listed, played))
    extras = {process: list(_named(process, listed.extras)) for process, listed in processes.items()}
    named = {told.name for row in rows for told in row.told}
    named |= {name for patterns in extras.values() for pattern in patterns for name in _fitting(pattern, played)}
    unknown = [pattern for patterns in extras.values() for pattern in patterns if not _fitting(pattern, played)]
    return Coverage(rows, tuple(name for name in played if name not in named), tuple(unknown))


def _covered(process: str, listed: Rows, played: Mapping[str, bool]) -> Iterator[Covered]:
    for name, row in listed.rows.items():
        patterns = list(_named(process, row.scenarios))
        found = dict.fromkeys(name for pattern in patterns for name in _fitting(pattern, played))
        unknown = tuple(pattern for pattern in patterns if not _fitting(pattern, played))
        yield Covered(f"{process}/{name}", row.says, tuple(Told(name, played[name]) for name in found), unknown)


def _named(process: str, names: Iterable[str]) -> Iterator[str]:
    """The names as seen from the folder of all scenarios."""
    return (name if "/" in name else f"{process}/{name}" for name in names)


def _fitting(pattern: str, played: Iterable[str]) -> list[str]:
    return [name for name in played if fnmatchcase(name, pattern)]
