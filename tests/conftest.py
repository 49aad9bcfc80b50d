"""How all tests are shared out between processes (`./dev test`)."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together, and all that look at the same stories, so that each is played once."""
    for item in items:
        stories = isinstance(item, pytest.Function) and "plays" in item.fixturenames
        item.add_marker(pytest.mark.xdist_group("stories" if stories else str(item.path)))
