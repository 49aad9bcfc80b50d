"""Logs of worker and commands: one line an event, with its case, never a customer's words or address."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow

LogFormat = Literal["json", "console", "auto"]

PRIVATE = frozenset({"address", "email", "line1", "name", "raw", "subject_line", "text"})
"""Keys that carry what customers wrote or where they live. They are dropped at any depth."""

# At DEBUG these write statements with their parameters, letters among them; at INFO plugins that nobody asked for.
_TALKATIVE = ("alembic", "sqlalchemy")


def configure_logging(level: str = "INFO", fmt: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """Send the records of structlog and of logging to `stream` (standard error when None).

    `level` is a name such as "INFO"; any case. `fmt` "auto" writes for people on a terminal, JSON elsewhere.
    Records from `workflow.logger` and `activity.logger` get `case` (the workflow id), `process` and `order`.
    Raises ValueError for an unknown level.
    """
    stream = stream or sys.stderr
    human = fmt == "console" or (fmt == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_case,
        drop_private,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(human, stream),
            ],
        )
    )
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.handlers[:] = [handler]
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    # The details are fields already; as text they would make every message unique.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def name_case(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace the SDK's context by `case`, `process`, `order`, and for activities `activity` and `attempt`.

    A workflow id is `<process>/<order>`, plus a parcel or lines when only some are meant.
    """
    doing = event.pop("temporal_activity", None) or {}
    context = {**(event.pop("temporal_workflow", None) or {}), **doing}
    case = context.get("workflow_id")
    if case is None:
        return event
    process, _, rest = case.partition("/")
    names = {"case": case}
    if rest:
        names |= {"process": process, "order": rest.partition("/")[0]}
    if doing:
        names |= {"activity": context["activity_type"], "attempt": context["attempt"]}
    # What the caller has named itself stays.
    return {**names, **event}


def drop_private(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Take out every key of `PRIVATE`, in nested mappings and lists too."""
    return {key: _public(value) for key, value in event.items() if key not in PRIVATE}


def _public(value: object) -> object:
    match value:
        case Mapping():
            return {key: _public(inner) for key, inner in value.items() if key not in PRIVATE}
        case list() | tuple():
            return [_public(inner) for inner in value]
        case _:
            return value


def _renderers(human: bool, stream: TextIO) -> list[Processor]:
    # Both show tracebacks without local variables, which hold orders and letters.
    if human:
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]
