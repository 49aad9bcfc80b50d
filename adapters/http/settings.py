"""Settings of the HTTP door, and the secrets of those who may speak to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from adapters.http.signing import key_of
from adapters.values import WebhookSecret

Platform = Literal["shopify", "aftership", "easypost", "woocommerce"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)


class HttpDoor(_Section):
    """Limits and habits of the HTTP door."""

    body_limit: int = Field(1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    """The largest body of events and webhooks, in bytes."""
    mail_limit: int = Field(25 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    """The largest raw mail, in bytes."""
    most_events: int = Field(1000, ge=1, le=10_000)
    """The most events in one batch."""
    body_seconds: float = Field(30, gt=0, le=600)
    """How long a body may take to arrive, in seconds."""
    at_once: int = Field(64, ge=1, le=10_000)
    """How many events' and webhooks' bodies are held at the same time; further ones wait unread."""
    mail_at_once: int = Field(4, ge=1, le=1000)
    """How many raw mails are held at the same time; further ones wait unread."""
    tolerance: int = Field(300, ge=1, le=3600)
    """How far a signature's timestamp may lie from now, in seconds, before or after."""
    remembered_days: int = Field(7, ge=7, le=365)
    """How long ids of webhooks and the answers to them are remembered, in days."""
    rate: float = Field(50, gt=0)
    """Requests that one sender may send on the long run, per second."""
    burst: int = Field(200, ge=1)
    """Requests that one sender may send at once before the rate holds."""
    retry_after: int = Field(5, ge=1)
    """What senders are told to wait, in seconds, while events cannot be taken."""
    check_seconds: float = Field(2, gt=0, le=30)
    """How long one readiness check may take, in seconds."""
    access_log: bool = False
    """Whether each request gets its line in the log."""


Token = Annotated[SecretStr, Field(min_length=16)]
PlatformSecret = Annotated[SecretStr, Field(min_length=8)]
Two = Field(default=(), max_length=2)


class ShopKeys(_Section):
    """The secrets with which others speak for one shop; two of each, so that one can be replaced while both live."""

    events: tuple[WebhookSecret, ...] = Two
    """Standard Webhooks secrets (`whsec_…`) of senders of this shop's events."""
    mail: tuple[WebhookSecret, ...] = Two
    """Standard Webhooks secrets of the mail provider, where it signs."""
    mail_tokens: tuple[Token, ...] = Two
    """Tokens of the mail provider: the bearer token, or the password of HTTP Basic with any user name."""
    platforms: Mapping[Platform, tuple[PlatformSecret, ...]] = {}
    """Each platform's webhook secret as the platform shows it."""

    @model_validator(mode="after")
    def _two_each(self) -> ShopKeys:
        for platform, secrets in self.platforms.items():
            if len(secrets) > 2:
                raise ValueError(f"{platform} has {len(secrets)} secrets; two can live at a time: take the oldest out")
        return self


class Keys(_Section):
    """All secrets of the HTTP door."""

    own: tuple[WebhookSecret, ...] = Two
    """The installation's own Standard Webhooks secrets; who has one speaks for every shop."""
    shops: Mapping[Annotated[str, Field(min_length=1, max_length=200)], ShopKeys] = {}
    """The secrets of each shop by its name (order.shop)."""

    @model_validator(mode="after")
    def _one_sender_each(self) -> Keys:
        every = [*self.own, *(secret for shop in self.shops.values() for secret in (*shop.events, *shop.mail))]
        if any(count > 1 for count in Counter(key_of(secret.get_secret_value()) for secret in every).values()):
            raise ValueError(
                "a webhook secret is given twice, so that it does not tell who speaks: make one for each shop and door"
            )
        return self
