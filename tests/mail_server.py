"""A real mail server on this machine that misbehaves as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from adapters.smtp_settings import Smtp

DROP = "drop"
"""An answer that is none: the connection is closed instead."""
HOST = "127.0.0.1"


@dataclass
class MailServer:
    """What it answers at each step (empty for yes), how long it thinks first, and what it took."""

    mail: str = ""
    rcpt: str = ""
    data: str = ""
    slow: dict[str, float] = field(default_factory=dict)
    password: str = ""
    taken: list[Envelope] = field(default_factory=list)
    sign_ins: int = 0
    port: int = 0
    connections: list[SMTP] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None

    def settings(self, **changes: Any) -> Smtp:
        """How a shop is set up for this server."""
        known = {"host": HOST, "port": self.port, "tls": "none", "sender": "Lumen Home <service@lumen.example>"}
        return Smtp.model_validate({**known, "letters_a_minute": 100_000, "timeout": 2, **changes})

    def mails(self) -> list[EmailMessage]:
        """What it took, read."""
        return [message_from_bytes(self.content(n), policy=default) for n in range(len(self.taken))]

    def content(self, number: int = 0) -> bytes:
        """The bytes of one letter."""
        content = self.taken[number].original_content
        assert content is not None
        return content

    def hang_up(self) -> None:
        """Close all connections, as a server does that has waited long enough."""
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.close()

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._answer(server, "mail", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._answer(server, "rcpt", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if not self.data or self.data == DROP:
            self.taken.append(envelope)
        return await self._answer(server, "data", f"250 2.0.0 queued as Q{len(self.taken)}")

    async def _answer(self, server: SMTP, step: str, yes: str) -> str:
        await asyncio.sleep(self.slow.get(step, 0))
        said = str(getattr(self, step))
        if said == DROP:
            cast(asyncio.Transport, server.transport).abort()
        return said if said and said != DROP else yes

    def authenticator(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Whether this is the password."""
        self.sign_ins += 1
        return AuthResult(success=data.password.decode() == self.password, handled=False)

    def _connection(self) -> SMTP:
        options = {"hostname": "mx.example", "loop": asyncio.get_running_loop(), **self.options}
        if self.password:
            options |= {"authenticator": self.authenticator, "auth_require_tls": False}
        self.connections.append(SMTP(self, **options))
        return self.connections[-1]

    @asynccontextmanager
    async def running(self, connection: Callable[[], asyncio.BaseProtocol] | None = None) -> AsyncIterator[MailServer]:
        """It listens; on the same port where it did so before."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(connection or self._connection, HOST, self.port, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await server.wait_closed()
            for one in self.connections:
                if one._handler_coroutine is not None:
                    one._handler_coroutine.cancel()
                    with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                        await one._handler_coroutine


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate that no authority has signed, for a server on this machine; the file, and what the server needs."""
    key, file = folder / "key.pem", folder / "certificate.pem"
    asked = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mx"
    alias = ["-addext", f"subjectAltName=IP:{HOST}"]
    subprocess.run(
        ["openssl", *asked.split(), *alias, "-keyout", str(key), "-out", str(file)], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
