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
    _snapshots: dict[tuple[str, str], Policy] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, shop: str) -> Policy:
        """The shop's own policy, else the one for all."""
        return self.by_shop.get(shop, self.default)

    def snapshot(self, shop: str, market: str) -> Policy:
        """That policy for a case of a market. The same object for all such cases."""
        policy = self.of(shop)
        pack = policy.pack(market)
        terms = (shop if shop in self.by_shop else "", pack.id if pack else "")
        if terms not in self._snapshots:
            self._snapshots[terms] = policy.for_market(market)
        return self._snapshots[terms]
