"""What is asked at the same time is done in one go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from adapters.database.outages import DatabaseAway

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """Does for many tasks what it is asked, one round at a time.

    While a round is under way, what is asked gathers for the next one. A round that fails is done again one by one, so
    that each caller gets its own error and no other's. Where the database is away, all get that error at once.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
        *,
        turn: asyncio.Lock | None = None,
        most: int | None = None,
    ) -> None:
        """`do` has an answer for each that is asked, in their order, or fails and has changed nothing.

        A round takes the `turn`, which others may share, and at `most` so many; None means all.
        """
        self._do, self._turn, self._most = do, turn or asyncio.Lock(), most
        self._asked: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, one: Asked) -> Answer:
        """The answer; raises what `do` raises for this one."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((one, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await answer

    async def close(self) -> None:
        """Wait until everything asked for is done."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while self._asked:
            async with self._turn:
                most = len(self._asked) if self._most is None else min(len(self._asked), self._most)
                await self._round([self._asked.popleft() for _ in range(most)])

    async def _round(self, asked: Sequence[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._do([one for one, _ in asked])
        except Exception as error:
            if len(asked) > 1 and not isinstance(error, DatabaseAway):
                for one in asked:
                    await self._round([one])
                return
            for _, future in asked:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(asked, answers, strict=True):
                if not future.done():  # its caller may have been cancelled
                    future.set_result(answer)
