"""Slices of time: between their bounds no rate changes and no period begins or ends.

Rows are added up by slice, so that each is read once, however many periods, steps of a series and rates there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Integer, and_, case, literal

_SORTED_FAST = timedelta(days=31)
"""To group rows, a database sorts them: those of a year take half as long again as those of its months."""


class Stretch(NamedTuple):
    """From a moment on until another, which is not in it."""

    start: datetime
    end: datetime

    def until(self, at: datetime) -> Stretch:
        """As much of it as is before a moment; it may be empty."""
        return Stretch(min(self.start, at), min(self.end, at))

    def parts(self) -> Iterator[Stretch]:
        """The same time in parts that are sorted fast."""
        at = self.start
        while at < self.end:
            yield Stretch(at, min(at + _SORTED_FAST, self.end))
            at += _SORTED_FAST

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """The column's moment is in it."""
        return and_(column >= self.start, column < self.end)


class Slices:
    """Stretches of time, cut where one of them begins or ends and where a rate changes."""

    def __init__(self, stretches: Iterable[Stretch], changes: Iterable[datetime]) -> None:
        self._stretches = [each for each in stretches if each.start < each.end]
        bounds = {bound for stretch in self._stretches for bound in stretch} | set(changes)
        self._bounds = sorted(bounds)

    @property
    def gapless(self) -> list[Stretch]:
        """The stretches, those that touch put together, in order of time."""
        joined: list[Stretch] = []
        for stretch in sorted(self._stretches):
            if joined and stretch.start <= joined[-1].end:
                joined[-1] = Stretch(joined[-1].start, max(joined[-1].end, stretch.end))
            else:
                joined.append(stretch)
        return joined

    def pieces(self) -> list[Stretch]:
        """The slices that are in one of the stretches, in order of time."""
        whole = self.gapless
        cut = [Stretch(*bounds) for bounds in pairwise(self._bounds)]
        return [piece for piece in cut if any(each.start <= piece.start < each.end for each in whole)]

    def number(self, column: Column[Any], stretch: Stretch) -> ColumnElement[Any]:
        """The number of the slice in which the column's moment is, a moment of this stretch.

        It is found by halves, so that a rate for every day costs a row nine comparisons.
        """
        first = bisect_right(self._bounds, stretch.start)
        return self._among(column, first, bisect_left(self._bounds, stretch.end))

    def start(self, number: int) -> datetime:
        """When the slice of this number begins."""
        return self._bounds[number - 1]

    def _among(self, column: Column[Any], first: int, last: int) -> ColumnElement[Any]:
        if last <= first:
            return literal(first, Integer)
        middle = (first + last) // 2
        return case(
            (column < self._bounds[middle], self._among(column, first, middle)),
            else_=self._among(column, middle + 1, last),
        )


def holding(stretches: Sequence[Stretch], at: datetime) -> list[int]:
    """Which of the stretches a moment is in, by their places."""
    return [place for place, stretch in enumerate(stretches) if stretch.start <= at < stretch.end]
