"""How well the embedded classifier reads messages that it never learnt from, by corpus and language."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.table import Table

from aftersales.inquiries import Inquiries
from aftersales.triage import Intent
from aftersales.triage_model import embedded
from training import corpora
from training.corpora import Labelled

THRESHOLD = float(Inquiries().confidence)
OUT_OF_SCOPE = "oos"
MOST_PAIRS = 12
_BANDS = 10


class Read(NamedTuple):
    """A message and what the model made of it."""

    message: Labelled
    intent: Intent
    confidence: float

    @property
    def right(self) -> bool:
        """Whether that is what the message is about."""
        return self.intent == self.message.intent

    @property
    def answered(self) -> bool:
        """Whether the model is sure enough to say it."""
        return self.confidence >= THRESHOLD


class Score(NamedTuple):
    """Figures of some messages; shares from 0 to 1."""

    messages: int
    accuracy: float
    answered: float
    right_of_answered: float
    calibration_error: float


class Measured(NamedTuple):
    """All figures of a run."""

    scores: dict[str, Score]
    refused: float | None
    """The share of out-of-scope messages that were `other` or not answered; None without the corpora."""
    wrong: list[tuple[tuple[Intent, Intent], int]]
    """What was answered wrongly most often: meant, read, how often."""
    milliseconds: float
    """The middle time of one message."""

    def figures(self) -> dict[str, object]:
        """For JSON."""
        scores = {name: each._asdict() for name, each in self.scores.items()}
        return {"scores": scores, "out of scope refused": self.refused, "milliseconds": self.milliseconds}


def measure() -> Measured:
    """Read everything that the model did not learn from. Without the corpora only messages of our own."""
    model = embedded()
    messages = [message for message in corpora.own() if message.part == "test"]
    if corpora.present():
        messages += [m for m in (*corpora.bitext(), *corpora.clinc()) if m.part == "test"]
        messages += [*corpora.banking(), *corpora.french_chat()]
    seconds = []
    reads = []
    for message in messages:
        clock = time.perf_counter()
        read = model.read(message.text, message.language)
        seconds.append(time.perf_counter() - clock)
        reads.append(Read(message, read.intent, read.confidence))
    groups: dict[str, list[Read]] = {}
    for each in reads:
        groups.setdefault(f"{each.message.corpus}, {each.message.language}", []).append(each)
    both = [each for each in reads if each.message.corpus in {"bitext", "clinc"}]
    if both:
        groups["bitext and clinc"] = both
    strange = [each for each in both if each.message.label == OUT_OF_SCOPE]
    return Measured(
        {name: score(group) for name, group in groups.items()},
        share(strange, lambda each: each.intent == "other" or not each.answered) if strange else None,
        Counter((e.message.intent, e.intent) for e in reads if e.answered and not e.right).most_common(MOST_PAIRS),
        sorted(seconds)[len(seconds) // 2] * 1000,
    )


def score(reads: Sequence[Read]) -> Score:
    """The figures of these messages."""
    answered = [each for each in reads if each.answered]
    return Score(
        len(reads),
        share(reads, lambda each: each.right),
        len(answered) / len(reads),
        share(answered, lambda each: each.right),
        calibration_error(reads),
    )


def share(reads: Iterable[Read], holds: Callable[[Read], bool]) -> float:
    """Of how many something holds."""
    each = [holds(read) for read in reads]
    return sum(each) / max(len(each), 1)


def calibration_error(reads: Sequence[Read]) -> float:
    """By how much confidence and accuracy differ, on average over ten bands (expected calibration error)."""
    bands: dict[int, list[Read]] = {}
    for read in reads:
        bands.setdefault(min(int(read.confidence * _BANDS), _BANDS - 1), []).append(read)
    return sum(abs(sum(r.confidence - r.right for r in band)) for band in bands.values()) / len(reads)


def tables(measured: Measured) -> list[Table | str]:
    """What a run prints."""
    shown = Table("messages never learnt from", "number", "right", "answered", "right of those", "calibration error")
    for name, each in measured.scores.items():
        shown.add_row(name, str(each.messages), *(f"{figure:.3f}" for figure in each[1:]))
    pairs = Table("meant", "answered wrongly as", "how often", title=f"at confidence {THRESHOLD:.2f} and above")
    for (meant, read), count in measured.wrong:
        pairs.add_row(meant, read, str(count))
    refused = (
        f"out of scope, refused or other: {measured.refused:.3f}"
        if measured.refused is not None
        else f"corpora skipped: {corpora.DATA.name} does not lie beside this checkout"
    )
    return [shown, pairs, refused, f"middle time of a message: {measured.milliseconds:.2f} ms"]
