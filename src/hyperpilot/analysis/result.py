"""What a study hands over: the winner on unseen seeds, its agent, and how far to believe it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hyperpilot.analysis.elsewhere import Elsewhere
from hyperpilot.analysis.pareto import Front
from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.protocols import Algorithm
from hyperpilot.records import History, Run
from hyperpilot.records.tested import standing
from hyperpilot.space import Config, Value
from hyperpilot.trainers._playable import make_playable

_MODEL, _NORMALIZE = "model.zip", "vecnormalize.pkl"

Resolved = Callable[[Config], tuple[Algorithm, Config]]
"""The algorithm that a configuration is for, and its hyperparameters under their own names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of a study. Where it had no test, `test_iqm` and `test_interval` are None and the test's fields empty.

    Args:
        trial: number of the winning configuration.
        algorithm: the algorithm that it is for.
        config: it, completed by the algorithm's defaults.
        schedule: where it was bred in a population, all that it lived through, each with the step from which it held; the last is
            `config`. Empty where nothing changed during the training.
        tuning_score: mean over its seeds of the last score in the search, of the runs that were trained furthest; None where it
            had none there, which only the default can survive.
        test_iqm: interquartile mean of its scores on the test seeds.
        test_interval: 95% bootstrap interval of that.
        test_scores: its score for each test seed.
        default_test_iqm: the same for the default configuration, which of several algorithms is the first's; None where that
            was not tested to the end.
        finalists: test IQM of every configuration tested to the end.
        failed_tests: how many test runs failed, for every configuration that is out for that.
        model_seed: seed of the agent handed over: the winner's test run with the best score, or its search run.
        steps_used: environment steps of the whole study.
        wall_s: seconds of training, summed over workers.
        front: the Pareto front of a study with several goals, of which the first decided on the winner.
        elsewhere: returns of the winner and the default in the environments of `evaluate_on`.
    """

    trial: int
    algorithm: str
    config: Mapping[str, Value]
    tuning_score: float | None
    test_iqm: float | None = None
    test_interval: tuple[float, float] | None = None
    test_seeds: tuple[int, ...] = ()
    test_scores: tuple[float, ...] = ()
    default_test_iqm: float | None = None
    finalists: Mapping[int, float] = field(default_factory=dict)
    failed_tests: Mapping[int, int] = field(default_factory=dict)
    model_seed: int
    steps_used: int
    wall_s: float
    schedule: tuple[Mapping[str, Any], ...] = ()
    front: Front | None = None
    elsewhere: Mapping[str, Elsewhere] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The fields as strict JSON takes them: a number that is not finite is None."""
        return {name: _strict(value) for name, value in asdict(self).items()}


def judge(history: History, resolved: Resolved, seed: int = 0, leaders: Sequence[int] | None = None) -> Result | None:
    """The outcome of a study that has ended.

    The winner has the highest interquartile mean over the test seeds, and among equals the highest mean. A configuration
    with a failed test run is out: its other runs would be judged without the one that went wrong. Where the best and the
    default were given further seeds, one of these two wins, by all of theirs: that the others might have done better on
    fewer is what further seeds are there to rule out. Where there was no test, the best of the search wins.

    Args:
        history: the study's record.
        resolved: tells the winner's algorithm.
        seed: of the bootstrap.
        leaders: the trials of the search, the best first; those of the history by default.

    Returns:
        The result; None where no configuration came through its test, or no training to a score.
    """
    tested: dict[int, list[Run]] = {}
    for run in sorted(history.of_phase("test"), key=lambda run: run.id):
        tested.setdefault(run.id.trial, []).append(run)
    if not tested:
        best = _leader(history, leaders)
        return None if best is None else _of(best, history, resolved)
    failed = {trial: n for trial, runs in tested.items() if (n := sum(not _came_through(run) for run in runs))}
    scores = {trial: tuple(map(_last, runs)) for trial, runs in tested.items() if trial not in failed}
    if not scores:
        return None
    iqms = {trial: iqm(each) for trial, each in scores.items()}
    most = max(map(len, scores.values()))
    winner = max((t for t in scores if len(scores[t]) == most), key=lambda t: (*standing(scores[t]), -t))
    return replace(
        _of(max(tested[winner], key=_last), history, resolved),
        test_iqm=iqms[winner],
        test_interval=bootstrap_interval(scores[winner], np.random.default_rng(seed)),
        test_seeds=tuple(run.id.seed for run in tested[winner]),
        test_scores=scores[winner],
        default_test_iqm=iqms.get(0),
        finalists=iqms,
        failed_tests=failed,
    )


def hand_over(result: Result, study: Path, about: Mapping[str, Any], loader: str) -> Path:
    """Writes the result folder of a study, each file whole or not at all, and `result.json` last.

    Args:
        result: the outcome.
        study: the study's folder.
        about: what `best.yaml` says besides the configuration: algorithm, environment, horizon.
        loader: Python source that loads the agent with Stable-Baselines3 alone.

    Returns:
        The folder: best.yaml, result.json and, where the trainer saved an agent, model.zip, vecnormalize.pkl where used
        and load_agent.py.
    """
    folder = study / "result"
    folder.mkdir(exist_ok=True)
    checkpoints = study / "trials" / f"{result.trial:04d}" / f"seed-{result.model_seed}" / "checkpoints"
    saved = [path for path in checkpoints.glob("*") if path.name.isdecimal()]
    if saved:
        newest = max(saved, key=lambda path: int(path.name))
        make_playable(newest)
        for name in (_MODEL, _NORMALIZE):
            if (newest / name).exists():
                _write(folder / name, (newest / name).read_bytes())
        _write(folder / "load_agent.py", loader.encode())
    schedule = {"schedule": [dict(part) for part in result.schedule]} if result.schedule else {}
    best = {**about, "config": dict(result.config), **schedule}
    _write(folder / "best.yaml", yaml.safe_dump(best, sort_keys=False, allow_unicode=True).encode())
    _write(folder / "result.json", json.dumps(result.as_json(), indent=2, allow_nan=False).encode() + b"\n")
    return folder


def _leader(history: History, leaders: Sequence[int] | None) -> Run | None:
    """The training of the best of the search, whose scores are finite."""
    able = [run for run in history.leaders if math.isfinite(run.promise)]
    order = [run.id.trial for run in able] if leaders is None else leaders
    return next((run for trial in order for run in able if run.id.trial == trial), None)


def _of(agent: Run, history: History, resolved: Resolved) -> Result:
    """What there is to say of a run's configuration and agent without a test."""
    algorithm, config = resolved(agent.config)
    searched = [run for run in history.search if run.id.trial == agent.id.trial and run.reports]
    furthest = [_last(run) for run in searched if run.step == max(run.step for run in searched)]
    return Result(
        trial=agent.id.trial,
        algorithm=algorithm.name,
        config={**algorithm.defaults, **config},
        tuning_score=float(np.mean(furthest)) if furthest else None,
        schedule=schedule_of(history, agent.id.trial, resolved),
        model_seed=agent.id.seed,
        steps_used=history.steps_used(),
        wall_s=sum(run.reports[-1].wall_s for run in history.runs.values() if run.reports),
    )


def schedule_of(history: History, trial: int, resolved: Resolved) -> tuple[Mapping[str, Any], ...]:
    """What a trial's training lives through: `from_step` and the whole `config` of each part; empty where nothing changes."""
    earlier = history.earlier(trial)
    if not earlier:
        return ()
    begins = (0, *(stage.until for stage in earlier))
    parts = [resolved(config) for config in (*(stage.config for stage in earlier), history.trials[trial])]
    return tuple(
        {"from_step": begin, "config": {**algorithm.defaults, **config}}
        for begin, (algorithm, config) in zip(begins, parts, strict=True)
    )


def _came_through(run: Run) -> bool:
    return run.complete and math.isfinite(_last(run))


def _last(run: Run) -> float:
    return run.score if run.score is not None else -math.inf


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _strict(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_strict(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".unfinished-{path.name}")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
