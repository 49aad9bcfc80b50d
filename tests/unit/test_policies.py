"""The snapshots of policies that cases are opened with."""

from __future__ import annotations

import pytest

from adapters.settings import Settings
from aftersales.policies import Policies
from aftersales.policy import Policy, load_policy


@pytest.fixture(scope="module")
def policy() -> Policy:
    settings = Settings()
    return load_policy(settings.policy, settings.law)


def test_cases_under_the_same_terms_share_one_snapshot(policy: Policy) -> None:
    own = policy.model_copy(update={"version": "own"})
    policies = Policies(policy, {"lamps": own})
    assert policies.snapshot("amazon-us", "US") is policies.snapshot("amazon-uk", "US")
    assert policies.snapshot("amazon-us", "DE") is policies.snapshot("amazon-us", "FR")
    assert policies.snapshot("amazon-us", "DE") == policy.for_market("DE")
    assert policies.snapshot("amazon-us", "US") == policy.for_market("US")
    assert policies.snapshot("lamps", "US") == own.for_market("US")
