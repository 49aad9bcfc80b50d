"""`rehearse`: scenarios are played on the real server in virtual time, and compared with what they expect."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

from adapters.settings import Settings
from aftersales.expectations import Came, shown
from aftersales.faults import BadFile
from aftersales.policy import Policy
from aftersales.scenario import Scenario, is_scenario, read_scenario
from aftersales.yamlfile import Document, load_yaml
from cli.rehearsal import Performance, Theatre, policy_for
from cli.rehearsal.coverage import Coverage, coverage_of
from cli.running import run
from cli.show import cell, console, emit, table

MISSED, UNREADABLE = 1, 2
"""Exit codes."""

_STYLES = {
    "event": "cyan",
    "operator": "magenta",
    "letter": "green",
    "command": "yellow",
    "decision": "magenta",
    "stage": "dim",
    "outcome": "bold",
    "open": "red",
    "stuck": "red",
    "passed": "green",
    "missed": "bold red",
    "uncovered": "bold red",
}


def rehearse(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Scenario files, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per scenario.")] = False,
    coverage: Annotated[
        Path | None, typer.Option("--coverage", metavar="FILE", help="Write the rows of the rules there, as JSON.")
    ] = None,
) -> None:
    """Play scenarios. Exit code 1 when an expectation was missed, 2 when a file cannot be read.

    Where a folder holds a rows.yaml, the rows of the rules are told at the end, and one without a scenario is missed.
    """
    run(lambda settings: _rehearse(settings, files, as_json, coverage))


class _Unreadable(NamedTuple):
    """A scenario that cannot be played; what is wrong may stand in a file that it includes or builds on."""

    name: str
    path: Path
    error: BadFile


async def _rehearse(settings: Settings, files: Sequence[Path], as_json: bool, coverage_file: Path | None) -> int:
    # A case that cannot go on is told as such; refusals and failures of counterparts are what scenarios are about.
    logging.getLogger("temporalio").setLevel(logging.ERROR)
    read, unreadable = _read(settings, files)
    report = _Json() if as_json else _Plain(console())
    for file in unreadable:
        print(file.error, file=sys.stderr)
        report.unreadable(file)
    performances = []
    if read:
        async with Theatre.open(settings) as theatre:
            plays = [asyncio.create_task(theatre.play(scenario, policy)) for scenario, policy in read]
            try:
                for play in plays:
                    performances.append(await play)
                    report.performance(performances[-1])
            finally:
                for play in plays:
                    play.cancel()
                await asyncio.gather(*plays, return_exceptions=True)
    try:
        covered = _coverage(files, performances, unreadable)
    except BadFile as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    if coverage_file:
        rows = [row.flat() for coverage in covered for row in coverage.rows]
        coverage_file.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    report.end(performances, unreadable, covered)
    if unreadable:
        return UNREADABLE
    # To whoever reads only the objects an uncovered row would be a failure without a reason.
    rows_count = coverage_file is not None or not as_json
    return exit_code([performance.passed for performance in performances], covered if rows_count else ())


def exit_code(passed: Iterable[bool], covered: Iterable[Coverage]) -> int:
    """The exit code after scenarios that could all be read: a row that none of them tells is missed too."""
    return 0 if all(passed) and all(coverage.whole for coverage in covered) else MISSED


def _coverage(
    files: Sequence[Path], performances: Sequence[Performance], unreadable: Sequence[_Unreadable]
) -> list[Coverage]:
    """What was played of the rows of each folder; a file that cannot be read has missed its rows."""
    passed = {file.path: False for file in unreadable} | {play.scenario.path: play.passed for play in performances}
    folders = [path for path in dict.fromkeys(files) if path.is_dir()]
    return [coverage for folder in folders if (coverage := coverage_of(folder, passed))]


def _read(settings: Settings, files: Sequence[Path]) -> tuple[list[tuple[Scenario, Policy]], list[_Unreadable]]:
    """All scenarios with their policies, in the order of the files; and what is wrong with the others."""
    read, unreadable = [], []
    for document in itertools.chain.from_iterable(map(_documents, files)):
        if isinstance(document, _Unreadable):
            unreadable.append(document)
            continue
        name = document.path.stem
        try:
            scenario = read_scenario(document)
            name = scenario.name
            read.append((scenario, policy_for(scenario, settings)))
        except BadFile as error:
            unreadable.append(_Unreadable(name, document.path, error))
    return read, unreadable


def _documents(path: Path) -> Iterator[Document | _Unreadable]:
    """The file, or all scenarios below the folder: a file without events and expect is a part that others include."""
    if not path.is_dir():
        yield _document(path)
        return
    found = False
    for file in sorted(p for p in path.rglob("*") if p.suffix in {".yaml", ".yml"}):
        document = _document(file)
        if isinstance(document, _Unreadable):
            yield document
        elif is_scenario(document):
            found = True
            yield document
    if not found:
        remedy = "name a file with events and expect, ending in .yaml"
        yield _Unreadable(path.stem, path, BadFile(path, [(0, "", "has no scenario in it", remedy)]))


def _document(file: Path) -> Document | _Unreadable:
    try:
        return load_yaml(file)
    except BadFile as error:
        return _Unreadable(file.stem, file, error)


class _Json:
    """One object a line."""

    def unreadable(self, file: _Unreadable) -> None:
        faults = [fault.text(file.error.path) for fault in file.error.faults]
        emit(_object(file.name, file.path, False, faults, (), (), ()))

    def performance(self, played: Performance) -> None:
        result, scenario = played.result, played.scenario
        outcomes = [came.fields for came in result.outcomes]
        names = _names(result.letters), _names(result.commands)
        emit(_object(scenario.name, scenario.path, played.passed, played.missed, *names, outcomes))

    def end(
        self,
        performances: Sequence[Performance],
        unreadable: Sequence[_Unreadable],
        covered: Sequence[Coverage],
    ) -> None:
        pass


class _Plain:
    """The timeline of every scenario, and a summary."""

    def __init__(self, out: Console) -> None:
        self._out = out

    def unreadable(self, file: _Unreadable) -> None:
        pass

    def performance(self, played: Performance) -> None:
        mark = Text("passed", "bold green") if played.passed else Text("missed", "bold red")
        scenario = played.scenario
        self._out.print(Text.assemble(mark, "  ", (scenario.name, "bold"), (f"  {scenario.path}", "dim")))
        for line in played.timeline:
            kind, case = (f"{line.kind:<8}  ", _STYLES[line.kind]), f"{line.case}: " if line.case else ""
            self._out.print(Text.assemble(f"{shown(line.at):>10}  ", kind, (case, "dim"), cell(line.text)))
        for text in played.missed:
            self._out.print(Text.assemble(("  missed  ", "bold red"), cell(text)))
        self._out.print()

    def end(
        self,
        performances: Sequence[Performance],
        unreadable: Sequence[_Unreadable],
        covered: Sequence[Coverage],
    ) -> None:
        for coverage in covered:
            self._rows(coverage)
        passed = sum(performance.passed for performance in performances)
        told = f"{passed} of {len(performances)} scenarios passed"
        if unreadable:
            told += f", {len(unreadable)} files cannot be read"
        self._out.print(told)

    def _rows(self, coverage: Coverage) -> None:
        rows = table("row", "says", "scenarios", "came out")
        for row in coverage.rows:
            names = Text(", ").join(cell(told.name, "" if told.passed else "red") for told in row.told)
            rows.add_row(cell(row.row), cell(row.says), names, Text(row.state, _STYLES[row.state]))
        self._out.print(rows)
        for name in dict.fromkeys(name for row in coverage.rows for name in row.unknown):
            self._out.print(cell(f"rows.yaml names {name}, which was not played"))
        for name in coverage.unknown:
            self._out.print(cell(f"rows.yaml names the extra {name}, which was not played"))
        for name in coverage.unclaimed:
            self._out.print(cell(f"{name} is in no row of rows.yaml"))
        self._out.print(coverage.told())
        self._out.print()


def _names(came: Iterable[Came]) -> list[str]:
    return [item.name for item in came]


def _object(
    name: str,
    file: Path,
    passed: bool,
    missed: Sequence[str],
    letters: Sequence[str],
    commands: Sequence[str],
    outcomes: Sequence[Any],
) -> dict[str, Any]:
    return {
        "name": name,
        "file": str(file),
        "passed": passed,
        "missed": missed,
        "letters": letters,
        "commands": commands,
        "outcomes": outcomes,
    }
