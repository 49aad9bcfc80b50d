"""An outage is a line when it begins and a line when it is over."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.away import AWAY, AwayIsExpected
from adapters.outage import QUIET, Outage
from aftersales.ports import Unavailable


def test_it_is_told_once_however_often_it_is_seen() -> None:
    now = [0.0]
    outage = Outage("letters", clock=lambda: now[0], channel="smtp")
    with capture_logs() as lines:
        outage.is_over()
        for now[0] in (1.0, 2.0, 3.0):
            outage.goes_on("the mail server does not answer; start it")
        outage.is_over()
        outage.is_over()
    assert [(one["event"], one["log_level"], one["channel"]) for one in lines] == [
        ("letters.away", "warning", "smtp"),
        ("letters.back", "info", "smtp"),
    ]
    assert (lines[0]["problem"], lines[1]["away_seconds"]) == ("the mail server does not answer; start it", 2.0)


def test_what_comes_and_goes_does_not_fill_the_log() -> None:
    now = [0.0]
    outage = Outage("database", clock=lambda: now[0])
    with capture_logs() as lines:
        for _ in range(50):
            outage.goes_on("too many connections")
            outage.is_over()
        outage.goes_on("too many connections")
        now[0] = QUIET
        outage.goes_on("too many connections")
    assert [one["event"] for one in lines] == ["database.away", "database.back", "database.away"]


async def test_an_activity_that_needs_what_is_away_is_tried_again_and_not_logged_as_a_failure() -> None:
    class Away(ActivityInboundInterceptor):
        async def execute_activity(self, input: ExecuteActivityInput) -> object:
            raise Unavailable("the database is away; check that it runs")

    interceptor = AwayIsExpected().intercept_activity(Away(Away.__new__(Away)))
    with pytest.raises(ApplicationError, match="check that it runs") as told:
        await interceptor.execute_activity(ExecuteActivityInput(fn=print, args=(), executor=None, headers={}))
    assert (told.value.type, told.value.category, told.value.non_retryable) == (
        AWAY,
        ApplicationErrorCategory.BENIGN,
        False,
    )
