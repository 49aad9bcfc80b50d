"""Letters by a mail server (SMTP).

A mail server cannot tell a repeat. What it may have taken without our hearing of it is never sent again by itself:
`trying` is awaited just before the text of a letter leaves, and an answer that does not come is `PerhapsSent`.
"""

from __future__ import annotations

import asyncio
from email.utils import parseaddr

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPSenderRefused

from adapters.letter_mail import compose, mail_address
from adapters.letter_rate import LetterRate
from adapters.smtp_connections import Connections, words
from adapters.smtp_settings import Smtp
from aftersales.plaintext import one_line
from aftersales.ports import Trying
from aftersales.sending import NotSent, Outgoing, PerhapsSent, PutOff, Undeliverable

_PUT_OFF = 60.0
"""Seconds before the first try again of what a server has put off; grey lists let through after one to five minutes."""
_LONGEST_REFERENCE = 150
_NOT_SIGNED_IN = frozenset({530, 534, 535, 538})
_CLOSING = 421


class SmtpChannel:
    """Sends letters by a mail server. Implements `aftersales.ports.Channel`; `close` ends its connections."""

    def __init__(self, settings: Smtp) -> None:
        self._settings = settings
        self._connections = Connections(settings)
        self._rate = LetterRate(settings.letters_a_minute)
        self._envelope_sender = settings.envelope_sender or parseaddr(settings.sender)[1]

    async def close(self) -> None:
        """Say goodbye to the server."""
        await self._connections.close()

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        """Send one letter; returns the server's own words, which usually name it.

        Raises:
            NotSent: over the rate, the server cannot be reached, does not answer or does not let us in, or (`PutOff`)
                takes this letter later.
            Undeliverable: the server refuses sender, recipient or letter, or the address is none.
            PerhapsSent: the server's answer to the letter did not come.
        """
        if wait := self._rate.wait(letter.key):
            rate = f"{self._settings.letters_a_minute:g} letters a minute"
            raise NotSent(f"more than {rate} for {self._connections.where}", retry_after=wait, expected=True)
        try:
            recipient = mail_address(letter.to)
        except ValueError as error:
            raise Undeliverable(str(error)) from error
        deadline = asyncio.get_running_loop().time() + self._settings.timeout
        try:
            async with asyncio.timeout_at(deadline) as until, self._connections.one() as server:
                eight_bit, utf8 = server.supports_extension("8bitmime"), not recipient.isascii()
                if utf8 and not server.supports_extension("smtputf8"):
                    raise Undeliverable(
                        f"{self._connections.where} cannot deliver to addresses beyond ASCII (SMTPUTF8)"
                    )
                content = compose(
                    letter,
                    mailbox=self._settings.sender,
                    reply_to=self._settings.reply_to,
                    eight_bit=eight_bit,
                    utf8=utf8,
                ).as_bytes()
                await self._address(server, recipient, [*["BODY=8BITMIME"] * eight_bit, *["SMTPUTF8"] * utf8])
                # From here on it takes care of its time itself: what was begun must not end without its meaning.
                until.reschedule(None)
                return await self._hand_over(server, recipient, content, deadline, trying)
        except TimeoutError as error:
            raise NotSent(f"{self._connections.where} did not answer in {self._settings.timeout:g} s") from error

    async def _address(self, server: SMTP, recipient: str, options: list[str]) -> None:
        encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        try:
            await server.mail(self._envelope_sender, options=options, encoding=encoding)
            await server.rcpt(recipient, encoding=encoding)
        except SMTPResponseException as error:
            whose = "" if isinstance(error, SMTPSenderRefused) else recipient
            raise self._refused(error, whose) from error
        except (SMTPException, OSError) as error:
            raise self._lost(error) from error

    async def _hand_over(self, server: SMTP, recipient: str, content: bytes, deadline: float, trying: Trying) -> str:
        where, now = self._connections.where, asyncio.get_running_loop().time
        if deadline - now() < self._settings.timeout / 4:
            # To be cut off in the middle would be worse.
            raise NotSent(f"{where} was too slow to begin with the letter")
        await trying()
        if not server.is_connected:
            raise NotSent(f"{where} closed the connection before the letter")
        try:
            answer = await server.data(content, timeout=max(deadline - now(), 0.01))
        except SMTPResponseException as error:
            if 400 <= error.code < 600:
                raise self._refused(error, recipient) from error
            raise PerhapsSent(f"{where} answered the letter with {words(error)}, {_PERHAPS}") from error
        except (SMTPException, OSError) as error:
            how = "did not answer in time" if isinstance(error, TimeoutError) else "closed the connection"
            raise PerhapsSent(f"{where} was given the letter and {how}, {_PERHAPS}") from error
        return f"smtp {_plain(answer.message)}"

    def _refused(self, error: SMTPResponseException, recipient: str) -> NotSent | Undeliverable:
        """A server's no by its code: both kinds come as the same exceptions. No recipient where it is about us."""
        whom = f" for {one_line(recipient)}" if recipient else ""
        said = f"{self._connections.where} said{whom}: {words(error)}"
        if error.code in _NOT_SIGNED_IN:
            return self._connections.ours(f"{said}; correct `username` and `password`")
        if 500 <= error.code < 600:
            return Undeliverable(said)
        return PutOff(said, retry_after=_PUT_OFF) if recipient and error.code != _CLOSING else NotSent(said)

    def _lost(self, error: SMTPException | OSError) -> NotSent:
        how = "did not answer in time" if isinstance(error, TimeoutError) else "closed the connection"
        return NotSent(f"{self._connections.where} {how} before the letter")


_PERHAPS = "so the customer may have it already"


def _plain(text: str) -> str:
    """It stands where a file's name may stand too, so it is kept short and plain."""
    return one_line(text).encode("ascii", "replace").decode()[:_LONGEST_REFERENCE]
