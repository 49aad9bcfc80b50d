"""The contract of the HTTP door as an OpenAPI 3.1 document."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from adapters.http import examples
from adapters.http.attachments import __doc__ as attachments_text
from adapters.http.contract import REF, event_schemas
from adapters.http.events import __doc__ as events_text
from adapters.http.mail import __doc__ as mail_text
from adapters.http.openapi_parts import Part, answer_schemas, problem, problems, shown
from adapters.http.platforms import SCHEMES
from adapters.http.platforms import __doc__ as platforms_text
from adapters.http.problems import KINDS
from adapters.http.signing import __doc__ as signing_text
from adapters.http.webhooks import __doc__ as webhooks_text

_PATH = re.compile(r"^`[A-Z]+ [^`]+`: ")
_SIGNATURE = ("signature-missing", "signature-stale", "signature-wrong")
_ALWAYS = ("bad-header", "not-found", "internal")
_BODY = ("body-slow", "body-large", "media-type", "rate", "unavailable")


def document() -> Part:
    """The document; it names no server and loads nothing from elsewhere."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aftersales: the HTTP door",
            "version": "1",
            "description": "Order events, platforms' webhooks and customers' mail come in here.",
        },
        "paths": _paths(),
        "components": {
            "schemas": {**event_schemas(), **answer_schemas()},
            "responses": {kind: problem(kind) for kind in KINDS},
            "securitySchemes": _schemes(),
        },
    }


def _paths() -> Part:
    shop = _parameter("shop", "path", "The shop's name (order.shop).", "lamps-us")
    signed = [_parameter(name, "header", "Standard Webhooks.", value) for name, value in examples.SIGNED.items()]
    lines = [f"{name}: {value}" for name, value in examples.BINARY.items()]
    binary = "\n".join([*lines, "", json.dumps(examples.RETURN["data"], indent=2)])
    return {
        "/events": {
            "post": {"x-binary-mode": binary}
            | _operation(
                "takeEvents",
                "Order events",
                f"{_said(events_text)}\n\n{_said(signing_text)}",
                security=[{"standardWebhooks": []}],
                parameters=signed,
                body=_event_bodies(),
                answers=_taken("bad-json", *_SIGNATURE, "id-reused", "bad-event", *_BODY, waiting=True),
            )
        },
        "/platforms/{platform}/{shop}": {
            "post": _operation(
                "takeWebhook",
                "Webhooks of platforms",
                f"{_said(webhooks_text)}\n\n{_said(platforms_text)}",
                security=[{name: []} for name in SCHEMES],
                parameters=[_parameter("platform", "path", "Who sends it.", "shopify", list(SCHEMES)), shop],
                body={"application/json": shown({"type": "object"}, examples.PLATFORM)},
                answers=_taken("signature-missing", "signature-wrong", *_BODY),
            )
        },
        "/mail/{shop}": {
            "post": _operation(
                "takeMail",
                "Raw mail",
                _said(mail_text),
                security=[{"mailBasic": []}, {"mailBearer": []}, {"standardWebhooks": []}],
                parameters=[shop],
                body={
                    "message/rfc822": shown({"type": "string"}, examples.MAIL),
                    "application/octet-stream": shown({"type": "string"}, examples.MAIL),
                },
                answers=_taken(*_SIGNATURE, "credentials-wrong", "id-reused", *_BODY, waiting=True),
            )
        },
        "/attachments/{token}/{name}": {
            "get": _operation(
                "getAttachment",
                "Files that came with mail",
                _said(attachments_text),
                parameters=[
                    _parameter("token", "path", "What makes the address unguessable.", "q3Zt0Vf2K9s1XcYbT7nLwA"),
                    _parameter("name", "path", "The file's name.", "photo.jpg"),
                ],
                answers={
                    "200": {"description": "The file.", "content": {"*/*": {}}},
                    "206": {"description": "A part of the file.", "content": {"*/*": {}}},
                    "416": {"description": "There is no such part.", "content": {"text/plain": {}}},
                    **problems(*_ALWAYS),
                },
            )
        },
        "/healthz": {"get": _view("isAlive", "The process lives", "application/json", {"alive": True})},
        "/readyz": {"get": _readiness()},
        "/metrics": {"get": _view("getMetrics", "Counters for Prometheus", "text/plain", None)},
    }


def _operation(
    id: str,
    summary: str,
    description: str,
    *,
    answers: Part,
    parameters: Sequence[Part] = (),
    body: Part | None = None,
    security: Sequence[Part] = (),
) -> Part:
    return {
        "operationId": id,
        "summary": summary,
        "description": description,
        "parameters": list(parameters),
        **({"requestBody": {"required": True, "content": body}} if body else {}),
        "responses": answers,
        "security": list(security),
    }


def _view(id: str, summary: str, media_type: str, example: object) -> Part:
    content = shown({"type": "object"}, example) if example is not None else {"schema": {"type": "string"}}
    answers = {"200": {"description": summary, "content": {media_type: content}}, **problems("internal")}
    return _operation(id, summary, f"{summary}.", answers=answers)


def _readiness() -> Part:
    ready = {"ready": True, "checks": [{"name": "database", "ready": True, "seconds": 0.0031}]}
    view = _view("isReady", "Events can be taken", "application/json", ready)
    away = {"ready": False, "checks": [{"name": "database", "ready": False, "seconds": 2.0004}]}
    content = shown({"type": "object"}, away)
    view["responses"]["503"] = {"description": "Something is away.", "content": {"application/json": content}}
    return view


def _event_bodies() -> Part:
    event = {"$ref": REF + "Event"}
    batch = {"type": "array", "items": event}
    return {
        "application/cloudevents+json": shown(event, examples.RETURN),
        "application/cloudevents-batch+json": shown(batch, [examples.RETURN, examples.SCAN]),
        "application/json": shown({"anyOf": [event, batch]}, examples.SCAN),
    }


def _taken(*kinds: str, waiting: bool = False) -> Part:
    content = {"application/json": shown({"$ref": REF + "Taken"}, examples.TAKEN)}
    answers: Part = {"200": {"description": "What became of each event.", "content": content}}
    if waiting:
        answers["202"] = {"description": "The same; an event is kept until its case opens.", "content": content}
    return {**answers, **problems(*_ALWAYS, *kinds)}


def _schemes() -> Part:
    schemes: Part = {
        "standardWebhooks": {
            "type": "apiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": _said(signing_text),
        },
        "mailBasic": {"type": "http", "scheme": "basic", "description": "Any user, the shop's token as password."},
        "mailBearer": {"type": "http", "scheme": "bearer", "description": "The shop's token."},
    }
    for name, scheme in SCHEMES.items():
        schemes[name] = {"type": "apiKey", "in": "header", "name": scheme.header, "description": f"As {name} signs."}
    return schemes


def _parameter(name: str, place: str, description: str, example: str, values: Sequence[str] = ()) -> Part:
    schema: Part = {"type": "string", "minLength": 1, **({"enum": list(values)} if values else {})}
    return {
        "name": name,
        "in": place,
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


def _said(text: str | None) -> str:
    """A docstring without the path that it begins with; paragraphs stay."""
    said = _PATH.sub("", (text or "").strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in (said[:1].upper() + said[1:]).split("\n\n"))
