"""What a study hands over: the winner on unseen seeds, its agent, and how far to believe it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.records import History, Run
from hyperpilot.space import Config, Value


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a study.

    Args:
        trial: number of the winning configuration.
        config: it, completed by the algorithm's defaults.
        tuning_score: its last score in the search, by which it became a finalist.
        test_iqm: interquartile mean of its scores on the test seeds.
        test_interval: 95% bootstrap interval of that.
        test_scores: its score for each test seed.
        default_test_iqm: the same for the default configuration; None where that was not tested to the end.
        finalists: test IQM of every configuration tested.
        model_seed: test seed of the agent handed over: the winner's run with the best score.
        steps_used: environment steps of the whole study.
        wall_s: seconds of training, summed over workers.
    """

    trial: int
    config: Mapping[str, Value]
    tuning_score: float
    test_iqm: float
    test_interval: tuple[float, float]
    test_seeds: tuple[int, ...]
    test_scores: tuple[float, ...]
    default_test_iqm: float | None
    finalists: Mapping[int, float]
    model_seed: int
    steps_used: int
    wall_s: float


def judge(history: History, defaults: Config, seed: int = 0) -> Result | None:
    """The winner by the interquartile mean over the test seeds; None while no configuration has been tested whole.

    A configuration with a failed test run is out.
    """
    tested: dict[int, list[Run]] = {}
    for run in history.of_phase("test"):
        tested.setdefault(run.id.trial, []).append(run)
    whole = {trial: runs for trial, runs in tested.items() if all(run.complete for run in runs)}
    if not whole:
        return None
    iqms = {trial: iqm([_last(run) for run in runs]) for trial, runs in whole.items()}
    winner = max(iqms, key=lambda trial: (iqms[trial], -trial))
    runs = sorted(whole[winner], key=lambda run: run.id.seed)
    scores = tuple(_last(run) for run in runs)
    searched = [run for run in history.search if run.id.trial == winner]
    return Result(
        trial=winner,
        config={**defaults, **runs[0].config},
        tuning_score=_last(searched[-1]),
        test_iqm=iqms[winner],
        test_interval=bootstrap_interval(scores, np.random.default_rng(seed)),
        test_seeds=tuple(run.id.seed for run in runs),
        test_scores=scores,
        default_test_iqm=iqms.get(0),
        finalists=iqms,
        model_seed=max(runs, key=_last).id.seed,
        steps_used=history.steps_used(),
        wall_s=sum(run.reports[-1].wall_s for run in history.runs.values() if run.reports),
    )


def hand_over(result: Result, study: Path, algorithm: str, env: str, horizon: int, loader: str) -> Path:
    """Writes the result folder of a study.

    Args:
        result: the outcome.
        study: the study's folder.
        algorithm: name of the algorithm, for `best.yaml`.
        env: the environment.
        horizon: environment steps of a full training.
        loader: Python source that loads the agent with Stable-Baselines3 alone.

    Returns:
        The folder: best.yaml, model.zip, vecnormalize.pkl where used, result.json, load_agent.py.
    """
    folder = study / "result"
    folder.mkdir(exist_ok=True)
    run = study / "trials" / f"{result.trial:04d}" / f"seed-{result.model_seed}"
    newest = max(path for path in (run / "checkpoints").iterdir() if path.name.isdecimal())
    for name in ("model.zip", "vecnormalize.pkl"):
        if (newest / name).exists():
            shutil.copyfile(newest / name, folder / name)
    best = {"algorithm": algorithm, "env": env, "horizon": horizon, "config": dict(result.config)}
    (folder / "best.yaml").write_text(yaml.safe_dump(best, sort_keys=False))
    (folder / "result.json").write_text(json.dumps(asdict(result), indent=2) + "\n")
    (folder / "load_agent.py").write_text(loader)
    return folder


def _last(run: Run) -> float:
    return run.score if run.score is not None else -np.inf
