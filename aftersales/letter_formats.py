"""The filters of letters: money, dates, shares, spans and codes as the customer writes them.

Values come as JSON has them: money as decimal strings in the order's currency, moments and dates as ISO 8601
text, shares as `0.15` or `15 %`, spans as `72h`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_time, format_timedelta
from babel.lists import format_list
from babel.numbers import format_currency, format_percent
from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aftersales.units import parse_duration, parse_share

FORMATS = "_formats"
"""The name under which a rendering finds its `Formats`."""

# Where the clocks of nearly everybody in a country agree although it has several zones (CLDR primaryZones).
_MAIN_ZONES = {
    "AR": "America/Argentina/Buenos_Aires",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
}
_Unit = Literal["day", "hour", "minute"]
_SPAN_UNITS: dict[_Unit, timedelta] = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
}


@dataclass(frozen=True, slots=True)
class Formats:
    """How one letter writes values. `glossary` names the codes that events use, in the letter's language."""

    locale: Locale
    currency: str
    glossary: Mapping[str, str]

    def money(self, value: object) -> str:
        """A decimal string as an amount of the order's currency. Raises ValueError for anything else."""
        return format_currency(_decimal(value, "money"), self.currency, locale=self.locale)

    def date(self, value: object) -> str:
        """An ISO date or moment as a date. Raises ValueError for anything else."""
        moment = _moment(value)
        day = (
            moment.astimezone(_zone_of(self.locale.territory) or moment.tzinfo)
            if isinstance(moment, datetime)
            else moment
        )
        return _day(day, self.locale)

    def datetime(self, value: object) -> str:
        """An ISO moment as date and time on the customer's clock; where a country has several, its zone too.

        A date without time stays a date. Raises ValueError for anything else, and without an offset.
        """
        return self._written(value, _zone_of(self.locale.territory))

    def datetime_there(self, value: object) -> str:
        """As `datetime`, but on the clock of the place, which a scan's own offset tells, as carriers show it."""
        moment = _moment(value)
        home = _zone_of(self.locale.territory)
        if isinstance(moment, datetime) and home and moment.utcoffset() in (timedelta(0), home.utcoffset(moment)):
            return self._written(moment, home)
        return self._written(moment, None)

    def _written(self, value: object, zone: ZoneInfo | None) -> str:
        moment = _moment(value)
        if not isinstance(moment, datetime):
            return _day(moment, self.locale)
        local = moment.astimezone(zone or moment.tzinfo)
        written = _day_and_clock(_day(local, self.locale), _clock(local, self.locale), self.locale.language)
        if zone:
            return written
        return f"{written}（{local:%Z}）" if self.locale.language in ("zh", "ja") else f"{written} ({local:%Z})"

    def percent(self, value: object) -> str:
        """A share, `0.15` or `15 %`, as a percentage. Raises ValueError for anything else."""
        return format_percent(parse_share(value), decimal_quantization=False, locale=self.locale)

    def ratio(self, value: Decimal) -> str:
        """A number of which 1 is the whole, and which may be more, as a percentage."""
        return format_percent(value, decimal_quantization=False, locale=self.locale)

    def duration(self, value: object) -> str:
        """A span such as `72h`, in the largest unit that fits. Raises ValueError for anything else."""
        span = parse_duration(value)
        unit: _Unit = next((unit for unit, size in _SPAN_UNITS.items() if not span % size), "minute")
        # Babel moves on to the next unit at `threshold` times it: 36 hours shall not become two days.
        written = format_timedelta(span, granularity=unit, threshold=10**6, locale=self.locale)
        return written.replace(" ", "") if self.locale.language == "ja" else written

    def words(self, value: object) -> str:
        """Codes as a list in words, by the glossary. Raises ValueError for a code that it does not have."""
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError(f"words wants a list of codes, got {_shown(value)}")
        unknown = [str(code) for code in value if code not in self.glossary]
        if unknown:
            raise ValueError(f"the glossary has no {', '.join(unknown)}; it has {', '.join(self.glossary)}")
        return format_list([self.glossary[code] for code in value], locale=self.locale) if value else ""

    def either(self, value: Sequence[object]) -> str:
        """A list joined by the language's "or"."""
        return format_list([str(entry) for entry in value], style="or", locale=self.locale)


@cache
def locale_for(language: str, locale: str) -> Locale:
    """The locale that writes `language` as in the country of `locale`; without such a one the language's own.

    A letter in English to an order in Germany has English months and German digits, never a German date. A
    language without formats of its own is written with those of English.
    """
    wanted = locale.replace("-", "_").split("_")
    language = language.replace("-", "_")
    territory = wanted[-1].upper() if len(wanted) > 1 else ""
    for tag in (
        f"{language}_{territory}",
        f"{language.split('_')[0]}_{territory}",
        language,
        language.split("_")[0],
    ):
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def name(value: object) -> str:
    """The title of an item, given as text or as a mapping with `title`. Raises ValueError otherwise."""
    found = value.get("title") if isinstance(value, Mapping) else value
    if not isinstance(found, str):
        raise ValueError(f"name wants a title or an item with one, got {_shown(value)}")
    return found


def is_positive(value: object) -> bool:
    """Whether a decimal string is more than zero. Raises ValueError for anything else."""
    return _decimal(value, "positive") > 0


def _environment() -> ImmutableSandboxedEnvironment:
    # Letters are laid out from plain text, which is escaped there, once and for everything.
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, finalize=_written)
    for filter_name in (
        "money",
        "date",
        "datetime",
        "datetime_there",
        "percent",
        "ratio",
        "duration",
        "words",
        "either",
    ):
        environment.filters[filter_name] = _bound(getattr(Formats, filter_name))
    environment.filters["name"] = name
    environment.tests["positive"] = is_positive
    return environment


def _written(value: object) -> object:
    """Nothing instead of "None" for a value that is not known."""
    return "" if value is None else value


def _day(day: date, locale: Locale) -> str:
    written = format_date(day, "long", locale=locale)
    if locale.language in ("de", "fr"):
        written = written.replace(" ", "\xa0", 1)
    # CLDR has no ordinals, and the first of a month is the one day that French writes as one.
    return f"1er{written[1:]}" if locale.language == "fr" and day.day == 1 else written


def _clock(moment: datetime, locale: Locale) -> str:
    if locale.language == "fr":
        return format_time(moment, "H\xa0'h'\xa0mm" if moment.minute else "H\xa0'h'", locale=locale)
    return format_time(moment, "short", locale=locale)


def _day_and_clock(day: str, clock: str, language: str) -> str:
    """A day and its hour, joined as the language joins them in a sentence."""
    match language:
        case "zh":
            return f"{day}{clock}"
        case "ja":
            return f"{day} {clock}"
        case "de":
            return f"{day} um {clock}\N{NO-BREAK SPACE}Uhr"
        case "fr":
            return f"{day} à {clock}"
        case "es":
            # The hour is counted: a la 1:05, a las 13:05.
            return f"{day} {'a la' if clock.startswith(('1:', '01:')) else 'a las'} {clock}"
        case _:
            return f"{day}, {clock}"


def _bound(method: Callable[[Formats, object], str]) -> Callable[[Context, object], str]:
    @pass_context
    def filtered(context: Context, value: object) -> str:
        if isinstance(value, StrictUndefined):
            str(value)  # raises, naming the variable
        return method(context[FORMATS], value)

    return filtered


def _decimal(value: object, wanted_by: str) -> Decimal:
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise ValueError(f"{wanted_by} wants a decimal string such as '18.00', got {_shown(value)}")


def _moment(value: object) -> date | datetime:
    moment = _parsed(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"a time needs its offset, such as 2026-11-20T09:30:00Z, got {_shown(value)}")
        # One name for UTC, however its offset was written.
        return moment if moment.utcoffset() else moment.astimezone(UTC)
    if isinstance(moment, date):
        return moment
    raise ValueError(f"date wants ISO text such as 2026-11-20T09:30:00Z, got {_shown(value)}")


def _parsed(text: str) -> date | datetime | None:
    for kind in (date, datetime):
        with suppress(ValueError):
            return kind.fromisoformat(text)
    return None


@cache
def _zone_of(territory: str | None) -> ZoneInfo | None:
    zones = get_global("territory_zones").get(territory or "", [])
    main = _MAIN_ZONES.get(territory or "") or (zones[0] if len(zones) == 1 else None)
    return ZoneInfo(main) if main else None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


ENVIRONMENT = _environment()
