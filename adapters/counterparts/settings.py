"""Where each shop's counterparts are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.counterparts.table import CounterpartName
from adapters.shopify_admin.settings import ShopifySettings
from adapters.values import WebAddress, WebhookSecret
from aftersales.commands import CommandType


class GuardSettings(BaseModel):
    """When a counterpart that does not answer is left alone, so that it delays its own commands only."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    at_once: int = Field(8, ge=1, le=40)
    """How many commands it gets from a worker at the same time; a worker has 50 places for the effects of all cases."""
    failures: int = Field(5, ge=1)
    """After so many failures in a row it is asked nothing for a while."""
    pause_seconds: float = Field(5, gt=0)
    """How long that while is, in seconds; it doubles each time that the one command tried after it fails too."""
    longest_pause_seconds: float = Field(300, gt=0)
    """What the pause grows to at most, in seconds."""


class CounterpartSettings(BaseModel):
    """A counterpart behind a URL."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    url: WebAddress = ""
    """Where its commands are posted to; empty for one that accepts everything and only the database knows of."""
    secret: WebhookSecret | None = None
    """The Standard Webhooks secret that commands are signed with, `whsec_` and base64."""
    timeout_seconds: float = Field(8, gt=0, lt=10)
    """How long an answer may take, in seconds; less than the 10 s that an effect has."""
    guard: GuardSettings = GuardSettings()
    """When it is left alone."""

    @model_validator(mode="after")
    def _signed(self) -> CounterpartSettings:
        if self.url and not self.secret:
            raise ValueError(f"{self.url} has no secret; commands are signed, so write the one that it verifies with")
        return self


class ShopCounterparts(BaseModel):
    """The counterparts of a shop."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    counterparts: Mapping[CounterpartName, CounterpartSettings] = {}
    """Where each counterpart is."""
    table: Mapping[CommandType, CounterpartName | Literal["shopify"]] = {}
    """The counterpart of commands that are for another one than `adapters/counterparts/table.py` says."""
    shopify: ShopifySettings | None = None
    """The shop's Shopify, which carries out what it can and is told of what has no other counterpart."""
    shopify_guard: GuardSettings = GuardSettings()
    """When Shopify is left alone."""


class CounterpartsSettings(BaseModel):
    """The counterparts of all shops."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    everywhere: ShopCounterparts = ShopCounterparts()
    """What holds for every shop that does not say otherwise."""
    shops: Mapping[str, ShopCounterparts] = {}
    """What holds for one shop, by its name; the rest is as everywhere."""

    @model_validator(mode="after")
    def _shopify_is_known(self) -> CounterpartsSettings:
        for shop, own in {"everywhere": self.everywhere, **self.shops}.items():
            named = [command for command, name in own.table.items() if name == "shopify"]
            if named and not (own.shopify or self.everywhere.shopify):
                raise ValueError(f"{shop}: {named[0]} is for shopify, but no Shopify is set; set `shopify`")
        return self
