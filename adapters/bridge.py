"""Letters by a platform's message bridge: a service that puts them into the platform's own messages to its buyers.

`POST <url>` with a letter as JSON, signed by Standard Webhooks. The letter's `id` is the same on every try; a bridge
delivers it once, and answers 409 where it did so before.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit

import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from standardwebhooks import Webhook

from adapters.bridge_settings import Bridge
from aftersales.ids import parse_case_id
from aftersales.plaintext import one_line
from aftersales.ports import Trying
from aftersales.sending import NotSent, Outgoing, Undeliverable

_LONGEST_ANSWER = 64 * 1024
_LONGEST_WORDS = 300
_LONGEST_REFERENCE = 150
_LATER = frozenset({408, 425, 429})
_BEFORE, _UNSIGNED = 409, 401
_OUR_FAULT = 60.0
"""Seconds before the next try where the bridge does not accept our signature or is not there."""
_LONGEST_PAUSE = 3600.0

_log = structlog.get_logger(__name__)


class BridgeChannel:
    """Posts letters to a bridge. Implements `aftersales.ports.Channel`; `close` ends its connections."""

    def __init__(self, settings: Bridge) -> None:
        """Made where an event loop runs."""
        self._settings = settings
        self._host = urlsplit(settings.url).netloc.rpartition("@")[2]
        self._webhook = Webhook(settings.secret.get_secret_value())
        self._session = ClientSession(timeout=ClientTimeout(total=settings.timeout), trust_env=True)

    async def close(self) -> None:
        """End the connections."""
        await self._session.close()

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        """Post one letter; returns the bridge's reference.

        Raises:
            NotSent: the bridge does not answer, or not now; the same letter can be posted again.
            Undeliverable: it will not deliver it, in its words.
        """
        # A key may hold what a header may not.
        identity = f"letter_{sha256(letter.key.encode()).hexdigest()[:32]}"
        told = {
            "id": identity,
            "case_id": letter.case_id,
            "order_id": parse_case_id(letter.case_id).order_id,
            "shop": letter.shop,
            "letter": letter.name,
            "language": letter.rendered.language,
            "subject": letter.rendered.subject,
            "text": letter.rendered.text,
            "to": {"name": letter.to.name, "email": letter.to.email},
            "sent_at": letter.at.isoformat(),
        }
        if self._settings.html:
            told["html"] = letter.rendered.html
        body = json.dumps(told)
        try:
            async with self._session.post(
                self._settings.url, data=body.encode(), headers=self._headers(identity, body), allow_redirects=False
            ) as answer:
                return self._read(answer, await _content(answer))
        except TimeoutError as error:
            raise NotSent(f"bridge {self._host} did not answer in {self._settings.timeout:g} s") from error
        except (ClientError, OSError) as error:
            raise NotSent(f"bridge {self._host} cannot be reached ({_short(str(error) or repr(error))})") from error

    def _headers(self, identity: str, body: str) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "Idempotency-Key": identity,
            "webhook-id": identity,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(identity, now, body),
        }

    def _read(self, answer: ClientResponse, content: str) -> str:
        said = f"bridge {self._host} said: {answer.status} {_words(content)}".strip()
        if 200 <= answer.status < 300 or answer.status == _BEFORE:
            return f"bridge {_plain(_field(content, 'reference'))}".strip()
        if answer.status >= 500 or answer.status in _LATER:
            raise NotSent(said, retry_after=_retry_after(answer))
        if answer.status == _UNSIGNED or answer.status < 400:
            # No letter goes out until somebody corrects the settings.
            problem = f"bridge {self._host} answered {answer.status}; correct its `url` and `secret`"
            _log.error("letters.wait", problem=problem)
            raise NotSent(problem, retry_after=_OUR_FAULT)
        raise Undeliverable(said)


async def _content(answer: ClientResponse) -> str:
    content = b""
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > _LONGEST_ANSWER:
            break
    return content[:_LONGEST_ANSWER].decode("utf-8", "replace")


def _field(content: str, *names: str) -> str:
    """The first of these fields that a JSON object has as text."""
    with suppress(ValueError, RecursionError):
        said: object = json.loads(content)
        if isinstance(said, dict):
            return next((str(said[name]) for name in names if isinstance(said.get(name), str)), "")
    return ""


def _words(content: str) -> str:
    """A bridge's reason: as RFC 9457 has it, or the plain text that it is."""
    return _short(_field(content, "detail", "message", "error", "title") or content)


def _short(text: str) -> str:
    return one_line(text)[:_LONGEST_WORDS]


def _plain(text: str) -> str:
    """It stands where a file's name may stand too, so it is kept short and plain."""
    return one_line(text).encode("ascii", "replace").decode()[:_LONGEST_REFERENCE]


def _retry_after(answer: ClientResponse) -> float | None:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else None
