"""Databases of both kinds for the tests of what uses one."""

from __future__ import annotations

from typing import Protocol

import pytest

from tests.postgres import PostgresServer

KINDS = ("sqlite", "postgresql")


class NewAddress(Protocol):
    """Makes a database."""

    def __call__(self, kind: str, *, empty: bool = False) -> str:
        """The URL of a new database of this kind, ready to be opened; `empty` has not even tables.

        A PostgreSQL one takes the place of the last one.
        """
        ...


@pytest.fixture(scope="session")
def new_address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewAddress:
    """Makes databases."""

    def new(kind: str, *, empty: bool = False) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('database')}/aftersales.db"
        server: PostgresServer = request.getfixturevalue("postgres")  # started when the first test needs it
        return server.url(server.new_database(upgraded=not empty))

    return new


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database a test is run on."""
    return str(request.param)


@pytest.fixture
def address(kind: str, new_address: NewAddress) -> str:
    """The URL of a database for one test, ready to be opened."""
    return new_address(kind)


@pytest.fixture
def empty_address(kind: str, new_address: NewAddress) -> str:
    """The URL of a database in which nothing is yet, not even tables."""
    return new_address(kind, empty=True)
