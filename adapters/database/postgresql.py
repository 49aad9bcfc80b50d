"""How a connection to PostgreSQL is opened."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from sqlalchemy import URL

from adapters.database.settings import DatabaseSettings

APPLICATION = "aftersales"
"""What the server's lists of connections call ours."""
_ANSWER_LATE = 5.0
"""Seconds beyond a statement's time after which a server that says nothing counts as away."""
_HOSTS = frozenset({"host", "port"})


def connecting(url: URL, settings: DatabaseSettings) -> tuple[URL, dict[str, Any]]:
    """The URL and the options for an engine.

    What stands behind the question mark is read as PostgreSQL's own programs read it (`sslmode`, `sslrootcert`,
    `target_session_attrs`, settings of the server); SQLAlchemy would hand it on as arguments that nobody knows.
    """
    arguments: dict[str, Any] = {
        "timeout": settings.connect_timeout,
        "command_timeout": settings.statement_timeout + _ANSWER_LATE,
    }
    theirs = [(name, value) for name, value in url.normalized_query.items() if name not in _HOSTS]
    if theirs:
        arguments["dsn"] = f"postgresql://?{urlencode(theirs, doseq=True)}"
    named = {} if "application_name" in url.query else {"application_name": APPLICATION}
    if settings.transaction_pooler:
        # Another connection's statements may be prepared under the same names, and a pooler refuses other settings.
        arguments |= {
            "prepared_statement_cache_size": 0,
            "statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__aftersales_{uuid4().hex}__",
            "server_settings": named,
        }
    else:
        most = str(round(settings.statement_timeout * 1000))
        # A process that stands still must not keep others waiting for what it has locked.
        limits = {"statement_timeout": most, "idle_in_transaction_session_timeout": most}
        arguments["server_settings"] = named | limits
    hosts = {name: value for name, value in url.query.items() if name in _HOSTS}
    return url.set(query=hosts), {"connect_args": arguments}
