"""Every query and mutation, against the schema that Shopify publishes."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import parse, validate

from adapters.shopify_admin import cancelling, changes, holds, marks, orders, refunds, returns
from adapters.shopify_admin.client import DOCUMENTS, Document
from adapters.shopify_admin.settings import ShopifySettings
from tests.adapters.shopify_admin.schema import schema, versions

DEFAULT = ShopifySettings.model_fields["api_version"].default
FILES = sorted(DOCUMENTS.glob("*.graphql"))


def test_the_version_is_the_newest_stable_one() -> None:
    assert [name for name, one in versions().items() if one.get("latestVersion")] == [DEFAULT]


@pytest.mark.parametrize("coming", [False, True], ids=["stable", "release candidate"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shopify_understands_it(file: Path, coming: bool) -> None:
    candidates = [name for name, one in versions().items() if one.get("releaseCandidate")]
    version = candidates[0] if coming else DEFAULT
    assert validate(schema(version), parse(file.read_text(encoding="utf-8"))) == []


def test_every_document_is_used_and_every_one_used_is_there() -> None:
    modules = (cancelling, changes, holds, marks, orders, refunds, returns)
    used = {one.name for module in modules for one in vars(module).values() if isinstance(one, Document)}
    assert used == {file.stem for file in FILES}
