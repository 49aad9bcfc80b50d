"""What letters must agree on, over all processes and languages (`spec/processes.md`, rule 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aftersales import channels
from aftersales.faults import nearest
from aftersales.letter_parts import COMMON, Frame, Letter, LetterFile, Problem, texts
from aftersales.variants import parse_key

if TYPE_CHECKING:
    from aftersales.policy import Policy

COMMON_VARIABLES = frozenset({"customer_name", "order_id", "shop", "items", "total"})
"""What every letter may use without its process declaring it."""

Declared = Mapping[str, Mapping[str, frozenset[str]]]
"""Process → letter → the variables that it is sent with, beyond the common ones."""


def check_letters(
    folder: Path,
    files: Mapping[tuple[str, str], LetterFile],
    letters: Declared,
    languages: Sequence[str],
    policies: Sequence[Policy],
) -> Iterator[Problem]:
    """All that is wrong with the files (by process and language) for what processes declare and policies ask."""
    for file in files.values():
        yield from file.problems
        if file.frame:
            yield from _forbidden("frame", file.frame, policies)
        for name, letter in file.letters.items():
            yield from _forbidden(name, letter, policies)
            yield from _lacking(name, letter, file.language, policies)
        if file.process != COMMON and (COMMON, file.language) not in files:
            yield _problem(file.path, 1, f"there is no {folder / COMMON / file.path.name} with this language's frame")
        declared = letters.get(file.process, {})
        for name, letter in file.letters.items():
            base, variant = parse_key(name)
            if base not in declared:
                yield _problem(
                    file.path, letter.line, f"{name}: no process sends {_it(base, variant)}; {nearest(base, declared)}"
                )
            elif base not in file.letters:
                yield _problem(
                    file.path, letter.line, f"{name}: there is no {base} of which it is a variant; write {base} too"
                )
    yield from _check_frames([file.frame for file in files.values() if file.frame])
    for process in sorted({COMMON, *letters}):
        tags = sorted({*languages, *(tag for owner, tag in files if owner == process)}, key=_Order(languages))
        for tag in tags:
            if (process, tag) not in files and (process == COMMON or letters.get(process)):
                path = folder / process / f"{tag}.yaml"
                yield _problem(path, 0, "is missing; every letter is written in every language")
        for name, variables in letters.get(process, {}).items():
            written = {tag: files[process, tag] for tag in tags if (process, tag) in files}
            yield from _check_letter(name, variables, written, languages)


def _check_letter(
    name: str, declared: frozenset[str], written: Mapping[str, LetterFile], languages: Sequence[str]
) -> Iterator[Problem]:
    for tag, file in written.items():
        if name not in file.letters and tag in languages:
            yield _problem(file.path, 1, f"{name}: is missing; write it in this language too")
    letters = {tag: file.letters[name] for tag, file in written.items() if name in file.letters}
    used = {tag: {variable for variable, _ in letter.uses()} for tag, letter in letters.items()}
    anywhere: set[str] = set().union(*used.values())
    for tag, letter in letters.items():
        yield from _undeclared(letter.path, name, letter.uses(), declared | COMMON_VARIABLES)
        yield from _check_variants(name, letter, declared, written[tag])
        for variable in sorted(declared - used[tag]):
            others = ", ".join(other for other in used if variable in used[other])
            where = f"{others} does" if variable in anywhere else "no language does; use it or stop declaring it"
            yield _problem(letter.path, letter.line, f"{name}: does not use {variable}, but {where}")
    yield from _check_choices(name, list(letters.values()))


def _check_variants(name: str, letter: Letter, declared: frozenset[str], file: LetterFile) -> Iterator[Problem]:
    for key, variant in file.letters.items():
        if key == name or parse_key(key)[0] != name:
            continue
        yield from _undeclared(variant.path, key, variant.uses(), declared | COMMON_VARIABLES)
        if list(variant.choices) != list(letter.choices):
            line = next((choice.line for choice in variant.choices.values()), variant.line)
            what = f"{key}: offers {_list(list(variant.choices))}, but {name} offers {_list(list(letter.choices))}"
            yield _problem(variant.path, line, f"{what}; the numbers must mean the same in every variant")


def _check_choices(name: str, letters: Sequence[Letter]) -> Iterator[Problem]:
    for letter in letters[1:]:
        mine, first = list(letter.choices), list(letters[0].choices)
        if mine != first:
            line = next(iter(letter.choices.values())).line if mine else letter.line
            what = f"{name}: offers {_list(mine)}, but {letters[0].path} offers {_list(first)}"
            yield _problem(letter.path, line, f"{what}; the numbers must mean the same in every language")


def _check_frames(frames: Sequence[Frame]) -> Iterator[Problem]:
    for frame in frames:
        yield from _undeclared(frame.path, "frame", frame.uses(), COMMON_VARIABLES)
        for code in sorted(frames[0].glossary.keys() ^ frame.glossary.keys()):
            lacking, other = (frame, frames[0]) if code in frames[0].glossary else (frames[0], frame)
            yield _problem(lacking.path, 1, f"glossary: lacks {code}, which {other.path} has")


def _forbidden(name: str, content: Letter | Frame, policies: Sequence[Policy]) -> Iterator[Problem]:
    """What a text says that no letter may say, or none on one of the channels."""
    for text in (text for part in content.parts for text in texts(part)):
        found = [*channels.review_requests(text.words)]
        for policy in policies:
            for channel, rules in policy.channels.channel_rules.items():
                found += channels.written_faults(text.words, channel, rules)
        for what in found:
            yield _problem(text.path, text.line, f"{name}: {what}")


def _lacking(name: str, letter: Letter, language: str, policies: Sequence[Policy]) -> Iterator[Problem]:
    """Words that a law asks for and the letter does not say."""
    said = " ".join(text.words for part in letter.parts for text in texts(part)).casefold()
    for pack in (pack for policy in policies for pack in policy.law.values()):
        for words in pack.required_words.get(parse_key(name)[0], {}).get(language, ()):
            if words.casefold() not in said:
                yield _problem(letter.path, letter.line, f"{name}: must say “{words}”: {pack.rule}")


def _undeclared(path: Path, name: str, uses: Iterable[tuple[str, int]], known: frozenset[str]) -> Iterator[Problem]:
    for variable, line in uses:
        if variable not in known:
            what = f"{name}: uses {variable}, which is not declared for it; {nearest(variable, known)}"
            yield _problem(path, line, what)


class _Order:
    """Sorts the languages asked for first, in their order, others after them by name."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._languages = list(languages)

    def __call__(self, tag: str) -> tuple[int, str]:
        return (self._languages.index(tag) if tag in self._languages else len(self._languages), tag)


def _it(letter: str, variant: str) -> str:
    return letter if variant else "it"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "no choices"


def _problem(path: Path, line: int, what: str) -> Problem:
    return Problem(path=path, line=line, what=what)
