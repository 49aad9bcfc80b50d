import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from temporalio import activity, workflow

from adapters.logs import LogFormat, configure_logging

CASE = "return-parcel/A-1001/2"
Configure = Callable[..., io.StringIO]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def configure() -> Iterator[Configure]:
    """`configure_logging` into a string, undone after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(fmt: LogFormat = "json", level: str = "info", stream: io.StringIO | None = None) -> io.StringIO:
        stream = stream or io.StringIO()
        configure_logging(level, fmt, stream)
        return stream

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    workflow.logger.workflow_info_on_message = True
    activity.logger.activity_info_on_message = True
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_of_logging_becomes_one_json_line(configure: Configure) -> None:
    stream = configure()
    logging.getLogger("worker").warning("polling %s", "cases", extra={"queue": "aftersales"})
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "polling cases", "level": "warning", "logger": "worker", "queue": "aftersales"}


def test_a_record_of_structlog_looks_the_same(configure: Configure) -> None:
    stream = configure()
    structlog.get_logger("worker").warning("polling %s", "cases", queue="aftersales")
    (line,) = lines(stream)
    del line["timestamp"]
    assert line == {"event": "polling cases", "level": "warning", "logger": "worker", "queue": "aftersales"}


def test_a_workflow_is_named_by_case_process_and_order(configure: Configure) -> None:
    stream = configure()
    context = {"workflow_id": CASE, "run_id": "0198", "workflow_type": "ReturnParcel", "attempt": 1}
    logging.getLogger("temporalio.workflow").info("entered", extra={"temporal_workflow": context})
    (line,) = lines(stream)
    assert (line["case"], line["process"], line["order"]) == (CASE, "return-parcel", "A-1001")
    assert "temporal_workflow" not in line
    assert "attempt" not in line


def test_an_activity_is_named_with_its_attempt(configure: Configure) -> None:
    stream = configure()
    context = {"workflow_id": CASE, "activity_type": "send_letter", "attempt": 3, "task_queue": "aftersales"}
    logging.getLogger("temporalio.activity").info("sent", extra={"temporal_activity": context})
    (line,) = lines(stream)
    assert (line["case"], line["activity"], line["attempt"]) == (CASE, "send_letter", 3)


def test_an_id_of_another_shape_is_only_a_case(configure: Configure) -> None:
    stream = configure()
    logging.getLogger().info("x", extra={"temporal_workflow": {"workflow_id": "by-hand"}})
    (line,) = lines(stream)
    assert line["case"] == "by-hand"
    assert "process" not in line


def test_what_the_caller_names_wins(configure: Configure) -> None:
    stream = configure()
    extra = {"order": "B-7", "temporal_workflow": {"workflow_id": CASE}}
    logging.getLogger().info("x", extra=extra)
    assert lines(stream)[0]["order"] == "B-7"


@pytest.mark.parametrize("fmt", ["json", "console"])
@pytest.mark.parametrize("key", ["text", "email", "name", "line1", "address", "raw", "subject_line"])
def test_customer_text_and_address_never_appear(configure: Configure, fmt: LogFormat, key: str) -> None:
    stream = configure(fmt)
    structlog.get_logger().info("a", **{key: "secret", "nested": {"deep": [{key: "secret"}], "kept": "yes"}})
    logging.getLogger().info("b", extra={"nested": ({key: "secret"},)})
    assert "secret" not in stream.getvalue()
    assert "yes" in stream.getvalue()


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_a_traceback_shows_no_local_variables(configure: Configure, fmt: LogFormat) -> None:
    stream = configure(fmt)
    letter = "secret words"
    try:
        raise ValueError(f"{len(letter)} characters")
    except ValueError:
        logging.getLogger().exception("failed")
    assert "ValueError: 12 characters" in stream.getvalue()
    assert "secret words" not in stream.getvalue()


def test_database_statements_are_not_logged_even_at_debug(configure: Configure) -> None:
    stream = configure(level="debug")
    logging.getLogger("sqlalchemy").debug("executing insert secret")
    logging.getLogger("sqlalchemy.engine").info("secret")
    logging.getLogger("worker").debug("shown")
    assert [line["event"] for line in lines(stream)] == ["shown"]


def test_auto_writes_for_people_on_a_terminal_only(configure: Configure) -> None:
    terminal = configure("auto", stream=Terminal())
    logging.getLogger().info("started")
    assert not terminal.getvalue().startswith("{")
    piped = configure("auto")
    logging.getLogger().info("started")
    assert piped.getvalue().startswith("{")


def test_below_the_level_nothing_is_written(configure: Configure) -> None:
    stream = configure(level="warning")
    logging.getLogger().info("x")
    structlog.get_logger().info("x")
    assert stream.getvalue() == ""


def test_an_unknown_level_is_refused(configure: Configure) -> None:
    with pytest.raises(ValueError, match="LOUD"):
        configure(level="loud")


def test_chinese_stays_readable(configure: Configure) -> None:
    stream = configure()
    logging.getLogger().info("x", extra={"shop": "小店"})
    assert "小店" in stream.getvalue()
