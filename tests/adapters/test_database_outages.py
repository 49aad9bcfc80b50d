"""A database that is away: one clear error, nothing lost, nothing done twice, no restart of ours when it is back."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from adapters.database import DatabaseAway, DatabaseSettings, DatabaseUnusable, is_away, open_store, postgresql
from adapters.database.engines import connect
from aftersales.ports import Unavailable
from aftersales.records import EventStatus
from tests.adapters.test_money import payment, reserve
from tests.adapters.test_store import at, event, letter, ref
from tests.postgres import PostgresServer
from tests.recorded import recorded


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return postgres.url(postgres.new_database(), tcp=True)


def stopped(url: str, **values: float) -> DatabaseSettings:
    return DatabaseSettings(url=SecretStr(url), **{"statement_timeout": 0.5, "connect_timeout": 0.5, **values})  # type: ignore[arg-type]


async def test_a_server_that_was_killed_is_told_and_works_again_without_a_restart_of_ours(
    postgres: PostgresServer, database: str
) -> None:
    async with open_store(database) as store:
        kept = letter(ref())
        await store.claim_letter(kept)
        await asyncio.gather(*(store.letter(kept.key) for _ in range(4)))  # all connections are open now
        await asyncio.to_thread(postgres.kill)
        claims = [store.claim_letter(letter(ref(f"A-{number}"))) for number in range(20)]
        told = await asyncio.gather(*claims, store.letter(kept.key), return_exceptions=True)
        assert {type(one) for one in told} == {DatabaseAway}
        words = str(told[-1])
        assert re.fullmatch(
            r"the database postgresql://aftersales:\*\*\*@127\.0\.0\.1:\d+/\w+ is away \(.+\); .*", words
        )
        assert postgres.password not in words
        assert isinstance(told[0], Unavailable)
        await asyncio.to_thread(postgres.start)
        found = await asyncio.gather(*(store.letter(kept.key) for _ in range(8)))
        assert found == [kept] * 8
        assert await store.claim_letter(letter(ref("A-1"))) == letter(ref("A-1"))


async def test_connections_that_broke_unnoticed_are_replaced_without_an_error(
    postgres: PostgresServer, database: str
) -> None:
    async with open_store(database) as store:
        for number in range(3):
            await store.claim_letter(letter(ref(f"A-{number}")))
            postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aftersales'")
        assert len(await store.views.letters()) == 3


async def test_a_server_that_hangs_is_given_up(
    postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_ANSWER_LATE", 0.2)
    async with open_store(stopped(database)) as store:
        await store.claim_letter(letter(ref()))
        with still(postgres):
            async with asyncio.timeout(20):
                with pytest.raises(DatabaseAway):
                    await store.claim_letter(letter(ref("A-2")))
                with pytest.raises(DatabaseAway):
                    await store.letter("x")
        assert await store.claim_letter(letter(ref("A-2"))) == letter(ref("A-2"))


class still:
    """A server that neither answers nor lets go of its connections."""

    def __init__(self, server: PostgresServer) -> None:
        self._pids = server.processes()

    def __enter__(self) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_statement_that_takes_too_long_is_given_up(database: str) -> None:
    async with connect(stopped(database)) as opened:
        with pytest.raises(DatabaseAway, match="statement timeout"):
            await opened.read(lambda connection: connection.execute(text("SELECT pg_sleep(9)")).one())


async def test_a_process_that_stands_still_in_a_transaction_does_not_keep_others_waiting(database: str) -> None:
    async with connect(stopped(database)) as opened:

        def hang(connection: Connection) -> None:
            connection.execute(text("SELECT 1"))
            import time

            time.sleep(0.8)
            connection.execute(text("SELECT 1"))

        with pytest.raises(DatabaseAway):
            await opened.write(hang)


async def test_a_sqlite_file_that_another_program_holds_is_away(tmp_path: Path) -> None:
    settings = stopped(f"sqlite:///{tmp_path}/a.db", statement_timeout=0.1)
    async with open_store(settings) as store:
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseAway, match=r"a\.db is away \(database is locked\)"):
                await store.claim_letter(letter(ref()))
        await store.claim_letter(letter(ref()))


async def test_what_is_wrong_with_a_question_is_not_away(address: str) -> None:
    async with connect(DatabaseSettings.of(address)) as opened:
        with pytest.raises((OperationalError, ProgrammingError)) as wrong:
            await opened.read(lambda connection: connection.execute(text("SELECT nothing FROM nowhere")))
    assert not is_away(wrong.value)
    assert not is_away(LookupError("x"))
    assert is_away(ConnectionResetError())


class TestCommitsWhoseAnswerWasLost:
    """The connection breaks after the server has committed and before we know: the same again changes nothing."""

    async def test_claims(self, postgres: PostgresServer, database: str) -> None:
        async with cutting(postgres, database) as (url, cut), open_store(url) as store:
            cut.set()
            record = letter(ref())
            assert await store.claim_letter(record) == record
            assert not cut.is_set()
            assert await store.views.letters() == [record]
            cut.set()
            await store.letter_sent(record.key, at=at(2), reference="1.eml")
            assert not cut.is_set()
            sent = await store.letter(record.key)
            assert sent is not None
            assert sent.reference == "1.eml"

    async def test_events(self, postgres: PostgresServer, database: str) -> None:
        async with cutting(postgres, database) as (url, cut), open_store(url) as store:
            cut.set()
            # Told as known and not finished: the starter takes it up, and looks whether it got through.
            assert await recorded(store, [event("1")]) == [EventStatus.RECEIVED]
            assert not cut.is_set()
            assert await store.views.event("1") == [event("1")]

    async def test_payments(self, postgres: PostgresServer, database: str) -> None:
        async with cutting(postgres, database) as (url, cut), open_store(url) as store:
            await reserve(store, payment("a", "60"))
            cut.set()
            assert await store.reserve(payment("a", "60"), cap=Decimal(100)) is None
            assert await reserve(store, payment("b", "40")) is None
            cut.set()
            await store.command_accepted("b", at=at(3), reference="R-1")
            assert {one.key: one.state for one in await store.views.money("A-1")} == {"a": "reserved", "b": "confirmed"}


@asynccontextmanager
async def cutting(postgres: PostgresServer, database: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A URL that goes through something which, once set, cuts a connection as soon as the server has committed."""
    cut = asyncio.Event()
    tasks = set[asyncio.Task[None]]()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        there, to_server = await asyncio.open_connection("127.0.0.1", postgres.port)
        committing = False

        async def ask() -> None:
            nonlocal committing
            while data := await reader.read(65536):
                committing = cut.is_set() and b"COMMIT;" in data
                to_server.write(data)
            to_server.close()

        async def answer() -> None:
            while data := await there.read(65536):
                if committing:
                    cut.clear()
                    break
                writer.write(data)
            writer.close()
            to_server.close()

        both = {asyncio.create_task(ask()), asyncio.create_task(answer())}
        tasks.update(both)
        await asyncio.gather(*both, return_exceptions=True)

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    try:
        yield database.replace(f":{postgres.port}/", f":{port}/"), cut
    finally:
        proxy.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_at_the_start_it_is_told_what_to_check_and_never_the_password(postgres: PostgresServer) -> None:
    good = postgres.url("nowhere", tcp=True)
    wrong_password = postgres.url("postgres", tcp=True).replace(postgres.password, "hunter2!")
    with_tls = f"{postgres.url('postgres', tcp=True)}?sslmode=require"
    gone = "postgresql://me:hunter2!@127.0.0.1:1/x?password=hunter2!"
    for url, words in (
        (good, "nowhere"),
        (wrong_password, "password authentication failed"),
        (with_tls, "SSL"),
        (gone, "cannot be opened"),
    ):
        with pytest.raises(DatabaseUnusable, match=words) as told:
            async with open_store(url):
                pass
        assert "hunter2!" not in str(told.value)
        assert postgres.password not in str(told.value)
        assert "check that the server runs" in str(told.value)
