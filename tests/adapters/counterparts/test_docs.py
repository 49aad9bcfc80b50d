"""docs/commands.md says what the code does."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from adapters.counterparts.envelope import body_of, headers_of
from adapters.counterparts.settings import CounterpartSettings, GuardSettings
from adapters.counterparts.table import BY_PROCESS, TABLE
from adapters.settings import ROOT
from adapters.shopify_admin.counterpart import NEEDS_A_NUMBER, OPERATIONS
from tests.adapters.counterparts.conftest import SECRET
from tests.commands import command

TEXT = (ROOT / "docs" / "commands.md").read_text("utf-8")
GIVEN = TEXT.partition("## Who gets what")[2].partition("## Shopify")[0]
ROWS = {
    name: (who, fields) for name, who, fields in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", GIVEN, re.MULTILINE)
}
NO_DATA = {"instead", "replaces"}
"""What `Case.command` takes and no counterpart sees."""
BY_NAME = {"evidence.py": ("submit_evidence", "appeal"), "under_way.py": ("redirect", "intercept")}
"""Files that are told by their caller which command to give."""


def given_by_processes() -> dict[str, set[str]]:
    """The fields of each command, as the processes give them."""
    given: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "workflows").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (
                isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "command"
            ):
                continue
            asked = call.args[0]
            either = (asked.body, asked.orelse) if isinstance(asked, ast.IfExp) else (asked,)
            names = [one.value for one in either if isinstance(one, ast.Constant)] or BY_NAME[path.name]
            for name in names:
                given[str(name)] |= {str(one.arg) for one in call.keywords} - NO_DATA
    return given


def test_the_table_names_every_command_its_counterpart_and_its_fields() -> None:
    given = given_by_processes()
    assert set(ROWS) == set(TABLE) == set(given)
    for name, counterpart in TABLE.items():
        who, fields = ROWS[name]
        others = "".join(f"; of `{process}` {other}" for (one, process), other in BY_PROCESS.items() if one == name)
        assert who == counterpart + others
        # What stands in brackets and behind the full stop explains.
        named = re.sub(r"\(.*?\)", "", fields.partition(". ")[0])
        assert set(re.findall(r"`(\w+)`", named)) == given[name], name


def test_the_section_on_shopify_names_what_it_does_and_what_it_refuses() -> None:
    rows = [
        set(re.findall(r"`(\w+)`", row))
        for row in re.findall(r"^\| (`\w+`.*?) \|", TEXT.partition("## Shopify")[2], re.M)
    ]
    named = set().union(*rows)
    assert named == {*OPERATIONS, *NEEDS_A_NUMBER}
    assert set(NEEDS_A_NUMBER) in rows


def test_the_code_that_verifies_a_signature_does() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(code.strip().splitlines()) <= 10
    there: dict[str, Any] = {}
    exec(code, there)
    asked = command("refund", amount="12.90")
    body = body_of(asked, shop="eu")
    headers = headers_of(asked, body, Webhook(SECRET), now=datetime.now(UTC))
    assert there["verified"](SECRET, headers, body)["data"]["key"] == asked.key
    assert there["verified"](SECRET, headers, body + b" ") is None
    assert there["verified"](SECRET, headers | {"webhook-timestamp": "1"}, body) is None


def test_the_numbers_are_those_of_the_settings() -> None:
    guard, counterpart = GuardSettings(), CounterpartSettings()
    words = " ".join(TEXT.split())
    assert f"({counterpart.timeout_seconds:g} seconds, if" in words
    assert f"at most {guard.at_once} commands at once. After {guard.failures} failures" in words
    assert f"for {guard.pause_seconds:g} seconds, then twice" in words
    assert f"up to {guard.longest_pause_seconds / 60:g} minutes; one command" in words


def test_the_event_of_the_example_is_as_commands_are_sent() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    sent, shown = json.loads(body_of(command("refund", pays="refund"), shop="eu")), json.loads(example)
    assert set(shown) == set(sent)
    assert set(sent["data"]) <= set(shown["data"])
