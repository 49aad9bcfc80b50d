"""The table of settings is complete and true, and the example above it can be used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adapters.settings import ROOT, read_settings
from cli.settings_doubts import doubts
from cli.settings_table import Row, as_markdown, rows

TEXT = (ROOT / "docs/settings.md").read_text("utf-8")
ROWS = {row.name: row for row in rows()}
VALUES = {"whole number": "31", "number": "7.5", "true or false": "true", "text": "x", "path": "x", "table of": "{}"}
# What these take is narrower than the table says.
URLS = dict.fromkeys(["classifier_url", "mail.attachments.public_url"], "https://x.example")
NARROW = {**URLS, "http.body_limit": "2048", "http.mail_limit": "2048"}


pytestmark = pytest.mark.usefixtures("folder")


def test_the_document_has_the_table_of_the_code() -> None:
    newer = "from cli.settings_table import as_markdown; print(as_markdown())"
    assert TEXT.endswith(as_markdown() + "\n"), f"put the newer table there: .venv/bin/python -c '{newer}'"


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, row in ROWS.items() if not row.meaning.endswith(".")] == []
    assert {
        "shops.<name>.letters.smtp.host",
        "sqs",
        "commands.counterparts.<counterpart>.guard.failures",
    } <= ROWS.keys()


def test_secrets_are_marked() -> None:
    named = {name for name in ROWS if re.search(r"(secret|secrets|password|token|tokens|database_url)$", name)}
    assert {name for name in named if "**secret**" not in ROWS[name].kind} == set()


def test_the_example_is_read_and_nothing_about_it_is_doubtful(folder: Path) -> None:
    [example] = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (folder / "aftersales.toml").write_text(example)
    settings = read_settings()
    assert settings.channels.default.smtp
    assert settings.counterparts.shops["lamps"].counterparts["payment"].url == "https://pay.example.com/lamps"
    assert doubts(settings) == []


def _value(row: Row) -> str:
    if row.name in NARROW:
        return NARROW[row.name]
    if row.kind.startswith("list"):
        return "[]"
    if found := re.match(r"`\"(\w+)\"`", row.kind):
        return found[1]
    return next((value for kind, value in VALUES.items() if row.kind.startswith(kind)), "")


SIMPLE = [
    row
    for row in ROWS.values()
    if "<" not in row.name and not row.name.startswith(("nats", "sqs", "letters.", "commands.shopify"))
    if "secret" not in row.kind
]


@pytest.mark.parametrize("row", SIMPLE, ids=lambda row: row.name)
def test_a_variable_sets_what_the_table_says(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(row.variable, _value(row))
    found: object = read_settings()
    for step in row.name.split("."):
        found = getattr(found, step)
    assert found in (_value(row), Path(_value(row)), (), {}, frozenset()) or json.loads(_value(row)) == found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AFTERSALES_SHOPS__LAMPS__LETTERS__SMTP__HOST", "mail.example"),
        ("AFTERSALES_NATS__STREAM", "SHOP"),
        ("AFTERSALES_SHOPS__LAMPS__COMMANDS__SHOPIFY__ACCESS_TOKEN", "shpat_1"),
    ],
)
def test_tables_that_may_be_missing_are_set_by_variables_too(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALES_SHOPS__LAMPS__LETTERS__SMTP__SENDER", "a@b.example")
    monkeypatch.setenv("AFTERSALES_SHOPS__LAMPS__LETTERS__SMTP__HOST", "mail.example")
    monkeypatch.setenv("AFTERSALES_SHOPS__LAMPS__COMMANDS__SHOPIFY__SHOP_URL", "https://lamps.myshopify.com")
    monkeypatch.setenv("AFTERSALES_SHOPS__LAMPS__COMMANDS__SHOPIFY__ACCESS_TOKEN", "shpat_1")
    monkeypatch.setenv(name, value)
    settings = read_settings()
    letters, commands = settings.shops["lamps"].letters, settings.shops["lamps"].commands
    assert letters
    assert letters.smtp
    assert commands
    assert commands.shopify
    told = {letters.smtp.host, commands.shopify.access_token.get_secret_value()}
    assert value in told | ({settings.nats.stream} if settings.nats else set())
