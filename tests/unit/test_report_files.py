"""The files of a report: the page, the table, the JSON."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftersales.figures import Figures, LossRate, Report, Returned
from aftersales.report_files import as_csv, as_html, as_json, read_json
from tests.reports import busy, busy_report, empty_report, month, one_case_report, part, quiet, report, returned

EMPTY_TAGS = frozenset({"meta", "br"})
HOLE = re.compile(r"\b(NaN|None|inf|nan|Undefined)\b")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "=HYPERLINK(1)",
    "\u202egnp.exe",
    "a\x00b\nc",
    "W" * 5_000,
    "很长的名字" * 100,
)


class Page(HTMLParser):
    """A page as a strict reader sees it: every tag closed in its order, ids once, headings without gaps."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.used: list[str] = []
        self.levels: list[int] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.used += (given.get("aria-labelledby") or "").split()
        self.used += [(given.get("href") or "")[1:]] if tag == "a" else []
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag not in EMPTY_TAGS and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.get_starttag_text() and tag not in EMPTY_TAGS and (self.open[-1:] == [tag]):
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("made", [busy_report(), empty_report(), one_case_report()], ids=["busy", "empty", "one case"])
def test_a_page_is_whole_valid_and_loads_nothing(made: Report) -> None:
    html = as_html(made)
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert set(page.used) <= set(page.ids)
    assert page.levels[0] == 1
    assert page.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.levels, page.levels[1:], strict=False))
    assert "://" not in html
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not HOLE.search(page.text)
    assert html == as_html(made)


def test_a_page_says_where_the_rate_lies_and_how_it_differs() -> None:
    text = Page(as_html(busy_report())).text
    assert "all shops , November 2026" in text
    assert "Returns that closed in November 2026 lost $14,886: 3.61 % of the $412,346 that the shipped goods" in text
    assert "▲ 0.11 points over the limit of 3.5 %" in text
    assert "now 0.36 points higher" in text
    assert "▲ over 3.5 %" in text
    assert "nothing of these is in the figures yet" in text
    assert "1 Dec 2026, 06:00 (Europe/Berlin)" in text
    assert "2 d 13 h mean of 190" in text
    assert "Money that could not be converted" in text
    assert "SEK 45,210" in text
    assert "They are no mark for anybody" in text
    assert "14 of 131 letters (10.7 %), certainly more than the 3 % that are allowed" in text
    assert "Variant photo-first on 19 Nov 2026" in text


def test_few_cases_are_counts_with_an_interval() -> None:
    html = as_html(one_case_report())
    text = Page(html).text
    assert "1 of 3 lines 6–79 %" in text
    assert "Too few returns in November 2026 for a rate" in text
    assert "1 of 1 21–100 %" in text
    assert "<b>" not in html
    assert "▲" not in html
    assert "50 %" not in text


def test_nothing_shipped_has_no_rate_but_a_reason() -> None:
    text = Page(as_html(empty_report())).text
    assert "No return rate for November 2026: nothing shipped." in text
    assert "Nothing is known of this shop in this time." in text
    assert "There is nothing to compare with" in text
    assert not re.search(r"\b0(\.0+)? %", text)


def test_shipped_goods_of_unknown_cost_have_no_rate_but_a_reason() -> None:
    free = LossRate(loss=Decimal(20), cost=Decimal(0), returns=9, shipped=40)
    figures = quiet(month(2026, 11)).model_copy(update={"returns": Returned(name="", total=free, non_quality=free)})
    assert "cost of what was shipped not known" in Page(as_html(report(figures))).text


def test_a_row_over_its_limit_is_shown_however_small_its_loss() -> None:
    rows = (
        *(returned(f"c-{number}", 0.01, "100000") for number in range(30)),
        returned("tiny", 0.2, "50", 6, 9),
        returned("textiles", 0.05, "10", 9, 90),
    )
    figures = busy(month(2026, 11)).model_copy(update={"by_category": rows})
    text = Page(as_html(report(figures))).text
    assert "tiny 20.0 % 6 returns ▲ over 3.5 %" in text
    assert "16 more in the table" in text
    assert "textiles" not in text, "it is under the limit of its own"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_text_in_the_page_and_in_the_table(hostile: str) -> None:
    figures = busy(month(2026, 11)).model_copy(update={"by_sku": (returned(hostile, 0.05),)})
    made = busy_report().model_copy(update={"figures": figures, "shop": hostile, "notes": (hostile,)})
    made = made.model_copy(update={"series": (made.series[0].model_copy(update={"name": hostile}),)})
    page = Page(as_html(made))
    assert not page.tags & {"script", "img"}
    assert "\x00" not in page.text
    assert "\u202e" not in page.text
    cells = [cell for row in csv.reader(StringIO(as_csv(made), newline="")) for cell in row]
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in cells)
    assert any(cell.removeprefix("'") == hostile for cell in cells)
    assert read_json(as_json(made)) == made


def test_the_table_is_tidy_and_has_all_periods() -> None:
    text = as_csv(busy_report())
    assert text.count("\r\n") == text.count("\n")
    rows = list(csv.DictReader(StringIO(text, newline="")))
    places = [(row["figure"], row["group"], row["name"], row["period"]) for row in rows]
    assert len(places) == len(set(places))
    table = dict(zip(places, rows, strict=True))
    assert {row["period"] for row in rows if not row["figure"].startswith("over_time")} == {
        "2026-11",
        "2026-10",
        "2025-11",
    }
    total = table["return_rate", "all", "", "2026-11"]
    assert (total["value"], total["unit"], total["count"], total["of"]) == ("0.036100", "share", "220", "6800")
    assert table["cause_loss", "cause", "service", "2026-11"]["value"] == "-35.10"
    few = table["complaints", "all", "", "2026-11"]
    assert (few["count"], few["of"], few["low"], few["high"]) == ("3", "8", "0.136844", "0.694258")
    assert table["unconverted_cost", "currency", "SEK", "2026-11"]["unit"] == "SEK"
    assert table["claims", "variant", "return-terms / base", "2026-11"]["of"] == "512"


def test_json_is_read_again_and_of_another_version_refused() -> None:
    for made in (busy_report(), empty_report(), one_case_report()):
        assert read_json(as_json(made)) == made
        assert as_json(read_json(as_json(made))) == as_json(made)
    assert '"loss": "14885.68"' in as_json(busy_report())
    for text in ("[]", "{}", as_json(busy_report()).replace('"schema": 1', '"schema": 2')):
        with pytest.raises(ValueError, match="no report of schema 1"):
            read_json(text)


def test_one_period_that_is_both_others_is_shown_once() -> None:
    made = report(busy(month(2026, 11)), before=busy(month(2025, 11)), year_ago=busy(month(2025, 11)))
    rows = list(csv.reader(StringIO(as_csv(made), newline="")))
    assert len({tuple(row[:4]) for row in rows}) == len(rows)
    assert as_html(made).count('scope="col">Return rate, November 2025') == 4


def test_a_period_in_which_nothing_happened_is_named_as_such_beside_one_with_figures() -> None:
    text = Page(as_html(report(busy(month(2026, 11)), year_ago=busy(month(2025, 11))))).text
    assert "the period before: – (no cases and nothing shipped)" in text
    assert "November 2025: 3.61 % now the same" in text


def test_causes_without_a_case_are_no_table() -> None:
    november = busy(month(2026, 11))
    none = tuple(cause.model_copy(update={"cases": 0}) for cause in november.causes)
    made = report(november.model_copy(update={"causes": none}))
    assert "No case closed with a cause in this period." in Page(as_html(made)).text


def test_a_rate_a_hair_over_its_limit_is_just_over_it() -> None:
    figures = busy(month(2026, 11)).model_copy(update={"returns": returned("", 0.03501, "100000")})
    assert "▲ just over the limit of 3.5 %" in Page(as_html(report(figures))).text


def test_periods_are_said_by_their_days() -> None:
    november = month(2026, 11)
    for kind, days, said in (
        ("day", 1, "1 November 2026"),
        ("span", 15, "1 to 15 November 2026"),
        ("span", 40, "1 November to 10 December 2026"),
        ("span", 70, "1 November 2026 to 9 January 2027"),
        ("span", 1, "1 November 2026"),
    ):
        period = november.model_copy(update={"kind": kind, "end": november.start + timedelta(days=days)})
        assert f"all shops , {said} As of" in Page(as_html(report(quiet(period)))).text


counts = st.integers(0, 60)
money = st.decimals("-99999", "999999", places=4)
names = st.text("xyz <&>=+@-'\",;{%}\r\n\t\0很\u202e", max_size=12)
parts = st.tuples(counts, counts).map(lambda pair: part(min(pair), max(pair)))
rates = st.builds(LossRate, loss=money, cost=money.map(abs), returns=counts, shipped=counts)
rows = st.lists(
    st.builds(Returned, name=names, total=rates, non_quality=rates), max_size=3, unique_by=lambda row: row.name
)


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    drawn: dict[str, object] = {field: draw(parts) for field in ("replied", "reminded", "complaints", "satisfied")}
    drawn |= {field: tuple(draw(rows)) for field in ("by_shop", "by_category", "by_sku", "by_lane")}
    drawn |= {"returns": draw(st.builds(Returned, name=st.just(""), total=rates, non_quality=rates))}
    return draw(st.sampled_from([quiet, busy]))(month(2026, draw(st.integers(1, 12)))).model_copy(update=drawn)


@given(figures(), st.none() | figures(), st.none() | figures(), names, st.integers(1, 9))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_report_is_said_without_holes(
    now: Figures, before: Figures | None, ago: Figures | None, shop: str, least: int
) -> None:
    update = {"figures": now, "before": before, "year_ago": ago, "shop": shop, "least_returns": least}
    made = busy_report().model_copy(update=update)
    page = Page(as_html(made))
    assert set(page.used) <= set(page.ids)
    assert not HOLE.search(page.text)
    for row in csv.DictReader(StringIO(as_csv(made), newline="")):
        for column in ("value", "count", "of", "low", "high"):
            assert re.fullmatch(r"(-?[0-9]+(\.[0-9]+)?)?", row[column])
    assert read_json(as_json(made)) == made


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_all_colours_of_words_are_readable_on_paper_and_panel(scheme: int) -> None:
    style = re.search(r"<style>(.*?)</style>", as_html(empty_report()), re.DOTALL)
    assert style
    blocks = re.findall(r"--paper: .*;", style[1])
    assert len(blocks) == 2
    colours = dict(re.findall(r"--(\w+): #(\w+);", blocks[scheme]))
    for word in ("ink", "soft", "data", "over"):
        for ground in ("paper", "panel"):
            assert contrast(colours[word], colours[ground]) >= 4.5, f"{word} on {ground}"
    assert contrast(colours["edge"], colours["paper"]) >= 3, "lines of charts"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    full = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
