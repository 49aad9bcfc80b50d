"""The garbage collector of a process that runs for months."""

from __future__ import annotations

import gc

_ALLOCATIONS = 20_000
"""New objects after which young ones are looked at. Python's 700 are a few events."""


def settled() -> None:
    """What is loaded by now stays: it is no longer looked at, again and again, for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
