"""Which channel a letter takes: by its shop and its customer, and which one where that refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict, Unpack

from adapters.bridge import Bridge, BridgeChannel
from adapters.outbox import Outbox
from adapters.smtp import SmtpChannel
from adapters.smtp_settings import Smtp
from aftersales.letters import Rendered
from aftersales.model import Name
from aftersales.order import Customer
from aftersales.ports import Channel, Trying
from aftersales.sending import LONGEST, Undeliverable

ChannelName: TypeAlias = Literal["bridge", "smtp", "outbox"]

_log = structlog.get_logger(__name__)


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


class _Letter(TypedDict):
    """What a channel is given; `aftersales.ports.Channel` says what each is."""

    key: str
    case_id: str
    message_id: str
    to: Customer
    sender: str
    name: str
    rendered: Rendered
    at: datetime
    order_channel: str
    trying: Trying


class _Chain:
    """The channels of one shop. Implements `aftersales.ports.Channel`."""

    def __init__(self, settings: ShopChannels, channels: Mapping[str, Channel]) -> None:
        self._settings, self._channels = settings, channels

    def _for(self, customer: Customer, order_channel: str) -> Sequence[str]:
        """What a platform's bridge refuses must not reach the platform's customer by another way."""
        known = self._settings
        bridged = customer.email.lower().endswith(known.bridged_addresses) or order_channel in known.bridged_channels
        return ("bridge",) if bridged else known.chain

    async def deliver(self, **letter: Unpack[_Letter]) -> str:
        refusals: list[Undeliverable] = []
        for channel in self._for(letter["to"], letter["order_channel"]):
            try:
                return await self._channels[channel].deliver(**letter)
            except Undeliverable as refusal:
                _log.info("letter.refused", case=letter["case_id"], letter=letter["name"], channel=channel)
                refusals.append(refusal)
        raise Undeliverable("; ".join(map(str, refusals))) from refusals[-1]


class _Shops:
    """The channels of all shops. Implements `aftersales.ports.Channel`."""

    def __init__(self, default: Channel, shops: Mapping[str, Channel]) -> None:
        self._default, self._shops = default, shops

    async def deliver(self, **letter: Unpack[_Letter]) -> str:
        return await self._shops.get(letter["sender"], self._default).deliver(**letter)


@asynccontextmanager
async def open_channels(settings: ChannelsOut, outbox: Path) -> AsyncIterator[Channel]:
    """The channel of a worker, which sends each letter by what its shop's settings say; closed with its connections.

    `outbox` is the folder of the channel `outbox`.
    """
    async with AsyncExitStack() as closing:
        folder = Outbox(outbox)

        def opened(shop: ShopChannels) -> Channel:
            channels: dict[str, Channel] = {"outbox": folder}
            if shop.smtp:
                channels["smtp"] = smtp = SmtpChannel(shop.smtp)
                closing.push_async_callback(smtp.close)
            if shop.bridge:
                channels["bridge"] = bridge = BridgeChannel(shop.bridge)
                closing.push_async_callback(bridge.close)
            return _Chain(shop, channels)

        yield _Shops(opened(settings.default), {name: opened(shop) for name, shop in settings.shops.items()})
