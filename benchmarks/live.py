"""Ours beside Optuna's TPE under Hyperband on the same Stable-Baselines3 trainings, at equal environment steps.

    python benchmarks/peers/install.py optuna_peer
    python benchmarks/live.py --out live [--cases cartpole,acrobot,pendulum] [--repeats 5] [--trainer jax]

Both search the same space with the same trainer, the same ten evaluations a training and one worker; a paused training goes on
for free for both. What each hands over is trained again under five seeds that neither has used. Ours is what
`hyperpilot tune` does, without the default configuration as the first trial, as the peer has none. Every search is kept as
soon as it has ended, so that the command can be given again after a break. Repeats differ in every seed.

The steps that ours needed are counted until its leader's score in the search reached the peer's leader's at the end.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ConfigSpace as cs
import numpy as np

from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.arena.pipe import Peer
from hyperpilot.protocols import Beat, Strategy, Trainer
from hyperpilot.records import Checkpoint, Event, Finished, History, Job, Report
from hyperpilot.registry import load
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.named import named, trained_by
from hyperpilot.runtime.study import Study
from hyperpilot.schedules import build_schedule
from hyperpilot.space.grammar import parse, python
from hyperpilot.stores.memory import MemoryStore

UNITS, SEEDS = 10, 5
ON_POLICY = {"n_steps": 128, "n_envs": 8, "batch_size": 128, "vf_coef": 0.5, "max_grad_norm": 0.5, "normalize": False,
             "learning_rate_schedule": "constant", "clip_range_schedule": "constant"}  # fmt: skip
OFF_POLICY = {"learning_rate_schedule": "constant", "buffer_size": 50_000, "gradient_steps": 1, "net_arch": "64x64"}
SHARED = {"learning_rate": "1e-5..1e-2:log", "gamma": "0.9..0.9999"}
CASES: dict[str, dict[str, Any]] = {
    "cartpole": {
        "algorithm": "ppo", "env": "CartPole-v1", "horizon": 20_000, "total_steps": 200_000, "fix": ON_POLICY,
        "space": {**SHARED, "gae_lambda": "0.8..1.0", "ent_coef": "1e-6..0.1:log", "clip_range": "0.05..0.5",
                  "n_epochs": "1..20", "activation_fn": "tanh|relu", "net_arch": "32x32|64x64|128x128"},
    },
    "acrobot": {
        "algorithm": "dqn", "env": "Acrobot-v1", "horizon": 20_000, "total_steps": 200_000,
        "fix": {**OFF_POLICY, "n_steps": 1, "train_freq": 4},
        "space": {**SHARED, "batch_size": "32|64|128|256", "learning_starts": "100..5000:log",
                  "target_update_interval": "10..10000:log", "exploration_fraction": "0.01..0.5:log",
                  "exploration_final_eps": "0.01..0.2"},
    },
    "pendulum": {
        "algorithm": "sac", "env": "Pendulum-v1", "horizon": 5_000, "total_steps": 50_000,
        "fix": {**OFF_POLICY, "use_sde": False, "log_std_init": -3.0},
        "space": {**SHARED, "batch_size": "64|128|256", "learning_starts": "100..2000:log", "tau": "0.001..0.08:log",
                  "train_freq": "1|4|16"},
    },
}  # fmt: skip


@dataclass(frozen=True)
class InUnits:
    """A trainer whose jobs and reports count in units of so many steps."""

    trainer: Trainer
    unit: int

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        parent = job.parent and Checkpoint(job.parent.run, job.parent.step * self.unit)
        real = replace(job, until=job.until * self.unit, horizon=job.horizon * self.unit, parent=parent)
        for report in self.trainer.train(real, lambda step: None):
            yield replace(report, step=report.step // self.unit)


class Leaders:
    """A strategy, and whom it would have handed over after every unit with what score in the search."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy, self.course = strategy, list[tuple[int, float]]()

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        return self.strategy.propose(history, n, rng)

    def leaders(self, history: History, n: int) -> Sequence[int]:
        return self.strategy.leaders(history, n)

    def watch(self, history: History, executor: Any, events: Sequence[Event]) -> None:
        if any(isinstance(event, Report | Finished) for event in events):
            trial = next(iter(self.leaders(history, 1)), None)
            runs = [run for run in history.search if run.id.trial == trial and run.reports]
            if runs:
                furthest = max(run.step for run in runs)
                scores = [run.promise for run in runs if run.step == furthest]
                self.course.append((history.steps_used(), float(np.mean(scores))))


def strategy_of(method: str, study: Study, seed: int) -> Strategy:
    space, budget = study.build_space(), study.total_steps * UNITS // study.horizon
    if method == "hyperpilot":
        strategy: Strategy = load("strategies", "bayes")(
            space=space,
            schedule=build_schedule("racing", UNITS, budget),
            surrogate=load("surrogates", "bnn")(),
            acquisition=load("acquisition", "averaged"),
            seed=seed,
        )
        return strategy
    described = SimpleNamespace(units=UNITS, space_json=json.dumps(described_space(study)))
    peers = Path(__file__).resolve().parent / "peers"
    peer = Peer(peers, "optuna_peer", method, described, budget, 1, seed)  # type: ignore[arg-type]
    return Restored(peer, dict(study.fix), budget)


def described_space(study: Study) -> dict[str, Any]:
    """The space in the form that the peers read."""
    described = [described_hyperparameter(name, parse(name, text)) for name, text in study.space.items()]
    return {"hyperparameters": described, "conditions": []}


def described_hyperparameter(name: str, hp: Any) -> dict[str, Any]:
    if isinstance(hp, cs.CategoricalHyperparameter | cs.OrdinalHyperparameter):
        values = hp.choices if isinstance(hp, cs.CategoricalHyperparameter) else hp.sequence
        return {"name": name, "type": "categorical", "choices": [python(value) for value in values]}
    kind = "uniform_int" if isinstance(hp, cs.UniformIntegerHyperparameter) else "uniform_float"
    return {"name": name, "type": kind, "lower": hp.lower, "upper": hp.upper, "log": bool(hp.log)}


class Restored:
    """A peer that neither hears nor says what is fixed, and knows no end: the budget, in units, ends it."""

    def __init__(self, peer: Strategy, fixed: dict[str, Any], budget: int) -> None:
        self.peer, self.fixed, self.budget = peer, fixed, budget

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        if history.steps_committed() >= self.budget:
            return []
        jobs = self.peer.propose(self._searched(history), n, rng)
        return [replace(job, config={**self.fixed, **job.config}) for job in jobs]

    def leaders(self, history: History, n: int) -> Sequence[int]:
        return self.peer.leaders(self._searched(history), n)

    def _searched(self, history: History) -> History:
        return replace(history, runs={id_: replace(run, job=self._own(run.job)) for id_, run in history.runs.items()})

    def _own(self, job: Job) -> Job:
        return replace(job, config={name: value for name, value in job.config.items() if name not in self.fixed})


def study_of(case: str, trainer: str, seed: int) -> Study:
    """The study of a case. What the trainer's algorithm does not have is left out where it is fixed."""
    asked = CASES[case]
    known = trained_by(trainer, named(asked["algorithm"]))[0].defaults
    fixed = {name: value for name, value in asked["fix"].items() if name in known}
    common = {"evaluations": UNITS, "test_share": 0.0, "test_episodes": 20}
    return Study.create(**{**asked, "fix": fixed}, **common, trainer=trainer, seed=seed)


def search(method: str, case: str, repeat: int, trained_with: str, folder: Path) -> dict[str, Any]:
    """One search to its end, and the test of what it hands over."""
    seed = 1000 * repeat
    study = study_of(case, trained_with, seed)
    unit = study.horizon // UNITS
    trainer = study.trainer_for(folder)
    known = Leaders(strategy_of(method, study, seed))
    executor = Inline(InUnits(trainer, unit))
    history = Loop(known, MemoryStore(), executor, seed, known.watch).run()
    leader = known.leaders(history, 1)[0]
    tested = [
        Job(leader, history.trials[leader], 900_000 + 1000 * (SEEDS * repeat + i), study.horizon, study.horizon,
            phase="test")
        for i in range(SEEDS)
    ]  # fmt: skip
    scores = [list(trainer.train(job, lambda step: None))[-1].score for job in tested]
    shutil.rmtree(folder)
    return {"case": case, "method": method, "trainer": trained_with, "repeat": repeat, "steps": history.steps_used() * unit,
            "trials": len(history.trials), "scores": scores, "config": history.trials[leader],
            "seeds": sum(run.id.trial == leader and run.complete for run in history.search),
            "course": [(used * unit, score) for used, score in known.course]}  # fmt: skip


def summary(rows: Sequence[dict[str, Any]]) -> str:
    title = f"{'case':10}{'trainer':8}{'method':24}{'test IQM':>10}  95% interval over repeats"
    lines = [f"{title}        steps to the peer's score"]
    for case, trainer in dict.fromkeys((row["case"], row["trainer"]) for row in rows):
        for method in METHODS:
            wanted = case, trainer, method
            own = sorted((r for r in rows if _of(r) == wanted), key=lambda r: r["repeat"])
            if not own:
                continue
            means = np.array([iqm(np.array(row["scores"])) for row in own])
            low, high = bootstrap_interval(means, np.random.default_rng(0)) if len(means) > 1 else means[[0, 0]]
            needed = [n for row in own if (n := _needed(row, rows)) is not None]
            said = f"in {len(needed)} of {len(own)}" + (f", median {np.median(needed):,.0f}" if needed else "")
            said = said if method == METHODS[0] else ""
            lines.append(f"{case:10}{trainer:8}{method:24}{iqm(means):10.4g}  {low:.4g} to {high:.4g}   {said}")
    return "\n".join(lines)


def _of(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["case"], row["trainer"], row["method"]


def _needed(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> int | None:
    """Steps until the leader's score in the search was what the peer's was at the end; None where it never was."""
    if row["method"] != METHODS[0]:
        return None
    peer = row["case"], row["trainer"], METHODS[1]
    same = [r for r in rows if _of(r) == peer and r["repeat"] == row["repeat"]]
    return next((steps for steps, score in row["course"] if same and score >= same[0]["course"][-1][1]), None)


METHODS = ("hyperpilot", "optuna-tpe-hyperband")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--out", type=Path, required=True, help="Folder of the results.")
    asked.add_argument("--cases", default=",".join(CASES))
    asked.add_argument("--repeats", type=int, default=5)
    asked.add_argument("--trainer", default="sb3", choices=("sb3", "jax"))
    args = asked.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    log = args.out / "live.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(*_of(row), row["repeat"]) for row in rows}
    for repeat in range(args.repeats):
        for case in args.cases.split(","):
            for method in METHODS:
                if (case, args.trainer, method, repeat) in done:
                    continue
                row = search(method, case, repeat, args.trainer, args.out / "trainings")
                rows.append(row)
                with log.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(
                    f"{case} {method} {repeat}: {iqm(np.array(row['scores'])):.4g}, {row['trials']} trials", flush=True
                )
    print(summary(rows))


if __name__ == "__main__":
    main()
