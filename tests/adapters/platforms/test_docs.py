"""docs/platforms.md says what the tables in the code say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.platforms import PLATFORMS, Storefront, easypost, shopify, woocommerce
from adapters.platforms.aftership_tags import TAGS
from adapters.platforms.shopify_claims import REASONS
from adapters.platforms.shopify_parcels import SCANS

TEXT = (Path(__file__).parents[3] / "docs/platforms.md").read_text("utf-8")
ROWS = [line.split(" | ", 1) for line in TEXT.splitlines() if line.startswith("| `")]


def second_column(name: str) -> list[str]:
    return [meaning for names, meaning in ROWS if f"`{name}`" in names]


@pytest.mark.parametrize("setting", Storefront.model_fields)
def test_every_setting_is_described(setting: str) -> None:
    assert second_column(setting)


NAMES = {*shopify.TOPICS, *shopify.USELESS, *woocommerce.STATUSES, *woocommerce.NO_ORDERS}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_topic_and_status_is_described(name: str) -> None:
    assert second_column(name)


@pytest.mark.parametrize(("name", "status"), [*SCANS.items(), *TAGS.items(), *easypost.STATUSES.items()])
def test_every_status_of_a_parcel_means_what_is_written(name: str, status: str) -> None:
    assert any(re.search(rf"`{status}`", meaning) for meaning in second_column(name))


@pytest.mark.parametrize(("name", "reason"), REASONS.items())
def test_every_reason_of_a_return_means_what_is_written(name: str, reason: str | None) -> None:
    expected = "the same" if reason == name else f"`{reason}`" if reason else "none"
    assert any(meaning.startswith(expected) for meaning in second_column(name))


def test_every_platform_that_is_done_here_has_its_chapter() -> None:
    chapters = {line.removeprefix("## ").lower() for line in TEXT.splitlines() if line.startswith("## ")}
    assert set(PLATFORMS) <= chapters
