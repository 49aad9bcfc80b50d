"""How the demo looks: a live table on a terminal, a line for each happening elsewhere."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from adapters.settings import ROOT
from aftersales.plaintext import one_line
from cli.connection import Server
from cli.demo.feed import CaseSeen, Feed, Happening, Kind
from cli.show import cell

EVERY = 0.25
"""Seconds between two pictures."""
NARROW, VERY_NARROW = 100, 64
"""Columns of a terminal below which columns of the table are left out."""

STYLES: dict[Kind, str] = {
    "event": "",
    "letter": "cyan",
    "command": "blue",
    "deadline": "yellow",
    "needed": "bold yellow",
    "taken": "bold green",
    "closed": "green",
    "odd": "magenta",
}


class Screen:
    """Shows a feed until it is cancelled."""

    def __init__(self, console: Console, feed: Feed, server: Server, data: Path) -> None:
        self._console, self._feed, self._server, self._data = console, feed, server, data
        self._printed = 0
        self._live = console.is_terminal and not console.is_dumb_terminal

    async def show(self) -> NoReturn:
        """Show what happens as it happens."""
        if self._live:
            with Live(self._picture(), console=self._console, screen=True, auto_refresh=False) as live:
                while True:
                    live.update(self._picture(), refresh=True)
                    await asyncio.sleep(EVERY)
        while True:
            self._print_new()
            await asyncio.sleep(EVERY)

    def end(self) -> None:
        """Show what is left to show: all cases where there was a live table, else the last happenings."""
        if self._live:
            self._console.print(table(self._console, sorted(self._feed.cases.values(), key=_opened)))
        else:
            self._print_new()

    def _print_new(self) -> None:
        """Print the happenings that were not printed yet, a line each."""
        new = self._feed.happenings[self._printed :]
        self._printed += len(new)
        for happening in new:
            self._console.print(line(happening), soft_wrap=True)
            if happening.kind == "needed" and (seen := self._feed.cases.get(happening.about)):
                for text in self._how(seen):
                    self._console.print(f"{'':9}{text}", soft_wrap=True)
        self._console.file.flush()

    def _picture(self) -> RenderableType:
        """The whole screen: the cases, what is asked of an operator, what happened last."""
        width, height = self._console.size
        questions = [text for text in self._asked() if text.cell_len]
        last = self._feed.happenings[-max(2, min(8, height // 4)) :]
        taken = sum(-(-text.cell_len // width) for text in questions) + len(last) + 4
        happened = [Text(no_wrap=True, overflow="ellipsis").append_text(line(it)) for it in last]
        return Group(self._title(), self._table(height - taken), Text(), *questions, *happened)

    def _title(self) -> Text:
        feed = self._feed
        closed = sum(bool(seen.result) for seen in feed.cases.values())
        text = f" · {feed.elapsed:.0f} s · {len(feed.cases)} cases, {closed} closed · {self._server.ui_url}"
        return Text("Aftersales demo", "bold", no_wrap=True, overflow="ellipsis").append(text, "not bold")

    def _table(self, rows: int) -> Table:
        """As many cases as there is room for: open ones, then those that closed last; in the order of their opening."""
        cases = sorted(self._feed.cases.values(), key=lambda seen: (bool(seen.result), -seen.closed))
        return table(self._console, sorted(cases[: max(1, rows)], key=_opened))

    def _asked(self) -> list[Text]:
        """The decision that has waited longest, and how many more there are."""
        asking = sorted((seen for seen in self._feed.cases.values() if seen.question), key=_deadline)
        if not asking or not (question := asking[0].question):
            return []
        more = f" ({len(asking) - 1} more wait)" if len(asking) > 1 else ""
        told = Text(f"decision needed{more}: {asking[0].case}: ", "bold yellow")
        told.append(_short(question.question, self._console.width - told.cell_len))
        return [told, *(Text(f"  {text}", "yellow", overflow="fold") for text in self._how(asking[0]))]

    def _how(self, seen: CaseSeen) -> list[str]:
        """How an operator decides: the exact command, and the page in the Web UI."""
        option = seen.question.options[0] if seen.question else "OPTION"
        others = ", ".join(seen.question.options[1:]) if seen.question else ""
        command = decide_line(self._data, seen.case, option)
        return [f"{command}   # or {others}", self._server.link(seen.case)]


def decide_line(data: Path, case: str, option: str) -> str:
    """The command that takes a decision in the demo, as it can be pasted into another terminal in this folder."""
    return f'AFTERSALES_DATA={shown(data)} {shown_dev()} decide {shlex.quote(case)} {option} --by you --reason "why"'


def shown(path: Path) -> str:
    """A path as seen from this folder, where it is below, fit for a shell."""
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def shown_dev() -> str:
    """How `dev` is called from this folder."""
    return "./dev" if Path.cwd() == ROOT else shlex.quote(str(ROOT / "dev"))


def table(console: Console, cases: Sequence[CaseSeen]) -> Table:
    """The table of cases, with as many columns as fit."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    columns = _columns(console.width)
    for name in columns:
        made.add_column(name, no_wrap=True, overflow="ellipsis", min_width=_LEAST.get(name))
    for seen in cases:
        cells = {
            "case": cell(seen.case),
            "lang": cell(seen.language),
            "stage": cell(seen.stage, "bold yellow" if seen.question else ""),
            "until": _countdown(seen),
            "last letter": cell(seen.last_letter),
            "result": cell(seen.result, "green"),
        }
        made.add_row(*(cells[name] for name in columns), style="dim" if seen.result else "")
    return made


_LEAST = {"case": 25, "lang": 5, "until": 5, "result": 15}
"""The width below which a column is not cut: the names of stages and letters can be guessed from their beginning."""


def _columns(width: int) -> list[str]:
    if width < VERY_NARROW:
        return ["case", "stage", "until"]
    if width < NARROW:
        return ["case", "stage", "until", "result"]
    return ["case", "lang", "stage", "until", "last letter", "result"]


def line(happening: Happening) -> Text:
    """A happening as one line: when, about what, what."""
    text = f"{happening.at:+6.1f}s  {happening.about:<25}  "
    return Text(text).append(one_line(happening.text), STYLES[happening.kind])


def _countdown(seen: CaseSeen) -> Text:
    if seen.deadline is None or seen.result:
        return Text()
    left = (seen.deadline - datetime.now(UTC)).total_seconds()
    return Text(f"{max(0, round(left)):3} s", "red" if left < 2 else "")


def _opened(seen: CaseSeen) -> datetime:
    return seen.opened_at


def _deadline(seen: CaseSeen) -> datetime:
    return seen.deadline or seen.opened_at


def _short(text: str, width: int) -> str:
    flat = Text(one_line(text))
    flat.truncate(max(width, 20), overflow="ellipsis")
    return flat.plain
