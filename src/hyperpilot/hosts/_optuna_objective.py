"""A reinforcement-learning training as an objective of Optuna, for any sampler and pruner."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
from optuna import Trial, TrialPruned
from optuna.study import StudyDirection

from hyperpilot.environments import check_supported, traits
from hyperpilot.errors import InvalidStudy
from hyperpilot.hosts._optuna_suggest import suggested
from hyperpilot.records import Job, Report
from hyperpilot.registry import load
from hyperpilot.runtime.study import Study
from hyperpilot.schedules.racing import SEED_STRIDE
from hyperpilot.space import Config


class RLObjective:
    """Trains an algorithm in an environment with Stable-Baselines3, with hyperparameters that Optuna suggests.

        >>> study = optuna.create_study(direction="maximize", sampler=HyperPilotSampler(), pruner=HyperPilotPruner())
        >>> study.optimize(RLObjective("ppo", "CartPole-v1", horizon=20_000, folder="runs"), n_trials=50)

    Every evaluation is reported at its environment step, the mean over the seeds, and a trial that should be pruned ends there.
    The value is the mean of the second half of all evaluations: the last one alone is mostly noise. A training whose numbers
    leave the finite gives NaN, which Optuna records as a failure; a configuration that breaks a rule of the algorithm is pruned
    before it trains. Values are to be maximised, also those that were asked for with a minus.

    A trial's user attributes name its folder, its configuration, every seed's value, the last metrics and the newest checkpoint.
    `tensorboard --logdir FOLDER` shows all trainings.

    Args:
        algorithm: its name, such as `ppo`; several, as `ppo,a2c`, make the algorithm a hyperparameter.
        env: a Gymnasium id, or `module:Class`.
        horizon: environment steps of a full training.
        folder: where trainings are kept, each study in a folder of its own name.
        seeds: trainings of each configuration.
        seed: training seeds count from here; no two trials share any.
        settings: further fields of `runtime.study.Study`: `space` and `fix` for ranges and values, `objective`,
            `evaluations`, `eval_episodes`, `env_kwargs`, `checkpoint_every`, `device`.

    Raises:
        HyperPilotError: naming the setting and the mend.
    """

    def __init__(
        self,
        algorithm: str | Sequence[str],
        env: str,
        *,
        horizon: int,
        folder: str | Path,
        seeds: int = 1,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        if seeds < 1:
            raise InvalidStudy(f"{seeds} seeds train nothing", "Use at least 1.")
        about = {"algorithm": algorithm, "env": env, "total_steps": horizon, "horizon": horizon, "test_share": 0.0}
        if odd := sorted(
            {*about, "test_seeds", "storage", "name", "strategy", "schedule", "surrogate"} & set(settings)
        ):
            raise InvalidStudy(f"{odd[0]} is not for an objective", "Optuna searches and keeps the study.")
        self._study = Study.of(**about, **settings)
        check_supported(self._study.algorithms(), traits(self._study.env_spec()))
        load("trainers", self._study.trainer)
        self._space = self._study.build_space()
        self._goals = self._study.goals()
        self._folder, self._seeds, self._seed = Path(folder), seeds, seed

    def __call__(self, trial: Trial) -> float | tuple[float, ...]:
        """The value of a trial; several where the objective has several goals.

        Raises:
            TrialPruned: the trial is not worth going on with, or its configuration breaks a rule.
            InvalidStudy: the study minimises, has another number of objectives, or its folder is another's.
        """
        self._check(trial)
        config = suggested(trial, self._space)
        if not self._space.legal(config):
            trial.set_user_attr("broken", "the configuration breaks a rule of the algorithm")
            raise TrialPruned("the configuration breaks a rule of the algorithm")
        folder = self._folder / trial.study.study_name
        place = folder / "trials" / f"{trial.number:04d}"
        _claim(place / "config.json", config)
        trial.set_user_attr("config", dict(config))
        trial.set_user_attr("folder", str(place))
        try:
            return self._trained(trial, config, folder)
        except _diverged() as error:
            trial.set_user_attr("failure", f"diverged: {error}")
            return float("nan") if not self._goals.several else (float("nan"),) * len(self._goals.goals)

    def _trained(self, trial: Trial, config: Config, folder: Path) -> float | tuple[float, ...]:
        horizon = self._study.horizon
        first = self._seed + trial.number
        seeds = [first + SEED_STRIDE * k for k in range(self._seeds)]
        trainer = self._study.trainer_for(folder)
        rows: list[list[Report]] = []
        with ExitStack() as opened:
            runs: list[Any] = [
                trainer.train(Job(trial.number, config, seed, horizon, horizon), _unheard) for seed in seeds
            ]
            for run in runs:
                opened.enter_context(closing(run))
            for row in zip(*runs, strict=True):
                rows.append(list(row))
                if not self._goals.several:
                    trial.report(_mean(report.score for report in row), row[0].step)
                    if trial.should_prune():
                        self._describe(trial, rows, folder)
                        raise TrialPruned(f"stopped at step {row[0].step}")
        self._describe(trial, rows, folder)
        values = np.mean([self._values(rows, k) for k in range(self._seeds)], axis=0)
        return tuple(values.tolist()) if self._goals.several else float(values[0])

    def _values(self, rows: Sequence[Sequence[Report]], k: int) -> tuple[float, ...]:
        """The goals of a seed: their means over the second half of what was trained."""
        late = [row[k] for row in rows if 2 * row[k].step > rows[-1][k].step]
        return tuple(np.mean([self._goals.values(report) for report in late], axis=0).tolist())

    def _describe(self, trial: Trial, rows: Sequence[Sequence[Report]], folder: Path) -> None:
        last = rows[-1]
        names = sorted(set.intersection(*(set(report.metrics) for report in last)))
        trial.set_user_attr("metrics", {name: _mean(report.metrics[name] for report in last) for name in names})
        trial.set_user_attr("seeds", {str(r.run.seed): list(self._values(rows, k)) for k, r in enumerate(last)})
        saved = [
            sorted((folder / "trials" / f"{r.run.trial:04d}" / f"seed-{r.run.seed}" / "checkpoints").glob("[0-9]*"))
            for r in last
        ]
        trial.set_user_attr("checkpoints", [str(paths[-1]) for paths in saved if paths])

    def _check(self, trial: Trial) -> None:
        directions = trial.study.directions
        if len(directions) != len(self._goals.goals):
            what = f"the study has {len(directions)} objectives and the training {len(self._goals.goals)}"
            raise InvalidStudy(what, f'create_study(directions=["maximize"] * {len(self._goals.goals)})')
        if StudyDirection.MAXIMIZE not in directions or len(set(directions)) > 1:
            raise InvalidStudy("the study minimises", 'create_study(direction="maximize"): larger is better here.')


def _claim(path: Path, config: Mapping[str, Any]) -> None:
    """Keeps the configuration beside its trainings, which would else go on from those of an earlier study of the name."""
    text = json.dumps(dict(config), sort_keys=True)
    if path.exists() and path.read_text() != text:
        what = f"{path.parent} holds trainings of another configuration"
        raise InvalidStudy(what, "Use another folder, or another study_name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _diverged() -> type[Exception]:
    from hyperpilot.trainers._failures import Diverged

    return Diverged


def _unheard(step: int) -> None:
    """Optuna has no use for signs of life between reports."""


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))
