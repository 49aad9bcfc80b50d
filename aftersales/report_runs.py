"""A run of the report: what it is asked for, and what it made (`§20`)."""

from __future__ import annotations

from typing import Literal

from aftersales.model import Model, Time


class ReportRun(Model):
    """What a schedule asks for: the report of yesterday (`daily`) or of last month (`monthly`), as seen at a moment.

    `zone` is the time zone in which days begin. Without `at` it is the time for which the run was scheduled.
    """

    kind: Literal["daily", "monthly"]
    zone: str
    at: Time | None = None


class Made(Model):
    """A report that was made: of which shop (empty for all) and period, and its files by their kind, such as `html`."""

    shop: str
    period: str
    files: dict[str, str]


class Told(Model):
    """How many warnings went out to staff; `problems` says in words what did not."""

    sent: int
    problems: tuple[str, ...] = ()


class RunDone(Model):
    """What came of a run; `told` is None where limits were not compared."""

    period: str
    as_of: Time
    reports: tuple[Made, ...]
    told: Told | None = None
