"""One letter file, read and compiled: `templates/<process>/<language>.yaml`.

```yaml
return-terms:
  subject: "Your return of order {{ order_id }}"
  paragraphs:
    - "A paragraph; one that renders to nothing is left out."
    - list: ["a point", "another"]
    - link: "{{ tracking_url }}"
      text: "Track your parcel"
    - links: photos                     # a variable that holds a list of addresses
      text: "Photo {{ number }}"
  choices:                              # numbered in this order, in the same order in every language
    accept: "I accept these terms."
    insist: "Please look for another solution."
  after_choices:                        # paragraphs: until when to answer, and what happens otherwise
    - "Please answer by {{ reply_by | datetime }}."
```

A variant of a letter is a letter of its own beside it, `return-terms.short`, with the same choices in the same order.
What it does not need of the letter's variables it may leave out.

`templates/common/<language>.yaml` holds, beside letters that any process may send, the `frame` of every
letter in that language (see `Frame`) and the `glossary`, which names the codes of events in words.

French is written with ordinary spaces (`« … » : ; ! ?`); reading it makes them no-break ones.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import TemplateSyntaxError, meta

from aftersales.faults import BadFile, Fault, Loc, dotted, nearest
from aftersales.letter_formats import ENVIRONMENT
from aftersales.letter_parts import (
    COMMON,
    Bullets,
    Frame,
    Letter,
    LetterFile,
    Link,
    Links,
    Part,
    Problem,
    TextField,
)
from aftersales.plaintext import typeset
from aftersales.variants import is_variant_name, parse_key
from aftersales.yamlfile import Document, load_yaml

_LEAST_CHOICES = 2
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def read_letters(path: Path, *, whole: bool = True) -> LetterFile:
    """Read and compile one file; one that is not `whole` is laid over another and may leave out the frame.

    Raises BadFile with the line of all that cannot be understood.
    """
    reader = _Reader(load_yaml(path))
    common = path.parent.name == COMMON
    entries = reader.mapping((), ())
    frame = reader.frame() if common and (whole or "frame" in entries) else None
    names = [str(key) for key in entries if not (common and key in ("frame", "glossary"))]
    letters = {name: letter for name in names if (letter := reader.letter(name))}
    if reader.faults:
        raise BadFile(path, reader.faults)
    return LetterFile(path, path.parent.name, path.stem, letters, frame, tuple(reader.problems))


@dataclass
class _Reader:
    """Reads a document part by part and collects what is wrong with it."""

    document: Document
    faults: list[Fault] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def letter(self, name: str) -> Letter | None:
        at = (name,)
        if "." in name and not is_variant_name(parse_key(name)[1]):
            self.problem(at, "is no name of a variant; write <letter>.<variant>, with a-z, 0-9 and -, and not base")
        content = self.mapping(at, ("subject", "paragraphs", "choices", "after_choices"))
        subject = self.text((*at, "subject"))
        choices = self.mapping((*at, "choices"), ()) if "choices" in content else {}
        if "choices" in content and len(choices) < _LEAST_CHOICES:
            self.fault(
                (*at, "choices"),
                "offers fewer than two solutions",
                "a customer who chooses needs at least two",
            )
        if "after_choices" in content and not choices:
            self.fault((*at, "after_choices"), "stands without choices", "move its paragraphs to paragraphs")
        texts = {str(key): self.text((*at, "choices", key)) for key in choices}
        paragraphs = self.parts((*at, "paragraphs"))
        after = self.parts((*at, "after_choices")) if "after_choices" in content else ()
        if subject is None or not all(texts.values()):
            return None
        return Letter(
            self.document.path,
            self.document.line(at),
            subject,
            paragraphs,
            {key: text for key, text in texts.items() if text},
            after,
            json.dumps(content, ensure_ascii=False),
        )

    def frame(self) -> Frame | None:
        at = ("frame",)
        keys = ("greeting", "choose", "closing", "signature", "order", "item", "more")
        content = self.mapping(at, keys)
        glossary: dict[str, str] = {}
        for code, words in self.mapping(("glossary",), ()).items():
            if isinstance(words, str):
                glossary[code] = words
            else:
                self.fault(("glossary", code), "must be text", "write in words what the code means")
        local = {"choose": "numbers", "item": "line", "more": "number"}
        texts = {key: self.text((*at, key), local.get(key, "")) for key in keys if key != "signature"}
        signature = self.texts((*at, "signature"))
        found = {key: text for key, text in texts.items() if text}
        if len(found) < len(texts):
            return None
        source = json.dumps([content, glossary], ensure_ascii=False)
        return Frame(self.document.path, signature=signature, glossary=glossary, source=source, **found)

    def parts(self, at: Loc) -> tuple[Part, ...]:
        entries = self.sequence(at)
        if not entries:
            self.problem(at, "has no paragraphs")
        read = [self.part((*at, index), entry) for index, entry in enumerate(entries)]
        return tuple(part for part in read if part is not None)

    def part(self, at: Loc, entry: object) -> Part | None:
        if not isinstance(entry, dict):
            return self.text(at)
        if "list" in entry:
            self.mapping(at, ("list",))
            return Bullets(self.texts((*at, "list")))
        self.mapping(at, ("links" if "links" in entry else "link", "text"))
        if "links" not in entry:
            address, text = self.text((*at, "link")), self.text((*at, "text"))
            return Link(address, text) if address and text else None
        text, addresses = self.text((*at, "text"), "number"), entry["links"]
        if not isinstance(addresses, str) or not addresses.isidentifier():
            self.fault(
                (*at, "links"),
                "must be the name of a variable",
                "write it without braces, such as links: photos",
            )
            return None
        return Links(addresses, self.document.line((*at, "links")), text) if text else None

    def texts(self, at: Loc) -> tuple[TextField, ...]:
        read = [self.text((*at, index)) for index in range(len(self.sequence(at)))]
        return tuple(text for text in read if text)

    def text(self, at: Loc, local: str = "") -> TextField | None:
        """The text at a place, compiled; None, and a fault or problem, where there is none."""
        source = self.value(at)
        if not isinstance(source, str):
            self.fault(at, "is missing" if source is None else "must be text", "write it in quotes")
            return None
        if not source.strip():
            self.problem(at, "is empty; write it or take it out")
            return None
        try:
            tree = ENVIRONMENT.parse(typeset(source, self.document.path.stem))
            template = ENVIRONMENT.from_string(tree)
        except TemplateSyntaxError as error:
            self.fault(at, f"is not a valid template: {error.message}", "see {{ variable | filter }} and {% if … %}")
            return None
        variables = frozenset(meta.find_undeclared_variables(tree)) - {local}
        words = " ".join(_EXPRESSION.sub(" ", source).split())
        return TextField(self.document.path, self.document.line(at), template, variables, words)

    def mapping(self, at: Loc, known: tuple[str, ...]) -> dict[str, object]:
        """The mapping at a place; with `known` keys, others are a problem."""
        content = self.value(at)
        if not isinstance(content, dict):
            self.fault(at, "must be a mapping of keys to values", "write its keys below it, each with a value")
            return {}
        for key in content:
            if known and key not in known:
                self.problem((*at, key), f"is not a known key; {nearest(str(key), known)}")
        return content

    def sequence(self, at: Loc) -> list[object]:
        content = self.value(at)
        if isinstance(content, list):
            return content
        self.fault(at, "is missing" if content is None else "must be a list", "write it as a list")
        return []

    def value(self, at: Loc) -> object:
        content: object = self.document.data
        for step in at:
            if isinstance(content, dict):
                content = content.get(step)
            elif isinstance(content, list) and isinstance(step, int):
                content = content[step]
            else:
                return None
        return content

    def fault(self, at: Loc, what: str, remedy: str) -> None:
        self.faults.append(Fault(self.document.line(at), dotted(at), what, remedy))

    def problem(self, at: Loc, what: str) -> None:
        where = f"{dotted(at)}: " if at else ""
        self.problems.append(Problem(path=self.document.path, line=self.document.line(at), what=f"{where}{what}"))
