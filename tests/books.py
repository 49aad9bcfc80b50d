"""The letters in `templates/`, read once for all tests of a process: to read them takes seconds."""

from __future__ import annotations

from functools import cache

from adapters.settings import ROOT
from aftersales.letters import LetterBook


@cache
def book() -> LetterBook:
    """All letters."""
    return LetterBook.load(ROOT / "templates")
