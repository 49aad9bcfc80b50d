"""The linear model of the embedded classifier: one weight for each feature and intent, read from `triage.model`.

The file is written by `./dev train`: a line of JSON (intents, terms of concepts, calibration), then the buckets that
have weights as unsigned 32-bit numbers, then for each intent one signed byte a bucket. docs/triage.md tells what it
learnt from.
"""

from __future__ import annotations

import json
import math
import sys
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from aftersales.triage import Intent
from aftersales.triage_features import LONGEST, Features, concepts_in, features, plain
from aftersales.triage_language import language_of

FILE = Path(__file__).with_name("triage.model")


class Reading(NamedTuple):
    """What the model makes of a message."""

    intent: Intent
    confidence: float
    """How probable it is that the intent is right."""
    language: str
    """ISO 639-1, empty where nothing tells it."""
    concepts: frozenset[str]
    """What the words stand for, such as `urgent`."""


_PLAIN = {"en", "ja", "zh"}
"""Languages that are hardly taken for another one."""


class Model:
    """A trained model. Deterministic; an ordinary message takes about half a millisecond."""

    def __init__(self, header: Mapping[str, Any], buckets: Sequence[int], columns: Sequence[Sequence[int]]) -> None:
        self.intents: tuple[Intent, ...] = tuple(header["intents"])
        self._terms: dict[str, frozenset[str]] = {term: frozenset(found) for term, found in header["terms"].items()}
        self._longest = max(map(len, self._terms), default=0)
        self._languages: dict[str, str] = header["languages"]
        self._learnt: frozenset[str] = frozenset(header["learnt"])
        self._scale: float = header["scale"]
        self._biases: list[float] = header["biases"]
        self._shares: list[float] = header["shares"]
        self._calibration: dict[str, list[tuple[float, float]]] = header["calibration"]
        self._rows = {bucket: row for row, bucket in enumerate(buckets)}
        self._columns = columns

    @classmethod
    def load(cls, path: Path) -> Model:
        """The model in a file. Raises OSError or ValueError where there is none."""
        content = path.read_bytes()
        start = content.index(b"\n") + 1
        header = json.loads(content[:start])
        size = header["buckets"]
        buckets = array("I", content[start : start + 4 * size])
        if sys.byteorder == "big":
            buckets.byteswap()
        start += 4 * size
        columns = [
            array("b", content[at : at + size]) for at in range(start, start + size * len(header["intents"]), size)
        ]
        return cls(header, buckets, columns)

    def read(self, text: str, language: str = "") -> Reading:
        """What a message of any length is about. `language` counts where the words do not tell it."""
        words = plain(text)
        language = language_of(text[:LONGEST], words, self._languages) or language
        if not words:
            return Reading("other", 0.0, language, frozenset())
        concepts = concepts_in(words, self._terms, self._longest)
        odds = self.odds(features(words, concepts))
        best = max(range(len(odds)), key=odds.__getitem__)
        points = self._calibration["en" if language == "en" else "other"]
        confidence = round(interpolated(points, odds[best]), 4)
        return Reading(self.intents[best], confidence, language, frozenset(concepts))

    def understands(self, language: str, hint: str = "") -> bool:
        """Whether messages in this language were learnt; where it is unknown, those of its sender's `hint`.

        Words tell languages apart that have them in common less surely than a script does: of a sender whose language
        was not learnt, only what is plainly another one is understood.
        """
        if hint and hint not in self._learnt and language not in _PLAIN:
            return False
        return not language or language in self._learnt

    def odds(self, seen: Features) -> list[float]:
        """The share of each intent, in the order of `intents`, before calibration."""
        scores = list(self._biases)
        for share, buckets in zip(self._shares, seen, strict=True):
            rows = [self._rows[bucket] for bucket in buckets if bucket in self._rows]
            weight = share * self._scale / math.sqrt(max(len(buckets), 1))
            for at, column in enumerate(self._columns):
                scores[at] += weight * sum(map(column.__getitem__, rows))
        return softmax(scores)


@cache
def embedded() -> Model:
    """The model that comes with the package."""
    return Model.load(FILE)


def softmax(scores: Sequence[float]) -> list[float]:
    """Shares that add up to one."""
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def interpolated(points: Sequence[tuple[float, float]], at: float) -> float:
    """The value of a line through points in ascending order; beyond its ends that of the end."""
    place = bisect_right(points, at, key=lambda point: point[0])
    if place in {0, len(points)}:
        return points[min(place, len(points) - 1)][1]
    (left, low), (right, high) = points[place - 1], points[place]
    return low + (high - low) * (at - left) / (right - left)
