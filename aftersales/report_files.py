"""The files of a report: a page for managers, a table for spreadsheets, and JSON that is read again."""

from __future__ import annotations

import json

from aftersales.figures import Report
from aftersales.report_page import as_html
from aftersales.report_table import as_csv

SCHEMA = 1
"""The version of the JSON; raised when a field changes its meaning or goes."""

__all__ = ["SCHEMA", "as_csv", "as_html", "as_json", "read_json"]


def as_json(report: Report) -> str:
    """The report as JSON, money as decimal strings; the same report gives the same text."""
    content = {"schema": SCHEMA, **report.model_dump(mode="json")}
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(text: str) -> Report:
    """The report that `as_json` wrote.

    Raises ValueError for a text that is no such report, or one of a newer version.
    """
    content = json.loads(text)
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise ValueError(
            f"this is no report of schema {SCHEMA}, it says {schema!r}; make the report again with this version"
        )
    return Report.model_validate(content)
