"""A team's own classifier of messages behind HTTP.

`POST <url>` with `{"text": …, "language": …}`; the answer is JSON with `intent` (one of `aftersales.triage.Intent`) and
`confidence` (0 to 1), and where it knows them `language`, `urgent` and `entities`. Anger is never asked for: rule 6 is
exact.
"""

from __future__ import annotations

import asyncio
import json
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import structlog
from pydantic import Field, ValidationError
from typing_extensions import override

from aftersales.anger import is_angry
from aftersales.model import Model
from aftersales.triage import Classified, Classifier, Confidence, Entities, Intent
from aftersales.triage_entities import entities_in

TIMEOUT = 2.0
"""Seconds of one try."""
TRIES = 3
PAUSE = 0.2
"""Seconds before the second try; twice as long before the third."""
LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""
LONGEST_TEXT = 20_000
"""Characters of a message that are sent."""
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})

_log = structlog.get_logger(__name__)


class _Answer(Model):
    intent: Intent
    confidence: Confidence
    language: str = Field("", max_length=20)
    urgent: bool = False
    entities: Entities | None = None


class _Failed(Exception):
    """Why a try brought no answer; `again` says whether another one may."""

    def __init__(self, what: str, remedy: str, *, again: bool) -> None:
        super().__init__(f"{what}; {remedy}")
        self.again = again


class HttpClassifier(Classifier):
    """Asks the classifier at a URL; where it gives no usable answer, a person reads the message."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT, pause: float = PAUSE) -> None:
        """`timeout` in seconds for each of three tries, `pause` in seconds before the second.

        Raises:
            ValueError: `url` is no http or https address.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a classifier; write one such as http://localhost:8080/classify")
        self._url, self._timeout, self._pause = url, timeout, pause

    @override
    async def classify(self, text: str, *, threshold: float, language: str = "") -> Classified:
        """Read one message; without a usable answer it abstains, and `problem` says why. Never raises."""
        found = entities_in(text)
        try:
            answer = await asyncio.to_thread(self._ask, text, language)
        except _Failed as failed:
            problem = f"the classifier at {self._url} {failed}"
            _log.warning("triage.failed", problem=problem)
            return Classified(
                intent="other",
                confidence=0,
                abstained=True,
                language=language,
                angry=is_angry(text, language),
                entities=found,
                problem=problem,
            )
        spoken = answer.language or language
        return Classified(
            intent=answer.intent,
            confidence=answer.confidence,
            abstained=answer.confidence < threshold,
            language=spoken,
            urgent=answer.urgent,
            angry=is_angry(text, spoken),
            entities=answer.entities or found,
        )

    def _ask(self, text: str, language: str) -> _Answer:
        body = json.dumps({"text": text[:LONGEST_TEXT], "language": language}).encode()
        for left in reversed(range(TRIES)):
            try:
                return self._answer(body)
            except _Failed as failed:
                if not failed.again or not left:
                    raise
            time.sleep(self._pause * 2 ** (TRIES - 1 - left))
        raise AssertionError("the last try returns or raises")

    def _answer(self, body: bytes) -> _Answer:
        asked = Request(self._url, body, {"Content-Type": "application/json", "Accept": "application/json"})
        try:
            with urlopen(asked, timeout=self._timeout) as response:
                said: Any = json.loads(response.read(LONGEST_ANSWER + 1)[:LONGEST_ANSWER])
            return _Answer.model_validate(said)
        except HTTPError as error:
            error.close()
            again = error.code in _WORTH_ANOTHER_TRY
            raise _Failed(
                f"answered {error.code}", "look into its log, or check AFTERSALES_CLASSIFIER_URL", again=again
            ) from None
        except (ValueError, RecursionError) as error:
            wrong = _first_fault(error) if isinstance(error, ValidationError) else "no JSON"
            raise _Failed(
                f"answered what cannot be used ({wrong})", "docs/triage.md says what it has to answer", again=False
            ) from None
        except (URLError, HTTPException, OSError) as error:
            why = getattr(error, "reason", "") or str(error) or type(error).__name__
            raise _Failed(
                f"cannot be reached ({why})", "start it, or check AFTERSALES_CLASSIFIER_URL", again=True
            ) from None


def _first_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the answer'}: {first['msg']}"
