"""Runs that are kept in object storage, or in any folder that fsspec knows, and trained in a folder of one machine.

A checkpoint is there once its manifest is, which is written last and names the files: what a machine has left half-written
when it was lost is never read. Two machines that believe to have the same run write under names of their own, so that no
checkpoint is made of parts of both.
"""

from __future__ import annotations

import json
import posixpath
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Beat, Trainer
from hyperpilot.records import Job, Report, RunId
from hyperpilot.trainers._layout import run_path

_CHECKPOINTS, _LOCK, _MANIFEST = "checkpoints", "run.lock", ".json"


@dataclass(frozen=True)
class Remote:
    """A place that every machine can reach.

    Args:
        fs: an fsspec file system.
        root: the folder in it.
    """

    fs: Any
    root: str

    def pull(self, run: RunId, folder: Path) -> None:
        """Makes a study's folder have of a run what is kept of it."""
        local = folder / run_path(run)
        for step in self._steps(run):
            manifest = self._manifest(run, step)
            target, wanted = local / _CHECKPOINTS / step, set(manifest["files"])
            if target.exists():
                for path in target.rglob("*"):
                    if path.is_file() and path.relative_to(target).as_posix() not in wanted:
                        path.unlink()
                continue
            unfinished = target.with_name(f".unfinished-{step}")
            shutil.rmtree(unfinished, ignore_errors=True)
            for name in wanted:
                self._get(f"{manifest['at']}/{name}", unfinished / name)
            unfinished.rename(target)
        for name, at in self._logs(run).items():
            self._get(at, local / name)

    def push(self, run: RunId, folder: Path) -> None:
        """Keeps what a run has written since, the newest checkpoint last; then drops what earlier ones needed to go on."""
        local = folder / run_path(run)
        for path in sorted(local.rglob("*")):
            inner = path.relative_to(local)
            if path.is_file() and path.name != _LOCK and inner.parts[0] != _CHECKPOINTS:
                self._put(path, f"{self._of(run)}/logs/{inner.as_posix()}")
        known = self._steps(run)
        saved = sorted(path for path in (local / _CHECKPOINTS).glob("*") if path.name.isdecimal())
        fresh = [path for path in saved if path.name not in known]
        for path in fresh:
            self._keep(run, path)
        # Each was kept as soon as it was saved, so that the one before is the only one that the trainer has stripped since.
        for path in [path for path in saved if path.name in known][-1:] if fresh else []:
            self._strip(run, path)

    def _keep(self, run: RunId, path: Path) -> None:
        at = f"{self._of(run)}/{_CHECKPOINTS}/{path.name}-{secrets.token_hex(4)}"
        files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        for name in files:
            self._put(path / name, f"{at}/{name}")
        self._write(run, path.name, {"at": at, "files": files})

    def _strip(self, run: RunId, path: Path) -> None:
        """Makes a checkpoint what the trainer has made of it: it takes away what only the newest needs."""
        manifest = self._manifest(run, path.name)
        gone = [name for name in manifest["files"] if not (path / name).exists()]
        if gone:
            left = [name for name in manifest["files"] if name not in gone]
            self._write(run, path.name, {**manifest, "files": left})
            for name in gone:
                if self.fs.exists(f"{manifest['at']}/{name}"):
                    self.fs.rm(f"{manifest['at']}/{name}")

    def _write(self, run: RunId, step: str, manifest: dict[str, Any]) -> None:
        with self.fs.transaction:  # whole or not at all
            path = f"{self._of(run)}/{_CHECKPOINTS}/{step}{_MANIFEST}"
            self.fs.makedirs(posixpath.dirname(path), exist_ok=True)
            with self.fs.open(path, "wb") as file:
                file.write(json.dumps(manifest).encode())

    def _steps(self, run: RunId) -> list[str]:
        """Of the checkpoints that are there whole; the earliest first."""
        self.fs.invalidate_cache()
        found = self.fs.glob(f"{self._of(run)}/{_CHECKPOINTS}/*{_MANIFEST}")
        return sorted(posixpath.basename(at).removesuffix(_MANIFEST) for at in found)

    def _manifest(self, run: RunId, step: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.fs.cat_file(f"{self._of(run)}/{_CHECKPOINTS}/{step}{_MANIFEST}"))
        return found

    def _logs(self, run: RunId) -> dict[str, str]:
        root = f"{self._of(run)}/logs"
        return {posixpath.relpath(at, root): at for at in self.fs.find(root)} if self.fs.exists(root) else {}

    def _of(self, run: RunId) -> str:
        return f"{self.root}/{run_path(run)}"

    def _put(self, path: Path, at: str) -> None:
        self.fs.makedirs(posixpath.dirname(at), exist_ok=True)
        self.fs.put_file(str(path), at)

    def _get(self, at: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.fs.get_file(at, str(path))


def opened(url: str) -> Remote:
    """The place of a URL, such as `s3://bucket/study`, `gs://bucket/study` or `file:///mnt/study`.

    Raises:
        InvalidStudy: there is no such protocol, its package is missing, or the place cannot be reached.
    """
    try:
        fs, root = fsspec.core.url_to_fs(url)
        fs.exists(root)
    except (ImportError, ValueError) as error:
        what = f"checkpoints: {url!r} cannot be opened: {error}"
        raise InvalidStudy(
            what, "Write s3://bucket/folder and install s3fs; gs:// needs gcsfs, abfs:// adlfs."
        ) from error
    except Exception as error:  # each file system has its own
        what = f"checkpoints: {url!r} cannot be reached: {type(error).__name__}: {error}"
        raise InvalidStudy(what, "Check the address and the credentials that its package reads.") from error
    return Remote(fs, str(root).rstrip("/"))


@dataclass(frozen=True)
class Carried:
    """A trainer on a machine that keeps nothing: runs are brought before a job, and kept elsewhere before each report.

    Args:
        trainer: keeps runs in a folder, saves a state before its report, and takes a run up from what is saved.
        folder: that folder; what it has of a run is removed when its job has ended.
        remote: where runs are kept.
    """

    trainer: Trainer
    folder: Path
    remote: Remote = field(repr=False)

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """As `protocols.Trainer` has it."""
        runs = {job.run, *([job.parent.run] if job.parent else [])}
        try:
            for run in runs:
                beat(job.start)
                self.remote.pull(run, self.folder)
            for report in self.trainer.train(job, beat):
                self.remote.push(job.run, self.folder)
                yield report
        finally:
            for run in runs:
                shutil.rmtree(self.folder / run_path(run), ignore_errors=True)


def _path(run: RunId) -> str:
    return f"trials/{run.trial:04d}/seed-{run.seed}"
