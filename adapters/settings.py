"""Settings: where things are, from environment variables that begin with AFTERSALES_."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.logs import LogFormat

ROOT = Path(__file__).resolve().parent.parent


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as fault:
        raise ValueError(f"{text!r} is no regular expression: {fault}") from None
    return text


def _address(text: str) -> str:
    address = urlsplit(text)
    if text and (address.scheme not in ("http", "https") or not address.hostname):
        raise ValueError(f"{text!r} is no address; write https://host/path")
    return text


def faults(error: ValidationError) -> str:
    """What is wrong with the settings, each with its environment variable."""
    wrong = [(".".join(map(str, one["loc"])).upper(), one["msg"]) for one in error.errors()]
    return "; ".join(f"AFTERSALES_{name}: {message.removeprefix('Value error, ')}" for name, message in wrong)


class Settings(BaseSettings):
    """Where data, policy and templates lie. Temporal's own address and keys come from its environment configuration."""

    model_config = SettingsConfigDict(env_prefix="AFTERSALES_", use_attribute_docstrings=True)

    data: Path = Path(".aftersales")
    """The folder for everything that is written: database, letters, the embedded server's file, logs."""
    database_url: str = ""
    """SQLAlchemy URL of the database; empty for a SQLite file in the data folder."""
    policy: Path = ROOT / "policies" / "default.yaml"
    """The policy for new cases."""
    law: Path = ROOT / "policies" / "law"
    """The folder of law packs."""
    templates: Path = ROOT / "templates"
    """The folder of letters."""
    task_queue: str = "aftersales"
    """The Temporal task queue of worker and starter."""
    mail_domain: str = "aftersales.invalid"
    """What stands behind the @ in the Message-ID of letters."""
    web_ui: str = ""
    """Where Temporal's Web UI is, for links to cases; that of `./dev up` is known without it."""
    classifier_url: Annotated[str, AfterValidator(_address)] = ""
    """A team's own classifier of messages behind HTTP; empty for the embedded one."""
    order_ids: Annotated[str, AfterValidator(_pattern)] = ""
    """A regular expression of what this shop's order ids look like, for those that messages name."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    log_format: LogFormat = "auto"
    """`json`, `console`, or `auto`: console on a terminal, JSON elsewhere."""

    @property
    def store_url(self) -> str:
        """The URL of the database in use."""
        return self.database_url or f"sqlite:///{self.data / 'aftersales.db'}"

    @property
    def outbox(self) -> Path:
        """The folder of letters sent."""
        return self.data / "letters"
