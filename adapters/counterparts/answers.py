"""What a counterpart's answer means (docs/commands.md, Answers)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from pydantic import JsonValue

from aftersales.commands import CommandAccepted, CommandRefused, NotNow

LONGEST_REFERENCE = 2_000
"""Characters of a reference, which may be a link."""
LONGEST_WORDS = 300
"""Characters of a reason that are kept; operators read it in a line."""
LONGEST_WAIT = timedelta(hours=1)
"""A counterpart that wants to be left alone for longer is asked again after this all the same."""
LATER = frozenset({408, 425, 429})
"""Client errors that pass by themselves."""
OURS = frozenset({401, 403, 404, 405, 407})
"""Client errors that say that our settings are wrong: the customer's case must not suffer from that."""
_WORDS = ("reason", "detail", "message", "title", "error")
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, its text read up to a limit."""

    status: int
    headers: Mapping[str, str]
    text: str


class Misconfigured(NotNow):
    """Our own settings are wrong: somebody must mend them, then it works."""


def read_answer(answer: Answer) -> CommandAccepted:
    """The counterpart's acceptance.

    Raises:
        CommandRefused: in its words.
        NotNow: it did not say whether it will do it.
    """
    status, said = answer.status, _json(answer.text)
    if status in OURS or 300 <= status < 400:
        raise Misconfigured(f"it answered {_named(status)}: {_REMEDY.get(status, 'check its URL')}")
    if status in LATER or not 200 <= status < 500:
        raise NotNow(f"it answered {_named(status)}", retry_after(answer.headers))
    accepted = said.get("accepted")
    if accepted is False:
        raise CommandRefused(_words(said) or "refused without a reason")
    if 200 <= status < 300 or status == HTTPStatus.CONFLICT:
        reference = _reference(said.get("reference"))
        if accepted is True and (reference or status != HTTPStatus.CONFLICT):
            return CommandAccepted(reference=reference)
        if reference and status == HTTPStatus.CONFLICT:
            return CommandAccepted(reference=reference)
        raise NotNow(f"it answered {_named(status)} without saying whether it took the command")
    raise CommandRefused(_words(said) or clean(_plain(answer.text)) or f"answered {_named(status)}")


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """When a counterpart wants to be asked again: seconds or a date; None where it does not say."""
    text = headers.get("Retry-After", "").strip()
    try:
        wait = timedelta(seconds=int(text)) if text.isdecimal() else parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def clean(text: str) -> str:
    """A counterpart's words in one line, cut."""
    line = _UNSEEN.sub(" ", text).strip()
    return line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1]}…"


_REMEDY = {
    401: "it does not know our signature; check its secret",
    403: "it does not let us in; check its secret",
    404: "it has nothing at this address; check its URL",
    405: "it takes no commands at this address; check its URL",
    407: "a proxy stands between; check its URL",
}


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _json(text: str) -> dict[str, JsonValue]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _words(said: Mapping[str, JsonValue]) -> str:
    for name in _WORDS:
        word = said.get(name)
        if isinstance(word, str) and clean(word):
            return clean(word)
    return ""


def _plain(text: str) -> str:
    # A page of HTML is a server's, not the counterpart's words.
    return "" if text.lstrip().startswith(("<", "{", "[")) else text


def _reference(said: JsonValue) -> str:
    if isinstance(said, int) and not isinstance(said, bool):
        return str(said)
    return _UNSEEN.sub(" ", said).strip()[:LONGEST_REFERENCE] if isinstance(said, str) else ""
