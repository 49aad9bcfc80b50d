"""`./dev processes`: what processes there are, in the words of their docstrings."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, NamedTuple

import typer

from cli.show import cell, console, emit, table


class Row(NamedTuple):
    """A process in a list: what it is about, where its rule stands, and the letters that it sends."""

    process: str
    about: str
    rule: str
    letters: tuple[str, ...]


def rows() -> list[Row]:
    """Every process, in the order of the rules."""
    import workflows

    found = []
    for process in workflows.ALL:
        first = " ".join(inspect.cleandoc(process.__doc__ or "").split("\n\n")[0].split())
        rule = re.search(r"`spec/processes\.md` §(\d+)", first)
        about = re.sub(r" \(`spec/[^)]*\)", "", first)
        found.append(Row(process.process, about, f"§{rule[1]}" if rule else "", tuple(process.LETTERS)))
    return sorted(found, key=lambda row: int(row.rule[1:] or 0))


def as_markdown() -> str:
    """The list as the README has it."""
    lines = [f"| `{row.process}` | {row.about} | {row.rule} | {len(row.letters)} |" for row in rows()]
    return "\n".join(["| process | what it is about | rule | letters |", "|---|---|---|---|", *lines])


def processes(
    markdown: Annotated[bool, typer.Option("--markdown", help="the table of the README")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a process")] = False,
) -> None:
    """List the processes: what each is about, its section of the rules, its letters."""
    if markdown:
        print(as_markdown())
        return
    found = rows()
    if as_json:
        for row in found:
            emit(row._asdict())
        return
    shown = table("process", "rule", "what it is about", "letters")
    for row in found:
        shown.add_row(cell(row.process), row.rule, cell(row.about), cell(", ".join(row.letters)))
    console().print(shown)
