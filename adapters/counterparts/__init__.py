"""Commands out: who carries out which command, and how each counterpart is asked.

`table` says which counterpart a command is for, `settings` where each shop's counterparts are, `opening` puts them
together. `http` is a counterpart behind a URL (docs/commands.md), `guard` keeps one that is away from holding up the
others, and `booked` stands in for one that has no URL. Touch it when a counterpart is asked in another way.
"""

from __future__ import annotations

from adapters.counterparts.booked import Booked

__all__ = ["Booked"]
