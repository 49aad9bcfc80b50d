"""`counterpart`: a counterpart to try commands with, which can be slow, fail and refuse."""

from __future__ import annotations

import random
import runpy
import socketserver
import sqlite3
import sys
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import typer
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from adapters.settings import ROOT

EXAMPLE = ROOT / "examples" / "counterpart.py"


def counterpart(
    port: Annotated[int, typer.Option(help="Where it listens on this machine; 0 for a free port.")] = 8090,
    secret: Annotated[str, typer.Option(help="What commands are signed with, whsec_ and base64.")] = "",
    book: Annotated[Path, typer.Option(help="The file of what it has done.")] = Path("counterpart.db"),
    refuse: Annotated[list[str] | None, typer.Option(help="A command that it refuses, such as reship.")] = None,
    slow: Annotated[float, typer.Option(help="Seconds between doing a command and answering.")] = 0,
    fail_rate: Annotated[float, typer.Option(min=0, max=1, help="The share answered with 500 after being done.")] = 0,
) -> None:
    """Run examples/counterpart.py: takes commands, does each once, prints a line for each."""
    if not EXAMPLE.exists():
        raise _stop(f"{EXAMPLE} is not there: this verb is for a checkout")
    try:
        Webhook(secret)
    except (ValueError, RuntimeError, EmptyWebhookSecretError):
        raise _stop("--secret is missing or wrong; write whsec_ and base64, the same as in the settings") from None
    # The example reads its command line, as whoever copies it does.
    sys.argv = [str(EXAMPLE), str(port), secret, str(book)]
    example = runpy.run_path(str(EXAMPLE))
    with closing(sqlite3.connect(book)) as fresh, fresh:
        fresh.execute(example["BOOK"])
    handler = _moody(example["Counterpart"], frozenset(refuse or ()), slow, fail_rate)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as fault:
        raise _stop(f"port {port} cannot be used: {fault.strerror}; choose another with --port") from None
    print(f"listens on http://127.0.0.1:{server.server_port}, its book is {book}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _moody(
    plain: type[BaseHTTPRequestHandler], refused: frozenset[str], slow: float, fail_rate: float
) -> type[socketserver.BaseRequestHandler]:
    """The example's handler, with moods."""

    class Moody(plain):  # type: ignore[misc, valid-type]  # the class comes from the example's file
        def carry_out(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            if event["type"].removeprefix("command.") in refused:
                return 200, {"accepted": False, "reason": "refused, as you asked"}
            status, words = super().carry_out(event)
            time.sleep(slow)
            return (500, {"message": "failed, as you asked"}) if random.random() < fail_rate else (status, words)

    return Moody


def _stop(why: str) -> typer.Exit:
    print(why, file=sys.stderr)
    return typer.Exit(1)
