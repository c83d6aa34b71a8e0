"""Requests that arrive within a few milliseconds, answered by one call of the model."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeAlias, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
_Request: TypeAlias = tuple[Sequence[Asked], asyncio.Future[Sequence[Answer]]]


class Busy(Exception):
    """More waits for the model than may."""


class Batcher(Generic[Asked, Answer]):
    """Collects what is asked and has it answered together, in a thread of its own.

    While the model works, what arrives waits and is the next batch; one that arrives alone waits `window` for company.

    Args:
        answer: called with at most `most` things, unless a single `ask` has more; returns an answer to each.
        most: things in a batch.
        window: seconds to wait for more, from 0.
        waiting: things that may wait.
    """

    def __init__(
        self, answer: Callable[[list[Asked]], Sequence[Answer]], *, most: int, window: float, waiting: int
    ) -> None:
        self._answer, self._most, self._window, self._limit = answer, most, window, waiting
        self._asked: deque[_Request[Asked, Answer]] = deque()
        self._count = 0
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kerazoo-model")

    async def ask(self, things: Sequence[Asked]) -> Sequence[Answer]:
        """Return the answers to `things`, in their order.

        Raises:
            Busy: too many wait.
        """
        if self._count + len(things) > self._limit:
            raise Busy
        future: asyncio.Future[Sequence[Answer]] = asyncio.get_running_loop().create_future()
        self._asked.append((things, future))
        self._count += len(things)
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Answer what is asked until this is cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._arrived.wait()
                if self._count < self._most and self._window:
                    await asyncio.sleep(self._window)
                await self._answer_together(self._next(), loop)
        finally:
            self._thread.shutdown(wait=False)

    async def _answer_together(self, batch: list[_Request[Asked, Answer]], loop: asyncio.AbstractEventLoop) -> None:
        """Answer a batch; where that fails, each request alone, so that none gets the error of another."""
        things = [thing for asked, _ in batch for thing in asked]
        try:
            answers: Sequence[Answer] = await loop.run_in_executor(self._thread, self._answer, things)
        except Exception as error:
            if len(batch) > 1:
                for request in batch:
                    await self._answer_together([request], loop)
            elif not batch[0][1].done():  # its client may have gone
                batch[0][1].set_exception(error)
        else:
            self._hand_out(batch, answers)

    def _next(self) -> list[_Request[Asked, Answer]]:
        """Return what waits, in its order, up to the size of a batch."""
        batch: list[_Request[Asked, Answer]] = []
        count = 0
        while self._asked and (not batch or count + len(self._asked[0][0]) <= self._most):
            batch.append(self._asked.popleft())
            count += len(batch[-1][0])
        self._count -= count
        if not self._asked:
            self._arrived.clear()
        return batch

    @staticmethod
    def _hand_out(batch: list[_Request[Asked, Answer]], answers: Sequence[Answer]) -> None:
        place = 0
        for asked, future in batch:
            if not future.done():
                future.set_result(answers[place : place + len(asked)])
            place += len(asked)
