"""The embedded classifier of messages: no network, no other process, about a millisecond a message."""

from __future__ import annotations

import re

from typing_extensions import override

from aftersales.anger import is_angry
from aftersales.triage import Classified, Classifier
from aftersales.triage_entities import entities_in
from aftersales.triage_model import Model, embedded


class EmbeddedClassifier(Classifier):
    """Reads messages with the model that comes with the package, or another one of the same kind."""

    def __init__(self, model: Model | None = None, *, order_ids: str = "") -> None:
        """`order_ids` is a regular expression of what this shop's order ids look like.

        Raises:
            re.error: `order_ids` is none.
        """
        self._model = model or embedded()
        self._order_ids = re.compile(order_ids) if order_ids else None

    @override
    async def classify(self, text: str, *, threshold: float, language: str = "") -> Classified:
        """Read one message of any length; never raises."""
        return self.read(text, threshold=threshold, language=language)

    def read(self, text: str, *, threshold: float, language: str = "") -> Classified:
        """The same without waiting."""
        hint = language.replace("_", "-").split("-")[0].lower()
        read = self._model.read(text, hint)
        return Classified(
            intent=read.intent,
            confidence=read.confidence,
            abstained=read.confidence < threshold or not self._model.understands(read.language, hint),
            language=read.language,
            urgent="urgent" in read.concepts and "no_hurry" not in read.concepts,
            angry=is_angry(text, read.language),
            entities=entities_in(text, self._order_ids),
        )
