"""URLs of databases: which are taken, and how they are shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_SECRET = re.compile(r"(?<=://).*@|(?<=password=)[^&\s]*")
_SECRETS = frozenset({"password", "sslpassword"})


class DatabaseUnusable(Exception):
    """The database cannot be opened. The text says which one, why, and what to do."""


def parse(address: str) -> URL:
    """The URL with its driver.

    Raises:
        DatabaseUnusable: it is none, or one of another database.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise DatabaseUnusable(
            f"{masked(address)!r} is not a database URL; write sqlite:///folder/aftersales.db or "
            "postgresql://user@host/name, with %40 for an @ in a password and %2F for a /"
        ) from None
    kind = url.drivername.partition("+")[0]
    if kind not in _DRIVERS:
        raise DatabaseUnusable(f"database {shown(url)}: only sqlite:// and postgresql:// are known; use one of these")
    url = url.set(drivername=_DRIVERS[kind])
    if kind == "sqlite" and url.database in {None, "", ":memory:"}:
        raise DatabaseUnusable(
            f"{address!r} names no file, and a case must outlive its process; write sqlite:///folder/aftersales.db"
        )
    return url


def masked(address: str) -> str:
    """A text that may be a URL, without what may be a password."""
    return _SECRET.sub("***", address)


def shown(url: URL) -> str:
    """The database as people are told it: the path of a file, else the URL without its passwords."""
    if url.drivername.startswith("sqlite"):
        return str(url.database)
    hidden = {name: "***" for name in url.query if name in _SECRETS}
    return url.set(drivername="postgresql").update_query_dict(hidden).render_as_string()


def unreachable(url: URL, error: Exception) -> DatabaseUnusable:
    """What to tell when a database could not be opened."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = str(cause) or type(cause).__name__
    if url.get_backend_name() == "sqlite":
        remedy = "check that it is a SQLite file of ours and that the disk is there and has room"
    else:
        remedy = "check that the server runs there and that user and password are right"
    return DatabaseUnusable(f"database {shown(url)} cannot be opened: {said}; {remedy}")


def make_folder(url: URL) -> None:
    """Make the folder of a SQLite file.

    Raises:
        DatabaseUnusable: it cannot be made, or folder or file cannot be written.
    """
    file = Path(str(url.database))
    remedy = "give this user the right to write there, or choose another folder"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(
            f"the folder {file.parent} of the database cannot be made: {error.strerror}; {remedy}"
        ) from error
    if not os.access(file.parent, os.W_OK | os.X_OK):
        # SQLite keeps its log beside the file.
        raise DatabaseUnusable(f"the folder {file.parent} of the database is not writable; {remedy}")
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise DatabaseUnusable(f"the database {file} is not writable; {remedy}")
