"""`./dev report`: what it writes and says, and what it answers where it cannot."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.database import open_store
from cli.report import Asked, period_of, report
from cli.running import Stop
from tests.known_figures import warned

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERSALES_DATA", str(tmp_path / "data"))
    return tmp_path


def told(*arguments: str) -> Result:
    import typer

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(report)
    return CliRunner().invoke(app, arguments)


def test_an_empty_shop_has_a_report_that_a_person_reads_in_ten_lines(here: Path) -> None:
    result = told("--from", "2026-11-01", "--to", "2026-11-15", "--as-of", "2026-11-23T06:00Z")
    assert result.exit_code == 0, result.output
    assert "report          2026-11-01 to 2026-11-15, all shops, as of 2026-11-23 06:00:00" in result.output
    assert len(result.output.splitlines()) <= 12
    files = sorted(path.name for path in (here / "data/reports/all-shops").iterdir())
    assert files == [f"2026-11-01_to_2026-11-15.{kind}" for kind in ("csv", "html", "json")]
    before = [(here / "data/reports/all-shops" / name).read_bytes() for name in files]
    again = told("--from", "2026-11-01", "--to", "2026-11-15", "--as-of", "2026-11-23T06:00Z", "--json")
    assert json.loads(again.output)["figures"]["period"]["kind"] == "span"
    assert [(here / "data/reports/all-shops" / name).read_bytes() for name in files] == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "2026-11-31"], "--from 2026-11-31: is no date; write it as 2026-11-01"),
        (["--to", "yesterday"], "--to yesterday: is no date"),
        (["--from", "2026-11-10", "--to", "2026-11-01"], "--from 2026-11-10: is after --to 2026-11-01"),
        (["--month", "2026-13"], "--month 2026-13: is no month; write it as 2026-11"),
        (["--month", "2026-11", "--from", "2026-11-01"], "--month: does not go with --from and --to"),
        (["--from", "2999-01-01"], "--from 2999-01-01: begins after .* UTC, so nothing is known of it"),
        (["--month", "2999-01"], "--month 2999-01: begins after"),
        (["--to", "0001-01-01"], "--from"),
        (["--as-of", "soon"], "--as-of soon: is no moment"),
        (["--shop", "lumen"], "--shop lumen: there is nothing of such a shop; no shop has sent anything yet"),
        (["--start-again", "return-terms.short"], "--start-again return-terms.short: is not stopped; no variant is"),
    ],
)
def test_what_cannot_be_reported_is_named_with_the_remedy(here: Path, arguments: list[str], says: str) -> None:
    result = told(*arguments)
    assert result.exit_code == 1
    assert re.search(says, result.stderr), result.output


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (Asked(), "2026-10-24 to 2026-11-22"),
        (Asked(first="2026-11-01"), "2026-11-01 to 2026-11-22"),
        (Asked(last="2026-11-10"), "2026-10-12 to 2026-11-10"),
        (Asked(first="2026-11-23"), "2026-11-23"),
        (Asked(month="2026-11"), "2026-11"),
    ],
)
def test_which_days_are_meant(asked: Asked, name: str) -> None:
    assert period_of(asked, AT, "Europe/Berlin").name == name


def test_days_are_those_of_the_reports_zone() -> None:
    late = datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert period_of(Asked(), late, "Asia/Tokyo").name == "2026-10-25 to 2026-11-23"
    with pytest.raises(Stop, match="begins after"):
        period_of(Asked(first="2026-11-24"), late, "UTC")
    assert period_of(Asked(first="2026-11-24"), late, "Asia/Tokyo").name == "2026-11-24"


async def test_a_stopped_variant_is_used_again_when_a_person_says_so(here: Path, capsys: Any) -> None:
    from adapters.settings import read_settings
    from cli.report import _start_again

    settings = read_settings()
    async with open_store(settings.store) as store:
        stopped = warned("return-terms.short", kind="claims")
        await store.warnings.settle("", AT, [stopped])
    with pytest.raises(Stop, match=r"is not stopped; did you mean return-terms.short\?"):
        await _start_again(settings, "return-terms.shirt", "")
    assert await _start_again(settings, "return-terms.short", "") == 0
    assert "return-terms.short is used again in new cases of all shops" in capsys.readouterr().out
    async with open_store(settings.store) as store:
        assert await store.warnings.stopped("lumen") == frozenset()
