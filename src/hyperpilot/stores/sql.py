"""The log in a database: SQLite by default, PostgreSQL by URL, one schema for both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hyperpilot.errors import InvalidStudy
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


class SqlStore:
    """The events of one study in a table that several studies can share.

    Positions count from 0 without gaps and are part of the key: if two controllers ever wrote to one study, the second
    one's append would fail as a whole instead of mixing two histories.

    Args:
        url: SQLAlchemy URL; `postgresql://` is read as psycopg 3.
        study: name of the study within the database.

    Raises:
        InvalidStudy: the database cannot be opened.
        MissingExtra: its driver is not installed.
    """

    def __init__(self, url: str, study: str) -> None:
        self._study = study
        try:
            self._engine = _engine(url)
            _SCHEMA.create_all(self._engine)
            with self._engine.connect() as connection:
                self._length = (
                    connection.scalar(sa.select(sa.func.count()).select_from(_EVENTS).where(_EVENTS.c.study == study))
                    or 0
                )
        except ModuleNotFoundError as error:
            raise missing_extra(error) from error
        except sa.exc.SQLAlchemyError as error:
            shown = sa.engine.make_url(url).render_as_string() if "://" in url else url
            raise InvalidStudy(f"the storage {shown} cannot be opened: {error.args[0]}", "Check the URL.") from error

    def append(self, events: Sequence[Event]) -> None:
        rows = [
            {"study": self._study, "position": self._length + i, "kind": body["event"], "body": json.dumps(body)}
            for i, body in enumerate(map(to_json, events))
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(_EVENTS), rows)
            self._length += len(rows)

    def read(self, since: int = 0) -> Sequence[Event]:
        query = (
            sa.select(_EVENTS.c.body)
            .where(_EVENTS.c.study == self._study, _EVENTS.c.position >= since)
            .order_by(_EVENTS.c.position)
        )
        with self._engine.connect() as connection:
            return tuple(from_json(json.loads(body)) for body in connection.scalars(query))

    def close(self) -> None:
        self._engine.dispose()


def _engine(url: str) -> sa.Engine:
    parsed = sa.engine.make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(parsed)
    if parsed.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _durable)
    return engine


def _durable(connection: Any, _: object) -> None:
    # The write-ahead log lets others read while the controller writes, and survives a kill of any process.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
