"""Variants of letters: which cases write which, with which shares, and what is left when some are stopped."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import Settings
from aftersales.events import ReturnRequested, parse_event
from aftersales.faults import BadFile
from aftersales.opening import CaseOpened
from aftersales.policies import Policies
from aftersales.policy import Policy, load_policy
from aftersales.units import format_share, parse_share
from aftersales.variants import drawn, without
from tests.events import return_requested

KNOWN = Settings()
HALF = Decimal("0.5")
CASES = 10_000


def policy(variants: dict[str, Any]) -> Policy:
    return load_policy(KNOWN.policy, KNOWN.law, {"letters": {"variants": variants}})


@pytest.fixture(scope="module")
def tried() -> Policies:
    return Policies(policy({"return-terms": {"base": "40 %", "short": "50 %", "warm": "10 %"}}))


def test_a_case_always_draws_the_same_variant_and_each_variant_as_often_as_its_share_says() -> None:
    shares = {"base": Decimal("0.2"), "short": Decimal("0.5"), "warm": Decimal("0.3")}
    counts = Counter(drawn(f"return-escalation/A-{number}", "return-terms", shares) for number in range(CASES))
    again = Counter(drawn(f"return-escalation/A-{number}", "return-terms", shares) for number in range(CASES))
    assert counts == again
    for name, share in (("", shares["base"]), ("short", shares["short"]), ("warm", shares["warm"])):
        # Four standard deviations of a binomial count.
        assert abs(counts[name] - CASES * share) < 4 * sqrt(CASES * share * (1 - share)), counts


def test_what_a_case_draws_for_one_letter_says_nothing_of_another_letter() -> None:
    shares = {"base": HALF, "short": HALF}
    both = Counter(
        tuple(drawn(f"return-escalation/A-{number}", letter, shares) for letter in ("return-terms", "return-label"))
        for number in range(CASES)
    )
    assert all(abs(count - CASES / 4) < 4 * sqrt(CASES * 0.25 * 0.75) for count in both.values()), both
    assert len(both) == 4


def test_without_shares_and_with_all_of_them_there_is_nothing_to_draw() -> None:
    assert drawn("a", "b", {}) == ""
    assert drawn("a", "b", {"base": Decimal(1)}) == ""
    assert {drawn(f"case/{number}", "b", {"base": Decimal(0), "short": Decimal(1)}) for number in range(99)} == {
        "short"
    }


@pytest.mark.parametrize(
    ("stopped", "left"),
    [
        ([], {"base": "0.4", "short": "0.5", "warm": "0.1"}),
        (["never"], {"base": "0.4", "short": "0.5", "warm": "0.1"}),
        (["short"], {"base": "0.8", "warm": "0.2"}),
        (["base", "short"], {"warm": "1"}),
        (["base", "short", "warm"], {}),
    ],
)
def test_the_others_take_over_what_a_stopped_variant_had(stopped: list[str], left: dict[str, str]) -> None:
    shares = {"base": Decimal("0.4"), "short": HALF, "warm": Decimal("0.1")}
    assert without(shares, stopped) == {name: Decimal(share) for name, share in left.items()}


def test_the_letter_itself_goes_out_where_the_others_had_no_share() -> None:
    assert without({"base": Decimal(0), "short": Decimal(1)}, ["short"]) == {}


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=9), st.data())
def test_shares_that_are_dealt_out_again_are_a_whole_that_a_policy_can_hold(
    parts: list[int], data: st.DataObject
) -> None:
    parts[0] += (10**6 - sum(parts)) if sum(parts) < 10**6 else 0
    shares = {f"v{number}": Decimal(part) / sum(parts) for number, part in enumerate(parts)}
    left = without(shares, data.draw(st.sets(st.sampled_from(sorted(shares)), min_size=1)))
    assert sum(left.values()) == (1 if left else 0)
    assert all(parse_share(format_share(share)) == share >= 0 for share in left.values())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "{return-terms: {base: 50 %, short: 40 %}}",
            ":4: letters.variants.return-terms: the shares of its variants must add up to 100 %, and base 50 %, short "
            "40 % make 90 %; change one, base being the letter itself",
        ),
        ("{return-terms: {}}", ":4: letters.variants.return-terms: the shares of its variants must add up to 100 %"),
        (
            "{return-terms: {base: 0 %, Kurz: 100 %}}",
            ":4: letters.variants.return-terms: a variant is named with a-z, ",
        ),
        ("{return-terms: {base: 50 %, short: half}}", ":4: letters.variants.return-terms.short: write a share as 15 %"),
    ],
)
def test_shares_that_a_policy_cannot_mean_are_refused_with_their_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(f"extends: {KNOWN.policy}\nletters:\n  variants:\n    {line[1:-1]}\n")
    with pytest.raises(BadFile) as bad:
        load_policy(path, KNOWN.law)
    assert f"{path}{told}" in str(bad.value)


def test_a_shop_tries_its_own_variants_or_none(tmp_path: Path) -> None:
    text = KNOWN.policy.read_text()
    assert "  variants: {}\n" in text
    (tmp_path / "all.yaml").write_text(
        text.replace("variants: {}", "variants: {return-terms: {base: 50 %, short: 50 %}}")
    )
    shares = {}
    for name, own in (("none", "{}"), ("other", "{return-terms: {base: 90 %, warm: 10 %}}")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"extends: all.yaml\nletters: {{variants: {own}}}\n")
        shares[name] = load_policy(path, KNOWN.law).letters.variants
    assert shares == {"none": {}, "other": {"return-terms": {"base": Decimal("0.9"), "warm": Decimal("0.1")}}}


def test_a_stopped_variant_is_not_in_the_snapshot_and_the_version_says_so(tried: Policies) -> None:
    before = tried.snapshot("lamps", "US")
    after = tried.snapshot("lamps", "US", {"return-terms.short"})
    assert after.letters.variants == {"return-terms": {"base": Decimal("0.8"), "warm": Decimal("0.2")}}
    assert before.version != after.version
    assert before.version.partition("+")[0] == after.version.partition("+")[0]
    assert after.law == before.law
    assert after.counts
    everything = {"return-terms.base", "return-terms.short", "return-terms.warm"}
    assert tried.snapshot("lamps", "US", everything).letters.variants == {}
    assert tried.snapshot("lamps", "US", everything).version == policy({}).version


def test_cases_under_the_same_stops_share_one_snapshot(tried: Policies) -> None:
    stopped = tried.snapshot("lamps", "US", ["return-terms.short"])
    assert tried.snapshot("chairs", "US", {"return-terms.short", "other.letter"}) is stopped
    assert tried.snapshot("lamps", "US") is tried.snapshot("lamps", "US", ["other.letter"])
    assert tried.snapshot("lamps", "DE", ["return-terms.short"]).version == stopped.version
    assert Policies(policy({})).snapshot("lamps", "US", ["return-terms.short"]).version == policy({}).version


def test_cases_before_and_after_a_stop_keep_their_own_policies_though_both_are_remembered(tried: Policies) -> None:
    request = parse_event(return_requested("A-1"))
    assert isinstance(request, ReturnRequested)
    assert request.order
    for stopped in ([], ["return-terms.short"], [], ["return-terms.short", "return-terms.warm"]):
        snapshot = tried.snapshot("lamps", "US", stopped)
        opened = CaseOpened(order=request.order, policy=snapshot, opened_at=request.time, trigger=request)
        read = CaseOpened.model_validate_json(opened.as_json())
        assert read.policy == snapshot
        assert read.policy.letters.variants == snapshot.letters.variants
        assert CaseOpened.model_validate_json(opened.as_json()).policy is read.policy


def test_a_policy_without_variants_is_written_as_before_there_were_any() -> None:
    assert "variants" not in policy({}).model_dump()["letters"]
