"""The command line: its verbs, of which only the one that runs is imported."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

VERBS = {
    "demo": ("cli.demo", "a day of order events on an embedded Temporal server"),
    "up": ("cli.up", "embedded server, Web UI, worker and HTTP door, waiting for events"),
    "serve": ("cli.serve", "events in by HTTP and by queues; `up` runs it too"),
    "counterpart": ("cli.counterpart", "a counterpart to try commands with: the example, with moods"),
    "db": ("cli.db", "the database: upgrade, downgrade, check, move to another one"),
    "send": ("cli.send", "send order events from a file or standard input (-)"),
    "events": ("cli.events", "the events received; those refused can be sent again"),
    "cases": ("cli.cases", "list cases: stage, deadline, result"),
    "case": ("cli.case", "the story of one case, and the decision that is open"),
    "money": ("cli.money", "the money that left for an order, over all its cases"),
    "report": ("cli.report", "the figures of a period: return rate, answers, letters; made by a schedule too"),
    "route": ("cli.route", "send an event that reached no case where it belongs"),
    "decide": ("cli.decide", "take an operator's decision in a case"),
    "extend": ("cli.decide", "move the deadline that a case waits for"),
    "classify": ("cli.classify", "what messages are about, one JSON object a line"),
    "processes": ("cli.processes", "the processes that there are, and their letters"),
    "check": ("cli.check", "validate settings, policies, templates, routes and search attributes"),
    "rehearse": ("cli.rehearse", "play scenarios on the real server in virtual time"),
    "adopt": ("cli.adopt", "after a change of the rules, move open cases that fit to the new code"),
}
"""Each verb with the module that has a function of its name, and its line in the help."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and end the process with its exit code."""
    code = _run(list(sys.argv[1:] if arguments is None else arguments))
    # Whoever read our output may be gone, as after `| head`.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    # The SDK's native part can abort while the interpreter shuts down, after all went well (sdk-python issue 300).
    os._exit(code)


def _run(arguments: list[str]) -> int:
    verb, *rest = arguments or ["--help"]
    if verb in {"--help", "-h", "help"}:
        print("Usage: ./dev VERB [ARGUMENTS]     (./dev VERB --help tells more)\n")
        print("\n".join(f"  {name:<10} {line}" for name, (_, line) in VERBS.items()))
        return 0
    if verb not in VERBS:
        close = difflib.get_close_matches(verb, VERBS, n=1)
        remedy = f"did you mean {close[0]}?" if close else f"there are {', '.join(VERBS)}"
        print(f"no verb {verb!r}; {remedy}", file=sys.stderr)
        return 2
    import typer

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(getattr(import_module(VERBS[verb][0]), verb))
    try:
        app(rest, prog_name=f"./dev {verb}")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
