"""What a shop has of its own, where an installation serves several: each thing over what holds for all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adapters.channel_settings import ShopChannels
from adapters.counterparts.settings import ShopCounterparts
from adapters.http.settings import ShopKeys
from adapters.platforms.storefront import Storefront
from adapters.sqs_settings import SqsSettings
from aftersales.letters import Books, LetterBook
from aftersales.policies import Policies
from aftersales.policy import load_policy


class ShopSettings(BaseModel):
    """One shop."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    policy: Path | None = None
    """The shop's own policy, a file that extends another one."""
    templates: Path | None = None
    """A folder of the shop's own letters; those that it does not have are the ones for all."""
    keys: ShopKeys = ShopKeys()
    """The secrets with which others speak to the HTTP door for this shop alone."""
    storefront: Storefront = Storefront()
    """What its platform does not tell."""
    amazon: SqsSettings | None = None
    """The queue to which Amazon sends a seller's notifications."""
    letters: ShopChannels | None = None
    """How its letters go out; without it as those of all."""
    commands: ShopCounterparts | None = None
    """Where its commands go; what is not said here is as for all."""


def load_policies(policy: Path, law: Path, shops: Mapping[str, ShopSettings]) -> Policies:
    """The policies of all shops. Raises `BadFile`."""
    own = {name: load_policy(shop.policy, law) for name, shop in shops.items() if shop.policy}
    return Policies(load_policy(policy, law), own)


def load_books(templates: Path, shops: Mapping[str, ShopSettings]) -> Books:
    """The letters of all shops. Raises `BadFile`."""
    book = LetterBook.load(templates)
    return Books(book, {name: book.with_over(shop.templates) for name, shop in shops.items() if shop.templates})
