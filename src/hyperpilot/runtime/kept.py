"""How a study's settings are kept in its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hyperpilot.errors import InvalidStudy

FILE = "study.yaml"


def keep(settings: Mapping[str, Any], folder: Path) -> None:
    """Writes the settings into the folder, which is made where it is missing; a kill leaves the whole file or the old one.

    Raises:
        InvalidStudy: the folder cannot be written.
    """
    scratch = folder / f"{FILE}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch.write_text(yaml.safe_dump(dict(settings), sort_keys=False))
        os.replace(scratch, folder / FILE)
    except OSError as error:
        raise InvalidStudy(f"{folder} cannot be written: {error.strerror}", "Name another --study.") from error
