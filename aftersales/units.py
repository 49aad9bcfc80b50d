"""Spans of time and shares as people write them in a policy: `72h`, `14d`, `15 %`; text in JSON too."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, PlainValidator

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SPAN = re.compile(
    r"(?:(\d{1,10})(?:d|days?))?(?:(\d{1,10})(?:h|hrs?|hours?))?(?:(\d{1,10})(?:m|mins?|minutes?))?"
    r"(?:(\d{1,10})(?:s|secs?|seconds?))?",
    re.ASCII,
)
# Months and years of ISO 8601 are of no fixed length.
_ISO_SPAN = re.compile(r"P(?:(\d{1,10})D)?(?:T(?=\d)(?:(\d{1,10})H)?(?:(\d{1,10})M)?(?:(\d{1,10})S)?)?", re.ASCII)
_LONGEST = timedelta(days=3_660)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?(%?)", re.ASCII)
_DAYS_FROM = 7


def parse_duration(value: object) -> timedelta:
    """A span of time, zero or longer, from text such as `72h`, `14d`, `90m`, `45s`, `1h30m`, `48 hours` or `PT48H`.

    Raises ValueError for anything else: a bare number (its unit is anybody's guess), a fraction of a second,
    a negative or an overlong span.
    """
    if isinstance(value, timedelta):
        span = value
    else:
        written = "".join(value.split()) if isinstance(value, str) else ""
        match = _SPAN.fullmatch(written) or _ISO_SPAN.fullmatch(written)
        if match is None or not any(match.groups()):
            raise ValueError(f"write a span of time as 72h, 14d, 90m, 45s or 1h30m, not {_shown(value)}")
        seconds = sum(int(n) * s for n, s in zip(match.groups("0"), _SECONDS.values(), strict=True))
        span = timedelta(seconds=seconds) if seconds <= _LONGEST.total_seconds() else 2 * _LONGEST
    if span < timedelta(0):
        raise ValueError(f"a span of time cannot be negative, got {span}")
    if span.microseconds:
        raise ValueError(f"a span of time is in whole seconds, got {span}")
    if span > _LONGEST:
        raise ValueError(f"a span of time is at most ten years, got {_shown(value)}")
    return span


def format_duration(span: timedelta) -> str:
    """The short text that `parse_duration` reads back: `72h`, `1h30m`, `0s`; from a week on `14d`."""
    rest = int(span.total_seconds())
    if rest % _SECONDS["d"] == 0 and rest >= _DAYS_FROM * _SECONDS["d"]:
        return f"{rest // _SECONDS['d']}d"
    parts = []
    for unit in "hms":
        count, rest = divmod(rest, _SECONDS[unit])
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


def parse_share(value: object) -> Decimal:
    """A share of a whole as a fraction from 0 to 1, from text such as `15 %`, `15%` or `0.15`.

    Raises ValueError for anything else. A bare 1 is refused, as it may mean one per cent or all of it.
    """
    if isinstance(value, Decimal):
        fraction = value
    else:
        # YAML and JSON hand over 0.15 as a float, whose shortest text is what was written.
        written = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        match = _SHARE.fullmatch(written.strip()) if isinstance(written, str) else None
        if match is None or (match[2] == "" and written == "1"):
            raise ValueError(f"write a share as 15 % or 0.15, not {_shown(value)}")
        fraction = Decimal(match[1]) / 100 if match[2] else Decimal(match[1])
        if fraction > 1 and not match[2]:
            meant = f"for {match[1]} per cent write {match[1]} %"
            raise ValueError(f"write a share as 15 % or 0.15, not {_shown(value)}; {meant}")
    if not fraction.is_finite() or not 0 <= fraction <= 1:
        raise ValueError(f"a share is from 0 % to 100 %, got {_shown(value)}")
    return fraction


def format_share(fraction: Decimal) -> str:
    """The text that `parse_share` reads back: `15 %`, `2.5 %`."""
    return f"{(fraction * 100).normalize():f} %"


def _positive(span: timedelta) -> timedelta:
    if not span:
        raise ValueError("a window must be longer than nothing; write 72h, 14d, 90m or 45s")
    return span


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


Duration = Annotated[
    timedelta,
    PlainValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""A span of time, zero or longer: `timedelta` in Python, text such as `72h` in YAML and JSON."""

Window = Annotated[Duration, AfterValidator(_positive)]
"""How long a case waits: a `Duration` longer than zero."""

Share = Annotated[
    Decimal,
    PlainValidator(parse_share),
    PlainSerializer(format_share, return_type=str, when_used="json"),
]
"""A fraction from 0 to 1: `Decimal` in Python, text such as `15 %` in YAML and JSON."""
