"""The policies of an installation: one for all shops, and those of shops that have their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aftersales.policy import Policy


@dataclass(frozen=True)
class Policies:
    """Under which policy a new case of a shop runs."""

    default: Policy
    by_shop: Mapping[str, Policy] = field(default_factory=dict)

    def of(self, shop: str) -> Policy:
        """The shop's own policy, else the one for all."""
        return self.by_shop.get(shop, self.default)
