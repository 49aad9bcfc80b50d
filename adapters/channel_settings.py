"""Settings of how letters go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from adapters.bridge_settings import Bridge
from adapters.smtp_settings import Smtp
from aftersales.model import Name
from aftersales.sending import LONGEST

ChannelName: TypeAlias = Literal["bridge", "smtp", "outbox"]


def _suffix(text: str) -> str:
    if not text.startswith(("@", ".")) or len(text) < 2:
        raise ValueError(f"{text!r} is no end of an e-mail address; write one such as @marketplace.example.com")
    return text.lower()


class ShopChannels(BaseModel):
    """How the letters of one shop go out."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True, hide_input_in_errors=True)

    chain: tuple[ChannelName, ...] = Field(("outbox",), min_length=1)
    """The channels, in turn: where one will not deliver a letter, the next is tried."""
    smtp: Smtp | None = None
    """The mail server, where `smtp` is in the chain."""
    bridge: Bridge | None = None
    """The platform's message bridge, where `bridge` is in the chain or letters are `bridged`."""
    bridged_addresses: tuple[Annotated[str, AfterValidator(_suffix)], ...] = ()
    """Ends of e-mail addresses that are a platform's own: their customers are written to by the bridge alone."""
    bridged_channels: tuple[Name, ...] = ()
    """Channels of orders whose customers are written to by the bridge alone."""

    @model_validator(mode="after")
    def _fits(self) -> ShopChannels:
        if len(set(self.chain)) != len(self.chain):
            raise ValueError(f"chain: each channel may stand once, got {', '.join(self.chain)}")
        needs = {"bridge"} if self.bridged_addresses or self.bridged_channels else set[str]()
        missing = [name for name in ("smtp", "bridge") if name in {*self.chain, *needs} and getattr(self, name) is None]
        if missing:
            raise ValueError(f"{missing[0]} is to be used and has no settings; give `{missing[0]}`")
        timeouts = [one.timeout for one in (self.smtp, self.bridge) if one]
        if len(self.chain) > 1 and sum(timeouts) > LONGEST:
            raise ValueError(f"the timeouts of smtp and bridge come to {sum(timeouts):g} s; {LONGEST:g} s is the most")
        return self


class ChannelsOut(BaseModel):
    """How letters go out, shop by shop."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True, hide_input_in_errors=True)

    default: ShopChannels = ShopChannels()
    """For shops without an own entry."""
    shops: Mapping[Name, ShopChannels] = {}
    """By the shop's name, as orders carry it."""
