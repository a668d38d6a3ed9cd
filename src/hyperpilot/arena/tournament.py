"""Every method on every table: contests over all cores, each kept as soon as it has ended, so that a run can be resumed."""

from __future__ import annotations

import json
import multiprocessing
import os
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from hyperpilot.arena.contest import MethodCrashed, Outcome, play
from hyperpilot.arena.lessons import lesson_of
from hyperpilot.arena.methods import build, parts
from hyperpilot.arena.pipe import Peer, Pipe, peer_methods
from hyperpilot.errors import InvalidStudy, StudyBusy
from hyperpilot.protocols import Strategy
from hyperpilot.runtime.executors.processes import ONE_THREAD
from hyperpilot.trainers.tabular import Table, read_tables

_LOG, _SETTINGS = "contests.jsonl", "arena.json"


class Contest(NamedTuple):
    """What is played: a method on a case, with a repeat's seed and so many workers."""

    method: str
    case: str
    repeat: int
    workers: int

    @property
    def seed(self) -> int:
        """One for a case and repeat, the same for every method: with one seed for all cases, those of an algorithm would
        be searched with the same draws, and an average over cases would be far noisier than it seems."""
        return zlib.crc32(f"{self.case} {self.repeat}".encode()) >> 1  # peers want 31 bits


class Played(NamedTuple):
    """A contest and how it went."""

    contest: Contest
    outcome: Outcome


@dataclass(frozen=True)
class Tournament:
    """What is to be played. Its results belong to these settings alone, except that more contests may join.

    Args:
        tables: folder of the tables.
        peers: folder of the peers.
        methods: names of methods.
        repeats: numbers of the repeats.
        workers: numbers of workers.
        budget: units of a contest.
        cases: how many of the tables, evenly chosen; None: all.
        experience: file that methods with `+shipped` are told; None: what comes with the package.
    """

    tables: Path
    peers: Path
    methods: tuple[str, ...]
    repeats: tuple[int, ...]
    workers: tuple[int, ...]
    budget: int
    cases: int | None = None
    experience: Path | None = None

    def contests(self) -> list[Contest]:
        """All of them, repeat by repeat, so that what has been played is balanced at any time.

        Raises:
            HyperPilotError: a table is malformed, or a method is unknown or not installed.
        """
        names = [table.name for table in _tables(self.tables)]
        if self.cases is not None and self.cases < len(names):
            names = [names[round(i * (len(names) - 1) / max(1, self.cases - 1))] for i in range(self.cases)]
        self._check_methods()
        order = product(self.repeats, self.workers, names, self.methods)
        return [Contest(method, case, repeat, workers) for repeat, workers, case, method in order]

    def _check_methods(self) -> None:
        theirs = peer_methods(self.peers)
        for method in self.methods:
            if method in theirs:
                Pipe.check(self.peers, theirs[method])
            else:
                parts(method)


def run(tournament: Tournament, out: Path, jobs: int, tell: Callable[[int, int, str], None]) -> list[Played]:
    """Plays what has not been played yet.

    Args:
        tournament: what is to be played.
        out: folder of the results.
        jobs: processes at once.
        tell: called with how many contests are done, of how many, and what crashed last.

    Returns:
        Every contest of the tournament.

    Raises:
        InvalidStudy: the folder holds the results of another tournament.
        StudyBusy: another process writes to the folder.
    """
    contests = tournament.contests()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / "arena.lock", timeout=0):
            return _run(tournament, contests, out, jobs, tell)
    except Timeout as error:
        raise StudyBusy(f"another process writes its results to {out}", "Name another folder with --out.") from error


def _run(
    tournament: Tournament, contests: list[Contest], out: Path, jobs: int, tell: Callable[[int, int, str], None]
) -> list[Played]:
    _keep_settings(tournament, out)
    known = {played.contest: played for played in read(out)}
    waiting = [contest for contest in contests if contest not in known]
    tell(len(contests) - len(waiting), len(contests), "")
    _end_last_line(out / _LOG)
    with (out / _LOG).open("a") as log:
        for played in _played(tournament, waiting, jobs):
            known[played.contest] = played
            log.write(json.dumps({**played.contest._asdict(), **asdict(played.outcome)}) + "\n")
            log.flush()
            crash = f"{' '.join(map(str, played.contest))}: {last_line(played.outcome.crash)}"
            done = sum(contest in known for contest in contests)
            tell(done, len(contests), crash if played.outcome.crash else "")
    return [known[contest] for contest in contests]


def read(out: Path) -> list[Played]:
    """The contests that a folder has the results of; one that was being written when the process died is left out."""
    found: dict[Contest, Played] = {}
    path = out / _LOG
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            body: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue
        contest = Contest(*(body.pop(name) for name in Contest._fields))
        sequences = {name: tuple(value) for name, value in body.items() if isinstance(value, list)}
        found[contest] = Played(contest, Outcome(**{**body, **sequences}))
    return list(found.values())


def _end_last_line(path: Path) -> None:
    """Keeps what a killed process has left of a line from spoiling the next one."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        with path.open("a") as log:
            log.write("\n")


def last_line(text: str) -> str:
    """What an exception said, without where it came from."""
    return (text.strip().splitlines() or [""])[-1]


def _played(tournament: Tournament, contests: Sequence[Contest], jobs: int) -> Iterator[Played]:
    os.environ.update(ONE_THREAD)  # inherited; numpy reads it when it is imported
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        queue = iter(contests)
        running: set[Future[Played]] = set()
        while True:
            while len(running) < 2 * jobs and (contest := next(queue, None)):
                running.add(pool.submit(_play, tournament, contest))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def _play(tournament: Tournament, contest: Contest) -> Played:
    table = next(table for table in _tables(tournament.tables) if table.name == contest.case)
    theirs = peer_methods(tournament.peers)

    def method(table: Table, budget: int, workers: int, seed: int) -> Strategy:
        if contest.method in theirs:
            peer = theirs[contest.method]
            return Peer(tournament.peers, peer, contest.method, table, budget, workers, seed)
        told = lesson_of(contest.method, table, _tables(tournament.tables), tournament.experience, seed)
        return _Guarded(build(contest.method, table.space, table.units, budget, seed, told))

    return Played(contest, play(table, method, tournament.budget, contest.workers, contest.seed))


@dataclass(frozen=True)
class _Guarded:
    """One of our own methods: what it raises is its result here, as a peer's is."""

    method: Strategy

    def propose(self, *args: Any) -> Any:
        try:
            return self.method.propose(*args)
        except Exception as error:
            raise MethodCrashed(traceback.format_exc()) from error

    def leaders(self, *args: Any) -> Any:
        try:
            return self.method.leaders(*args)
        except Exception as error:
            raise MethodCrashed(traceback.format_exc()) from error


@cache
def _tables(folder: Path) -> list[Table]:
    return read_tables(folder)


def _keep_settings(tournament: Tournament, out: Path) -> None:
    path = out / _SETTINGS
    kept = {"budget": tournament.budget, "tables": {t.name: _digest(t) for t in _tables(tournament.tables)}}
    if path.exists() and json.loads(path.read_text()) != kept:
        raise InvalidStudy(f"{out} holds results of other tables or another budget", "Name another folder with --out.")
    path.write_text(json.dumps(kept, indent=1))


def _digest(table: Table) -> str:
    """Tells tables apart: the sums of what they hold."""
    return f"{table.scores.sum():.6e} {table.tested.sum():.6e}"
