"""What the documents list is what the code takes."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest

import workflows
from adapters.settings import ROOT, Settings, read_settings
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
    assert {path for path, _ in shown} >= {
        "workflows/perk_request.py",
        "templates/perk-request/en.yaml",
        "tests/queues.py",
    }
    for path, block in shown:
        left = (ROOT / path).read_text("utf-8")
        for part in re.split(r"^…\n", block, flags=re.MULTILINE):
            _, found, left = left.partition(part)
            assert found, f"{path} does not have, or not in this order:\n{part}"


DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_to_what_is_there(document: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, link


SETTINGS = [
    (document, block)
    for document in DOCUMENTS
    for block in re.findall(r"^ *```toml\n( *# aftersales\.toml\n.*?)^ *```$", document.read_text("utf-8"), re.M | re.S)
]


@pytest.mark.parametrize(("document", "block"), SETTINGS, ids=lambda of: of.name if isinstance(of, Path) else "")
def test_settings_that_are_shown_can_be_read(
    document: Path, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AFTERSALES_")]:
        monkeypatch.delenv(name)
    (tmp_path / "aftersales.toml").write_text(textwrap.dedent(block))
    monkeypatch.chdir(tmp_path)
    assert read_settings() != Settings.model_construct()


def test_every_document_of_settings_is_among_those_that_are_read() -> None:
    named = {document.stem for document, _ in SETTINGS}
    assert named >= {"settings", "letters", "commands", "queues", "mail", "database", "platforms", "amazon"}


@pytest.mark.parametrize("folder", ["adapters", "tests", "examples"])
def test_contributing_says_where_each_folder_is_for(folder: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    below = [f"{folder}/{found.name}" for found in (ROOT / folder).iterdir() if any(found.glob("*.py"))]
    assert [name for name in below or [folder] if name not in text] == []
