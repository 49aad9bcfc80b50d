"""What `./dev check` says of settings: each problem on a line of its own, and what is hardly meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.settings import ROOT, read_settings
from cli.settings_doubts import doubts

WRONG = """
log_level = "LOUD"
polcy = "ours.yaml"
nats.ack_wait = 0
shops.lamps.keys.platforms.shopify = ["hushhus"]
"""
SECRET = 'secret = "whsec_c2VjcmV0IG9mIHRoZSB3YXJlaG91c2UsIGFuIGV4YW1wbGU="'
SMTP = 'letters = {chain = ["smtp"], smtp = {host = "mail.example", sender = "a@b.example"}}'


pytestmark = pytest.mark.usefixtures("folder")


def check(*arguments: str) -> tuple[int, str, str]:
    nobody = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "cli", "check", *arguments]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **nobody}, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_every_problem_is_told_on_a_line_with_its_place_and_no_secret(folder: Path) -> None:
    (folder / "aftersales.toml").write_text(WRONG)
    code, _, said = check()
    assert code == 1
    assert sorted(line.split(": ")[1] for line in said.splitlines()) == [
        "log_level",
        "nats.ack_wait",
        "polcy",
        "shops.lamps.keys.platforms.shopify[0]",
    ]
    assert "polcy: is not a known setting; did you mean policy?" in said
    assert "hushhus" not in said


def test_problems_are_told_as_json_too(folder: Path) -> None:
    (folder / "aftersales.toml").write_text(WRONG)
    code, said, _ = check("--json")
    told = [json.loads(line) for line in said.splitlines()]
    assert (code, len(told), {one["level"] for one in told}) == (1, 4, {"problem"})


def test_a_shop_without_its_files_is_a_problem_and_a_warning_is_none(folder: Path) -> None:
    (folder / "aftersales.toml").write_text('shops.lamps.policy = "nowhere.yaml"')
    code, said, _ = check()
    assert (code, said.splitlines()) == (
        1,
        [
            "aftersales.toml: shops.lamps.policy: there is no file nowhere.yaml; correct the path, or take it out",
        ],
    )
    (folder / "aftersales.toml").write_text(SMTP)
    code, said, _ = check()
    assert (code, "aftersales.toml: mail_domain: warning: " in said, "all well" in said) == (0, True, True)


@pytest.mark.parametrize(
    ("text", "level", "where"),
    [
        ('shops.lamps.templates = "nowhere"', "problem", "shops.lamps.templates"),
        (SMTP, "warning", "mail_domain"),
        (f"shops.lamps.{SMTP}", "warning", "mail_domain"),
        (
            f'[commands.counterparts.carrier]\nurl = "http://wms.example"\n{SECRET}',
            "warning",
            "commands.counterparts.carrier.url",
        ),
        (f'[shops.a.letters.bridge]\nurl = "http://bridge.example"\n{SECRET}', "warning", "shops.a.letters.bridge.url"),
        (
            '[shops.a.commands.shopify]\nshop_url = "http://a.example"\naccess_token = "t"',
            "warning",
            "shops.a.commands.shopify.shop_url",
        ),
        ('classifier_url = "http://words.example"', "warning", "classifier_url"),
        ('http.host = "0.0.0.0"', "warning", "http.host"),
        ('shops.a.keys.platforms.woocommerce = ["hush-hush"]', "warning", "shops.a.storefront"),
        ('shops.a.keys.mail_tokens = ["a token of mine 1"]', "hint", "mail.attachments.public_url"),
    ],
)
def test_what_is_hardly_meant_is_told(folder: Path, text: str, level: str, where: str) -> None:
    (folder / "aftersales.toml").write_text(text)
    assert [(doubt.level, doubt.where) for doubt in doubts(read_settings())] == [(level, where)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        f'mail_domain = "b.example"\n{SMTP}',
        f'[commands.counterparts.carrier]\nurl = "http://127.0.0.1:8090"\n{SECRET}',
        f'[commands.counterparts.carrier]\nurl = "https://wms.example"\n{SECRET}',
        'http.host = "0.0.0.0"\nshops.a.keys.events = ["whsec_c2VjcmV0IG9mIHRoZSB3YXJlaG91c2UsIGFuIGV4YW1wbGU="]',
        'shops.a.keys.platforms.aftership = ["hush-hush"]',
        '[shops.a]\nkeys.platforms.shopify = ["hush-hush"]\nstorefront = {market = "US", currency = "USD"}',
    ],
)
def test_what_may_be_meant_is_not_doubted(folder: Path, text: str) -> None:
    (folder / "aftersales.toml").write_text(text)
    assert doubts(read_settings()) == []


def test_a_variable_that_nothing_reads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERSALES_DATABSE_URL", "postgresql://x")
    monkeypatch.setenv("AFTERSALES_HTTP", '{"port": 1}')
    [doubt] = doubts(read_settings())
    assert (doubt.where, doubt.remedy) == ("AFTERSALES_DATABSE_URL", "did you mean AFTERSALES_DATABASE_URL?")
