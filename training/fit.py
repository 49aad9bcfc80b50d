"""Fitting the model: a softmax over sparse features with adaptive steps, then its calibration. Needs no library.

The same messages in the same order give the same bytes: the order of learning comes from a seeded generator, the sums
are in a fixed order, and weights are rounded to a byte.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from aftersales.phrase_book import CASELESS
from aftersales.triage import Intent
from aftersales.triage_features import Features, concepts_in, features, plain
from aftersales.triage_model import Model, softmax
from training.corpora import Labelled

INTENTS: tuple[Intent, ...] = get_args(Intent)
SHARES = (0.8, 0.5, 1.0, 1.5, 0.7)
"""How much each kind of feature weighs, in the order of `Features`."""
ROUNDS = 10
STEP = 0.5
SHRINK = 2e-6
"""How much of a weight every step takes away: what is seen seldom stays small."""
SETTLED = 0.004
"""An intent whose share is wrong by less teaches nothing in this step."""
LEAST_SEEN = 2
"""In how many messages a feature must be to get a weight."""
OWN_WEIGHT = 4.0
"""How much more a message of our own counts than a sentence of a corpus, of which there are many alike."""
BALANCE = 0.3
"""From 0 to 1: how much more a message counts of an intent that has few."""
BINS = 12
"""How many steps a calibration has."""
DOUBT = 1.0
"""How many wrong answers each step of a calibration has more than there were: it is never quite certain."""
MASKS = frozenset({"xamount", "xaddress", "xcode", "xnumber"})
LEAST_SHARE_OF_ONE = 0.9
"""From what share of its uses a word is of one language."""


class Fitted(NamedTuple):
    """A model before it is written: the header without calibration, and the weights as signed bytes by bucket."""

    header: dict[str, Any]
    weights: dict[int, list[int]]

    def model(self, calibration: Mapping[str, Sequence[tuple[float, float]]]) -> Model:
        """The model that this will be when it is written and read."""
        buckets = sorted(self.weights)
        columns = [[self.weights[bucket][at] for bucket in buckets] for at in range(len(INTENTS))]
        return Model(self.header | {"calibration": calibration}, buckets, columns)

    def as_bytes(self, calibration: Mapping[str, Sequence[tuple[float, float]]]) -> bytes:
        """The content of the file."""
        buckets = sorted(self.weights)
        header = self.header | {"buckets": len(buckets), "calibration": calibration}
        first = json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        rows = b"".join(bucket.to_bytes(4, "little") for bucket in buckets)
        bytes_ = bytes(self.weights[bucket][at] & 0xFF for at in range(len(INTENTS)) for bucket in buckets)
        return first + rows + bytes_


def fit(
    messages: Sequence[Labelled],
    concepts: Mapping[str, Sequence[str]],
    languages: Mapping[str, str] = MappingProxyType({}),
) -> Fitted:
    """Learn from these messages. `languages` tells which words are of one language."""
    terms = terms_of(concepts)
    longest = max(map(len, terms), default=0)
    seen = [seen_in(message.text, terms, longest) for message in messages]
    often = Counter(bucket for blocks in seen for block in blocks for bucket in block)
    known = {bucket for bucket, count in often.items() if count >= LEAST_SEEN}
    rows = [_row(blocks, known) for blocks in seen]
    counts = Counter(message.intent for message in messages)
    pulls = [
        (OWN_WEIGHT if message.corpus == "own" else 1.0)
        * (len(messages) / len(INTENTS) / counts[message.intent]) ** BALANCE
        for message in messages
    ]
    wanted = [INTENTS.index(message.intent) for message in messages]
    weights = {bucket: [0.0] * len(INTENTS) for bucket in sorted(known)}
    speeds = {bucket: [1e-3] * len(INTENTS) for bucket in weights}
    biases, bias_speeds = [0.0] * len(INTENTS), [1e-3] * len(INTENTS)
    order = list(range(len(messages)))
    shuffled = random.Random(17)
    for _ in range(ROUNDS):
        shuffled.shuffle(order)
        for at in order:
            scores = list(biases)
            for bucket, value in rows[at]:
                scores = [score + value * weight for score, weight in zip(scores, weights[bucket], strict=True)]
            errors = softmax(scores)
            errors[wanted[at]] -= 1
            active = [(k, pulls[at] * error) for k, error in enumerate(errors) if abs(error) > SETTLED]
            for k, error in active:
                bias_speeds[k] += error * error
                biases[k] -= STEP * error / math.sqrt(bias_speeds[k])
            for bucket, value in rows[at]:
                weight, speed = weights[bucket], speeds[bucket]
                for k, error in active:
                    slope = error * value + SHRINK * weight[k]
                    speed[k] += slope * slope
                    weight[k] -= STEP * slope / math.sqrt(speed[k])
    highest = max(abs(value) for row in weights.values() for value in row)
    scale = highest / 127
    rounded = {bucket: [round(value / scale) for value in row] for bucket, row in weights.items()}
    header = {
        "intents": INTENTS,
        "terms": {term: sorted(found) for term, found in terms.items()},
        "languages": dict(languages),
        "learnt": sorted({message.language for message in messages}),
        "scale": scale,
        "biases": [round(bias, 6) for bias in biases],
        "shares": SHARES,
    }
    return Fitted(header, {bucket: row for bucket, row in rounded.items() if any(row)})


def terms_of(concepts: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """For each term, as `plain` leaves it, the concepts that it stands for."""
    found: dict[str, frozenset[str]] = {}
    for concept, terms in concepts.items():
        for term in terms:
            written = plain(term.rstrip("*")) + "*" * term.endswith("*")
            found[written] = found.get(written, frozenset()) | {concept}
    return found


def seen_in(text: str, terms: Mapping[str, frozenset[str]], longest: int) -> Features:
    """The features of one message."""
    words = plain(text)
    return features(words, concepts_in(words, terms, longest))


def _row(blocks: Features, known: set[int]) -> list[tuple[int, float]]:
    return [
        (bucket, share / math.sqrt(max(len(block), 1)))
        for share, block in zip(SHARES, blocks, strict=True)
        for bucket in block
        if bucket in known
    ]


def calibrated(seen: Sequence[tuple[str, float, bool]]) -> list[tuple[float, float]]:
    """Points from the share that a model gave its answer to how often such answers were right (isotonic).

    `seen` is corpus, share and whether it was right. A corpus counts by the root of its size: many sentences that are
    alike do not outvote the few that customers might have written.
    """
    sizes = Counter(corpus for corpus, _, _ in seen)
    whole = sum(map(math.sqrt, sizes.values()))
    weighed = sorted(
        ((share, right, len(seen) / whole / math.sqrt(sizes[corpus])) for corpus, share, right in seen),
        key=lambda answer: answer[0],
    )
    pools: list[tuple[float, float, float]] = []
    group = [0.0, 0.0, 0.0]
    for at, (share, right, weight) in enumerate(weighed, 1):
        group = [group[0] + right * weight, group[1] + weight, group[2] + share * weight]
        if group[1] >= len(seen) / BINS or at == len(weighed):
            pools.append((group[0], group[1] + DOUBT, group[2] / group[1] * (group[1] + DOUBT)))
            group = [0.0, 0.0, 0.0]
            while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
                last = pools.pop()
                pools[-1] = (pools[-1][0] + last[0], pools[-1][1] + last[1], pools[-1][2] + last[2])
    return [(round(shares / weight, 4), round(right / weight, 4)) for right, weight, shares in pools]


def words_of_languages(messages: Sequence[Labelled], others: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The language of each word that is used in one language only; `others` are languages without messages."""
    used: dict[str, Counter[str]] = {}
    for message in messages:
        for word in set(plain(message.text).split()):
            if word.isalpha() and not CASELESS.search(word) and word not in MASKS:
                used.setdefault(word, Counter())[message.language] += 1
    for language, words in others.items():
        for word in words:
            used.setdefault(plain(word), Counter())[language] += 1
    return {
        word: language
        for word, counts in sorted(used.items())
        for language, count in [counts.most_common(1)[0]]
        if count >= LEAST_SHARE_OF_ONE * counts.total() and (count > 1 or language in others)
    }
