"""What the documents list is what the code takes."""

from __future__ import annotations

import re

import pytest

import workflows
from adapters.settings import ROOT
from aftersales.events import INTERNAL, TYPES, Message
from aftersales.routing import STARTING
from cli.processes import as_markdown
from workflows import commands, letters

HEARD = {process.process: process.HEARS for process in workflows.ALL}
ANY = "any"
"""Who asks, in the tables of questions, what every process may ask."""


def _events() -> dict[str, str]:
    """The rows of the contract by the type of the event."""
    text = (ROOT / "docs" / "events.md").read_text("utf-8")
    return dict(re.findall(r"^\| `([a-z_.]+)` \|(.*)$", text, re.MULTILINE))


def _named(text: str) -> set[str]:
    """The processes that a text names."""
    return set(re.findall(r"[a-z-]+", text)) & HEARD.keys()


def test_the_contract_lists_every_event_with_every_field() -> None:
    rows = _events()
    assert set(rows) == set(TYPES) - INTERNAL
    for name, row in rows.items():
        fields = set(TYPES[name].model_fields) - {"id", "source", "order_id", "time", "type", "order"}
        assert all(f"`{field}`" in row for field in fields), name


@pytest.mark.parametrize("name", sorted(set(TYPES) - INTERNAL))
def test_the_contract_says_which_processes_an_event_reaches(name: str) -> None:
    kind, becomes = TYPES[name], _events()[name].rpartition("|")[0].rpartition(" | ")[2]
    hearing = {process for process, heard in HEARD.items() if issubclass(kind, heard)}
    told = re.search(r"heard by (every process but )?([^;]*)", becomes)
    named = _named(told[2]) if told else set()
    assert (HEARD.keys() - named if told and told[1] else named) == hearing
    assert bool(re.search(r"\bstarts ", becomes)) == issubclass(kind, (*STARTING, Message))


@pytest.mark.parametrize(
    ("asked_by", "options"),
    [*((one.process, one.OPTIONS) for one in workflows.ALL), (ANY, letters.OPTIONS), (ANY, commands.OPTIONS)],
)
def test_what_an_operator_may_choose_stands_among_the_questions(asked_by: str, options: dict[str, str]) -> None:
    text = (ROOT / "docs" / "operators.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z-]+)(?:,[^|]*)? \|[^|]*\|([^|]*)\|", text, re.MULTILINE)
    told = {option for asker, cell in rows if asker in (ANY, asked_by) for option in re.findall(r"`(\w+)`", cell)}
    assert set(options) - told == set()


def test_the_readme_lists_every_process_in_the_words_of_its_docstring() -> None:
    table = as_markdown()
    assert table in (ROOT / "README.md").read_text("utf-8"), f"put the newer table there:\n{table}"


def test_what_contributing_shows_of_a_file_is_in_it() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    shown = re.findall(r"^```(?:python|yaml)\n# ([\w/.-]+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert {path for path, _ in shown} >= {"workflows/perk_request.py", "templates/perk-request/en.yaml"}
    for path, block in shown:
        left = (ROOT / path).read_text("utf-8")
        for part in re.split(r"^…\n", block, flags=re.MULTILINE):
            _, found, left = left.partition(part)
            assert found, f"{path} does not have, or not in this order:\n{part}"
