"""What may become of a letter that a channel was given, other than that it is out."""

from __future__ import annotations

LONGEST = 9.0
"""Seconds that a letter may take on its channel, or on all channels that it is given to: an effect has ten."""


class NotSent(Exception):
    """A letter is certainly not out, for a reason that passes. The text is one line for whoever reads the log.

    `retry_after` is how many seconds to wait before the next try, None for the usual growing pauses; `expected` says
    that nothing is wrong, as where a channel's rate is kept.
    """

    def __init__(self, text: str, *, retry_after: float | None = None, expected: bool = False) -> None:
        super().__init__(text)
        self.retry_after, self.expected = retry_after, expected


class PutOff(NotSent):
    """The same for this one letter alone: the customer's side does not take it yet. It is not tried for ever."""


class Undeliverable(Exception):
    """A letter is certainly not out and will not be taken, for this reason; a person decides."""


class PerhapsSent(Exception):
    """Nobody can tell whether a letter is out, for this reason. It must not be sent again unless a person says so."""
