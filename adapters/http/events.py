"""`POST /events`: CloudEvents signed by Standard Webhooks.

A shop's secret speaks for that shop, the installation's own for all. One event that is refused is answered with 422; in
a batch every event has its result in an answer 200, and one that is refused does not stop the others. 202 is for events
that are kept until the case that awaits them opens. A message that comes again gets its first answer.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from adapters.http.answers import refused, told
from adapters.http.authenticity import claim_of, refuse_repeated, signer_of
from adapters.http.bodies import read_body, refuse_encoding
from adapters.http.cloudevents import Mode, events_of, mode_of, signed_content
from adapters.http.gate import Gate
from adapters.http.problems import MEDIA_TYPE, Problem, answered
from adapters.http.seen import Remembered
from aftersales.records import EventStatus, Unreadable
from aftersales.strict_json import NotJson


async def take_events(gate: Gate, request: Request) -> Response:
    """Check who sent the events, hand them in, and say what became of each.

    Raises:
        Problem: they are not taken.
        Unavailable: they cannot be taken now.
    """
    door, headers = gate.door, request.headers
    refuse_repeated(headers)
    refuse_encoding(headers)
    mode = mode_of(headers)
    now = door.clock()
    claim = claim_of(headers, now, door.settings.tolerance)
    async with gate.bodies:
        body = await read_body(request, door.settings.body_limit, door.settings.body_seconds)
        content = signed_content(mode, headers, body)
        sender = signer_of(claim, content, door.senders.of_events())
        gate.rates.take(sender.name)

        async def handle() -> Remembered:
            try:
                return await _handle(gate, mode, request, body, sender.shop)
            except Problem as problem:
                if problem.kind not in _FINAL:
                    raise
                return Remembered("", problem.status, MEDIA_TYPE, problem.body())

        answer = await gate.repeats.once(sender.name, claim.id, content, now, handle)
    return answered(answer.status, answer.body, answer.media_type)


_FINAL = frozenset({"bad-json", "bad-event"})
"""Problems with what was sent: they are remembered as answers are."""


async def _handle(gate: Gate, mode: Mode, request: Request, body: bytes, shop: str) -> Remembered:
    try:
        raws = events_of(mode, request.headers, body)
    except NotJson as wrong:
        text = signed_content(mode, request.headers, body).decode("utf-8-sig", errors="replace")
        await gate.hand_in([Unreadable(text, str(wrong))], shop)
        raise Problem("bad-json", str(wrong)) from None
    most = gate.door.settings.most_events
    if len(raws) > most:
        raise Problem("body-large", f"the batch has {len(raws):,} events; the most is {most:,}")
    records = await gate.hand_in(raws, shop)
    single = mode is Mode.HEADERS or not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    if single and records[0].status is EventStatus.REFUSED:
        raise refused(raws[0], records[0])
    return told(records)
