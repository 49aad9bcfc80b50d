"""`POST /mail/{shop}`: one raw mail (RFC 5322), as mail providers hand it on.

They prove who they are by HTTP Basic or a bearer token, which is looked at before the body is read, or by signing. What
cannot be read as a mail to the shop is kept, and answered with 200: it would be the same the next time.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from adapters.http.answers import told
from adapters.http.authenticity import claim_of, has_token, refuse_repeated, signer_of
from adapters.http.bodies import read_body, refuse_encoding
from adapters.http.cloudevents import media_type
from adapters.http.gate import Gate
from adapters.http.problems import Problem, answered
from adapters.http.seen import Remembered
from aftersales.records import Unreadable

TAKEN = ("message/rfc822", "application/octet-stream")
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="aftersales mail", Bearer realm="aftersales mail"'}


async def take_mail(gate: Gate, request: Request, shop: str) -> Response:
    """Check who hands the mail on, have it read, and hand it in for the shop.

    Raises:
        Problem: it is not taken.
        Unavailable: it cannot be taken now.
    """
    door, headers = gate.door, request.headers
    refuse_repeated(headers)
    refuse_encoding(headers)
    media, _ = media_type(headers)
    if media not in TAKEN:
        raise Problem("media-type", f"the content type is {media[:100] or 'none'}; taken are {', '.join(TAKEN)}")
    signed = "authorization" not in headers and "webhook-signature" in headers
    if not signed and not has_token(headers.get("authorization", ""), door.senders.mail_tokens(shop)):
        raise Problem("credentials-wrong", "give the shop's token as bearer token or password", headers=_CHALLENGE)
    now = door.clock()
    claim = claim_of(headers, now, door.settings.tolerance) if signed else None
    async with gate.mails:
        raw = await read_body(request, door.settings.mail_limit, door.settings.body_seconds)
        if claim:
            signer_of(claim, raw, door.senders.of_mail(shop))
        sender = door.senders.mail_sender(shop).name
        gate.rates.take(sender)

        async def handle() -> Remembered:
            event = await door.read_mail(raw, shop, now)
            note = f"kept for a person: {event.reason}" if isinstance(event, Unreadable) else ""
            return told(await gate.hand_in([event], shop), note)

        answer = await (gate.repeats.once(sender, claim.id, raw, now, handle) if claim else handle())
    return answered(answer.status, answer.body, answer.media_type)
