"""The names of cases: functions with their inverse beside them.

A case is named `<process>/<order id>`, for a parcel `<process>/<order id>/<parcel no>`, for some lines of an order
`<process>/<order id>/<line ids joined by +>` (`spec/processes.md`, Words). The name is the workflow id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from aftersales.order import Order

_RESERVED = {"%": "%25", "/": "%2F", "+": "%2B"}


class CaseName(NamedTuple):
    """A case id taken apart; `part` is the parcel no or the line ids, empty for the whole order."""

    process: str
    order_id: str
    part: str


def case_id(process: str, order_id: str, *parts: str) -> str:
    """The id of a case; `parts` are the parcel no or the line ids, none for the whole order."""
    name = f"{process}/{_escape(order_id)}"
    return f"{name}/{'+'.join(_escape(part) for part in parts)}" if parts else name


def parse_case_id(case: str) -> CaseName:
    """The inverse of `case_id`.

    Raises:
        ValueError: the text is no case id.
    """
    process, _, rest = case.partition("/")
    order_id, _, part = rest.partition("/")
    if not (process and order_id) or "/" in part:
        raise ValueError(f"{case!r} is not a case id; write <process>/<order id>, such as return-escalation/A-1001")
    return CaseName(process, unquote(order_id), part)


def line_parts(order: Order, line_ids: Sequence[str]) -> tuple[str, ...]:
    """The line ids that belong into a case id: none where every line of the order is meant."""
    asked = set(line_ids)
    return () if not asked or asked == {item.line_id for item in order.items} else tuple(sorted(asked))


def _escape(text: str) -> str:
    return "".join(_RESERVED.get(char, char) for char in text)
