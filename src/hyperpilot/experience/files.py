"""Experience in a file: arrays without pickle, and JSON.

A file is an `.npz` archive. `about` holds UTF-8 JSON, `{"format": 1, "sources": [...]}`: of each source its name, algorithm and
environment, its ranges and conditions, its configurations as one list a hyperparameter (null where it is inactive), and where
it is from. `trial-0`, `seed-0`, `t-0` and `score-0` are the columns of the first source, and so on.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperpilot.errors import HyperPilotError, InvalidExperience
from hyperpilot.experience.source import Source
from hyperpilot.space import Config
from hyperpilot.space.grammar import parse

_FORMAT = 1

_LARGEST = 500_000_000
"""Bytes that a file may unpack to: what claims more is refused before anything is unpacked."""


def write(sources: Iterable[Source], path: Path) -> None:
    """Keeps sources in a file; a kill leaves the whole file or what was there before.

    Raises:
        InvalidExperience: the file cannot be written.
    """
    known = list(sources)
    arrays: dict[str, NDArray[Any]] = {}
    for k, source in enumerate(known):
        arrays |= {
            f"trial-{k}": source.trial.astype(np.int32),
            f"seed-{k}": source.seed.astype(np.int64),
            f"t-{k}": source.t.astype(np.float32),
            f"score-{k}": source.score.astype(np.float32),
        }
    about = json.dumps({"format": _FORMAT, "sources": [_described(source) for source in known]})
    arrays["about"] = np.frombuffer(about.encode(), dtype=np.uint8)
    scratch = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        os.replace(scratch, path)
    except OSError as error:
        raise InvalidExperience(f"{path} cannot be written: {error.strerror}", "Name another place.") from error


def read(path: Path) -> tuple[Source, ...]:
    """The sources of a file.

    Raises:
        InvalidExperience: it cannot be read, or is not in the format; the reason is given.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST:
                raise InvalidExperience(f"{path} unpacks to more than {_LARGEST:,} bytes", "Export fewer sources.")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays["about"].tobytes().decode())
        if about["format"] != _FORMAT:
            raise InvalidExperience(f"{path} is of format {about['format']!r}", f"This version reads {_FORMAT}.")
        return tuple(_source(each, k, arrays) for k, each in enumerate(about["sources"]))
    except HyperPilotError as error:
        raise error if isinstance(error, InvalidExperience) else _fault(path, error) from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: Exception) -> InvalidExperience:
    reason = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
    return InvalidExperience(f"{path} is no experience: {reason}", "Name a file that `experience export` has written.")


def _described(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "algorithm": source.algorithm,
        "env": source.env,
        "ranges": dict(source.ranges),
        "conditions": {child: [parent, list(values)] for child, (parent, values) in source.conditions.items()},
        "configs": {name: [config.get(name) for config in source.configs] for name in source.ranges},
        "about": dict(source.about),
    }


def _source(described: Mapping[str, Any], k: int, arrays: Mapping[str, NDArray[Any]]) -> Source:
    name, algorithm, env = (_text(described[key]) for key in ("name", "algorithm", "env"))
    ranges = {_text(key): _text(text) for key, text in described["ranges"].items()}
    for key, text in ranges.items():
        parse(key, text)  # raises where it is none
    trial, seed, t, score = (arrays[f"{key}-{k}"] for key in ("trial", "seed", "t", "score"))
    return Source(
        name,
        algorithm,
        env,
        ranges,
        _configs(described["configs"]),
        trial=trial.astype(np.int64),
        seed=seed.astype(np.int64),
        t=np.round(t.astype(float), 6),  # singles would differ in the last digits
        score=score.astype(float),
        conditions={_text(c): (_text(p), tuple(values)) for c, (p, values) in described["conditions"].items()},
        about=dict(described["about"]),
    )


def _configs(columns: Mapping[str, Sequence[Any]]) -> list[Config]:
    for name, values in columns.items():
        if not all(value is None or isinstance(value, bool | int | float | str) for value in values):
            raise ValueError(f"{name} holds what is no value of a hyperparameter")
    rows = zip(*columns.values(), strict=True)
    return [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 500:
        raise ValueError(f"{value!r:.80} is no name")
    return value
