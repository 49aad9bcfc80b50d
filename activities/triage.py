"""Triage of messages: what a customer wants who belongs to no open case. Runs as a local activity, in milliseconds."""

from __future__ import annotations

from temporalio import activity

from aftersales.model import Model
from aftersales.reply_text import own_words, without_signature
from aftersales.screening import screen
from aftersales.triage import Classified, Classifier


class ClassifyRequest(Model):
    """A message to read. `threshold` is the least confidence; `language` is what its sender's system says."""

    text: str
    threshold: float
    language: str


class Triage:
    """Reads messages."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    @activity.defn(name="classify_message")
    async def classify(self, request: ClassifyRequest) -> Classified:
        """Tell what the customer's own words want; one without words says nothing. Anger is rule 6, whoever reads."""
        text = without_signature(own_words(request.text))
        read = unread()
        if text:
            read = await self._classifier.classify(text, threshold=request.threshold, language=request.language)
        angry = screen(request.text, None, (), request.language).angry
        return read.model_copy(update={"angry": read.angry or angry})


def unread() -> Classified:
    """How a message counts that nobody but a person can read."""
    return Classified(intent="other", confidence=0, abstained=True)
