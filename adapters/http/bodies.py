"""Reading a body up to a limit, in a bounded time, and not one byte more into memory."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import Request

from adapters.http.problems import Problem

_LINGER = 1.0
"""Seconds in which the rest of a body that is too large is dropped, so that its sender comes to read the answer."""


def refuse_encoding(headers: Headers) -> None:
    """Refuse compressed bodies: a few bytes of them may be a great many.

    Raises:
        Problem: the body is encoded.
    """
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise Problem("media-type", f"the content encoding is {encoding[:100]}; send the body as it is")


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """The body of a request, at most `limit` bytes, within `seconds`.

    Raises:
        Problem: it is larger, or slower.
    """
    parts: list[bytes] = []
    size = 0
    stream = request.stream()
    announced = request.headers.get("content-length", "")
    try:
        async with asyncio.timeout(seconds):
            while size <= limit and not (announced.isdecimal() and int(announced[:20]) > limit):
                part = await anext(stream, None)
                if part is None:
                    return b"".join(parts)
                size += len(part)
                parts.append(part)
    except TimeoutError:
        raise Problem("body-slow", f"after {seconds:g} s {size:,} bytes had arrived and no end") from None
    parts.clear()
    dropped = 0
    try:
        async with asyncio.timeout(_LINGER):
            while dropped <= limit and (part := await anext(stream, None)) is not None:
                dropped += len(part)
    except TimeoutError:
        pass
    raise Problem("body-large", f"the body has more than {limit:,} bytes")
