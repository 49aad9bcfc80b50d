"""`db`: the database: its revision, whether it is as it should be, and moving it to another one."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from adapters.database.addresses import parse, shown
from adapters.database.engines import connect
from adapters.database.health import Health, look_at
from adapters.database.move import Fact, differing, move, require_file
from adapters.database.revisions import Loss, change_revision, losses, revision_of
from adapters.database.schema import REVISION
from adapters.database.settings import DatabaseSettings
from adapters.database.upgrade import bring_up_to_date
from adapters.settings import Settings
from cli.connection import Running
from cli.running import Stop, run
from cli.show import cell, console, distance, emit, table

_MEBIBYTE = 2**20


class Action(StrEnum):
    """What can be done with a database."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    CHECK = "check"
    MOVE = "move"


_WANTED = {Action.UPGRADE: (), Action.DOWNGRADE: ("REVISION",), Action.CHECK: (), Action.MOVE: ("FROM_URL", "TO_URL")}


def db(
    action: Annotated[Action, typer.Argument(show_choices=True, metavar="upgrade|downgrade|check|move")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[REVISION | FROM_URL TO_URL]")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Downgrade although data is lost by it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Bring the database to the newest revision, or back to an older one; check it; move it to another database.

    upgrade: to the newest revision. downgrade REVISION: back to an older one, base for no tables at all; what would be
    lost is told, and needs --yes. check: revision, tables, columns and indexes, size, the oldest open case. move
    FROM_URL TO_URL: all data into an empty database, compared on both sides; worker and starter must be stopped.

    Exit code 0 where all is well, 1 where not or nothing was done, 2 for a wrong command line.
    """
    given = arguments or []
    wanted = _WANTED[action]
    if len(given) != len(wanted):
        raise typer.BadParameter(f"write ./dev db {' '.join([action, *wanted])}")
    match action:
        case Action.UPGRADE:
            run(_upgrade)
        case Action.DOWNGRADE:
            run(lambda settings: _downgrade(settings, given[0], yes))
        case Action.CHECK:
            run(lambda settings: _check(settings, as_json))
        case Action.MOVE:
            run(lambda settings: _move(settings, given[0], given[1], as_json))


def _database(settings: Settings) -> DatabaseSettings:
    return settings.store


@contextmanager
def _stopped(settings: Settings) -> Iterator[None]:
    """Hold the data folder as `./dev up` does, so that neither runs while the other does. Raises `Stop`."""
    file = settings.data / "up.lock"
    if not file.exists():
        yield  # no `up` was ever run here
        return
    with file.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = Running.read(settings)
            which = f" (process {running.pid})" if running else ""
            raise Stop(f"./dev up runs on {settings.data}{which}; stop it first") from None
        yield


async def _upgrade(settings: Settings) -> int:
    async with connect(_database(settings)) as database:
        before = await database.read(revision_of)
        await bring_up_to_date(database)
        name = shown(database.url)
    print(f"{name}: at revision {REVISION}" + ("" if before == REVISION else f", was at {before or 'none'}"))
    return 0


async def _downgrade(settings: Settings, revision: str, yes: bool) -> int:
    chosen = _database(settings)
    require_file(parse(chosen.url.get_secret_value()))
    with _stopped(settings):
        async with connect(chosen) as database:
            before = await database.read(revision_of)
            lost = await database.read(lambda connection: losses(connection, revision))
            for each in lost:
                print(_lost(each))
            if lost and not yes:
                raise Stop("nothing was done: with --yes this is thrown away. Make a copy of the database before")
            await change_revision(database, revision)
            name = shown(database.url)
    print(f"{name}: at revision {revision}, was at {before or 'none'}; this version upgrades it again when it opens it")
    return 0


def _lost(loss: Loss) -> str:
    rows = "1 row" if loss.rows == 1 else f"{loss.rows:,} rows"
    return f"going below revision {loss.revision} loses {loss.what} with {rows}"


async def _check(settings: Settings, as_json: bool) -> int:
    chosen = _database(settings)
    require_file(parse(chosen.url.get_secret_value()))
    async with connect(chosen) as database:
        health = await look_at(database)
        name = shown(database.url)
    if as_json:
        emit({"database": name, **health.model_dump()})
    else:
        _show(name, health)
    return 0 if health.well else 1


def _show(name: str, health: Health) -> None:
    print(f"{name}: revision {health.revision or 'none'}, {health.size / _MEBIBYTE:,.1f} MiB")
    if health.oldest_open:
        print(f"oldest open case: {health.oldest_open.case_id}, opened {_ago(health.oldest_open.opened_at)}")
    elif health.well:
        print("no case is open")
    for problem in health.problems:
        print(problem)
    if health.well:
        print("all well")


def _ago(at: datetime) -> str:
    return distance(at, datetime.now(UTC))


async def _move(settings: Settings, source: str, target: str, as_json: bool) -> int:
    with _stopped(settings):
        facts = await move(DatabaseSettings.of(source), DatabaseSettings.of(target), lambda name, rows: None)
    wrong = differing(facts)
    if as_json:
        for fact in facts:
            emit(fact._asdict())
    else:
        _compare(facts)
    if wrong:
        raise Stop(f"{len(wrong)} figures differ: nothing was moved, {shown(parse(target))} is empty as before")
    if not as_json:
        url = parse(target)
        named = target if url.get_backend_name() == "sqlite" else shown(url)
        print(f"moved. Set AFTERSALES_DATABASE_URL to {named}; {shown(parse(source))} is as it was")
    return 0


def _compare(facts: list[Fact]) -> None:
    made = table("table", "figure", "source", "target", "")
    for fact in facts:
        same = "" if fact.source == fact.target else "differs"
        made.add_row(fact.table, cell(fact.name), cell(fact.source), cell(fact.target), cell(same, "red"))
    console().print(made)
