"""Every row of every table of the rules is a scenario; each is a test with the row's name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.settings import ROOT
from aftersales.scenario import is_scenario
from aftersales.yamlfile import load_yaml
from tests.workflows.conftest import Played

FOLDER = ROOT / "scenarios"
FILES = [path for path in sorted(FOLDER.rglob("*.yaml")) if is_scenario(load_yaml(path))]
every_scenario = pytest.mark.parametrize(
    "story", FILES, ids=lambda path: path.relative_to(FOLDER).with_suffix("").as_posix()
)


@every_scenario
async def test_row(story: Path, plays: dict[Path, asyncio.Task[Played]]) -> None:
    performance = (await plays[story]).performance
    assert not performance.missed, "\n".join(performance.missed)
