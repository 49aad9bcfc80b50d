"""Every row of every table of the rules is a scenario; each is a test with the row's name.

They are played several at a time, as `./dev rehearse` does: the first test starts all that this run asks for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from adapters.settings import ROOT
from aftersales.scenario import is_scenario, load_scenario
from aftersales.yamlfile import load_yaml
from cli.rehearsal import Performance, Theatre

FOLDER = ROOT / "scenarios"
FILES = [path for path in sorted(FOLDER.rglob("*.yaml")) if is_scenario(load_yaml(path))]


@pytest.fixture(scope="module")
async def plays(
    theatre: Theatre, request: pytest.FixtureRequest
) -> AsyncIterator[dict[Path, asyncio.Task[Performance]]]:
    """The scenarios of this run, under way."""
    functions = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = [cast(Path, item.callspec.params["path"]) for item in functions if item.module is request.module]
    tasks = {path: asyncio.create_task(theatre.play(load_scenario(path))) for path in asked}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).with_suffix("").as_posix())
async def test_row(path: Path, plays: dict[Path, asyncio.Task[Performance]]) -> None:
    performance = await plays[path]
    assert not performance.missed, "\n".join(performance.missed)
