"""Settings of the database."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class DatabaseTuning(BaseModel):
    """How many connections there are, and how long things may take."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    readers: int = Field(4, ge=1, le=100)
    """Connections of a process that read; one more writes."""
    connect_timeout: float = Field(10.0, gt=0)
    """Seconds that opening a connection to PostgreSQL may take."""
    statement_timeout: float = Field(30.0, gt=0)
    """Seconds that a statement may take, and that SQLite waits for another process's transaction."""
    auto_upgrade: bool = True
    """Bring the tables to the newest revision when the database is opened; if not, an older one is refused."""
    transaction_pooler: bool = False
    """A pooler such as PgBouncer in transaction mode stands before PostgreSQL, and it keeps no prepared statements."""


class DatabaseSettings(DatabaseTuning):
    """Which database, and how it is used."""

    url: SecretStr
    """The database's URL: `sqlite:///folder/aftersales.db` or `postgresql://user:password@host/name?sslmode=verify-full`."""

    @classmethod
    def of(cls, url: str) -> DatabaseSettings:
        """The settings of a database of which only the URL is given."""
        return cls(url=SecretStr(url))
