"""Connections to a mail server: opened when needed, used again while they are fresh, never more than a few."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPHeloError, SMTPResponseException

from adapters.smtp_settings import Smtp
from aftersales.plaintext import one_line
from aftersales.sending import NotSent, Undeliverable

_FRESH = 20.0
"""Seconds without a letter after which a connection is not trusted any more."""
_MOST_LETTERS = 50
"""Letters over one connection; many servers allow no more than 100."""
_OUR_FAULT = 60.0
"""Seconds before the next try where sign-in or certificate are wrong: servers lock accounts tried too often."""
_BUSY = 5.0
_GOODBYE = 1.0

_log = structlog.get_logger(__name__)


@dataclass
class _Connection:
    server: SMTP
    letters: int = 0
    used_at: float = 0.0


class Connections:
    """A few connections to one mail server, shared by all letters of a shop."""

    def __init__(self, settings: Smtp) -> None:
        self._settings, self.where = settings, f"{settings.host}:{settings.port}"
        self._free = asyncio.Semaphore(settings.connections)
        self._idle: deque[_Connection] = deque()
        self._certificates = _certificates(settings)
        self._fault, self._fault_until = "", 0.0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[SMTP]:
        """A connection for one letter, signed in, with the server's extensions known.

        Raises:
            NotSent: there is none; the text says why.
        """
        await self._turn()
        try:
            connection = await self._used_before() or await self._opened()
            try:
                yield connection.server
            except (NotSent, Undeliverable):
                # The server has said no, and is ready for the next letter.
                self._keep(connection)
                raise
            except BaseException:
                connection.server.close()
                raise
            self._keep(connection)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Say goodbye on all connections."""
        while self._idle:
            await _end(self._idle.pop().server)

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._settings.timeout / 2):
                await self._free.acquire()
        except TimeoutError as error:
            busy = f"all {self._settings.connections} connections to {self.where} are busy"
            raise NotSent(busy, retry_after=_BUSY, expected=True) from error

    def _keep(self, connection: _Connection) -> None:
        connection.letters, connection.used_at = connection.letters + 1, time.monotonic()
        self._idle.append(connection)

    async def _used_before(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            fresh = time.monotonic() - connection.used_at < _FRESH and connection.letters < _MOST_LETTERS
            if fresh and connection.server.is_connected:
                # It may be gone all the same, and the last letter may have been refused half-way.
                try:
                    await connection.server.rset(timeout=self._settings.timeout / 4)
                except (SMTPException, OSError):
                    connection.server.close()
                except BaseException:
                    connection.server.close()
                    raise
                else:
                    return connection
            await _end(connection.server)
        return None

    async def _opened(self) -> _Connection:
        if time.monotonic() < self._fault_until:
            raise NotSent(self._fault, retry_after=_OUR_FAULT)
        settings = self._settings
        server = SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",
            tls_context=self._certificates,
            username=settings.username or None,
            password=settings.password.get_secret_value() or None,
            local_hostname=settings.local_hostname or None,
        )
        try:
            await server.connect()
            await _introduced(server)
        except SMTPAuthenticationError as error:
            who = f"{self.where} refused the sign-in of {settings.username}"
            raise self.ours(f"{who}: {words(error)}; correct user name and password") from error
        except SMTPResponseException as error:
            server.close()
            raise NotSent(f"{self.where} turned us away: {words(error)}") from error
        except (SMTPException, OSError) as error:
            server.close()
            raise self._unreached(error) from error
        except BaseException:
            server.close()
            raise
        return _Connection(server)

    def _unreached(self, error: SMTPException | OSError) -> NotSent:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            remedy = "name the authority's certificate in `certificates`, or the host as its certificate does"
            return self.ours(f"the certificate of {self.where} is not trusted ({cause.verify_message}); {remedy}")
        if isinstance(cause, ssl.SSLError):
            why = cause.reason or "no TLS"
            return self.ours(f"{self.where} does not speak TLS as it was asked to ({why}); check `port` and `tls`")
        if isinstance(error, SMTPException) and not isinstance(error, OSError):
            return self.ours(
                f"{self.where} lacks what the settings ask for: {error.message}; check `tls` and `username`"
            )
        return NotSent(f"{self.where} cannot be reached ({_reason(cause)})")

    def ours(self, what: str) -> NotSent:
        """What to raise where no letter goes out until the settings are right; no new connection for a minute."""
        _log.error("letters.wait", problem=what)
        self._fault, self._fault_until = what, time.monotonic() + _OUR_FAULT
        return NotSent(what, retry_after=_OUR_FAULT)


def words(error: SMTPResponseException) -> str:
    """What a server answered, as one short line."""
    return one_line(f"{error.code} {error.message}")[:300]


def _reason(error: BaseException) -> str:
    return one_line(getattr(error, "strerror", "") or str(error) or type(error).__name__)[:200]


def _certificates(settings: Smtp) -> ssl.SSLContext | None:
    if settings.tls == "none":
        return None
    context = ssl.create_default_context()
    if settings.certificates:
        context.load_verify_locations(cafile=settings.certificates)
    if not settings.verify_certificates:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _introduced(server: SMTP) -> None:
    if server.is_ehlo_or_helo_needed:
        try:
            await server.ehlo()
        except SMTPHeloError:
            await server.helo()


async def _end(server: SMTP) -> None:
    if server.is_connected:
        with suppress(SMTPException, OSError):
            await server.quit(timeout=_GOODBYE)
    server.close()
