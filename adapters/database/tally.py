"""What a table holds, added up so that two databases can be compared."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from adapters.database.cleaning import json_text
from adapters.database.schema import clean
from aftersales.losses import UNITS

_MODULUS = 2**256


@dataclass
class Tally:
    """The rows of one table: how many, their newest moments, the money in them, and a checksum over all there is.

    The checksum is the sum of the rows' own, so the order in which they come is all the same.
    """

    table: str
    rows: int = 0
    checksum: int = 0
    newest: dict[str, datetime] = field(default_factory=dict)
    money: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        self.rows += 1
        line = json.dumps([_canonical(value) for value in row.values()], ensure_ascii=False)
        self.checksum = (self.checksum + int.from_bytes(sha256(line.encode()).digest())) % _MODULUS
        for name, value in row.items():
            if isinstance(value, datetime):
                self.newest[name] = max(value, self.newest.get(name, value))
        for name, amount in _money(self.table, row):
            self.money[name] += amount

    def facts(self) -> dict[str, str]:
        """Each of them by its name, to be shown and compared."""
        return {
            "rows": str(self.rows),
            **{f"newest {name}": at.isoformat() for name, at in sorted(self.newest.items())},
            **{f"sum of {name}": str(amount) for name, amount in sorted(self.money.items())},
            "checksum": f"{self.checksum:064x}"[:16],
        }


def _money(table: str, row: Mapping[str, Any]) -> list[tuple[str, Decimal]]:
    match table:
        case "payments":
            return [(f"{row['currency']} {row['state']}", Decimal(row["amount"]))]
        case "outcomes":
            return [(f"{row['currency']} {kind}", Decimal(amount)) for kind, amount in row["amounts"].items()]
        case "case_goods":
            return [(f"{row['currency']} lost", Decimal(row["loss"]) / UNITS)]
        case "shipped_goods":
            return [(f"{row['currency']} shipped", Decimal(row["cost"]) / UNITS)]
        case _:
            return []


def _canonical(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case str():
            return clean(value)
        case dict() | list():
            return json.dumps(json.loads(json_text(value)), sort_keys=True)
        case _:
            return value
