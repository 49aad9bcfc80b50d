"""The policies of an installation: one for all shops, and those of shops that have their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aftersales.policy import Policy
from aftersales.variants import key_of


@dataclass(frozen=True)
class Policies:
    """Under which policy a new case of a shop runs."""

    default: Policy
    by_shop: Mapping[str, Policy] = field(default_factory=dict)
    _snapshots: dict[tuple[str, str, frozenset[str]], Policy] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of(self, shop: str) -> Policy:
        """The shop's own policy, else the one for all."""
        return self.by_shop.get(shop, self.default)

    def snapshot(self, shop: str, market: str, stopped: Collection[str] = ()) -> Policy:
        """That policy for a case of a market, without stopped variants of letters, each `<letter>.<variant>`.

        The same object for all such cases.
        """
        policy = self.of(shop)
        pack = policy.pack(market)
        # What is stopped and not tried changes nothing, and would only make another object of the same terms.
        gone = _variants(policy).intersection(stopped) if stopped else frozenset[str]()
        terms = (shop if shop in self.by_shop else "", pack.id if pack else "", gone)
        if terms not in self._snapshots:
            self._snapshots[terms] = policy.without_variants(gone).for_market(market)
        return self._snapshots[terms]


def _variants(policy: Policy) -> frozenset[str]:
    return frozenset(key_of(letter, name) for letter, shares in policy.letters.variants.items() for name in shares)
