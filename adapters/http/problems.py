"""What the HTTP door says no with: problem details (RFC 9457), one kind a row."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its status, its title, and what its recipient can do."""

    status: int
    title: str
    remedy: str


KINDS: Mapping[str, Kind] = {
    "bad-json": Kind(400, "The body is no JSON that is taken", "Send UTF-8 JSON without NaN, under a new webhook-id."),
    "bad-header": Kind(400, "A header cannot be taken as it is", "Send it once, in printable ASCII, percent-encoded."),
    "signature-missing": Kind(
        401,
        "The request is not signed as it must be",
        "Sign as /docs says; events by webhook-id, webhook-timestamp, webhook-signature.",
    ),
    "signature-stale": Kind(
        401, "The signature's timestamp is too far from now", "Set the clock right and sign each attempt anew."
    ),
    "signature-wrong": Kind(
        401,
        "No signature fits",
        "Sign the bytes that you send with a live secret of this door; in binary mode the ce- headers as well.",
    ),
    "credentials-wrong": Kind(401, "The credentials are missing or wrong", "Give the shop's token, or sign the mail."),
    "not-found": Kind(404, "There is nothing here", "Check the path; /docs lists the doors."),
    "method-not-allowed": Kind(405, "This method does not work here", "Use one that the header Allow names."),
    "body-slow": Kind(408, "The body did not arrive in time", "Send it again."),
    "id-reused": Kind(409, "This webhook-id came with another content", "Give every message an id of its own."),
    "body-large": Kind(413, "The body is too large", "Send fewer events at once, and documents as links."),
    "media-type": Kind(415, "This content type is not taken", "Use one that /docs lists, without compression."),
    "bad-event": Kind(
        422,
        "The event was refused",
        "Correct what `errors` names and send it under a new webhook-id; this one is kept.",
    ),
    "rate": Kind(429, "Too many requests from this sender", "Wait as long as Retry-After says."),
    "internal": Kind(500, "Something went wrong here", "Send it again later; the log names the instance."),
    "unavailable": Kind(
        503, "Events cannot be taken now", "Send it again after Retry-After; nothing was acknowledged."
    ),
}


class Problem(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        """`errors` name fields with remedies, `more` are further members of the answer."""
        super().__init__(detail)
        self.kind, self.detail, self.headers = kind, detail, dict(headers or {})
        self.instance = f"urn:uuid:{uuid.uuid4()}"
        self._errors, self._more = list(errors), dict(more or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.kind].status

    def body(self) -> str:
        """The answer as JSON."""
        kind = KINDS[self.kind]
        return json.dumps(
            {
                "type": f"/docs#{self.kind}",
                "title": kind.title,
                "status": kind.status,
                "detail": self.detail,
                "remedy": kind.remedy,
                "instance": self.instance,
                **({"errors": self._errors} if self._errors else {}),
                **self._more,
            },
            ensure_ascii=False,
        )

    def response(self) -> Response:
        """The answer."""
        return answered(self.status, self.body(), MEDIA_TYPE, self.headers)


def answered(status: int, body: str, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of text; what UTF-8 cannot hold is replaced."""
    return Response(body.encode(errors="replace"), status, dict(headers or {}), media_type=media_type)
