"""What is asked at the same time is done in one go, and each caller gets its own answer or error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import make_url

from adapters.database.outages import DatabaseAway
from adapters.together import Together


class Halving:
    """Halves even numbers and notes its rounds; `away` has it raise as a database that does not answer."""

    def __init__(self, *, away: bool = False) -> None:
        self.rounds: list[list[int]] = []
        self.began = asyncio.Event()
        self._away = away

    async def do(self, asked: Sequence[int]) -> list[int]:
        self.rounds.append([*asked])
        self.began.set()
        await asyncio.sleep(0)
        if self._away:
            raise DatabaseAway(make_url("sqlite://"), OSError("gone"))
        if odd := [one for one in asked if one % 2]:
            raise ValueError(f"{odd} cannot be halved")
        return [one // 2 for one in asked]


async def test_what_is_asked_during_a_round_is_done_in_the_next() -> None:
    halving = Halving()
    together = Together(halving.do)
    first = asyncio.create_task(together.ask(2))
    await halving.began.wait()
    assert await asyncio.gather(first, *(together.ask(number) for number in (4, 6, 8))) == [1, 2, 3, 4]
    assert halving.rounds == [[2], [4, 6, 8]]


async def test_a_round_has_at_most_so_many() -> None:
    halving = Halving()
    together = Together(halving.do, most=2)
    assert await asyncio.gather(*(together.ask(number) for number in (2, 4, 6))) == [1, 2, 3]
    assert halving.rounds == [[2, 4], [6]]


async def test_so_many_rounds_are_under_way_at_a_time() -> None:
    halving = Halving()
    together = Together(halving.do, most=2, abreast=2)
    first = [asyncio.create_task(together.ask(number)) for number in (2, 4, 6)]
    await halving.began.wait()
    later = [asyncio.create_task(together.ask(number)) for number in (8, 10, 12)]
    assert await asyncio.gather(*first, *later) == [1, 2, 3, 4, 5, 6]
    assert halving.rounds == [[2, 4], [6], [8, 10], [12]]
    await together.close()
    assert await together.ask(14) == 7


async def test_each_caller_gets_its_own_error_and_no_others() -> None:
    together = Together(Halving().do)
    answers = await asyncio.gather(*(together.ask(number) for number in (2, 3, 4)), return_exceptions=True)
    assert (answers[0], answers[2]) == (1, 2)
    assert isinstance(answers[1], ValueError)
    assert str(answers[1]) == "[3] cannot be halved"


async def test_all_are_told_at_once_that_the_database_is_away() -> None:
    halving = Halving(away=True)
    together = Together(halving.do)
    answers = await asyncio.gather(*(together.ask(number) for number in (2, 4)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [DatabaseAway, DatabaseAway]
    assert halving.rounds == [[2, 4]]


async def test_a_caller_that_left_does_not_disturb_the_others() -> None:
    together = Together(Halving().do)
    leaving, staying = asyncio.create_task(together.ask(2)), asyncio.create_task(together.ask(4))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 2
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await together.close()
