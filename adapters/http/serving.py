"""Running the HTTP door inside an event loop that runs already."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Generator

import structlog
import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

_log = structlog.get_logger(__name__)


class _Guest(uvicorn.Server):
    """A server in somebody else's loop: signals are not its business."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    stop: asyncio.Event,
    grace: int = 30,
    connections: int = 1000,
    listening: Callable[[str], None] | None = None,
) -> None:
    """Serve until `stop` is set; then no connection is accepted, and requests in flight have `grace` seconds to finish.

    `port` 0 takes a free one; `listening` is told the address once it is there. Beyond so many `connections` new ones
    are answered 503. Nothing of X-Forwarded-* is believed.

    Raises:
        OSError: nothing can listen there; the text says why and what to do.
    """
    listener = _listen(host, port)
    server = _Guest(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=connections,
            timeout_graceful_shutdown=grace,
        )
    )
    bound = listener.getsockname()[1]
    url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    try:
        _log.info("http.listening", url=url)
        if listening:
            listening(url)
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
        await asyncio.shield(serving)
        listener.close()
        _log.info("http.stopped", url=url)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        said = f"the HTTP door cannot listen on {host} port {port}: {why}; stop what listens there, or set another port"
        raise OSError(error.errno, said) from None
