"""What the documents list is what the code takes."""

from __future__ import annotations

import re

from adapters.settings import ROOT
from aftersales.events import INTERNAL, TYPES
from cli.processes import as_markdown


def test_the_contract_lists_every_event_with_every_field() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \|(.*)$", (ROOT / "docs" / "events.md").read_text("utf-8"), re.MULTILINE))
    assert set(rows) == set(TYPES) - INTERNAL
    for name, row in rows.items():
        fields = set(TYPES[name].model_fields) - {"id", "source", "order_id", "time", "type", "order"}
        assert all(f"`{field}`" in row for field in fields), name


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
