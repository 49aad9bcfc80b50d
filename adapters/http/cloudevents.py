"""CloudEvents 1.0 over HTTP: structured, batch and binary mode, and plain JSON.

In binary mode the attributes are headers, which a signature over the body alone would leave open to change. There the
signed content is `adapters.http.signing.binary_content`: every `ce-` header, the content type, then the body. A request
whose headers were changed, added, or taken away, or that is made to look like another mode, fits no signature.
"""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from adapters.http.problems import Problem
from adapters.http.signing import binary_content
from aftersales.strict_json import NotJson, read_json


class Mode(Enum):
    """Where an event's attributes are."""

    BODY = "body"
    """In the JSON, of one event or of a batch."""
    HEADERS = "headers"
    """In `ce-` headers: binary mode."""


TAKEN = ("application/cloudevents+json", "application/cloudevents-batch+json", "application/json")
"""Content types of events."""
_NAME = re.compile(r"ce-[a-z0-9]{1,64}")
_VALUE = re.compile(r"[ -~]{0,4096}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def mode_of(headers: Headers) -> Mode:
    """The mode that content type and headers ask for.

    Raises:
        Problem: the content type is none of ours.
    """
    media, parameters = media_type(headers)
    attributes = any(name.startswith("ce-") for name in headers)
    charset = parameters.get("charset", "utf-8").lower()
    # An event without data has no body and no content type.
    if not (media in TAKEN or (attributes and not media)) or charset not in {"utf-8", "us-ascii"}:
        given = headers.get("content-type", "")[:100] or "none"
        raise Problem("media-type", f"the content type is {given}; taken are {', '.join(TAKEN)}, in UTF-8")
    return Mode.HEADERS if attributes and media in {"application/json", ""} else Mode.BODY


def media_type(headers: Headers) -> tuple[str, dict[str, str]]:
    """The content type in lower case, and its parameters."""
    media, *rest = headers.get("content-type", "").split(";")
    pairs = (part.partition("=") for part in rest)
    return media.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def signed_content(mode: Mode, headers: Headers, body: bytes) -> bytes:
    """What the signature has to cover.

    Raises:
        Problem: a header of binary mode has a name or a character that it may not have, or the body is such headers.
    """
    if mode is not Mode.HEADERS:
        if body.startswith(b"ce-"):
            # Whoever caught a request of binary mode could send what was signed as a body, under the same id.
            raise Problem("media-type", "the body begins like headers of binary mode; send them as headers")
        return body
    for name, value in headers.items():
        covered = name.startswith("ce-") or name == "content-type"
        if covered and not ((name == "content-type" or _NAME.fullmatch(name)) and _VALUE.fullmatch(value)):
            raise Problem("bad-header", f"{name[:80]!r} or its value has characters that it may not have")
    return binary_content(headers, body)


def events_of(mode: Mode, headers: Headers, body: bytes) -> list[object]:
    """The events of a body as decoded JSON: an object is one, an array a batch, whichever of the two is announced.

    The content type is not signed, so that it must not decide.

    Raises:
        NotJson: the body, or an attribute's encoding, cannot be read; the text says what and where.
    """
    if mode is Mode.HEADERS:
        return [_binary(headers, body)]
    value = read_json(body)
    return value if isinstance(value, list) else [value]


def _binary(headers: Headers, body: bytes) -> dict[str, object]:
    event: dict[str, object] = {
        name.removeprefix("ce-"): _attribute(name, value) for name, value in headers.items() if name.startswith("ce-")
    }
    for reserved in ("data", "datacontenttype"):
        if reserved in event:
            raise NotJson(f"ce-{reserved} is no header of binary mode: data is the body, its type the content type")
    if content_type := headers.get("content-type"):
        event["datacontenttype"] = content_type
    if body:
        event["data"] = read_json(body)
    return event


def _attribute(name: str, value: str) -> str:
    if quoted := _QUOTED.fullmatch(value):
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    if _BROKEN_ESCAPE.search(value):
        raise NotJson(f"{name} has a % that no two hexadecimal digits follow; write %25")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise NotJson(f"{name} is not percent-encoded UTF-8") from None
