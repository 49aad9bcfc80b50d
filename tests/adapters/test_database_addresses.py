"""URLs of databases: which are taken, how they are read, and that a password is never shown."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from adapters.database import DatabaseAway, DatabaseSettings, DatabaseUnusable, masked, open_store
from adapters.database.addresses import parse, shown
from adapters.database.cleaning import json_text
from adapters.database.engines import connect
from adapters.database.postgresql import connecting
from adapters.database.queries import OPEN_CASES
from aftersales.ids import case_id
from tests.adapters.test_store import command, letter, ref
from tests.postgres import PostgresServer

SECRETS = (
    "postgresql://me:hunter2@db.example/shop",
    "postgresql://me:hunter2@db.example/shop?sslpassword=hunter2&sslmode=verify-full",
    "postgres://db.example/shop?user=me&password=hunter2",
    "postgresql+asyncpg://me:hunter2@a:1,b:2/shop",
)


@pytest.mark.parametrize("address", SECRETS)
def test_a_password_is_never_shown(address: str) -> None:
    settings = DatabaseSettings.of(address)
    told = [repr(settings), str(settings), settings.model_dump_json(), masked(address)]
    told.append(str(DatabaseAway(parse(SECRETS[0]), OSError("x"))))
    for broken in (
        address.replace("postgres", "mysql"),
        address.replace(":hunter2", ":hun@ter2:hunter2"),
        f"x{address}",
    ):
        try:
            told.append(shown(parse(broken)))
        except DatabaseUnusable as wrong:
            told.append(str(wrong))
    told.append(shown(parse(address.replace("a:1,b:2", "a"))))
    assert [one for one in told if "hunter2" in one] == []


def test_what_a_url_says_of_tls_and_the_server_is_read_as_by_postgresqls_own_programs() -> None:
    url = parse("postgresql://me@db.example/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem&lock_timeout=5s")
    plain, options = connecting(url, DatabaseSettings.of("postgresql://x/y"))
    given = options["connect_args"]
    assert (plain.query, given["dsn"]) == (
        {},
        "postgresql://?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&lock_timeout=5s",
    )
    assert given["server_settings"] == {
        "application_name": "aftersales",
        "statement_timeout": "30000",
        "idle_in_transaction_session_timeout": "30000",
    }


@pytest.mark.parametrize("wrong", [{"readers": 0}, {"connect_timeout": -1}, {"statement_timeout": 0}, {"pool": 3}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        DatabaseSettings(url=SecretStr("sqlite:///a.db"), **wrong)  # type: ignore[arg-type]


async def test_the_server_is_told_what_the_settings_say(postgres: PostgresServer) -> None:
    url = f"{postgres.url(postgres.new_database())}&lock_timeout=7s"
    asked = text("SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout')")
    settings = DatabaseSettings(url=SecretStr(url), statement_timeout=2.5, readers=2)
    async with connect(settings) as database:
        found = await database.read(lambda sql: {row.name: row.setting for row in sql.execute(asked)})
        assert found == {"statement_timeout": "2500", "lock_timeout": "7000"}


async def test_behind_a_pooler_no_statement_stays_prepared_and_no_setting_is_sent(postgres: PostgresServer) -> None:
    """A pooler in transaction mode gives each transaction another server connection; this stands in for it."""
    url = postgres.url(postgres.new_database())
    asked = text("SELECT count(*) FROM pg_prepared_statements WHERE name NOT LIKE '\\_\\_aftersales\\_%'")
    limit = text("SHOW statement_timeout")
    async with open_store(DatabaseSettings(url=SecretStr(url), transaction_pooler=True, readers=1)) as store:
        for number in range(3):
            await store.claim_letter(letter(ref(f"A-{number}")))
            assert await store.letter(letter(ref(f"A-{number}")).key)
    async with connect(DatabaseSettings(url=SecretStr(url), transaction_pooler=True)) as database:
        assert await database.write(lambda sql: sql.execute(asked).scalar_one()) == 0
        assert await database.read(lambda sql: sql.execute(limit).scalar_one()) == "0"


async def test_json_is_kept_so_that_reports_can_read_it(postgres: PostgresServer) -> None:
    """PostgreSQL takes a NUL into JSON, and then fails every query that looks into the row."""
    name = postgres.new_database()
    odd = {"a\x00": ["b\x00", {"c": "\ud800"}], "n": 1.5, "t": None, "path": "c:\\u0000"}
    async with open_store(postgres.url(name)) as store:
        record = command(ref()).model_copy(update={"data": odd})
        await store.claim_command(record)
        found = await store.command(record.key)
        assert found is not None
        assert found.data == {"a\ufffd": ["b\ufffd", {"c": "\ufffd"}], "n": 1.5, "t": None, "path": "c:\\u0000"}
    assert postgres.sql("SELECT data ->> 'path' FROM commands", database=name) == "c:\\u0000"
    assert json_text({"a": "ü🙁"}) == '{"a": "\\u00fc\\ud83d\\ude41"}'


async def test_the_longest_keys_fit_into_postgresqls_indexes(postgres: PostgresServer) -> None:
    long = "退" * 200
    case = ref(order=long).model_copy(
        update={"case_id": case_id("return-escalation", long, long), "trigger": f"{long} {long}"}
    )
    async with open_store(postgres.url(postgres.new_database())) as store:
        await store.claim_letter(letter(case))
        assert await store.letter(letter(case).key) == letter(case)


def test_texts_are_sorted_by_code_point_on_every_database() -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    assert str(OPEN_CASES.compile(dialect=postgresql.dialect())).endswith('cases.case_id COLLATE "C"')  # type: ignore[no-untyped-call]
    assert str(OPEN_CASES.compile(dialect=sqlite.dialect())).endswith("cases.case_id")
