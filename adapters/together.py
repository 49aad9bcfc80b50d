"""What is asked at the same time is done in one go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from typing import Generic, TypeVar

from aftersales.ports import Unavailable

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """Does for many tasks what it is asked, round by round.

    While the rounds that may be are under way, what is asked gathers for the next one. A round that fails is done again
    one by one, so that each caller gets its own error and no other's. What is away is told to all of them at once.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
        *,
        turn: asyncio.Lock | None = None,
        most: int | None = None,
        abreast: int = 1,
    ) -> None:
        """`do` has an answer for each that is asked, in their order; where it fails, it may be asked the same again.

        There are at most so many rounds `abreast`. One takes the `turn`, which others may share, and at `most` so many
        that were asked; None means all.
        """
        self._do, self._turn, self._most, self._abreast = do, turn, most, abreast
        self._asked: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._working = 0
        self._tasks = set[asyncio.Task[None]]()

    async def ask(self, one: Asked) -> Answer:
        """The answer; raises what `do` raises for this one."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((one, answer))
        if self._working < self._abreast:
            self._working += 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def close(self) -> None:
        """Wait until everything asked for is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        try:
            while self._asked:
                async with self._turn or nullcontext():
                    most = len(self._asked) if self._most is None else min(len(self._asked), self._most)
                    await self._round([self._asked.popleft() for _ in range(most)])
        finally:
            self._working -= 1

    async def _round(self, asked: Sequence[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        if not asked:  # another round has taken them, while this one waited for its turn
            return
        try:
            answers = await self._do([one for one, _ in asked])
        except Exception as error:
            if len(asked) > 1 and not isinstance(error, Unavailable):
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
