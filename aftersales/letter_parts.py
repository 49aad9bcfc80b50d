"""What a letter is made of, compiled: fields of text, lists, links, choices, and the frame around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Template, TemplateError, UndefinedError

from aftersales.model import Model
from aftersales.plaintext import joined

_HOUR_AND_STOP = re.compile(r"(\d\s[ap]\.\s?m\.)\.(?!\.)")
COMMON = "common"
"""The folder of the frames, the glossaries and the letters that any process may send."""


class LetterError(ValueError):
    """A letter that cannot be written with the values given; the text names file, line, reason and remedy."""


class Problem(Model):
    """Something wrong with the letters, and where: `templates/return-parcel/en.yaml:12: …`."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class TextField:
    """One text of a letter, compiled; `variables` are the names it needs from outside.

    `words` is what it says in itself, each value and condition one space.
    """

    path: Path
    line: int
    template: Template
    variables: frozenset[str]
    words: str

    def render(self, values: Mapping[str, object]) -> str:
        """The text as one line. Raises LetterError for a missing variable or a value of the wrong type."""
        try:
            return _one_stop(joined(self.template.render(values)))
        except UndefinedError as error:
            raise LetterError(f"{self.path}:{self.line}: {error}; the process must give it with the letter") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise LetterError(f"{self.path}:{self.line}: {error}") from error


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    points: tuple[TextField, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link, left out where its address renders to nothing."""

    address: TextField
    text: TextField


@dataclass(frozen=True, slots=True)
class Links:
    """A link for each address in the list `addresses`; its text may use `number`, counted from 1."""

    addresses: str
    line: int
    text: TextField


Part = TextField | Bullets | Link | Links


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter in one language. `source` is its content as canonical JSON, from which its version comes."""

    path: Path
    line: int
    subject: TextField
    paragraphs: tuple[Part, ...]
    choices: Mapping[str, TextField]
    after_choices: tuple[Part, ...]
    source: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of it, from the subject on."""
        return (self.subject, *self.paragraphs, *self.choices.values(), *self.after_choices)

    def uses(self) -> Iterator[tuple[str, int]]:
        """Every variable that it needs, with the line that needs it."""
        for part in self.parts:
            yield from uses(part)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every letter of a language.

    `choose` says how to answer and may use `numbers`; `order` names the order, `item` one `line` of it,
    `more` the `number` of lines left out. `glossary` has the codes of events in words.
    """

    path: Path
    greeting: TextField
    choose: TextField
    closing: TextField
    signature: tuple[TextField, ...]
    order: TextField
    item: TextField
    more: TextField
    glossary: Mapping[str, str]
    source: str

    @property
    def parts(self) -> tuple[TextField, ...]:
        """All of it, from the greeting on."""
        return (self.greeting, self.choose, self.closing, *self.signature, self.order, self.item, self.more)

    def uses(self) -> Iterator[tuple[str, int]]:
        """Every variable that it needs, with the line that needs it."""
        for part in self.parts:
            yield from uses(part)


@dataclass(frozen=True, slots=True)
class LetterFile:
    """All letters of a process in a language; `problems` are those that `LetterBook.check` reports."""

    path: Path
    process: str
    language: str
    letters: Mapping[str, Letter]
    frame: Frame | None
    problems: tuple[Problem, ...]


def _one_stop(text: str) -> str:
    """The text where an hour such as "9:30 p. m." ends a sentence: one full stop is enough for both."""
    return _HOUR_AND_STOP.sub(r"\1", text)


def texts(part: Part) -> tuple[TextField, ...]:
    """The texts of a part of a letter."""
    match part:
        case TextField():
            return (part,)
        case Bullets():
            return part.points
        case Link():
            return part.address, part.text
        case Links():
            return (part.text,)


def uses(part: Part) -> Iterator[tuple[str, int]]:
    """Every variable that a part of a letter needs, with the line that needs it."""
    match part:
        case TextField():
            yield from ((variable, part.line) for variable in sorted(part.variables))
        case Bullets():
            for point in part.points:
                yield from uses(point)
        case Link():
            yield from uses(part.address)
            yield from uses(part.text)
        case Links():
            yield part.addresses, part.line
            yield from uses(part.text)
