"""Settings of NATS JetStream: where it is, and how to get in."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from adapters.queues import QueueUnusable


class NatsSettings(BaseModel):
    """A subject of a NATS server with JetStream, and how to get in."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    servers: tuple[str, ...] = Field(default=("nats://127.0.0.1:4222",), min_length=1)
    """Addresses of the cluster's servers, such as `nats://host:4222` or `tls://host:4222`."""
    credentials: Path | None = None
    """A `.creds` file with the user's JWT and key; it needs the package `nkeys`."""
    token: SecretStr | None = None
    """The token, where the server asks for one."""
    user: str = ""
    """The user, where the server asks for one."""
    password: SecretStr | None = None
    """The user's password."""
    tls_ca: Path | None = None
    """Certificates that the server's must be signed by, PEM; those of the system where it is missing."""
    tls_certificate: Path | None = None
    """Our own certificate, PEM, where the server asks for one."""
    tls_key: Path | None = None
    """The key of our own certificate, PEM."""
    stream: str = Field(default="AFTERSALES", pattern=r"^[^\s.*>/\\]+$")
    """The stream; it is made where it is missing."""
    subject: str = Field(default="aftersales.events", pattern=r"^[^\s]+$")
    """The subject of the events."""
    durable: str = Field(default="aftersales", pattern=r"^[^\s.*>/\\]+$")
    """The consumer; processes that name the same one share its messages. It is made where it is missing."""
    dead_subject: str = Field(default="", pattern=r"^[^\s*>]*$")
    """Where messages go that failed too often; `<subject>.dead` where it is empty."""
    ack_wait: float = Field(default=60.0, ge=1)
    """Seconds after which a message of a process that died comes again."""
    max_ack_pending: int = Field(default=1000, ge=1)
    """Messages in hand at once, of all processes together."""
    replicas: int = Field(default=1, ge=1, le=5)
    """Servers that keep a copy of a stream that is made here."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.dead_subject and {"*", ">"} & set(self.subject.split(".")):
            raise ValueError(f"{self.subject!r} stands for many subjects: name a dead_subject outside of them")
        if covers(self.subject, self.dead):
            raise ValueError(f"dead_subject {self.dead!r} is one of {self.subject!r}: dead letters would come back")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together: name both or neither")
        return self

    @property
    def dead(self) -> str:
        """The subject of dead letters."""
        return self.dead_subject or f"{self.subject}.dead"

    def access(self) -> dict[str, Any]:
        """What `nats.connect` is told to get in. Files are read now.

        Raises:
            QueueUnusable: a file cannot be read.
        """
        told: dict[str, Any] = {"servers": list(self.servers)}
        if self.credentials:
            told["user_credentials"] = str(self.credentials)
        if self.token:
            told["token"] = self.token.get_secret_value()
        if self.user:
            told |= {"user": self.user, "password": self.password.get_secret_value() if self.password else ""}
        if self.tls_ca or self.tls_certificate or any(server.startswith("tls://") for server in self.servers):
            try:
                context = ssl.create_default_context(cafile=self.tls_ca)
                if self.tls_certificate:
                    context.load_cert_chain(self.tls_certificate, self.tls_key)
            except OSError as error:
                raise QueueUnusable(f"nats: cannot read the TLS files ({error}); check tls_ca and tls_key") from None
            told["tls"] = context
        return told


def covers(pattern: str, subject: str) -> bool:
    """Whether every subject that `subject` stands for is one of those that `pattern` stands for."""
    wanted, given = pattern.split("."), subject.split(".")
    for index, token in enumerate(wanted):
        if token == ">":
            return len(given) > index
        if index >= len(given) or given[index] == ">" or (token != "*" and token != given[index]):
            return False
    return len(given) == len(wanted)
