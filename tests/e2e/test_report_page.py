"""The page of a report in a headless browser: it fits a telephone, a tablet, a desk and paper, in light and in dark."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from selenium import webdriver

from aftersales.figures import Report
from aftersales.report_files import as_html
from tests.e2e.browser import find_chromium, headless
from tests.reports import busy, busy_report, empty_report, month, report, returned

pytestmark = pytest.mark.skipif(not find_chromium(), reason="chromium and chromium-driver are not installed")

WIDTHS = (320, 768, 1280)
PAPER = 688
"""Pixels between the margins of A4."""
LONG = "W" * 300
LONG_NAMES = report(
    busy(month(2026, 11)).model_copy(update={"by_sku": (returned(LONG, 0.05), returned("很长" * 99, 0.05))}), shop=LONG
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    with headless() as driver:
        yield driver


@pytest.mark.parametrize("made", [busy_report(), empty_report(), LONG_NAMES], ids=["busy", "empty", "long-names"])
def test_a_page_fits_its_window_in_light_and_dark(made: Report, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(as_html(made), "utf-8")
    chromium.get(page.as_uri())
    papers = set()
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            _show(chromium, width, scheme)
            papers.add((scheme, chromium.execute_script("return getComputedStyle(document.body).backgroundColor")))
            assert _width(chromium) <= width, f"scrolls sideways at {width} pixels"
            picture = tmp_path / f"{scheme}-{width}.png"
            assert chromium.save_screenshot(str(picture))
    assert len({colour for _, colour in papers}) == len(papers) == 2


def test_paper_cuts_nothing_off_and_is_white(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    for made in (busy_report(), LONG_NAMES):
        page.write_text(as_html(made), "utf-8")
        chromium.get(page.as_uri())
        _show(chromium, PAPER, "dark", media="print")
        assert _width(chromium) <= PAPER
        assert chromium.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = chromium.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    (tmp_path / "report.pdf").write_bytes(base64.b64decode(printed["data"]))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")


def _show(chromium: webdriver.Chrome, width: int, scheme: str, *, media: str = "screen") -> None:
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def _width(chromium: webdriver.Chrome) -> int:
    width = chromium.execute_script("return document.scrollingElement.scrollWidth")
    assert isinstance(width, int)
    return width
