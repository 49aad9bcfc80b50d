"""Upgrades, downgrades and checks of a database, by the store and by `./dev db`."""

from __future__ import annotations

import asyncio
import fcntl
import json
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import inspect, text

from adapters.database import DatabaseSettings, DatabaseUnusable, open_store
from adapters.database.engines import connect
from adapters.database.health import look_at
from adapters.database.revisions import EMPTY, MIGRATIONS, change_revision, losses, revision_of
from adapters.database.schema import REVISION, metadata
from aftersales.records import PaymentRecord
from cli.app import _run
from tests.adapters.test_store import NOON, event, letter, ref, running
from tests.recorded import recorded


@pytest.fixture
def dev(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command line on this database."""
    monkeypatch.setenv("AFTERSALES_DATABASE_URL", address)
    monkeypatch.setenv("AFTERSALES_DATA", str(tmp_path / "data"))
    return address


async def at_revision(address: str, revision: str) -> str | None:
    async with connect(DatabaseSettings.of(address)) as database:
        await change_revision(database, revision)
        return await database.read(revision_of)


async def tables(address: str) -> set[str]:
    async with connect(DatabaseSettings.of(address)) as database:
        return await database.read(lambda connection: set(inspect(connection).get_table_names()))


async def with_money(address: str) -> None:
    async with open_store(address) as store:
        await store.open_case(running(ref(), "{}"))
        await store.charge(
            PaymentRecord(key="a", case=ref(), kind="refund", amount=Decimal(5), currency="EUR", at=NOON)
        )
        await recorded(store, [event("1"), event("2")])


def test_there_is_one_newest_migration_and_each_can_go_back() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [REVISION]
    assert [one.revision for one in scripts.walk_revisions() if not hasattr(one.module, "downgrade")] == []


async def test_the_migrations_lead_to_the_schema_and_back_to_nothing(empty_address: str) -> None:
    revisions = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]
    for revision in [*revisions, *revisions[-2::-1], REVISION]:
        assert await at_revision(empty_address, revision) == revision
    async with connect(DatabaseSettings.of(empty_address)) as database:
        health = await look_at(database)
    assert (health.problems, health.revision, health.oldest_open) == ((), REVISION, None)
    assert health.size > 4096
    assert await tables(empty_address) == {*metadata.tables, "alembic_version"}
    assert await at_revision(empty_address, EMPTY) is None
    assert await tables(empty_address) == set()


async def test_a_downgrade_keeps_what_it_does_not_drop(address: str) -> None:
    await with_money(address)
    await at_revision(address, "0001")
    async with open_store(address) as store:
        assert len(await store.views.events()) == 2
        assert await store.views.money("A-1") == []


async def test_what_a_downgrade_loses_is_counted_in_tables_and_columns(address: str) -> None:
    await with_money(address)
    async with open_store(address) as store:
        await store.claim_letter(letter(ref()))
        await store.letter_tried(letter(ref()).key, at=NOON, after=None)
    async with connect(DatabaseSettings.of(address)) as database:
        lost = await database.read(lambda connection: losses(connection, "0001"))
    assert [(one.revision, one.what, one.rows) for one in lost] == [
        ("0003", "letters.tried_at", 1),
        ("0002", "payments", 1),
    ]


async def test_several_upgrade_at_once(empty_address: str) -> None:
    await at_revision(empty_address, "0001")
    assert await asyncio.gather(*(at_revision(empty_address, REVISION) for _ in range(4))) == [REVISION] * 4


async def test_without_auto_upgrade_an_older_database_is_refused_and_left_alone(empty_address: str) -> None:
    settings = DatabaseSettings(url=SecretStr(empty_address), auto_upgrade=False)
    for revision, shown in ((EMPTY, "none"), ("0001", "0001")):
        await at_revision(empty_address, revision)
        with pytest.raises(DatabaseUnusable, match=rf"is at revision {shown} .* needs {REVISION}.* \./dev db upgrade"):
            async with open_store(settings):
                pass
    await at_revision(empty_address, REVISION)
    async with open_store(settings) as store:
        await store.claim_letter(letter(ref()))


async def test_an_unknown_revision_is_named_with_those_that_there_are(address: str) -> None:
    with pytest.raises(DatabaseUnusable, match=r"no revision '0815'; there are base, 0001, 0002"):
        await at_revision(address, "0815")


async def test_what_is_missing_is_told_and_what_others_added_is_theirs(address: str) -> None:
    async with open_store(address):
        pass
    changes = (
        "CREATE INDEX of_a_report ON cases (shop)",
        "CREATE TABLE notes (words TEXT)",
        "DROP INDEX ix_events_order_id",
        "ALTER TABLE letters DROP COLUMN version",
        "DROP TABLE payments",
    )
    async with connect(DatabaseSettings.of(address)) as database:
        for change in changes:
            await database.write(lambda connection, sql=change: connection.execute(text(sql)))  # type: ignore[misc]
        problems = (await look_at(database)).problems
    assert sorted(problems) == [
        "column letters.version is missing",
        "ix_events_order_id on table events is missing",
        "ix_payments_shop_order_id on table payments is missing",
        "table payments is missing",
    ]


class TestCommandLine:
    """`./dev db`, in this process."""

    def test_upgrade_and_check(self, dev: str, capsys: pytest.CaptureFixture[str]) -> None:
        asyncio.run(at_revision(dev, "0001"))
        assert _run(["db", "check"]) == 1
        assert f"it is at revision 0001 and this code needs {REVISION}" in capsys.readouterr().out
        assert _run(["db", "upgrade"]) == 0
        assert f"at revision {REVISION}, was at 0001" in capsys.readouterr().out
        asyncio.run(with_money(dev))
        assert _run(["db", "check"]) == 0
        told = capsys.readouterr().out
        assert "oldest open case: return-escalation/A-1, opened " in told
        assert told.endswith("all well\n")
        assert _run(["db", "check", "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["revision"], said["well"], said["oldest_open"]["case_id"]) == (REVISION, True, ref().case_id)

    def test_a_downgrade_tells_what_it_loses_and_wants_a_yes(
        self, dev: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asyncio.run(with_money(dev))
        assert _run(["db", "downgrade", "0001"]) == 1
        told = capsys.readouterr()
        assert "going below revision 0002 loses payments with 1 row" in told.out
        assert "nothing was done: with --yes" in told.err
        assert "payments" in asyncio.run(tables(dev))
        assert _run(["db", "downgrade", "base", "--yes"]) == 0
        assert "loses events with 2 rows" in capsys.readouterr().out
        assert asyncio.run(tables(dev)) == set()

    def test_a_downgrade_that_loses_nothing_needs_no_yes(self, dev: str) -> None:
        asyncio.run(at_revision(dev, REVISION))
        assert _run(["db", "downgrade", "0001"]) == 0
        assert _run(["db", "downgrade", "0001"]) == 0

    def test_while_up_runs_nothing_is_taken_away_under_it(
        self, dev: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asyncio.run(at_revision(dev, REVISION))
        (tmp_path / "data").mkdir()
        with (tmp_path / "data" / "up.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert _run(["db", "downgrade", "0001"]) == 1
        assert "./dev up runs on" in capsys.readouterr().err

    def test_wrong_command_lines(self, dev: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert _run(["db", "move", "sqlite:///x.db"]) == 2
        assert "write ./dev db move FROM_URL TO_URL" in " ".join(capsys.readouterr().err.replace("│", " ").split())
        assert _run(["db", "destroy"]) == 2

    def test_a_check_makes_no_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("AFTERSALES_DATABASE_URL", f"sqlite:///{tmp_path}/none/a.db")
        assert _run(["db", "check"]) == 1
        assert "there is no database" in capsys.readouterr().err
        assert not (tmp_path / "none").exists()
