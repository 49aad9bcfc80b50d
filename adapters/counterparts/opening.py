"""All counterparts of all shops, as one that knows which command goes where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from typing_extensions import override

from adapters.counterparts.booked import Booked
from adapters.counterparts.guard import Guarded
from adapters.counterparts.http import HttpCounterpart
from adapters.counterparts.settings import CounterpartsSettings, ShopCounterparts
from adapters.counterparts.table import CounterpartName, counterpart_of
from adapters.shopify_admin.counterpart import DONE_BY_SHOPIFY, ShopifyCounterpart
from aftersales.commands import Command, CommandAccepted
from aftersales.ports import Counterpart

Place = CounterpartName | Literal["shopify"]


class Counterparts(Counterpart):
    """Gives each command to the counterpart of its shop.

    It goes where the settings say; else to the shop's Shopify where that can do it; else to the counterpart of the
    table. Where that has no URL, Shopify is told, and where there is none, the command is booked in the database only.
    """

    def __init__(self, settings: CounterpartsSettings, session: ClientSession) -> None:
        self._settings, self._booked = settings, Booked()
        self._everywhere = _places("", settings.everywhere, session)
        self._shops = {shop: _places(shop, own, session) for shop, own in settings.shops.items()}

    @override
    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Have it done by whoever it is for."""
        return await self.counterpart(command, shop=shop).execute(command, shop=shop)

    def counterpart(self, command: Command, *, shop: str) -> Counterpart:
        """Who a command of a shop goes to."""
        named = self._named(command, shop)
        shopify = self._place("shopify", shop)
        if named is None and shopify and command.type in DONE_BY_SHOPIFY:
            return shopify
        return self._place(named or counterpart_of(command), shop) or shopify or self._booked

    def _named(self, command: Command, shop: str) -> Place | None:
        own = self._settings.shops.get(shop, self._settings.everywhere)
        return own.table.get(command.type) or self._settings.everywhere.table.get(command.type)

    def _place(self, name: Place, shop: str) -> Counterpart | None:
        own = self._shops.get(shop, {})
        # One counterpart for all shops is one machine: where it is away for one, it is away for all.
        return own[name] if name in own else self._everywhere.get(name)


def _places(shop: str, settings: ShopCounterparts, session: ClientSession) -> dict[Place, Counterpart | None]:
    """The counterparts that settings name, each guarded; None for one that they say has no URL."""
    of = f" of {shop}" if shop else ""
    places: dict[Place, Counterpart | None] = {
        name: Guarded(f"{name}{of}", HttpCounterpart(f"{name}{of}", one, session), one.guard) if one.url else None
        for name, one in settings.counterparts.items()
    }
    if settings.shopify:
        shopify = ShopifyCounterpart(f"shopify{of}", settings.shopify, session)
        places["shopify"] = Guarded(f"shopify{of}", shopify, settings.shopify_guard)
    return places


@asynccontextmanager
async def open_counterparts(settings: CounterpartsSettings) -> AsyncIterator[Counterparts]:
    """The counterparts of all shops, with connections that are closed at the end."""
    # Each counterpart has its own limit of commands at once, so the connections need none.
    connector = TCPConnector(limit=0)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=False) as session:
        yield Counterparts(settings, session)
