"""The people who decide, and what each may (`spec/processes.md`, Words: operator / supervisor)."""

from __future__ import annotations

from typing import Literal

Role = Literal["operator", "supervisor"]
"""What somebody is to a shop; a supervisor may whatever an operator may."""
