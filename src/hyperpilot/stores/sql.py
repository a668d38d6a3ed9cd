"""The log in a database: SQLite by default, PostgreSQL by URL, one schema for both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hyperpilot.errors import InvalidStudy, StudyBusy
from hyperpilot.records import Event
from hyperpilot.records.codec import from_json, to_json
from hyperpilot.registry import missing_extra

_SCHEMA = sa.MetaData()
_EVENTS = sa.Table(
    "hyperpilot_events",
    _SCHEMA,
    sa.Column("study", sa.String(200), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


_SECRETS = {"password", "sslpassword"}
_ROWS = 200
"""Rows of a statement: their values stay below what the oldest SQLite takes."""


def checked_url(url: str) -> str:
    """The URL as it may be written down: without a password, and with the whole path of a file.

    Raises:
        InvalidStudy: it holds a password, or is no URL of a database.
    """
    try:
        parsed = sa.engine.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # It is not shown, and no cause given: it may hold a password all the same.
        mend = "Write it as postgresql://user@host/database or sqlite:////path/to/file.db."
        raise InvalidStudy("storage: this is no URL of a database", mend) from None
    if parsed.password is not None or _SECRETS & parsed.query.keys():
        mend = "Leave it out: PostgreSQL takes it from PGPASSWORD or from ~/.pgpass."
        raise InvalidStudy("storage: the URL holds a password, and would be kept with the study", mend)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not parsed.database.startswith((":", "file:")):
        # A study may be resumed from another folder.
        return parsed.set(database=str(Path(parsed.database).resolve())).render_as_string(hide_password=False)
    return url


class SqlStore:
    """The events of one study in a table that several studies can share.

    Positions count from 0 without gaps and are part of the key: if two controllers ever wrote to one study, the second
    one's append would fail as a whole instead of mixing two histories.

    Args:
        url: SQLAlchemy URL without a password, in which `postgresql://` means psycopg 3; or the path of a SQLite file.
        study: name of the study within the database.

    Raises:
        InvalidStudy: the database cannot be opened.
        MissingExtra: its driver is not installed.
    """

    def __init__(self, url: str | Path, study: str) -> None:
        # A path goes by no text of a URL, in which ? and % mean something.
        file = sa.URL.create("sqlite", database=str(url.resolve())) if isinstance(url, Path) else None
        self._url, self._study = file or sa.make_url(checked_url(str(url))), study
        query = sa.select(sa.func.count()).select_from(_EVENTS).where(_EVENTS.c.study == study)
        try:
            with self._named("opened"):
                self._engine = _engine(self._url)
                _make_table(self._engine)
                with self._engine.connect() as connection:
                    self._length = connection.scalar(query) or 0
        except ModuleNotFoundError as error:
            raise missing_extra(error) from error

    def append(self, events: Sequence[Event]) -> None:
        """Writes all of the events or none.

        Raises:
            StudyBusy: another process has written to the study since this one read it.
            InvalidStudy: the database is gone, or does not let itself be written.
        """
        rows = [
            {"study": self._study, "position": self._length + i, "kind": body["event"], "body": json.dumps(body)}
            for i, body in enumerate(map(to_json, events))
        ]
        if not rows:
            return
        try:
            with self._named("written"), self._engine.begin() as connection:
                # Statements of many rows: where one of a pipeline of single rows is refused, psycopg prints a warning.
                for first in range(0, len(rows), _ROWS):
                    connection.execute(sa.insert(_EVENTS).values(rows[first : first + _ROWS]))
        except sa.exc.IntegrityError as error:
            what = f"another process has written to the study {self._study!r} meanwhile"
            raise StudyBusy(what, "Run it in one place at a time; what was written is kept.") from error
        self._length += len(rows)

    def read(self, since: int = 0) -> Sequence[Event]:
        """The events from position `since` on.

        Raises:
            InvalidStudy: the database is gone.
        """
        query = (
            sa.select(_EVENTS.c.body)
            .where(_EVENTS.c.study == self._study, _EVENTS.c.position >= since)
            .order_by(_EVENTS.c.position)
        )
        with self._named("read"), self._engine.connect() as connection:
            return tuple(from_json(json.loads(body)) for body in connection.scalars(query))

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _named(self, done: str) -> Iterator[None]:
        """Names the storage in the database's errors, but for a broken key, which says something of its own."""
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except sa.exc.SQLAlchemyError as error:
            mend = "Check the URL and the database; hyperpilot resume goes on from what was written."
            raise InvalidStudy(f"the storage {self._url} cannot be {done}: {error.args[0]}", mend) from error


def _engine(url: sa.URL) -> sa.Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    # Minutes pass between two writes, in which a server may have been restarted: pre_ping connects anew.
    engine = sa.create_engine(url, pool_pre_ping=True)
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _durable)
    return engine


def _make_table(engine: sa.Engine) -> None:
    try:
        _SCHEMA.create_all(engine)
    except sa.exc.DBAPIError:
        # Another study may have made it in the same instant.
        if not sa.inspect(engine).has_table(_EVENTS.name):
            raise


def _durable(connection: Any, _: object) -> None:
    # The write-ahead log lets others read while the controller writes, and survives a kill of any process.
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=10000")  # first, as to change the journal's mode needs the lock, too
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
