"""Running a verb: its settings and logs, and whatever can go wrong in one clear sentence."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import typer
from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError

from adapters.database import DatabaseUnusable
from adapters.logs import configure_logging
from adapters.preflight import ServerError
from adapters.settings import BadSettings, Settings, read_settings
from adapters.temporal import NotReachable, quiet_core, rpc_problem
from aftersales.faults import BadFile
from aftersales.ports import Unavailable

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Stop(Exception):
    """The verb cannot go on; the text says why and what to do."""


def run(
    verb: Callable[[Settings], Coroutine[Any, Any, int]],
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> NoReturn:
    """Run a verb to its exit code. Raises `typer.Exit` with it; expected failures are 1, told on standard error."""
    try:
        settings = read_settings()
        configure_logging("WARNING", settings.log_format)
        quiet_core()
        with asyncio.Runner(loop_factory=loop) as runner:
            code = runner.run(_promptly(verb(settings)))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except (Stop, BadSettings, NotReachable, BadFile, DatabaseUnusable, ServerError, Unavailable) as error:
        code = fail(str(error))
    except RPCError as error:
        code = fail(rpc_problem(error))
    except DBAPIError as error:
        code = fail(f"the database cannot be used: {error.orig}; check that its disk is there and has room")
    except BrokenPipeError:
        code = 1
    except OSError as error:
        code = fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    raise typer.Exit(code)


def fail(text: str) -> int:
    """Tell on standard error what went wrong; returns the exit code for it."""
    print(text, file=sys.stderr)
    return 1


async def _promptly(work: Coroutine[Any, Any, int]) -> int:
    """Run with Ctrl-C raising at once: asyncio's own handler waits for its turn, which a read of the input holds up."""
    with contextlib.suppress(ValueError):  # not in the main thread, as in tests
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return await work
