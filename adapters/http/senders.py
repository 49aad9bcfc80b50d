"""Who may speak to the HTTP door, and for which shop."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.http.settings import Keys, Platform, ShopKeys
from adapters.http.signing import key_of


@dataclass(frozen=True)
class Sender:
    """Who sent a request. Rates and remembered ids go by `name`; `shop` is for whom it speaks, empty for all."""

    name: str
    shop: str


class Senders:
    """Looks secrets up: which one belongs to which shop."""

    def __init__(self, keys: Keys) -> None:
        self._shops = keys.shops
        own, nobody = Sender("installation", ""), ShopKeys()
        self._nobody = nobody
        self._events = [(own, key_of(secret.get_secret_value())) for secret in keys.own]
        for name, shop in keys.shops.items():
            sender = Sender(f"shop {name}", name)
            self._events += [(sender, key_of(secret.get_secret_value())) for secret in shop.events]

    def of_events(self) -> list[tuple[Sender, bytes]]:
        """Everyone who may sign events, with each of their keys."""
        return self._events

    def of_mail(self, shop: str) -> list[tuple[Sender, bytes]]:
        """Who may sign mail for a shop, with each key; nobody where the shop is unknown."""
        sender = self.mail_sender(shop)
        return [(sender, key_of(secret.get_secret_value())) for secret in self._shop(shop).mail]

    def mail_sender(self, shop: str) -> Sender:
        """The mail provider of a shop."""
        return Sender(f"mail {shop}", shop)

    def mail_tokens(self, shop: str) -> list[str]:
        """The tokens with which mail comes in for a shop; none where the shop is unknown."""
        return [token.get_secret_value() for token in self._shop(shop).mail_tokens]

    def of_platform(self, platform: Platform, shop: str) -> list[str]:
        """The secrets with which a platform signs for a shop; none where it is unknown."""
        return [secret.get_secret_value() for secret in self._shop(shop).platforms.get(platform, ())]

    def _shop(self, name: str) -> ShopKeys:
        return self._shops.get(name, self._nobody)
