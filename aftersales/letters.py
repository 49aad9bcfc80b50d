"""Letters to customers: loaded and compiled once, checked, rendered (`spec/processes.md`, rules 2 and 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from aftersales import layout
from aftersales.faults import BadFile, Fault, Loc, Mark
from aftersales.letter_check import Declared, check_letters
from aftersales.letter_files import read_letters
from aftersales.letter_formats import FORMATS, Formats, locale_for
from aftersales.letter_parts import (
    COMMON,
    Bullets,
    Frame,
    Letter,
    LetterError,
    LetterFile,
    Link,
    Links,
    Part,
    Problem,
    TextField,
)
from aftersales.model import Model
from aftersales.plaintext import one_line
from aftersales.variant_check import check_variants
from aftersales.variants import key_of, parse_key

if TYPE_CHECKING:
    from aftersales.policy import Policy

__all__ = ["Books", "LetterBook", "LetterError", "Problem", "Rendered"]

_ITEMS_SHOWN = 5


class Rendered(Model):
    """A letter, ready to send. `version` changes whenever its template or its language's frame does.

    `variant` is the one that was written; empty for the letter itself.
    """

    language: str
    variant: str = ""
    version: str
    subject: str
    text: str
    html: str
    choices: tuple[str, ...]


class LetterBook:
    """All letters of all processes."""

    def __init__(self, folder: Path, files: Sequence[LetterFile]) -> None:
        self._folder = folder
        self._files = {(file.process, file.language): file for file in files}
        self._tags = {(file.process, file.language.lower()): file.language for file in files}
        self._frames = {file.language: file.frame for file in files if file.frame}

    @classmethod
    def load(cls, folder: Path) -> LetterBook:
        """Read `<folder>/<process>/<language>.yaml`, all of them.

        Raises:
            BadFile: a file is no YAML, no valid template or not built like a letter file; or there is none.
        """
        return cls(folder, [read_letters(path) for path in _paths(folder)])

    def with_over(self, folder: Path) -> LetterBook:
        """The same letters with those of another folder in their place, letter by letter: a shop's own.

        A letter that is replaced loses its variants: they were written for the one that nobody gets.

        Raises:
            BadFile: as `load`.
        """
        files = dict(self._files)
        for path in _paths(folder):
            file = read_letters(path, whole=False)
            key = (file.process, file.language)
            files[key] = _laid_over(files[key], file) if key in files else file
        return LetterBook(self._folder, [*files.values()])

    def check(self, letters: Declared, languages: Sequence[str], policies: Sequence[Policy] = ()) -> list[Problem]:
        """What is wrong with the letters, empty when all is well.

        `letters` are the variables that each process declares for each of its letters, `languages` those that
        every letter must be written in, `policies` those whose channels and law packs the letters must satisfy.
        """
        found = check_letters(self._folder, self._files, letters, languages, policies)
        return sorted(set(found), key=lambda problem: (str(problem.path), problem.line, problem.what))

    def check_variants(self, letters: Declared, policy: Policy, place: Callable[[Loc], Mark]) -> list[Fault]:
        """What is wrong with the variants that a policy tries of these letters; `place` is of `policy.places`."""
        return list(check_variants(self._folder, self._files, letters, policy, place))

    def render(
        self,
        letter: str,
        *,
        variant: str = "",
        process: str,
        language: str,
        fallback: Sequence[str],
        locale: str,
        currency: str,
        values: Mapping[str, object],
    ) -> Rendered:
        """Write a letter.

        Args:
            letter: its name.
            variant: which variant of it; the letter itself where the language that is chosen does not have that one.
            process: the process that sends it; a letter that it does not have is taken from the common ones.
            language: the customer's language tag; then its base language and each of `fallback` are tried.
            fallback: language tags, tried in turn.
            locale: the order's locale, such as `en-GB`: its country decides digits, dates and clock.
            currency: the order's currency, ISO 4217.
            values: the variables; text in them is taken as text, whatever it holds. Without `order_id` the letter is
                about no order, and ends with its own last words.

        Raises:
            LetterError: none of the languages has the letter, a variable is missing or of the wrong type.
        """
        tag, file, frame = self._find(letter, process, [language, *fallback])
        # A case keeps the variant that it drew, and the files may have changed since.
        variant = variant if key_of(letter, variant) in file.letters else ""
        content = file.letters[key_of(letter, variant)]
        written: dict[str, object] = {name: _clean(name, value) for name, value in values.items()}
        written[FORMATS] = Formats(locale_for(tag, locale), currency, frame.glossary)
        sheet = _sheet(tag, content, frame, written)
        return Rendered(
            language=tag,
            variant=variant,
            version=sha256(f"{content.source}\n{frame.source}".encode()).hexdigest()[:12],
            subject=sheet.subject,
            text=layout.as_text(sheet),
            html=layout.as_html(sheet),
            choices=tuple(content.choices),
        )

    def _find(self, letter: str, process: str, languages: Sequence[str]) -> tuple[str, LetterFile, Frame]:
        for tag in (tag for wanted in languages for tag in _shorter(wanted)):
            for owner in (process, COMMON):
                written = self._tags.get((owner, tag), "")
                file = self._files.get((owner, written))
                if file and letter in file.letters and written in self._frames:
                    return written, file, self._frames[written]
        raise LetterError(
            f"{self._folder / process}: no letter {letter} in {', '.join(languages)}; write it, "
            "or add a language that it is written in to the policy's letters.languages"
        )


@dataclass(frozen=True)
class Books:
    """The letters of every shop."""

    default: LetterBook
    by_shop: Mapping[str, LetterBook] = field(default_factory=dict)

    def of(self, shop: str) -> LetterBook:
        """The shop's own letters, else those for all."""
        return self.by_shop.get(shop, self.default)


def _paths(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*/*.yaml"))
    if not paths:
        raise BadFile(folder, [Fault(0, "", "has no letters", "they are looked for in <process>/<language>.yaml")])
    return paths


def _laid_over(below: LetterFile, over: LetterFile) -> LetterFile:
    kept = {key: letter for key, letter in below.letters.items() if parse_key(key)[0] not in over.letters}
    return replace(
        below,
        letters={**kept, **over.letters},
        frame=over.frame or below.frame,
        problems=(*below.problems, *over.problems),
    )


def _shorter(tag: str) -> Iterator[str]:
    """A language tag and its ever shorter forms: zh-hans-cn, zh-hans, zh."""
    parts = tag.replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def _clean(name: str, value: object) -> object:
    """A value in which every text is one line. Raises LetterError for what no letter can hold."""
    match value:
        case str():
            return one_line(value)
        case None | bool() | int() | Decimal() | date() | timedelta():
            return value
        case Mapping():
            return {key: _clean(f"{name}.{key}", inner) for key, inner in value.items()}
        case list() | tuple():
            return [_clean(f"{name}[{index}]", inner) for index, inner in enumerate(value)]
        case _:
            kind = type(value).__name__
            raise LetterError(f"{name}: a letter cannot hold a {kind}; give text, numbers, or lists of them")


def _sheet(tag: str, letter: Letter, frame: Frame, values: Mapping[str, object]) -> layout.Sheet:
    numbers = [str(number) for number in range(1, len(letter.choices) + 1)]
    # One to staff is about no order: whom it greets is all of the frame that fits.
    about_order = "order_id" in values
    return layout.Sheet(
        language=tag,
        subject=_required(letter.subject, values),
        greeting=frame.greeting.render(values),
        paragraphs=_blocks(letter.paragraphs, values),
        choices=tuple(_required(choice, values) for choice in letter.choices.values()),
        choose=frame.choose.render({**values, "numbers": numbers}) if letter.choices else "",
        after_choices=_blocks(letter.after_choices, values),
        closing=frame.closing.render(values) if about_order else "",
        signature=tuple(line.render(values) for line in frame.signature) if about_order else (),
        order=tuple(_order(frame, values)) if about_order else (),
    )


def _order(frame: Frame, values: Mapping[str, object]) -> Iterator[str]:
    yield frame.order.render(values)
    items = values.get("items")
    if not isinstance(items, list):
        raise LetterError(f"{frame.path}:{frame.item.line}: items must be a list of items with title and quantity")
    for item in items[:_ITEMS_SHOWN]:
        yield frame.item.render({**values, "line": item})
    if len(items) > _ITEMS_SHOWN:
        yield frame.more.render({**values, "number": len(items) - _ITEMS_SHOWN})


def _required(text: TextField, values: Mapping[str, object]) -> str:
    if not (written := text.render(values)):
        raise LetterError(f"{text.path}:{text.line}: says nothing with the values given; a letter needs this text")
    return written


def _blocks(parts: Sequence[Part], values: Mapping[str, object]) -> tuple[layout.Block, ...]:
    return tuple(block for part in parts if (block := _block(part, values)))


def _block(part: Part, values: Mapping[str, object]) -> layout.Block | None:
    match part:
        case TextField():
            text = part.render(values)
            return layout.Paragraph(text) if text else None
        case Bullets():
            points = tuple(text for point in part.points if (text := point.render(values)))
            return layout.Points(points) if points else None
        case Link():
            address = part.address.render(values)
            return layout.Links(((part.text.render(values), address),)) if address else None
        case Links():
            addresses = values.get(part.addresses)
            if not isinstance(addresses, list) or not all(isinstance(entry, str) for entry in addresses):
                raise LetterError(f"{part.text.path}:{part.line}: {part.addresses} must be a list of addresses")
            links = tuple(
                (part.text.render({**values, "number": number}), address)
                for number, address in enumerate(filter(None, addresses), start=1)
            )
            return layout.Links(links) if links else None
