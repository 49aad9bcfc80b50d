"""The parts of a mail, by the standard library's parser within limits.

That parser takes any bytes, but time and memory grow with what somebody makes up: so lines, parts, depth, headers and
the length of each header are limited before or while it reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from adapters.mail.settings import MailSettings

LONGEST_HEADER, LONGEST_REFERENCES = 2_000, 8_000
"""Characters of a header that are read; of References, which tells the newest last, those at the end."""
MOST_HEADERS = 500
"""Headers of a part that are read."""


_EMPTY_PARAMETERS = re.compile(r";(?:\s*+;)++")

if TYPE_CHECKING:
    _Message = Message[str, str]
else:
    _Message = Message


class UnreadableMail(ValueError):
    """A mail that cannot be taken: the text says why, and what its sender can do where there is something."""


class Part(_Message):
    """A part of a mail, or all of it."""

    def __init__(self, policy: Any = None) -> None:
        super().__init__(policy or _Bounded())
        self.depth = 0
        self.counter = [1]
        self._stored = 0

    @override
    def set_raw(self, name: str, value: str) -> None:
        """As the parser stores a header; those beyond the limit are left out."""
        self._stored += 1
        if self._stored <= MOST_HEADERS:
            super().set_raw(name, value)

    @override
    def attach(self, payload: Any) -> None:
        """As the parser hangs a part below another one.

        Raises:
            UnreadableMail: it is one too many, or too deep.
        """
        limits = cast(_Bounded, self.policy).limits
        payload.depth, payload.counter = self.depth + 1, self.counter
        self.counter[0] += 1
        if self.counter[0] > limits.most_parts:
            raise UnreadableMail(f"the mail has more than {limits.most_parts} parts; send fewer attachments")
        if payload.depth > limits.deepest:
            raise UnreadableMail(f"the mail's parts are nested deeper than {limits.deepest}; send it as a new mail")
        super().attach(payload)

    @property
    def parts(self) -> list[Part]:
        """The parts below this one; none for a leaf."""
        return cast("list[Part]", self.get_payload()) if self.is_multipart() else []

    def parameter(self, name: str, header: str = "content-type") -> str:
        """A parameter of a header as it is written, such as the charset; empty where there is none or it is broken."""
        try:
            value = self.get_param(name, "", header)
        except (ValueError, LookupError, TypeError):
            return ""
        return value if isinstance(value, str) else str(cast("tuple[str, str, str]", value)[2])

    def content(self) -> bytes:
        """The content of a leaf, its transfer encoding undone as far as that is possible."""
        try:
            content = self.get_payload(decode=True)
        except (ValueError, LookupError, TypeError):
            content = None
        if isinstance(content, bytes):
            return content
        written = self.get_payload()
        return written.encode("utf-8", "surrogateescape") if isinstance(written, str) else b""


class _Bounded(Compat32):
    limits: MailSettings = MailSettings()

    @override
    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        value = _EMPTY_PARAMETERS.sub(";", value)
        newest_last = name.lower() in ("references", "in-reply-to")
        return name, value[-LONGEST_REFERENCES:] if newest_last else value[:LONGEST_HEADER]

    @override
    def header_fetch_parse(self, name: str, value: str) -> str:
        """As it stands: bytes that are no ASCII are read by `headers.decoded`."""
        return value


def parts_of(raw: bytes, limits: MailSettings) -> Part:
    """The mail's parts.

    Raises:
        UnreadableMail: it is too large, has too many lines or parts, is nested too deep, or is no mail at all.
    """
    if len(raw) > limits.largest:
        raise UnreadableMail(f"the mail has {len(raw):,} bytes; the most is {limits.largest:,}: send fewer attachments")
    if (lines := raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")) > limits.most_lines:
        raise UnreadableMail(f"the mail has {lines:,} lines; the most is {limits.most_lines:,}: send a shorter one")
    try:
        policy = _Bounded(limits=limits)  # type: ignore[call-arg]  # a policy takes whatever its class has
        mail = cast(Part, BytesParser(Part, policy=policy).parsebytes(raw))
    except UnreadableMail:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, MessageError) as fault:
        # The standard library says that it takes anything; every release has had an input that it does not.
        raise UnreadableMail(
            f"the mail's structure is broken ({type(fault).__name__}); send it as a new mail"
        ) from fault
    if not mail.keys():
        raise UnreadableMail("there are no headers: this is no mail; send the message as the provider received it")
    return mail
