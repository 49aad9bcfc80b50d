"""`POST /platforms/{platform}/{shop}`: webhooks of platforms, made events by the platforms' translators.

A platform takes an endpoint out that fails, so that whatever was signed is answered with 200: what cannot be read or
translated is kept for a person. Only where nothing can be kept the answer is 503, and the platform tries again.
"""

from __future__ import annotations

from typing import get_args

import structlog
from starlette.requests import Request
from starlette.responses import Response

from adapters.http.answers import told
from adapters.http.authenticity import refuse_repeated
from adapters.http.bodies import read_body, refuse_encoding
from adapters.http.gate import Gate
from adapters.http.platforms import check_signature, is_ping
from adapters.http.problems import Problem, answered
from adapters.http.settings import Platform
from adapters.platforms.errors import Untranslated
from adapters.platforms.kept import kept
from aftersales.records import Unreadable
from aftersales.strict_json import NotJson, read_json

PLATFORMS: dict[str, Platform] = {name: name for name in get_args(Platform)}

_log = structlog.get_logger(__name__)


async def take_webhook(gate: Gate, request: Request, platform: str, shop: str) -> Response:
    """Check a platform's signature, translate what it says, and hand it in for the shop.

    Raises:
        Problem: the platform is unknown, or its signature missing or wrong.
        Unavailable: nothing can be taken now.
    """
    door, headers = gate.door, request.headers
    if not (known := PLATFORMS.get(platform)):
        raise Problem("not-found", f"no platform is called {platform[:80]!r}; known are {', '.join(PLATFORMS)}")
    refuse_repeated(headers)
    refuse_encoding(headers)
    async with gate.bodies:
        body = await read_body(request, door.settings.body_limit, door.settings.body_seconds)
        if is_ping(known, headers, body):
            told_ping = told([], "the ping has arrived")
            return answered(told_ping.status, told_ping.body, told_ping.media_type)
        check_signature(known, headers, body, door.senders.of_platform(known, shop))
        gate.rates.take(f"{known} {shop}")
        raws, note = _events(gate, known, request, body, shop)
        answer = told(await gate.hand_in(raws, shop), note)
    return answered(200, answer.body, answer.media_type)


def _events(gate: Gate, platform: Platform, request: Request, body: bytes, shop: str) -> tuple[list[object], str]:
    """The events of a webhook, or all of it with what is wrong with it; and what to say about it."""
    names = dict(request.headers)
    try:
        payload = read_json(body)
    except NotJson as wrong:
        text = body.decode("utf-8-sig", errors="replace")
        return [Unreadable(text, f"{platform}: {wrong}")], f"kept for a person: {wrong}"
    try:
        events = gate.door.translate(platform, names, payload, shop=shop, received_at=gate.door.clock())
        return list(events), "" if events else "no event follows from it"
    except Untranslated as wrong:
        reason = str(wrong)
    except Exception as error:  # a platform sends what nobody foresaw: it must neither be lost nor come again
        _log.error("webhook.untranslatable", platform=platform, shop=shop, error=type(error).__name__)
        reason = f"the translator failed on it ({type(error).__name__}); report it, with the topic of the webhook"
    return [kept(platform, shop, names, payload, reason)], f"kept for a person: {reason}"
