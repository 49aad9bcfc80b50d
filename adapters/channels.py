"""Which channel a letter takes: by its shop and its customer, and which one where that refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog

from adapters.bridge import BridgeChannel
from adapters.channel_settings import ChannelsOut, ShopChannels
from adapters.outage import Outage
from adapters.outbox import Outbox, OutboxError
from adapters.smtp import SmtpChannel
from aftersales.order import Customer
from aftersales.ports import Channel, Trying
from aftersales.sending import NotSent, Outgoing, PutOff, Undeliverable

_log = structlog.get_logger(__name__)


_REMEDIES: Mapping[str, str] = {
    "outbox": "check the data folder; letters wait",
    "smtp": "check that the mail server runs, and letters.smtp in the settings; letters wait and go out by themselves",
    "bridge": "check that the bridge runs, and letters.bridge in the settings; letters wait and go out by themselves",
}


class _Chain:
    """The channels of one shop. Implements `aftersales.ports.Channel`."""

    def __init__(self, settings: ShopChannels, channels: Mapping[str, Channel], copies: Outbox) -> None:
        """`copies` keeps what other channels have sent, for evidence."""
        self._settings, self._channels, self._copies = settings, channels, copies
        self._outages = {name: Outage("letters", channel=name, remedy=_REMEDIES[name]) for name in channels}

    def _for(self, customer: Customer, order_channel: str) -> Sequence[str]:
        """What a platform's bridge refuses must not reach the platform's customer by another way."""
        known = self._settings
        bridged = customer.email.lower().endswith(known.bridged_addresses) or order_channel in known.bridged_channels
        return ("bridge",) if bridged else known.chain

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        refusals: list[Undeliverable] = []
        for channel in self._for(letter.to, letter.order_channel):
            try:
                reference = await self._channels[channel].deliver(letter, trying)
            except NotSent as later:
                if not (later.expected or isinstance(later, PutOff)):
                    self._outages[channel].goes_on(str(later))
                raise
            except Undeliverable as refusal:
                _log.info("letter.refused", case=letter.case_id, letter=letter.name, channel=channel)
                refusals.append(refusal)
            else:
                self._outages[channel].is_over()
                if channel != "outbox":
                    await self._keep(letter, trying)
                return reference
        raise Undeliverable("; ".join(map(str, refusals))) from refusals[-1]

    async def _keep(self, letter: Outgoing, trying: Trying) -> None:
        """A copy that cannot be written changes nothing about the letter, which is out."""
        try:
            await self._copies.deliver(letter, trying)
        except (OutboxError, ValueError) as error:
            _log.error("letter.copy_not_kept", case=letter.case_id, letter=letter.name, problem=str(error))


class _Shops:
    """The channels of all shops. Implements `aftersales.ports.Channel`."""

    def __init__(self, default: Channel, shops: Mapping[str, Channel]) -> None:
        self._default, self._shops = default, shops

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        return await self._shops.get(letter.shop, self._default).deliver(letter, trying)


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
            mailbox, reply_to = (shop.smtp.sender, shop.smtp.reply_to) if shop.smtp else ("", "")
            return _Chain(shop, channels, Outbox(outbox, mailbox=mailbox, reply_to=reply_to))

        yield _Shops(opened(settings.default), {name: opened(shop) for name, shop in settings.shops.items()})
