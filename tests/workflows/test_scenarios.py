"""Every row of every table of the rules is a scenario; each is a test with the row's name."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from adapters.settings import ROOT
from aftersales.scenario import is_scenario
from aftersales.yamlfile import load_yaml
from tests.workflows.conftest import Played

FOLDER = ROOT / "scenarios"
FILES = [path for path in sorted(FOLDER.rglob("*.yaml")) if is_scenario(load_yaml(path))]
A_ROW = 8
"""Stories of a row of the rules that every run plays; the others, and those that tell no row, are for the slow one."""


def _name(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def _in_every_run() -> set[str]:
    names, found = [_name(path) for path in FILES], set[str]()
    for process, listed in load_yaml(FOLDER / "rows.yaml").data.items():
        for row in listed["rows"].values():
            patterns = [name if "/" in name else f"{process}/{name}" for name in row.get("scenarios", ())]
            found.update([name for name in names if any(fnmatchcase(name, one) for one in patterns)][:A_ROW])
    return found


EVERY_RUN = _in_every_run()
every_scenario = pytest.mark.parametrize(
    "story",
    [
        pytest.param(path, id=_name(path), marks=[] if _name(path) in EVERY_RUN else [pytest.mark.slow])
        for path in FILES
    ],
)


@every_scenario
async def test_row(story: Path, plays: dict[Path, asyncio.Task[Played]]) -> None:
    performance = (await plays[story]).performance
    assert not performance.missed, "\n".join(performance.missed)
