"""What is away for a while is no failure of an activity: it is tried again, and whoever uses it has logged it."""

from __future__ import annotations

from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor
from typing_extensions import override

from aftersales.ports import Unavailable

AWAY = "Away"
"""The error type of an activity that needs what is away, such as the database."""


class AwayIsExpected(Interceptor):
    """Has the SDK log no traceback for each try of each activity during an outage."""

    @override
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Called by the worker."""
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    @override
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except Unavailable as away:
            raise ApplicationError(str(away), type=AWAY, category=ApplicationErrorCategory.BENIGN) from away
