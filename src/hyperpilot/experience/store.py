"""The user's experience: a folder with a file for each source."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from hyperpilot.errors import InvalidExperience
from hyperpilot.experience.files import read, write
from hyperpilot.experience.source import Source


def home() -> Path:
    """Where HyperPilotRL keeps what outlives a study: $HYPERPILOT_HOME, or else where this system keeps users' data."""
    if named := os.environ.get("HYPERPILOT_HOME"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "hyperpilot"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "hyperpilot"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hyperpilot"


class ExperienceStore:
    """Sources by name.

    Args:
        folder: where they are; made when the first is added.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else home() / "experience"

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.npz") if not path.name.startswith("."))

    def add(self, sources: Iterable[Source]) -> list[str]:
        """Keeps sources, each in the place of one of the same name; returns their names.

        Raises:
            InvalidExperience: a name is none for a file, or the folder cannot be written.
        """
        known = list(sources)
        for source in known:
            self._path(source.name)
        for source in known:
            write([source], self._path(source.name))
        return [source.name for source in known]

    def get(self, name: str) -> Source:
        """The source of a name.

        Raises:
            InvalidExperience: there is none, or it cannot be read.
        """
        if name not in self.names():
            raise InvalidExperience(f"there is no experience {name!r}", "`hyperpilot experience list` has the names.")
        return read(self._path(name))[0]

    def all(self) -> tuple[Source, ...]:
        """Every source, by name.

        Raises:
            InvalidExperience: one cannot be read.
        """
        return tuple(self.get(name) for name in self.names())

    def remove(self, name: str) -> None:
        """Forgets a source.

        Raises:
            InvalidExperience: there is none.
        """
        if name not in self.names():
            raise InvalidExperience(f"there is no experience {name!r}", "`hyperpilot experience list` has the names.")
        self._path(name).unlink()

    def _path(self, name: str) -> Path:
        if not re.fullmatch(r"\w[\w.+-]{0,149}", name):
            raise InvalidExperience(f"{name!r} is no name", "Use letters, digits, and . _ + - in between.")
        return self.folder / f"{name}.npz"
