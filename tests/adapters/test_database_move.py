"""Moving a database to another one: all of it, proven on both sides, or nothing."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from adapters.database import DatabaseSettings, DatabaseUnusable, open_store
from adapters.database import move as moving
from adapters.database.engines import connect
from adapters.database.move import Fact, differing, move
from adapters.database.revisions import change_revision
from adapters.database.schema import letters, metadata, outcomes
from adapters.database.tally import Tally
from aftersales.records import EventStatus, PaymentRecord
from cli.app import _run
from tests.adapters.conftest import NewAddress
from tests.adapters.test_store import NOON, at, command, event, letter, outcome, ref, running
from tests.postgres import PostgresServer
from tests.recorded import recorded

MANY = 1_500


async def fill(address: str) -> None:
    """Something of everything, with what databases like to change: empty texts, nulls, emoji, odd numbers."""
    async with open_store(address) as store:
        odd = event("odd\x00").model_copy(update={"raw": "", "order_id": "Ä '\"\\ 退款 🙁", "happened_at": None})
        await recorded(store, [*(event(str(number), order=f"A-{number}") for number in range(MANY)), odd])
        for number in range(4):
            case = ref(f"A-{number}")
            await store.open_case(running(case, '{"a": 1}'))
            await store.claim_letter(letter(case))
            await store.claim_command(
                command(case).model_copy(update={"data": {"words": "a\x00b\ud800", "n": None, "f": 0.1}})
            )
            paid = PaymentRecord(
                key=f"{number}", case=case, kind="refund", amount=Decimal("0.10"), currency="EUR", at=at(1)
            )
            await store.charge(paid)
        await store.letter_sent(letter(ref("A-1")).key, at=at(2.123456), reference="x")
        await store.close_case(outcome(ref("A-0")))
        await store.settle_events([event("1").model_copy(update={"status": EventStatus.STARTED, "cases": ("a", "b")})])


async def moved(source: str, target: str) -> list[Fact]:
    return await move(DatabaseSettings.of(source), DatabaseSettings.of(target), lambda table, rows: None)


async def rows(address: str) -> dict[str, int]:
    async with connect(DatabaseSettings.of(address)) as database:
        names = list(metadata.tables)
        return await database.read(
            lambda sql: {name: sql.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}
        )


def other(kind: str, new_address: NewAddress, postgres: PostgresServer) -> str:
    """An empty database of the other kind."""
    return new_address("sqlite") if kind == "postgresql" else postgres.url(postgres.another_database())


async def test_there_and_back_is_all_the_same(
    kind: str, address: str, new_address: NewAddress, postgres: PostgresServer
) -> None:
    await fill(address)
    there = other(kind, new_address, postgres)
    facts = await moved(address, there)
    assert differing(facts) == []
    figures = {(fact.table, fact.name): fact.target for fact in facts}
    assert figures["events", "rows"] == str(MANY + 1)
    assert figures["payments", "sum of EUR confirmed"] == "0.40"
    assert figures["outcomes", "sum of EUR refund"] == "12.90"
    assert figures["case_goods", "sum of EUR lost"] == "12.9"
    assert figures["letters", "newest sent_at"] == at(2.123456).isoformat()
    async with open_store(address) as one, open_store(there) as two:
        for view in ("letters", "commands", "outcomes"):
            assert await getattr(one.views, view)() == await getattr(two.views, view)()
        assert await one.views.events(limit=9999) == await two.views.events(limit=9999)
        assert await one.views.case_story(ref("A-0").case_id) == await two.views.case_story(ref("A-0").case_id)
        assert await one.open_cases("A-1") == await two.open_cases("A-1") != []
        # It goes on there.
        assert await recorded(two, [event("1")]) == [EventStatus.STARTED]
    back = new_address("sqlite") if kind == "sqlite" else postgres.url(postgres.another_database())
    again = await moved(there, back)
    assert [(fact.table, fact.name, fact.source) for fact in again] == [(f.table, f.name, f.target) for f in facts]


SPOILING = {
    "sqlite": (
        "CREATE TRIGGER spoils AFTER INSERT ON letters BEGIN "
        "UPDATE letters SET language = 'EN' WHERE key = new.key AND new.case_id LIKE '%A-2'; END",
    ),
    "postgresql": (
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF new.case_id LIKE '%A-2' THEN new.language := 'EN'; END IF; RETURN new; END $$",
        "CREATE TRIGGER spoils BEFORE INSERT ON letters FOR EACH ROW EXECUTE FUNCTION spoil()",
    ),
}
"""A database that changes one letter as it is put in."""


async def test_what_arrives_otherwise_is_noticed_and_nothing_stays(
    kind: str, address: str, new_address: NewAddress, postgres: PostgresServer
) -> None:
    await fill(address)
    there = other(kind, new_address, postgres)
    await run_on(there, *SPOILING["sqlite" if kind == "postgresql" else "postgresql"])
    facts = await moved(address, there)
    assert [(fact.table, fact.name) for fact in differing(facts)] == [("letters", "checksum")]
    assert set((await rows(there)).values()) == {0}


async def run_on(address: str, *statements: str) -> None:
    """Run statements on a database that has its tables."""
    async with open_store(address):
        pass

    def run(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    async with connect(DatabaseSettings.of(address)) as database:
        await database.write(run)


def test_the_checksum_sees_every_column_and_the_sum_every_cent() -> None:
    row = {column.name: "x" for column in letters.columns} | {"claimed_at": NOON, "sent_at": None, "choices": ["a"]}
    figures = set()
    changes = [("key", "x"), ("reference", "y"), ("sent_at", NOON), ("choices", ["a", "b"]), ("language", None)]
    for name, value in changes:
        tally = Tally("letters")
        tally.add({**row, name: value})
        figures.add(tally.checksum)
    assert len(figures) == 5
    paid = Tally(outcomes.name)
    for amount in ("0.10", "0.20"):
        paid.add({"currency": "EUR", "amounts": {"refund": amount}})
    assert paid.facts()["sum of EUR refund"] == "0.30"


async def test_a_source_that_is_in_use_is_refused(
    kind: str, address: str, new_address: NewAddress, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_OTHERS_WAIT", 0.2)
    there = other(kind, new_address, postgres)
    async with open_store(address) as store:
        await store.claim_letter(letter(ref()))
        with pytest.raises(DatabaseUnusable, match=r"is in use .*stop worker and starter"):
            await moved(address, there)
    await moved(address, there)
    assert (await rows(there))["letters"] == 1


async def test_a_target_that_holds_something_is_refused_and_left_alone(
    kind: str, address: str, new_address: NewAddress, postgres: PostgresServer
) -> None:
    await fill(address)
    there = other(kind, new_address, postgres)
    async with open_store(there) as store:
        await recorded(store, [event("1")])
    with pytest.raises(DatabaseUnusable, match=r"holds something already \(events\); give an empty one"):
        await moved(address, there)
    assert (await rows(there))["events"] == 1


async def test_a_source_of_another_revision_or_none_is_refused(
    kind: str, empty_address: str, new_address: NewAddress, postgres: PostgresServer
) -> None:
    there = other(kind, new_address, postgres)
    async with connect(DatabaseSettings.of(empty_address)) as database:
        await change_revision(database, "0001")
    with pytest.raises(DatabaseUnusable, match=r"run \./dev db upgrade on it"):
        await moved(empty_address, there)
    with pytest.raises(DatabaseUnusable, match="cannot be moved into itself"):
        await moved(empty_address, empty_address)
    with pytest.raises(DatabaseUnusable, match="there is no database"):
        await moved("sqlite:////nowhere/a.db", there)


async def test_a_move_that_breaks_off_leaves_nothing(
    kind: str, address: str, new_address: NewAddress, postgres: PostgresServer
) -> None:
    await fill(address)
    there = other(kind, new_address, postgres)
    await run_on(there, "CREATE UNIQUE INDEX breaks ON letters (letter)")
    with pytest.raises(DatabaseUnusable, match="failed, and nothing was moved"):
        await moved(address, there)
    assert set((await rows(there)).values()) == {0}


def test_by_the_command_line(
    kind: str,
    address: str,
    new_address: NewAddress,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("AFTERSALES_DATA", str(tmp_path / "data"))
    asyncio.run(fill(address))
    there = other(kind, new_address, postgres)
    assert _run(["db", "move", address, there]) == 0
    told = capsys.readouterr().out
    assert "sum of EUR confirmed" in told
    assert "moved. Set AFTERSALES_DATABASE_URL to " in told
    assert _run(["db", "move", address, there, "--json"]) == 1
    assert "holds something already" in capsys.readouterr().err
    back = other("sqlite" if kind == "postgresql" else "postgresql", new_address, postgres)
    assert _run(["db", "move", there, back, "--json"]) == 0
    facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(fact["table"], fact["name"]): fact["target"] for fact in facts}["events", "counted"] == str(MANY + 1)
