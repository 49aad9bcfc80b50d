"""Settings: from environment variables that begin with AFTERSALES_, and from one file.

The file is `aftersales.toml` in the working directory, or the one that AFTERSALES_SETTINGS names. A variable goes
before the file; `AFTERSALES_SHOPS__AMAZON__POLICY` is `policy` under `[shops.amazon]`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from adapters.channel_settings import ChannelsOut, ShopChannels
from adapters.counterparts.settings import CounterpartsSettings, ShopCounterparts
from adapters.database.settings import DatabaseSettings, DatabaseTuning
from adapters.http.settings import HttpDoor, Keys
from adapters.logs import LogFormat
from adapters.mail.settings import MailSettings
from adapters.nats_settings import NatsSettings
from adapters.platforms.storefront import ShopName, Storefront
from adapters.shops import ShopSettings
from adapters.sqs_settings import SqsSettings
from adapters.values import Pattern, WebAddress, WebhookSecret
from aftersales.faults import dotted, names_at, nearest

ROOT = Path(__file__).resolve().parent.parent


class Http(HttpDoor):
    """Where the HTTP door is, and its limits."""

    host: str = "127.0.0.1"
    """Where it listens; 0.0.0.0 for all networks of this machine, which is for behind a proxy with TLS."""
    port: int = Field(default=8088, ge=0, le=65535)
    """The port where it listens; 0 takes a free one."""


class BadSettings(Exception):
    """The settings cannot be used. `problems` are one line each: where it stands, what is wrong, what to do."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def settings_file() -> Path | None:
    """The settings file, which need not be there; None where AFTERSALES_SETTINGS is empty."""
    named = os.environ.get("AFTERSALES_SETTINGS", "aftersales.toml")
    return Path(named) if named else None


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        BadSettings: a value cannot be used, the file is no TOML, or AFTERSALES_SETTINGS names no file.
    """
    file = settings_file()
    if file and "AFTERSALES_SETTINGS" in os.environ and not file.is_file():
        raise BadSettings(f"AFTERSALES_SETTINGS: there is no file {file}; correct the path, or unset the variable")
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings(*(_fault(one, file) for one in error.errors(include_url=False))) from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{file}: is no TOML: {error}") from None
    except SettingsError as error:
        raise BadSettings(f"{error}; write lists and tables as JSON, or in aftersales.toml") from None


def _fault(error: ErrorDetails, file: Path | None) -> str:
    loc, what = error["loc"], error["msg"].removeprefix("Value error, ")
    variable = "AFTERSALES_" + "__".join(map(str, loc)).upper()
    given = any(name.upper() == variable or variable.startswith(f"{name.upper()}__") for name in os.environ)
    # The value is left out: it may be a secret.
    match error["type"]:
        case "missing":
            what = "is missing; add it"
        case "extra_forbidden":
            what = f"is not a known setting; {nearest(str(loc[-1]), names_at(Settings, loc[:-1]))}"
        case _:
            pass
    if not loc:
        return f"{file or 'settings'}: {what}"
    where = f"{file}: {dotted(loc)}" if file and file.is_file() and not given else variable
    return f"{where}: {what}"


class Settings(BaseSettings):
    """Where data, policy and templates lie. Temporal's own address and keys come from its environment configuration."""

    model_config = SettingsConfigDict(
        env_prefix="AFTERSALES_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
        use_attribute_docstrings=True,
    )

    data: Path = Path(".aftersales")
    """The folder for everything that is written: database, letters, the embedded server's file, logs."""
    database_url: SecretStr = SecretStr("")
    """The database: `postgresql://user:password@host/name`; empty for a SQLite file in the data folder."""
    database: DatabaseTuning = DatabaseTuning()
    """How the database is used."""
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
    classifier_url: WebAddress = ""
    """A team's own classifier of messages behind HTTP; empty for the embedded one."""
    order_ids: Pattern = ""
    """A regular expression of what this shop's order ids look like, for those that messages name."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    log_format: LogFormat = "auto"
    """`json`, `console`, or `auto`: console on a terminal, JSON elsewhere."""

    secrets: tuple[WebhookSecret, ...] = Field(default=(), max_length=2)
    """The installation's own secrets (`whsec_…`): who has one may send events of every shop; two, to replace one while
    both live. Without any the HTTP door makes one, in the file `secret` of the data folder."""
    http: Http = Http()
    """The HTTP door."""
    mail: MailSettings = MailSettings()
    """How mail that comes in is read."""
    letters: ShopChannels = ShopChannels()
    """How letters go out."""
    commands: ShopCounterparts = ShopCounterparts()
    """Where commands go."""
    nats: NatsSettings | None = None
    """A NATS JetStream from which events come in; `subject` is for all shops."""
    sqs: SqsSettings | None = None
    """A queue of Amazon SQS from which events come in."""
    shops: Mapping[ShopName, ShopSettings] = {}
    """What single shops have of their own, by the name in `order.shop`."""

    @model_validator(mode="after")
    def _everybody_has_an_own_secret(self) -> Settings:
        self.keys()
        return self

    @model_validator(mode="after")
    def _every_command_has_somewhere_to_go(self) -> Settings:
        _ = self.counterparts
        return self

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given outright, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())

    def keys(self, *more: SecretStr) -> Keys:
        """All secrets of the HTTP door; `more` are the installation's own beside those that are set."""
        return Keys(own=(*self.secrets, *more), shops={name: shop.keys for name, shop in self.shops.items()})

    def storefront(self, shop: str) -> Storefront:
        """What the platform of a shop does not tell."""
        known = self.shops.get(shop)
        return (known.storefront if known else Storefront()).model_copy(update={"shop": shop})

    def policy_of(self, shop: str) -> Path:
        """The file of a shop's policy: its own, else the one for all."""
        known = self.shops.get(shop)
        return (known.policy if known else None) or self.policy

    @property
    def mail_in(self) -> MailSettings:
        """How mail is read: with our own addresses, and what order ids look like, where that is not said for mail."""
        ways = [self.letters, *(shop.letters for shop in self.shops.values() if shop.letters)]
        senders = {parseaddr(way.smtp.sender)[1].lower() for way in ways if way.smtp}
        own = self.mail.own_addresses | senders | {f"aftersales@{self.mail_domain}".lower()}
        return self.mail.model_copy(
            update={"own_addresses": frozenset(own), "order_ids": self.mail.order_ids or self.order_ids}
        )

    @property
    def channels(self) -> ChannelsOut:
        """How the letters of all shops go out."""
        own = {name: shop.letters for name, shop in self.shops.items() if shop.letters}
        return ChannelsOut(default=self.letters, shops=own)

    @property
    def counterparts(self) -> CounterpartsSettings:
        """Where the commands of all shops go."""
        own = {name: shop.commands for name, shop in self.shops.items() if shop.commands}
        return CounterpartsSettings(everywhere=self.commands, shops=own)

    @property
    def store(self) -> DatabaseSettings:
        """The database in use."""
        url = self.database_url.get_secret_value() or f"sqlite:///{self.data / 'aftersales.db'}"
        return DatabaseSettings(url=SecretStr(url), **self.database.model_dump())

    @property
    def outbox(self) -> Path:
        """The folder of letters sent."""
        return self.data / "letters"
