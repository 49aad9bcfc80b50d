"""Letters as e-mails: the bytes that go into a file or to a mail server."""

from __future__ import annotations

from contextlib import suppress
from email.charset import Charset
from email.header import Header
from email.headerregistry import Address
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr
from hashlib import sha256
from typing import Any, cast

from aftersales.message_ids import message_id as identity_of
from aftersales.order import Customer
from aftersales.plaintext import one_line
from aftersales.sending import Outgoing

_LONGEST_LINE = 998  # octets, RFC 5322 §2.1.1
_MAIL = compat32.clone(linesep="\r\n", max_line_length=_LONGEST_LINE)
"""Shorter lines would break a Message-ID behind its name, which many a mail program takes for an empty one."""


def compose(
    letter: Outgoing,
    *,
    mailbox: str = "",
    reply_to: str = "",
    eight_bit: bool = True,
    utf8: bool = False,
) -> MIMEMultipart:
    """A letter as an e-mail, plain text and HTML. The same letter gives the same bytes.

    Without a `mailbox` it comes from its shop at the domain of its Message-ID. One that is given (`Name <address>`, or
    the address alone) is the shop's real one: the letter is to be sent, and says what mail programs and answering
    machines need to know. `eight_bit` is whether what carries it takes other bytes than ASCII, `utf8` whether in an
    address too.

    Raises:
        ValueError: the customer's e-mail address is none, or `at` has no offset.
    """
    if letter.at.tzinfo is None:
        raise ValueError(f"the time of a letter needs its offset, got {letter.at.isoformat()}")
    domain = letter.message_id.strip("<>").rpartition("@")[2]
    name, address = parseaddr(mailbox) if mailbox else ("", f"aftersales@{domain}")
    # Not EmailMessage: it parses every header that it is given, which costs more than all the rest of a letter.
    message = MIMEMultipart("alternative", boundary=f"=_{sha256(letter.key.encode()).hexdigest()[:32]}", policy=_MAIL)
    message["Message-ID"] = letter.message_id
    message["Date"] = format_datetime(letter.at)
    message["From"] = formataddr((name or one_line(letter.shop), address))
    message["To"] = _recipient(letter.to, utf8=utf8)
    message["Subject"] = _header("Subject", letter.rendered.subject)
    if reply_to:
        message["Reply-To"] = reply_to
    if mailbox:
        # No such message was ever sent. Mail programs show what refers to the same one as one conversation, and the
        # case can be read out of it where a reply names nothing else.
        thread = identity_of(letter.case_id, f"{letter.case_id}#thread", domain)
        message["In-Reply-To"] = message["References"] = thread
        # No answering machine is to answer (RFC 3834 §5).
        message["Auto-Submitted"] = "auto-generated"
    message["X-Aftersales-Case"] = _header("X-Aftersales-Case", letter.case_id)
    message["Content-Language"] = letter.rendered.language
    for content, kind in ((letter.rendered.text, "plain"), (letter.rendered.html, "html")):
        message.attach(MIMEText(content, kind, cast(Any, _body_charset(content, eight_bit)), policy=_MAIL))
    return message


def mail_address(customer: Customer) -> str:
    """The customer's address as mail servers are told it: its host in ASCII, quoted where it must be.

    Raises:
        ValueError: it is none.
    """
    username, _, host = customer.email.rpartition("@")
    if not (username and host and customer.email.isprintable()):
        raise ValueError("the customer's e-mail address is none; correct it in the order and send order.updated")
    # A host that cannot be written in ASCII is left to the mail server to refuse.
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    return Address("", username, host).addr_spec


def _recipient(customer: Customer, *, utf8: bool) -> str:
    spec = mail_address(customer)
    if spec.isascii():
        return formataddr((one_line(customer.name), spec))
    if utf8:
        # The bytes as they are (RFC 6532): the policy lets pass what it takes for undecoded.
        name = formataddr((one_line(customer.name) or "-", "@")).removesuffix("<@>")
        return f"{name}<{spec}>".encode().decode("ascii", "surrogateescape")
    # Only a server that speaks SMTPUTF8 delivers to it; the file says what was meant.
    return _header("To", f"{one_line(customer.name)} <{spec}>".strip())


def _body_charset(text: str, eight_bit: bool) -> Charset:
    """UTF-8, left readable as it is, unless a line is longer than mail may carry or the server takes ASCII only."""
    charset = Charset("utf-8")
    if not eight_bit and not text.isascii():
        return charset
    if max(map(len, text.encode().splitlines()), default=0) <= _LONGEST_LINE:
        charset.body_encoding = None  # type: ignore[assignment]  # documented: None leaves the body as it is
    return charset


def _header(name: str, text: str) -> str:
    line = one_line(text)
    return Header(line, "us-ascii" if line.isascii() else "utf-8", header_name=name).encode(linesep="\r\n")
