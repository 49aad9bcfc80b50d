"""`report`: the figures of a period, at once; and the schedules that make them by themselves."""

from __future__ import annotations

import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from adapters.database import Store, open_store
from adapters.reports import ReportsFolder
from adapters.schedules import keep_schedules
from adapters.settings import Settings
from adapters.shops import load_policies
from aftersales.faults import nearest
from aftersales.figures import LossRate, Period, Report
from aftersales.periods import day, month, span
from aftersales.policies import Policies
from aftersales.report_runs import Made
from cli.connection import find_server
from cli.running import Stop, run
from cli.show import cell, console, emit, moment
from worker import reports_folder

DAYS = 30
"""How many days are looked at where nothing else is asked for."""
_NOTES = 3


class Asked(NamedTuple):
    """What the command line asks for, as it was written."""

    first: str | None = None
    last: str | None = None
    month: str | None = None
    shop: str = ""
    as_of: str | None = None


def report(
    first: Annotated[str | None, typer.Option("--from", help="The first day, such as 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day; without it yesterday.")] = None,
    month: Annotated[str | None, typer.Option(help="A month instead, such as 2026-11.")] = None,
    shop: Annotated[str, typer.Option(help="Only of this shop; without it of all together.")] = "",
    as_of: Annotated[
        str | None, typer.Option(help="As it was at this moment, such as 2026-11-23T06:00Z; without it now.")
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    schedule: Annotated[
        bool, typer.Option("--schedule", help="Instead have reports made every day and every month.")
    ] = False,
    start_again: Annotated[
        str | None, typer.Option(help="Instead use a stopped variant of a letter again, such as return-terms.short.")
    ] = None,
) -> None:
    """Make the report of figures: of the last 30 days, or of the days or the month that are named.

    It is written as a page, a table and JSON into the folder reports of the data folder. The database is enough:
    neither worker nor server need to run.
    """
    asked = Asked(first, last, month, shop, as_of)
    if schedule:
        run(lambda settings: _schedule(settings, as_json))
    if start_again:
        run(lambda settings: _start_again(settings, start_again, shop))
    run(lambda settings: _report(settings, asked, opens, as_json))


async def _report(settings: Settings, asked: Asked, opens: bool, as_json: bool) -> int:
    async with _reports(settings) as (store, policies, reports):
        zone = policies.default.report.report_zone
        now = datetime.now(UTC).replace(microsecond=0)
        as_of = _moment(asked.as_of, zone) if asked.as_of else now
        period = period_of(asked, as_of, zone)
        known = {*await store.figures.shops(), *settings.shops}
        if asked.shop and asked.shop not in known:
            what = nearest(asked.shop, known) if known else "no shop has sent anything yet; leave --shop out"
            raise Stop(f"--shop {asked.shop}: there is nothing of such a shop; {what}")
        found = await reports.report(asked.shop, period, as_of)
        made = await reports.write(found)
    if as_json:
        emit({"files": made.files, **found.model_dump(mode="json")})
    else:
        _show(found, made)
    if opens and not webbrowser.open(Path(made.files["html"]).absolute().as_uri()):
        raise Stop(f"there is no browser to open here; open {made.files['html']} yourself")
    return 0


@asynccontextmanager
async def _reports(settings: Settings) -> AsyncIterator[tuple[Store, Policies, ReportsFolder]]:
    policies = load_policies(settings.policy, settings.law, settings.shops)
    async with open_store(settings.store) as store:
        yield store, policies, reports_folder(store, settings, policies)


def period_of(asked: Asked, as_of: datetime, zone: str) -> Period:
    """The period that is asked for, as seen at a moment.

    Raises:
        Stop: naming the option that cannot be used, and what to write instead.
    """
    if asked.month:
        if asked.first or asked.last:
            raise Stop("--month: does not go with --from and --to; leave one or the other out")
        try:
            found = month(asked.month, zone)
        except ValueError:
            raise Stop(f"--month {asked.month}: is no month; write it as 2026-11") from None
        return _begun(found, f"--month {asked.month}", as_of)
    today = as_of.astimezone(ZoneInfo(zone)).date()
    last = _date("--to", asked.last) if asked.last else None
    first = _date("--from", asked.first) if asked.first else None
    # A first day that is today has no yesterday to go to.
    last = last or max(today - timedelta(days=1), first or date.min)
    first = first or date.fromordinal(max(last.toordinal() - DAYS + 1, 1))
    if first > last:
        raise Stop(f"--from {first}: is after --to {last}; write the earlier day first")
    option = f"--from {first}" if asked.first else f"--to {last}"
    try:
        found = day(first, zone) if first == last else span(first, last, zone)
    except ValueError as error:
        raise Stop(str(error)) from None
    return _begun(found, option, as_of)


def _begun(period: Period, option: str, as_of: datetime) -> Period:
    if period.start > as_of:
        raise Stop(f"{option}: begins after {moment(as_of)} UTC, so nothing is known of it; name an earlier day")
    return period


def _date(option: str, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Stop(f"{option} {written}: is no date; write it as 2026-11-01") from None


def _moment(written: str, zone: str) -> datetime:
    """A moment, or a day, which is its end; without an offset on the clock of the report's zone."""
    try:
        if len(written) == len("2026-11-01"):
            return datetime.combine(date.fromisoformat(written) + timedelta(days=1), time(), ZoneInfo(zone))
        at = datetime.fromisoformat(written)
    except ValueError:
        raise Stop(f"--as-of {written}: is no moment; write it as 2026-11-23T06:00Z, or as a day") from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))


def _show(found: Report, made: Made) -> None:
    """The report in ten lines."""
    figures, replied = found.figures, found.figures.replied
    share = "" if replied.share is None else f" ({replied.share:.0%})"
    _line("report", f"{figures.period.name}, {found.shop or 'all shops'}, as of {moment(found.as_of)}")
    _line("return rate", f"{_rate(figures.returns.total, found)} (limit {found.limit:.1%})")
    _line("without faults", _rate(figures.returns.non_quality, found))
    _line("cases", f"{figures.opened:,} opened, {figures.closed:,} closed, {figures.still_open:,} still open")
    _line("answers", f"{replied.count:,} of {replied.of:,} messages in time{share}")
    for warned in found.warnings:
        about = f"{warned.kind.replace('_', ' ')} {warned.subject}".strip()
        _line("over its limit", f"{about}: {warned.rate:.1%}, limit {warned.limit:.1%}", "bold yellow")
    for note in found.notes[:_NOTES]:
        _line("note", note)
    if len(found.notes) > _NOTES:
        _line("", f"and {len(found.notes) - _NOTES} more in the report")
    for kind, path in made.files.items():
        _line(kind, path)


def _line(label: str, text: str, style: str = "") -> None:
    console().print(Text(f"{label:<16}").append_text(cell(text, style)))


def _rate(rate: LossRate, report: Report) -> str:
    amounts = f"{rate.loss:,.2f} lost on {rate.returns:,} returned lines, {rate.cost:,.2f} {report.currency} shipped"
    if rate.rate is None:
        return f"none, as nothing was shipped: {amounts}"
    if rate.returns < report.least_returns:
        return f"{amounts}; too few for a rate"
    return f"{rate.rate:.2%}: {amounts}"


async def _schedule(settings: Settings, as_json: bool) -> int:
    terms = load_policies(settings.policy, settings.law, settings.shops).default.report
    server = await find_server(settings)
    for kept in await keep_schedules(server.client, settings.task_queue, terms):
        if as_json:
            emit(kept._asdict())
            continue
        coming = f"runs next at {moment(kept.next_at)} UTC" if kept.next_at else "does not run"
        paused = "; it is paused, resume it in the Web UI under Schedules" if kept.paused else ""
        print(f"{kept.id}: {kept.change}, {coming}{paused}")
    return 0


async def _start_again(settings: Settings, variant: str, shop: str) -> int:
    async with open_store(settings.store) as store:
        ended = await store.warnings.start_again(variant, datetime.now(UTC), shop or None)
        if not ended:
            stopped = [
                each.seen.subject for each in await store.warnings.open(shop or None) if each.seen.kind == "claims"
            ]
            what = nearest(variant, stopped) if stopped else "no variant is stopped"
            raise Stop(f"--start-again {variant}: is not stopped; {what}")
    for each in ended:
        print(f"{variant} is used again in new cases of {each.seen.shop or 'all shops'}")
    return 0
