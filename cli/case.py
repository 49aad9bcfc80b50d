"""`case`: the story of one case, from the database and the server together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from adapters.database import StoryLine, open_store
from adapters.settings import Settings
from adapters.temporal import NotReachable
from aftersales.clocks import Clock
from aftersales.model import Model
from aftersales.outcome import Outcome
from aftersales.plaintext import one_line
from aftersales.records import CommandRecord, EventRecord, LetterRecord
from aftersales.variants import key_of
from cli.cases import deadline
from cli.connection import Server, find_server
from cli.looking import CaseNow, described, steps, titled, unknown_case
from cli.running import run
from cli.send import told
from cli.show import cell, console, emit, moment, table
from workflows.details import Question

ANSWER_WITHIN = timedelta(seconds=5)
"""A live worker answers in milliseconds."""


class Told(Model):
    """One line of the story: when (UTC), what kind of thing, and what."""

    at: datetime
    kind: str
    text: str


class Decision(Model):
    """A decision that is open: the question, what can be chosen and does what, and the choice when nobody decides."""

    question: str
    options: tuple[str, ...]
    does: Mapping[str, str]
    fallback: str
    meanwhile: tuple[str, ...] = ()
    """What has come and waits until this is decided."""


def case(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case id, such as return-escalation/A-1001.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell the story of one case: events, letters, commands, timers, and the decision that is open."""
    run(lambda settings: _case(settings, case, as_json))


async def _case(settings: Settings, case: str, as_json: bool) -> int:
    server, unreached = await _server(settings)
    async with open_store(settings.store) as store:
        story = [_told(entry) for entry in await store.views.case_story(case)]
        now = await _now(server.client, case) if server else None
        if not story and now is None:
            raise await unknown_case(store, case)
    decision, link, clocks = None, "", list[Clock]()
    if server and now:
        story += [Told(at=at, kind=kind, text=text) for at, kind, text in await steps(server.client, case, now.run_id)]
        story.sort(key=lambda entry: entry.at)
        link = server.link(case, now.run_id)
        if now.open:
            asked = open_decision(server.client, case) if now.stage == "decision" else _nothing()
            clocks, decision = await asyncio.gather(running_clocks(server.client, case), asked)
    if as_json:
        shown = now.model_dump(mode="json") if now else {"case": case}
        emit(
            {
                **shown,
                "link": link,
                "story": [entry.model_dump(mode="json") for entry in story],
                "clocks": [clock.model_dump(mode="json") for clock in clocks],
                "decision": decision.model_dump() if decision else None,
            }
        )
        return 0
    _print(case, now, story, link)
    if clocks:
        _print_clocks(clocks)
    if unreached:
        print(f"\nStage and deadline are not known: {unreached}")
    elif decision:
        print(_asked(case, decision))
    elif now and now.open and now.stage == "decision":
        print("\nA decision is open, but no worker answers to tell which; start one (./dev up, or python worker.py).")
    return 0


async def _server(settings: Settings) -> tuple[Server | None, str]:
    """The server, or why there is none: what the database knows is told all the same."""
    try:
        return await find_server(settings), ""
    except NotReachable as error:
        return None, str(error)


async def _now(client: Client, case: str) -> CaseNow | None:
    found = await described(client, case)
    return (await titled(client, [CaseNow.of(found)]))[0] if found else None


async def open_decision(client: Client, case: str, run_id: str | None = None) -> Decision | None:
    """The decision that a running case asks for; None where it asks none, or where no worker answers."""
    handle = client.get_workflow_handle(case, run_id=run_id)
    try:
        asked = await handle.query("open_decision", result_type=Question, rpc_timeout=ANSWER_WITHIN)
    except (RPCError, WorkflowQueryFailedError):
        return None
    if asked is None:
        return None
    known = asked.model_dump(include={"options", "does", "fallback", "meanwhile"})
    return Decision(question=asked.text, **known)


async def _nothing() -> None:
    return None


async def running_clocks(client: Client, case: str) -> list[Clock]:
    """The dates that run in a case; none where no worker answers, or where one of an earlier build does."""
    try:
        handle = client.get_workflow_handle(case)
        found: list[Clock] = await handle.query("clocks", result_type=list[Clock], rpc_timeout=ANSWER_WITHIN)
    except (RPCError, WorkflowQueryFailedError):
        return []
    return found


def _print_clocks(clocks: Sequence[Clock]) -> None:
    rows = table("until (UTC)", "what", "whose time", "who loses then", "where it is written")
    for clock in clocks:
        rows.add_row(
            moment(clock.at.astimezone(UTC)),
            cell(clock.what),
            cell(clock.whose),
            cell(clock.loses),
            cell(clock.source),
        )
    screen = console()
    screen.print()
    screen.print(rows)


def _told(entry: StoryLine) -> Told:
    kind, text = _in_words(entry.what)
    return Told(at=entry.at, kind=kind, text=text)


def _in_words(what: EventRecord | LetterRecord | CommandRecord | Outcome) -> tuple[str, str]:
    match what:
        case EventRecord():
            return "event", f"{what.type or 'event'} {what.id} from {what.source}: {told(what)}"
        case LetterRecord():
            state = f"sent, {what.reference}" if what.sent_at else "not sent yet"
            return "letter", f"{key_of(what.letter, what.variant)} ({what.language}): {state}"
        case CommandRecord():
            money = f" {what.data['amount']} {what.data.get('currency', '')}" if "amount" in what.data else ""
            refused = f"refused: {what.refused}" if what.refused else "not answered yet"
            answer = f"accepted, {what.reference}" if what.reference is not None else refused
            return "command", f"{what.type}{money}: {answer}"
        case Outcome():
            amounts = "".join(f", {kind} {amount} {what.currency}" for kind, amount in what.amounts.items())
            return "outcome", f"{what.result} at stage {what.stage}{amounts}, {what.letters_sent} letters"


def _print(case: str, now: CaseNow | None, story: Sequence[Told], link: str) -> None:
    screen = console()
    if now:
        screen.print(one_line(now.title), style="bold")
        until = deadline(now, datetime.now(UTC)).plain
        state = f"stage {now.stage}" + (f", {until}" if until else "") if now.open else f"{now.status}, {now.result}"
        angry = ", angry" if now.angry else ""
        screen.print(f"{case}: {state}{angry}, policy {now.policy_version}")
    else:
        screen.print(case, style="bold")
    if link:
        screen.print(f"Web UI: {link}", soft_wrap=True)
    screen.print()
    for entry in story:
        screen.print(f"{moment(entry.at.astimezone(UTC))}  {entry.kind:<7}  {one_line(entry.text)}")


def _asked(case: str, decision: Decision) -> str:
    first = decision.options[0] if decision.options else "OPTION"
    width = max(map(len, decision.options), default=0)
    options = "".join(f"  {option:<{width}}  {decision.does.get(option, '')}\n" for option in decision.options)
    return (
        f"\nYour decision is needed: {one_line(decision.question)}\n"
        + "".join(f"  not yet taken into account: {one_line(line)}\n" for line in decision.meanwhile)
        + f"{options}"
        f"  If nobody decides: {decision.fallback}\n"
        f'  ./dev decide {case} {first} --by "your name" --reason "why"'
    )
