"""Settings from the environment and a file; what single shops have of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.settings import BadSettings, Settings, read_settings
from adapters.shops import ShopSettings, load_books, load_policies
from aftersales.faults import BadFile
from aftersales.letters import Books

FILE = """
log_level = "warning"
mail_domain = "mail.example"

[shops.amazon-us]
policy = "us.yaml"

[shops.webshop]
templates = "webshop"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory in which nothing is set."""
    for name in [name for name in os.environ if name.startswith("AFTERSALES_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_file_everything_has_its_default(folder: Path) -> None:
    assert read_settings() == Settings()
    assert read_settings().shops == {}


def test_the_file_is_read_and_a_variable_goes_before_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "aftersales.toml").write_text(FILE)
    monkeypatch.setenv("AFTERSALES_MAIL_DOMAIN", "other.example")
    monkeypatch.setenv("AFTERSALES_SHOPS__WEBSHOP__POLICY", "de.yaml")
    settings = read_settings()
    assert (settings.log_level, settings.mail_domain) == ("WARNING", "other.example")
    assert settings.shops["amazon-us"] == ShopSettings(policy=Path("us.yaml"))
    assert settings.shops["webshop"] == ShopSettings(policy=Path("de.yaml"), templates=Path("webshop"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("log_level =", "aftersales.toml: is no TOML"),
        ('log_level = "LOUD"', "aftersales.toml: log_level: Input should be"),
        ('colour = "red"', "aftersales.toml: colour: is not a known setting; known here: classifier_url, "),
        ('[shops.a]\npolice = "x"', "aftersales.toml: shops.a.police: is not a known setting; did you mean policy?"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_place(folder: Path, text: str, told: str) -> None:
    (folder / "aftersales.toml").write_text(text)
    with pytest.raises(BadSettings) as bad:
        read_settings()
    assert told in str(bad.value)


def test_what_is_wrong_in_a_variable_is_named_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "aftersales.toml").write_text(FILE)
    monkeypatch.setenv("AFTERSALES_LOG_LEVEL", "loud")
    with pytest.raises(BadSettings, match=r"^AFTERSALES_LOG_LEVEL: Input should be"):
        read_settings()


def test_a_file_that_is_named_must_be_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERSALES_SETTINGS", "elsewhere.toml")
    with pytest.raises(BadSettings, match=r"AFTERSALES_SETTINGS: there is no file elsewhere\.toml"):
        read_settings()


def test_a_shop_has_its_own_policy_over_the_one_for_all(folder: Path) -> None:
    base = Settings()
    (folder / "us.yaml").write_text(f'extends: {base.policy}\nversion: "us"\nreturns: {{reply_window: 24h}}\n')
    policies = load_policies(base.policy, base.law, {"amazon-us": ShopSettings(policy=Path("us.yaml"))})
    assert policies.of("amazon-us").returns.reply_window < policies.of("webshop").returns.reply_window
    assert policies.of("amazon-us").returns.return_window == policies.default.returns.return_window


def write_letter(folder: Path, process: str, text: str) -> Path:
    file = folder / "webshop" / process / "en.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return folder / "webshop"


def subject(books: Books, shop: str, letter: str) -> str:
    values = {"customer_name": "Ada", "order_id": "A-1", "shop": shop, "items": [], "total": "1.00"}
    return (
        books.of(shop)
        .render(
            letter,
            process="return-request",
            language="en",
            fallback=["en"],
            locale="en-US",
            currency="USD",
            values=values,
        )
        .subject
    )


def test_a_shop_has_its_own_letters_over_those_for_all(folder: Path) -> None:
    own = write_letter(folder, "common", "message-received:\n  subject: Howdy\n  paragraphs: [We read it.]\n")
    books = load_books(Settings().templates, {"webshop": ShopSettings(templates=own)})
    assert subject(books, "webshop", "message-received") == "Howdy"
    assert subject(books, "amazon-us", "message-received") != "Howdy"
    assert subject(books, "webshop", "payment-waits") == subject(books, "amazon-us", "payment-waits")


def test_what_is_wrong_with_a_letter_of_a_shop_names_its_file(folder: Path) -> None:
    own = write_letter(folder, "common", "message-received:\n  subjekt: Howdy\n")
    with pytest.raises(BadFile) as bad:
        load_books(Settings().templates, {"webshop": ShopSettings(templates=own)})
    assert "webshop/common/en.yaml" in str(bad.value)
