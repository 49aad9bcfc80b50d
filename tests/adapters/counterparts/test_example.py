"""The example counterpart as a shop's engineer runs it: a process of its own, killed and started again."""

from __future__ import annotations

import asyncio

import pytest
import typer
from aiohttp import ClientSession
from pydantic import SecretStr

from adapters.counterparts.http import HttpCounterpart
from adapters.counterparts.settings import CounterpartSettings
from aftersales.commands import Command, CommandRefused, NotNow
from cli.counterpart import counterpart
from tests.adapters.counterparts.conftest import SECRET, Process
from tests.commands import command


def to(process: Process, session: ClientSession, *, secret: str = SECRET) -> HttpCounterpart:
    settings = CounterpartSettings(url=process.url, secret=SecretStr(secret), timeout_seconds=5)
    return HttpCounterpart("warehouse", settings, session)


async def test_it_does_a_command_once_and_knows_it_after_a_restart(process: Process, session: ClientSession) -> None:
    await process.start()
    warehouse, asked = to(process, session), command("reship")
    first = await warehouse.execute(asked, shop="us")
    again = await warehouse.execute(asked, shop="us")
    await process.kill()
    await process.start()
    assert {first.reference, again.reference, (await warehouse.execute(asked, shop="us")).reference} == {"C-1"}
    assert (await warehouse.execute(command("reship", 2), shop="us")).reference == "C-2"
    assert process.done() == [asked.key, command("reship", 2).key]


async def test_who_does_not_know_the_secret_gets_nothing_done(process: Process, session: ClientSession) -> None:
    await process.start()
    wrong = "whsec_YW5vdGhlciBvbmUgdGhhbiB0aGUgY291bnRlcnBhcnQ="
    with pytest.raises(NotNow, match="does not know our signature"):
        await to(process, session, secret=wrong).execute(command("refund"), shop="us")
    assert process.done() == []


async def test_killed_between_doing_and_answering_nothing_is_done_twice(
    process: Process, session: ClientSession
) -> None:
    warehouse, asked = to(process, session), [command("repair", number) for number in range(40)]

    async def until_done(one: Command) -> str:
        async with asyncio.timeout(30):
            while True:
                try:
                    return (await warehouse.execute(one, shop="us")).reference
                except NotNow:
                    await asyncio.sleep(0.1)

    await process.start(slow="1")
    waiting = [asyncio.ensure_future(until_done(one)) for one in asked]
    await process.has_done(5)
    await process.kill()
    done_before = len(process.done())
    assert not any(one.done() for one in waiting), "it was killed before it answered"
    await process.start()
    references = await asyncio.gather(*waiting)
    assert done_before >= 5
    assert sorted(process.done()) == sorted(one.key for one in asked)
    assert len(set(references)) == 40


async def test_the_verb_makes_it_refuse_and_fail(process: Process, session: ClientSession) -> None:
    await process.start(refuse="reship", fail_rate="1")
    warehouse = to(process, session)
    with pytest.raises(CommandRefused, match="refused, as you asked"):
        await warehouse.execute(command("reship"), shop="us")
    with pytest.raises(NotNow, match="500"):
        await warehouse.execute(command("repair"), shop="us")
    assert process.done() == [command("repair").key]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a"])
def test_the_verb_says_what_is_wrong_with_its_secret(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as end:
        counterpart(secret=secret)
    assert end.value.exit_code == 1
    assert "--secret is missing or wrong" in capsys.readouterr().err
