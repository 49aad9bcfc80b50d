"""`check`: settings, policies, templates, routes and search attributes, each problem with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

import workflows
from adapters.settings import ROOT, BadSettings, Settings, read_settings
from adapters.shops import load_books
from adapters.temporal import NotReachable, missing_attributes
from aftersales.events import TYPES
from aftersales.faults import BadFile, Fault
from aftersales.law import load_packs
from aftersales.letters import Books
from aftersales.policy import Policy, load_policy, places
from cli.connection import find_server
from cli.live import try_all
from cli.routes import route_problems
from cli.running import run
from cli.settings_doubts import as_json as doubt_as_json
from cli.settings_doubts import as_line, doubts
from cli.show import emit
from worker import LETTERS
from workflows import attributes


def check(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per problem.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Try every connection of the settings too.")] = False,
) -> None:
    """Validate settings, policies, templates, routes and search attributes. Exit code 1 when anything is wrong.

    Warnings and hints about settings are told, and leave the exit code 0. --live connects to everything that the
    settings name, does nothing there, and tells what answers.
    """
    if as_json:
        _only_good_settings()
    run(lambda settings: _check(settings, as_json, live))


def _only_good_settings() -> None:
    """Tell bad settings as JSON; `run` would tell them in words."""
    try:
        read_settings()
    except BadSettings as bad:
        for problem in bad.problems:
            where, _, what = problem.partition(": ")
            emit({"path": "", "line": 0, "level": "problem", "where": where, "what": what, "remedy": ""})
        raise typer.Exit(1) from None


async def _check(settings: Settings, as_json: bool, live: bool) -> int:
    doubted = doubts(settings)
    for doubt in doubted:
        if as_json:
            emit(doubt_as_json(doubt))
        else:
            print(as_line(doubt))
    wrong = sum(doubt.level == "problem" for doubt in doubted)
    # Files that are not there are told by now, and would be told again.
    wrong = wrong or await _files(settings, as_json)
    return 1 if (live and await _connections(settings, as_json)) or wrong else 0


async def _connections(settings: Settings, as_json: bool) -> int:
    """Tell what answers; returns how many do not."""
    away = 0
    async for found in try_all(settings):
        away += not found.answers
        if as_json:
            emit({"level": "answer" if found.answers else "problem", **found._asdict()})
        else:
            print(f"{found.where}: {'' if found.answers else 'does not work: '}{found.what}")
    return away


async def _files(settings: Settings, as_json: bool) -> int:
    """Tell what is wrong with policies, letters, routes and search attributes; returns how much."""
    own = [shop.policy for shop in settings.shops.values() if shop.policy]
    policies = sorted({*settings.policy.parent.glob("*.yaml"), settings.policy, *own})
    problems, languages, good = _policies(policies, settings.law)
    folders = [settings.templates, *(shop.templates for shop in settings.shops.values() if shop.templates)]
    files = [file for folder in folders for file in sorted(folder.glob("*/*.yaml"))]
    problems += _templates(settings, languages, good)
    problems += route_problems(workflows.ALL)
    missing, server = await _attributes(settings)
    problems += missing
    # A fault in a file that several policies extend is one fault.
    found = list(dict.fromkeys((_near(fault.path), *fault[:4]) for fault in problems))
    for path, line, where, what, remedy in found:
        if as_json:
            told = {"path": str(path or ""), "line": line, "level": "problem"}
            emit({**told, "where": where, "what": what, "remedy": remedy})
        else:
            print(Fault(line, where, what, remedy).text(path) if path else ": ".join(filter(None, [where, what])))
    if not as_json:
        letters = sum(len(written) for written in LETTERS.values())
        print(
            f"checked {len(policies)} policies, {len(sorted(settings.law.glob('*.yaml')))} law packs, "
            f"{letters} letters in {', '.join(languages)} ({len(files)} files), "
            f"{len(workflows.ALL)} processes, {len(TYPES)} event types, {server}: "
            + (f"{len(found)} problem{'' if len(found) == 1 else 's'}" if found else "all well")
        )
    return len(found)


def _policies(paths: list[Path], law: Path) -> tuple[list[Fault], list[str], dict[Path, Policy]]:
    """The faults of all policies and law packs, the languages that the good ones name, and these by their files."""
    faults: list[Fault] = []
    good: dict[Path, Policy] = {}
    try:
        load_packs(law)
    except BadFile as bad:
        # Every policy would name them again.
        return _faults(bad), ["en"], {}
    for path in paths:
        try:
            good[path] = load_policy(path, law)
        except BadFile as bad:
            faults += _faults(bad)
    languages = dict.fromkeys(language for policy in good.values() for language in policy.letters.languages)
    return faults, list(languages) or ["en"], good


def _templates(settings: Settings, languages: list[str], policies: Mapping[Path, Policy]) -> list[Fault]:
    try:
        books = load_books(settings.templates, settings.shops)
    except BadFile as bad:
        return _faults(bad)
    every = (books.default, *books.by_shop.values())
    problems = [problem for book in every for problem in book.check(LETTERS, languages, [*policies.values()])]
    faults = [Fault(found.line, "", found.what, path=found.path) for found in problems]
    return [*faults, *_variants(settings, books, policies)]


def _variants(settings: Settings, books: Books, policies: Mapping[Path, Policy]) -> Iterator[Fault]:
    """Each policy's variants of letters are looked for where its shops have their letters."""
    for path, policy in policies.items():
        shops = [shop for shop in ("", *settings.shops) if settings.policy_of(shop) == path]
        for shop in shops or [""]:
            yield from books.of(shop).check_variants(LETTERS, policy, places(path))


async def _attributes(settings: Settings) -> tuple[list[Fault], str]:
    """The search attributes that the server lacks, and what was checked in words."""
    try:
        client = (await find_server(settings)).client
    except NotReachable:
        return [], "search attributes skipped (no Temporal server answers)"
    missing = await missing_attributes(client, attributes.TYPES)
    source = Path(attributes.__file__)
    lines = source.read_text(encoding="utf-8").splitlines()
    faults = [
        Fault(
            next((number for number, text in enumerate(lines, 1) if f'"{name}"' in text), 0),
            name,
            f"namespace {client.namespace} lacks this search attribute",
            "create it: temporal operator search-attribute create "
            f"--namespace {client.namespace} --name {name} --type {kind}",
            source,
        )
        for name, kind in missing.items()
    ]
    return faults, f"{len(attributes.TYPES)} search attributes"


def _faults(bad: BadFile) -> list[Fault]:
    return [fault._replace(path=fault.path or bad.path) for fault in bad.faults]


def _near(path: Path | None) -> Path | None:
    """A path of this checkout as seen from its root."""
    if path and path.is_relative_to(ROOT):
        return path.relative_to(ROOT)
    return path
