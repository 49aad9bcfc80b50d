"""What a scenario expects against what came: every difference as a sentence with its line (`spec/scenarios.md`)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import NamedTuple, get_args

from pydantic import JsonValue

from aftersales.outcome import Kind
from aftersales.scenario import OutcomeFields, Scenario, plain_command
from aftersales.units import format_duration, parse_duration

SLACK = timedelta(minutes=1)
"""The virtual clock runs on while a case works: times this near count as equal, and cases this near as side by side."""

_OPERATORS: Mapping[str, Callable[[timedelta, timedelta], bool]] = {
    "<=": lambda came, bound: came <= bound + SLACK,
    ">=": lambda came, bound: came >= bound - SLACK,
    "==": lambda came, bound: abs(came - bound) <= SLACK,
    "<": operator.lt,
    ">": operator.gt,
}
_BOUND = re.compile(r"(<=|>=|==|<|>)?\s*([0-9dhms ]+)")
_KINDS = frozenset(get_args(Kind))


class Came(NamedTuple):
    """A letter or command, or an outcome's `<process> <result>`, when since the story began, and of which case."""

    name: str
    at: timedelta
    case: str
    fields: Mapping[str, object] = {}

    def __str__(self) -> str:
        return f"{self.name} at {shown(self.at)}"


@dataclass(frozen=True)
class Result:
    """What came of a story, each in the order of time; `open_cases` are sentences about cases that did not end."""

    letters: Sequence[Came] = ()
    commands: Sequence[Came] = ()
    outcomes: Sequence[Came] = ()
    refused: Sequence[str] = ()
    open_cases: Sequence[str] = ()


def missed(scenario: Scenario, result: Result) -> list[str]:
    """Every expectation that was missed: `file:line: what, and what came instead`; empty where all were met."""
    found = [f"{place}: {what}" for place, what in _missed(scenario, result)]
    return [*found, *result.refused, *result.open_cases] if found else []


def shown(at: timedelta) -> str:
    """A time since the story began, to the second, from an hour on to the minute."""
    unit = 60 if abs(at) >= timedelta(minutes=59) else 1
    span = timedelta(seconds=round(abs(at).total_seconds() / unit) * unit)
    return "-" * (at < timedelta(0) and bool(span)) + format_duration(span)


def parse_bound(text: str) -> Callable[[timedelta], bool]:
    """The test that `<= 31h`, `>= 30h`, `< 2d`, `> 0s`, `== 72h`, `72h` or `30h..31h` stands for.

    Raises ValueError for anything else.
    """
    if ".." in text:
        low, high = (parse_duration(part) for part in text.split("..", 1))
        return lambda came: low - SLACK <= came <= high + SLACK
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'write "<= 31h", ">= 30h", "== 72h" or "30h..31h", not {text!r}')
    test, bound = _OPERATORS[match[1] or "=="], parse_duration(match[2])
    return lambda came: test(came, bound)


def _missed(scenario: Scenario, result: Result) -> Iterator[tuple[str, str]]:
    expect, place = scenario.story.expect, scenario.place
    kinds = (("letter", expect.letters, result.letters), ("command", expect.commands, result.commands))
    for kind, names, came in kinds:
        by_case = names if isinstance(names, dict) else {"": names}
        for case, of_case in by_case.items():
            loc = ("expect", f"{kind}s", *([case] if case else []))
            wanted = [_Wanted(place(*loc, i), f"{kind} {name}", _named(name)) for i, name in enumerate(of_case)]
            yield from _in_order(wanted, [item for item in came if case in ("", item.case, _process(item))])
    wanted = [
        _Wanted(place("expect", "outcomes", i), f"outcome with {_listed(fields)}", partial(_fits, fields), fields)
        for i, fields in enumerate(expect.outcomes)
    ]
    yield from _in_order(wanted, result.outcomes)
    yield from _unwanted(scenario, result)
    for name, bound in expect.at.items():
        if what := _untimely(plain_command(name), bound, [*result.letters, *result.commands]):
            yield place("expect", "at", name), what


class _Wanted(NamedTuple):
    """One expectation: its line, its name for a sentence, and its test; `fields` where an outcome is wanted."""

    place: str
    what: str
    test: Callable[[Came], bool]
    fields: OutcomeFields | None = None


def _unwanted(scenario: Scenario, result: Result) -> Iterator[tuple[str, str]]:
    absent, place = scenario.story.expect.absent, scenario.place
    tests: list[tuple[tuple[str, int], Callable[[Came], bool], Sequence[Came]]] = [
        *((("letters", i), _named(name), result.letters) for i, name in enumerate(absent.letters)),
        *((("commands", i), _named(name), result.commands) for i, name in enumerate(absent.commands)),
        *((("outcomes", i), partial(_fits, fields), result.outcomes) for i, fields in enumerate(absent.outcomes)),
    ]
    for loc, test, came in tests:
        if there := next((item for item in came if test(item)), None):
            yield place("expect", "absent", *loc), f"{there} of {there.case} came, but must not"


def _untimely(name: str, bound: str, came: Sequence[Came]) -> str:
    try:
        test = parse_bound(bound)
    except ValueError as error:
        return str(error)
    times = [item.at for item in came if item.name == name]
    if any(test(at) for at in times):
        return ""
    return f"{name} came at {', '.join(map(shown, times))}, not {bound}" if times else f"{name} did not come"


def _in_order(wanted: Sequence[_Wanted], came: Sequence[Came]) -> Iterator[tuple[str, str]]:
    """The first expectation that nothing meets which comes after what met the earlier ones.

    What two cases do at the same moment may stand in either order.
    """
    met: list[int] = []
    for number, this in enumerate(wanted):
        found = next((i for i, item in enumerate(came) if this.test(item) and _may_follow(i, met, came)), None)
        if found is None:
            after = f" after {wanted[number - 1].what}" if number else ""
            yield this.place, f"{this.what}: {_instead(this, came)}{after}; there came {_list(came)}"
            return
        met.append(found)


def _may_follow(i: int, met: Sequence[int], came: Sequence[Came]) -> bool:
    return i not in met and all(
        i > k if came[k].case == came[i].case else came[k].at <= came[i].at + SLACK for k in met
    )


def _instead(wanted: _Wanted, came: Sequence[Came]) -> str:
    if earlier := [str(item) for item in came if wanted.test(item)]:
        return f"came too early or too seldom ({', '.join(earlier)})"
    fields = wanted.fields or {}
    near = [item for item in came if fields and fields.get("process", _process(item)) == _process(item)]
    told = [f"{item.case}: {', '.join(_differences(fields, item))}" for item in near]
    return "; ".join(told) or "did not come"


def _named(name: str) -> Callable[[Came], bool]:
    return lambda item: item.name == plain_command(name)


def _process(item: Came) -> str:
    return item.case.partition("/")[0]


def _fits(wanted: OutcomeFields, item: Came) -> bool:
    return not _differences(wanted, item)


def _listed(fields: OutcomeFields) -> str:
    return ", ".join(f"{key} {value}" for key, value in fields.items())


def _differences(wanted: OutcomeFields, item: Came) -> list[str]:
    """The fields in which an outcome is not as wanted."""
    found = []
    for key, value in wanted.items():
        came = item.fields.get(key, "0" if key in _KINDS else None)
        if key not in item.fields and key not in _KINDS:
            found.append(f"there is no field {key} in it")
        elif not _equal(value, came):
            found.append(f"{key} is {came}, not {value}")
    return found


def _equal(wanted: JsonValue, came: object) -> bool:
    """Equal values; numbers and decimal strings by value, so that 19.2 and "19.20" are."""
    if wanted == came or isinstance(wanted, bool) or isinstance(came, bool):
        return wanted == came and isinstance(wanted, bool) == isinstance(came, bool)
    if not (isinstance(wanted, int | float | str) and isinstance(came, int | float | str)):
        return False
    try:
        return Decimal(str(wanted)) == Decimal(str(came))
    except InvalidOperation:
        return False


def _list(came: Sequence[Came]) -> str:
    return ", ".join(map(str, came)) or "none"
