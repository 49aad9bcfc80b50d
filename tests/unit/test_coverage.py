"""The rows of the rules: which scenarios tell them, and what the table at the end of a rehearsal says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.settings import ROOT
from aftersales.faults import BadFile
from aftersales.scenario import is_scenario
from aftersales.yamlfile import load_yaml
from cli import rehearse
from cli.rehearsal.coverage import Coverage, coverage_of

FOLDER = ROOT / "scenarios"
TREE = """
perk:
  rows:
    1-granted: {says: asked and granted, scenarios: [granted, "zh-*"]}
    2-declined: {says: asked and declined, scenarios: [declined, other/story]}
  extras: [twice]
"""

Judge = Callable[..., Coverage]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    def judge(text: str = TREE, **passed: bool) -> Coverage:
        (tmp_path / "rows.yaml").write_text(text)
        played = {tmp_path / f"{name.replace('__', '/')}.yaml": ok for name, ok in passed.items()}
        found = coverage_of(tmp_path, played)
        assert found is not None
        return found

    return judge


def states(coverage: Coverage) -> dict[str, str]:
    return {row.row: row.state for row in coverage.rows}


def test_a_row_is_passed_when_all_its_scenarios_are(judge: Judge) -> None:
    coverage = judge(perk__granted=True, **{"perk__zh-granted": True}, perk__declined=True, perk__twice=True)
    assert states(coverage) == {"perk/1-granted": "passed", "perk/2-declined": "passed"}
    assert [told.name for told in coverage.rows[0].told] == ["perk/granted", "perk/zh-granted"]
    assert coverage.whole
    assert coverage.unclaimed == ()
    assert coverage.told() == "2 rows of the rules: 2 passed, 0 missed, 0 uncovered"


def test_a_missed_scenario_marks_its_rows(judge: Judge) -> None:
    coverage = judge(perk__granted=True, **{"perk__zh-granted": False}, other__story=True)
    assert states(coverage) == {"perk/1-granted": "missed", "perk/2-declined": "passed"}
    assert coverage.whole


def test_a_row_that_no_scenario_tells_is_uncovered(judge: Judge) -> None:
    coverage = judge(perk__granted=True)
    assert states(coverage) == {"perk/1-granted": "passed", "perk/2-declined": "uncovered"}
    assert not coverage.whole
    assert coverage.rows[1].flat() == {
        "row": "perk/2-declined",
        "says": "asked and declined",
        "state": "uncovered",
        "scenarios": [],
    }


def test_names_without_a_scenario_and_scenarios_without_a_name_are_told(judge: Judge) -> None:
    coverage = judge(perk__granted=True, perk__new=True, story=True)
    assert coverage.unclaimed == ("perk/new", "story")
    assert coverage.unknown == ("perk/twice",)
    assert [row.unknown for row in coverage.rows] == [("perk/zh-*",), ("perk/declined", "other/story")]


def test_what_lies_outside_the_folder_tells_no_row(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text(TREE)
    coverage = coverage_of(tmp_path, {tmp_path.parent / "perk" / "granted.yaml": True})
    assert coverage is not None
    assert coverage.unclaimed == ()
    assert not any(row.told for row in coverage.rows)


def test_a_folder_without_rows_has_no_table(tmp_path: Path) -> None:
    assert coverage_of(tmp_path, {}) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("perk: {rows: {1-a: {scenarios: [x]}}}", "rows.yaml:1: perk.rows.1-a.says: is missing"),
        ("perk:\n  rows: {1-a: {says: x, scenario: [x]}}", "rows.yaml:2: perk.rows.1-a.scenario: is not a known key"),
        ("perk: {rows: {}, rows: {}}", "the key rows stands twice"),
    ],
)
def test_bad_rows_are_refused_with_their_line(judge: Judge, text: str, why: str) -> None:
    with pytest.raises(BadFile) as bad:
        judge(text)
    assert why in str(bad.value)


def test_an_uncovered_row_fails_the_rehearsal_though_all_scenarios_passed(judge: Judge) -> None:
    covered, uncovered = judge(perk__granted=True, perk__declined=True), judge(perk__granted=True)
    assert rehearse.exit_code([True, True], [covered]) == 0
    assert rehearse.exit_code([True, True], [covered, uncovered]) == rehearse.MISSED
    assert rehearse.exit_code([True, False], [covered]) == rehearse.MISSED
    assert rehearse.exit_code([True], []) == 0


def test_the_table_is_printed_and_written_and_leaves_json_alone(tmp_path: Path) -> None:
    """No scenario of this tree can be read, so that it needs no server."""
    (tmp_path / "perk").mkdir()
    (tmp_path / "perk" / "granted.yaml").write_text("events: 5\nexpect: {}\n")
    (tmp_path / "rows.yaml").write_text(TREE)
    written = tmp_path / "rows.json"
    command = [sys.executable, "-m", "cli", "rehearse", str(tmp_path), "--coverage", str(written)]
    plain = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert plain.returncode == rehearse.UNREADABLE
    table = {line.split()[0]: line.split()[-1] for line in plain.stdout.splitlines() if line.startswith("perk/")}
    assert table == {"perk/1-granted": "missed", "perk/2-declined": "uncovered"}
    assert "2 rows of the rules: 0 passed, 1 missed, 1 uncovered" in plain.stdout.splitlines()
    assert [row["state"] for row in json.loads(written.read_text())] == ["missed", "uncovered"]
    objects = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert [json.loads(line)["name"] for line in objects.stdout.splitlines()] == ["granted"]


def test_every_scenario_of_ours_has_its_row_and_every_row_its_scenarios() -> None:
    files = [path for path in sorted(FOLDER.rglob("*.yaml")) if is_scenario(load_yaml(path))]
    coverage = coverage_of(FOLDER, dict.fromkeys(files, True))
    assert coverage is not None
    assert [row.row for row in coverage.rows if row.state == "uncovered"] == []
    assert [name for row in coverage.rows for name in row.unknown] == []
    assert coverage.unknown == ()
    assert coverage.unclaimed == ()
