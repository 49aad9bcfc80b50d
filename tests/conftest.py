"""How all tests are shared out between processes (`./dev test`)."""

from __future__ import annotations

import pytest
from typing_extensions import override
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

STORIES = tuple(f"tests/workflows/test_{name}.py" for name in ("clocks", "reason_first", "scenarios", "sequences"))
"""They look at the same stories, which one process then plays once."""


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of a file stay together, as they share what they look at."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return "stories" if nodeid.startswith(STORIES) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """The order is xdist's: the files with most tests first."""
    return _ByFile(config, log)
