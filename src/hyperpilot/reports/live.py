"""Serves a report while its study runs, to this machine alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hyperpilot.reports.beliefs import Beliefs
from hyperpilot.reports.page import as_json, contents, render
from hyperpilot.reports.record import Record, advanced

_HOST = "127.0.0.1"
_GROWTH = 1.25
"""How much longer the log gets before the model is fitted again."""


@dataclass
class Feed:
    """The newest state of a report.

    Args:
        folder: the study's.
        record: of the study as it was read.
        believe: what the model says of a record.
        every_s: the log is read at most so often.
        clock: seconds that never go back.
    """

    folder: Path
    record: Record
    believe: Callable[[Record], Beliefs]
    every_s: float = 2.0
    clock: Callable[[], float] = time.monotonic
    _beliefs: Beliefs | None = None
    _fitted_at: int = 0
    _read_at: float = 0.0
    _content: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def content(self) -> dict[str, Any]:
        """What the page shows now."""
        with self._lock:
            now = self.clock()
            if not self._content or now - self._read_at >= self.every_s:
                self._read_at = now
                self._refresh()
            return self._content

    def _refresh(self) -> None:
        before = self.record
        self.record = advanced(before, self.folder)
        grown = self.record.history.length >= _GROWTH * self._fitted_at or self.record.state != before.state
        if self._beliefs is None or (grown and self.record.history.length > self._fitted_at):
            self._beliefs, self._fitted_at = self.believe(self.record), self.record.history.length
        elif (
            self._content and self.record.history.length == before.history.length and self.record.state == before.state
        ):
            return
        self._content = contents(self.record, self._beliefs, live=True)


def server(feed: Feed, port: int = 0) -> ThreadingHTTPServer:
    """A server of the page and of its data, on the loopback interface; port 0 takes any that is free.

    Raises:
        OSError: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A page elsewhere whose name resolves to this machine must not read the study.
            if self.headers.get("Host", "").partition(":")[0] not in (_HOST, "localhost"):
                return self._send(403, "text/plain", b"for this machine alone")
            asked = urlsplit(self.path)
            if asked.path == "/":
                return self._send(200, "text/html; charset=utf-8", render(feed.content()).encode())
            if asked.path != "/data.json":
                return self._send(404, "text/plain", b"there is no such page")
            content = feed.content()
            if parse_qs(asked.query).get("have") == [content["version"]]:
                return self._send(204, "application/json", b"")
            return self._send(200, "application/json", as_json(content).encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """A line for every poll would drown everything else."""

    return ThreadingHTTPServer((_HOST, port), Handler)
