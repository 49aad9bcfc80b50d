"""Settings of a shop's mail server."""

from __future__ import annotations

from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from aftersales.sending import LONGEST


def _mailbox(text: str) -> str:
    _, address = parseaddr(text)
    if not (_is_address(address) and text.isprintable()):
        raise ValueError(f"{text!r} is no mailbox; write one such as Lumen Home <service@example.com>")
    return text


def _address(text: str) -> str:
    if text and not _is_address(text):
        raise ValueError(f"{text!r} is no e-mail address; write one such as service@example.com")
    return text


def _is_address(text: str) -> bool:
    user, _, host = text.rpartition("@")
    return bool(user and host) and text.isascii() and text.isprintable() and not set(text) & set(' <>,;:"()[]\\')


Mailbox: TypeAlias = Annotated[str, AfterValidator(_mailbox)]
MailAddress: TypeAlias = Annotated[str, AfterValidator(_address)]


class Smtp(BaseModel):
    """A shop's mail server, and who its letters are from."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True, hide_input_in_errors=True)

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$")]
    """The mail server's host."""
    port: int = Field(587, ge=1, le=65535)
    """The mail server's port: 587 for `starttls`, 465 for `implicit`, 25 for a relay of your own."""
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    """How the connection is made secure."""
    username: str = ""
    """The account to sign in with; empty where the server asks for none."""
    password: SecretStr = SecretStr("")
    """The account's password."""
    sender: Mailbox
    """Whom letters are from: `Lumen Home <service@example.com>`, or the address alone for the shop's own name."""
    reply_to: MailAddress = ""
    """Where answers go; empty for the sender."""
    envelope_sender: MailAddress = ""
    """Where mail servers report what they could not deliver; empty for the sender."""
    letters_a_minute: float = Field(60, gt=0, le=100_000)
    """How many letters go out in a minute, for each worker."""
    connections: int = Field(4, ge=1, le=50)
    """How many connections are open at once, for each worker."""
    timeout: float = Field(6, gt=0, le=LONGEST)
    """Seconds that one letter may take, from the first word to the server's answer."""
    verify_certificates: bool = True
    """Whether the server must prove who it is; without, anybody on the way can read letters and password."""
    certificates: Path | None = None
    """A file with the certificates of authorities that are trusted besides the machine's own (PEM)."""
    local_hostname: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\[\]:-]*$")] = ""
    """What this machine calls itself to the server; empty for its own name."""

    @model_validator(mode="after")
    def _the_password_stays_secret(self) -> Smtp:
        if self.username and self.tls == "none" and not _is_here(self.host):
            raise ValueError("a password is sent in clear with tls: none; use starttls or implicit")
        return self


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
