"""Every row of every table of the rules is a scenario; each is a test with the row's name.

Every run plays one scenario of each row and those that tell of no row; `./dev test --slow` plays them all.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.settings import ROOT
from aftersales.scenario import is_scenario
from aftersales.yamlfile import load_yaml
from cli.rehearsal.coverage import coverage_of
from tests.workflows.conftest import Played

FOLDER = ROOT / "scenarios"
FILES = [path for path in sorted(FOLDER.rglob("*.yaml")) if is_scenario(load_yaml(path))]


def _named(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def _others() -> set[str]:
    """The scenarios of rows of which another one is played already."""
    coverage = coverage_of(FOLDER, dict.fromkeys(FILES, True))
    assert coverage
    told = [[scenario.name for scenario in row.told] for row in coverage.rows]
    played = set[str]()
    for names in told:
        if played.isdisjoint(names):
            played.update(names[:1])
    return {name for names in told for name in names} - played


_OTHERS = _others()
every_scenario = pytest.mark.parametrize(
    "story",
    [pytest.param(path, marks=[pytest.mark.slow] if _named(path) in _OTHERS else []) for path in FILES],
    ids=_named,
)


@every_scenario
async def test_row(story: Path, plays: dict[Path, asyncio.Task[Played]]) -> None:
    performance = (await plays[story]).performance
    assert not performance.missed, "\n".join(performance.missed)
