"""Reports as files: a folder for each shop, the same bytes for the same figures, limits compared once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.database import open_store
from adapters.reports import ALL_SHOPS, ReportsFolder, folder_name
from adapters.settings import Settings
from aftersales.figures import Period
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.ports import WarningLedger
from aftersales.reporting import Reporting
from tests.known_figures import KnownFigures, warned

AT = datetime(2026, 11, 16, 6, tzinfo=UTC)
SPAN = Period(name="2026-11-01 to 2026-11-15", kind="span", start=AT - timedelta(days=15), end=AT)
WRITERS = {"html": lambda report: f"<p>{report.shop}</p>", "csv": lambda report: report.figures.period.name}


def reports(figures: KnownFigures, ledger: WarningLedger, folder: Path) -> ReportsFolder:
    settings = Settings()
    policy = load_policy(settings.policy, settings.law)
    tokyo = policy.model_copy(update={"report": Reporting(report_zone="Asia/Tokyo", currency="JPY")})
    return ReportsFolder(figures, ledger, Policies(policy, {"lumen": tokyo}), folder, WRITERS)


async def test_a_report_is_a_file_of_each_kind_in_its_shops_folder(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/aftersales.db") as store:
        maker = reports(KnownFigures("lumen"), store.warnings, tmp_path / "reports")
        made = await maker.make("lumen", SPAN, AT)
        assert Path(made.files["html"]) == tmp_path / "reports/lumen/2026-11-01_to_2026-11-15.html"
        assert Path(made.files["csv"]).read_text() == "2026-11-01 to 2026-11-15"
        assert maker.shelf("lumen") == str(tmp_path / "reports/lumen")


async def test_days_begin_together_in_every_shop_and_money_is_its_own(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/aftersales.db") as store:
        terms = reports(KnownFigures("lumen"), store.warnings, tmp_path).terms("lumen")
    assert (terms.report_zone, terms.currency) == ("UTC", "JPY")


@pytest.mark.parametrize(("shops", "compared"), [(["lumen"], ["lumen"]), (["lumen", "other"], ["", "lumen", "other"])])
async def test_of_a_single_shop_staff_is_not_told_twice(shops: list[str], compared: list[str], tmp_path: Path) -> None:
    figures = KnownFigures(*shops)
    figures.over = {shop: {AT: [warned("shoes", shop=shop)]} for shop in ("", *shops)}
    async with open_store(f"sqlite:///{tmp_path}/aftersales.db") as store:
        await reports(figures, store.warnings, tmp_path).compare(AT)
        assert [each.seen.shop for each in await store.warnings.open()] == compared


async def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    async with open_store(f"sqlite:///{tmp_path}/aftersales.db") as store:
        maker = reports(KnownFigures(), store.warnings, tmp_path / "reports")
        with pytest.raises(OSError, match=r"reports cannot be written to .*all-shops.* give leave"):
            await maker.make("", SPAN, AT)


@given(st.lists(st.text(max_size=80), unique=True, max_size=8))
def test_shops_never_share_a_folder_and_none_leaves_it(shops: list[str]) -> None:
    names = [folder_name(shop) for shop in shops]
    assert len({name.lower() for name in names}) == len(shops)
    assert all(Path(name).name == name and name not in (".", "..") for name in names)


def test_a_shop_called_like_the_folder_of_all_has_its_own() -> None:
    assert folder_name("") == ALL_SHOPS != folder_name(ALL_SHOPS)
