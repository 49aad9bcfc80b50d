"""The demo's end: what the day came to, and where to look at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from adapters.database import Store
from aftersales.outcome import Outcome
from aftersales.plaintext import one_line
from aftersales.records import EventStatus


async def summary(store: Store, *, duplicates: int) -> list[tuple[str, str]]:
    """What the database says about the day, for each kind of thing."""
    views = store.views
    outcomes = await views.outcomes()
    again = len(outcomes) - len({outcome.case_id for outcome in outcomes})
    counts = await views.summary()
    letters = Counter(letter.case.process for letter in await views.letters() if letter.sent_at)
    by_result = [f"{process}: {_counted(results)}" for process, results in counts.outcomes.items()]
    return [
        ("cases", f"{counts.cases_closed} closed, {again} of them opened again later; {counts.cases_open} still open"),
        ("letters", f"{letters.total()}: {_counted(letters)}"),
        ("commands", f"{sum(counts.commands.values())}: {_counted(counts.commands)}"),
        ("outcomes", "\n".join(by_result)),
        ("decisions", _decisions(outcomes)),
        ("money", _money(outcomes)),
        ("events", await _events(store, counts.events, duplicates)),
    ]


def print_pairs(console: Console, pairs: Sequence[tuple[str, str]], *, wrap: bool = True) -> None:
    """Names and what there is to say of each; without `wrap` lines stay whole, as what is in them is to be copied."""
    width = max(len(name) for name, _ in pairs) + 2
    for name, text in pairs:
        lines = Text(text).wrap(console, console.width - width) if wrap and console.is_terminal else Text(text).split()
        for number, line in enumerate(lines):
            line.rstrip()
            console.print(Text(f"{'' if number else name:<{width}}", "bold").append_text(line), soft_wrap=True)


async def _events(store: Store, counts: Mapping[EventStatus, int], duplicates: int) -> str:
    taken = counts.get(EventStatus.STARTED, 0) + counts.get(EventStatus.SIGNALLED, 0)
    lines = [f"{taken} reached a case, {duplicates} came twice and changed nothing"]
    for status, name in [
        (EventStatus.REFUSED, "refused"),
        (EventStatus.NO_OPEN_CASE, "kept, no open case awaits it"),
        (EventStatus.FOR_A_PERSON, "for a person to read"),
    ]:
        for event in reversed(await store.views.events(status=status)):
            why = f": {event.detail}" if event.detail and status != EventStatus.NO_OPEN_CASE else ""
            lines.append(one_line(f"{name}: {event.type} of {event.order_id}{why}"))
    return "\n".join(lines)


def _decisions(outcomes: Iterable[Outcome]) -> str:
    decisions = [decision for outcome in outcomes for decision in outcome.decisions]
    taken = Counter(decision.option for decision in decisions if decision.by)
    missed = sum(not decision.by for decision in decisions)
    return f"{taken.total()} taken ({_counted(taken)}), {missed} left to the policy because nobody decided in time"


def _money(outcomes: Iterable[Outcome]) -> str:
    sums: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        for kind, amount in outcome.amounts.items():
            sums.setdefault(kind, Counter())[outcome.currency] += amount  # type: ignore[assignment] # counts money
    return "\n".join(f"{kind} {_sums(by_currency)}" for kind, by_currency in sorted(sums.items()))


def _sums(by_currency: Mapping[str, int | Decimal]) -> str:
    return ", ".join(f"{currency} {amount:,.2f}" for currency, amount in sorted(by_currency.items()))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
