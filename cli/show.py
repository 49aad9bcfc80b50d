"""How lists and moments look on a terminal, in a pipe and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aftersales.plaintext import one_line

_WIDE = 250
"""Columns where no terminal sets a width, so that nothing is cut off in a file or a pipe."""


def console() -> Console:
    """Standard output; colours and the terminal's width only where it is one."""
    tty = sys.stdout.isatty()
    return Console(width=None if tty else _WIDE, highlight=False, markup=False, soft_wrap=not tty)


def table(*columns: str) -> Table:
    """An empty table with these headings."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def cell(text: str, style: str = "") -> Text:
    """Text from outside, without anything that a terminal would obey."""
    return Text(one_line(text), style)


def emit(fields: Mapping[str, object]) -> None:
    """One JSON object on one line; moments as RFC 3339."""
    sys.stdout.write(json.dumps(fields, ensure_ascii=False, default=_plain) + "\n")


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def distance(at: datetime, now: datetime) -> str:
    """How far away a moment is: `in 2 d 3 h`, `5 min ago`."""
    seconds = round(abs((at - now).total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    text = " ".join(f"{number} {unit}" for number, unit in parts[:2] if number) or "0 s"
    return f"in {text}" if at > now else f"{text} ago"


def _plain(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
