"""The same as the command line, for Python."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, assert_never

import numpy as np
from filelock import FileLock, Timeout

from hyperpilot.analysis.elsewhere import Elsewhere, elsewhere
from hyperpilot.analysis.loader import loader
from hyperpilot.analysis.pareto import pareto_front
from hyperpilot.analysis.result import Result, hand_over, judge
from hyperpilot.environments import parse_spec
from hyperpilot.errors import InvalidStudy, StudyBusy
from hyperpilot.protocols import Strategy
from hyperpilot.records import Event, Failed, Finished, History, Job, Report, Restarted, RunId, Submitted
from hyperpilot.registry import load
from hyperpilot.runtime.commanded import how_to_run
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.kept import keep
from hyperpilot.runtime.loop import Loop, Watch, unwatched
from hyperpilot.runtime.placed import executor_for
from hyperpilot.runtime.sought import leaders_of
from hyperpilot.runtime.study import Study
from hyperpilot.runtime.thinking import BESIDE_FROM, Beside
from hyperpilot.schedules import build_schedule
from hyperpilot.space import Space
from hyperpilot.space.branches import branch_of


def tune(
    algorithm: str | Sequence[str] | None = None,
    env: str | None = None,
    *,
    total_steps: int,
    horizon: int,
    folder: str | Path,
    watch: Watch = unwatched,
    executor: str | None = None,
    **settings: Any,
) -> Result:
    """Finds hyperparameters and tests them on unseen seeds; a study that is there already is continued.

    Args:
        algorithm: its name, such as `ppo`; several, as `ppo,a2c,dqn` or as a sequence, are searched together.
        env: a Gymnasium id, or `module:Class`. Both are left out where `command` is among the settings.
        total_steps: environment steps to spend, the test included.
        horizon: environment steps of a full training.
        folder: where everything is kept.
        watch: sees what happens.
        executor: `processes`; `ray` for a cluster; or `inline` for one training at a time in this process.
        settings: further fields of `runtime.study.Study`.

    Raises:
        HyperPilotError: naming the setting and the mend, before anything trains.
    """
    if executor == "ray":  # its address and the rest of its settings are the study's
        settings["executor"] = executor
    study = Study.create(algorithm=algorithm, env=env, total_steps=total_steps, horizon=horizon, **settings)
    study.write(Path(folder))
    return resume(folder, watch=watch, executor=executor)


def resume(
    folder: str | Path,
    *,
    watch: Watch = unwatched,
    executor: str | None = None,
    address: str | None = None,
    more_seeds: int = 0,
) -> Result:
    """Continues a study to its end; one that has ended gives its result again.

    Args:
        folder: the study's folder.
        watch: sees what happens.
        executor: another than the study's own.
        address: another Ray cluster than the study's own.
        more_seeds: so many further test seeds for the best configuration of a study that has ended, and for the default. They
            are written into its settings first: a study that is stopped on the way has only to be continued.

    Raises:
        InvalidStudy: the folder holds no study, or none of its configurations could be tested to the end; or seeds are to be
            added to one that has not ended.
        StudyBusy: another process is running it.
    """
    path = Path(folder)
    study = Study.read(path)
    lock = FileLock(path / "study.lock")
    try:
        held = lock.acquire(timeout=5)
    except Timeout as error:
        raise StudyBusy(f"{folder} is being run by another process", f"hyperpilot status {folder} shows it.") from error
    except OSError as error:
        what = f"{folder} cannot be written: {error.strerror}"
        raise InvalidStudy(what, "Continue it where you may write, or copy the folder.") from error
    with held:
        if more_seeds:
            study = _longer(study, path, more_seeds)
        return conclude(study, path, _run(study, path, watch, executor, address))


def read_history(folder: str | Path) -> History:
    """The record of a study, also while it runs."""
    path = Path(folder)
    store = Study.read(path).open_store(path)
    try:
        return History().extend(store.read())
    finally:
        store.close()


def conclude(study: Study, folder: Path, history: History) -> Result:
    """The result of a study that has ended, written to its result folder.

    Raises:
        InvalidStudy: none of its configurations came through the test, or no training to a score.
    """
    result = judge(history, study.resolved, study.seed, leaders_of(study, history))
    if result is None:
        stage = "tested to the end" if any(history.of_phase("test")) else "trained as far as a score"
        failures = [failure for run in history.runs.values() for failure in run.failures]
        last = f"; the last failure:\n  {_line(max(failures, key=lambda failure: failure.at))}" if failures else ""
        mend = f"Each run's logs are in {folder / 'trials'}, those of workers in {folder / 'logs'}."
        raise InvalidStudy(f"{folder}: no configuration was {stage}{last}", mend)
    if study.goals().several:
        result = replace(result, front=pareto_front(history, study.goals()))
    about, load_agent = _about(study, result, folder / "result")
    hand_over(result, folder, about, load_agent)
    if study.evaluate_on:  # the result is safe before other environments are asked
        result = replace(result, elsewhere=_elsewhere(study, folder, result, history))
        hand_over(result, folder, about, load_agent)
    return result


def _longer(study: Study, folder: Path, seeds: int) -> Study:
    """The study with further test seeds.

    Raises:
        InvalidStudy: it has not ended. Who types the same again after a kill would else ask for twice as many.
    """
    if seeds < 0:
        raise InvalidStudy(f"more_seeds={seeds} is no number of seeds", "Write it as 1, 2, 3 ...")
    history = read_history(folder)
    rng = np.random.default_rng([study.seed, len(history.trials)])
    if history.active or history.lost or study.build_strategy(folder).propose(history, 1, rng):
        what = f"{folder} has not ended" + (", with the seeds that it was given before" if study.further_seeds else "")
        raise InvalidStudy(what, f"hyperpilot resume {folder} takes it to its end; more seeds can be added then.")
    longer = study.model_copy(update={"further_seeds": study.further_seeds + seeds})
    keep(longer.model_dump(), folder)
    return longer


def _about(study: Study, result: Result, into: Path) -> tuple[dict[str, Any], str]:
    """What the result says besides the configuration, and the source that loads an agent, where we know how to."""
    if study.command is not None:
        seed = min(result.test_seeds, default=result.model_seed)
        words, job = how_to_run(study, result.config, seed, into.resolve())
        into.mkdir(exist_ok=True)
        (into / "checkpoint").mkdir(exist_ok=True)
        (into / "job.json").write_text(json.dumps(job, indent=2) + "\n")
        return {"command": words, "horizon": study.horizon}, ""
    about: dict[str, Any] = {"algorithm": result.algorithm, "env": study.env}
    if study.env_kwargs:
        about["env_kwargs"] = study.env_kwargs
    about["horizon"] = study.horizon
    normalized = bool(result.config.get("normalize", False))
    algorithm = next(each for each in study.algorithms() if each.name == result.algorithm)
    return about, loader(algorithm, study.env, study.env_kwargs, normalized)


def _elsewhere(study: Study, folder: Path, result: Result, history: History) -> Mapping[str, Elsewhere]:
    """What became of agents in other environments; they are played again whenever the result is asked for."""
    from hyperpilot.trainers._sb3_trial import returns_in

    def returns(run: RunId, spec: str) -> float:
        return returns_in(folder, run, history.runs[run].step, parse_spec(spec), study.test_episodes)

    winner = [RunId(result.trial, seed) for seed in result.test_seeds or (result.model_seed,)]
    default = [] if result.default_test_iqm is None else [RunId(0, seed) for seed in result.test_seeds]
    return elsewhere(winner, default, study.evaluate_on, returns, study.seed)


def _run(study: Study, folder: Path, watch: Watch, executor: str | None, address: str | None) -> History:
    store = study.open_store(folder)
    try:
        workers = executor_for(study, folder, executor, address)
        loop = Loop(study.build_strategy(folder), store, workers, study.seed, watch)
        if study.workers >= BESIDE_FROM and not isinstance(workers, Inline):
            loop = replace(loop, thinker=Beside(), ahead=study.workers // BESIDE_FROM)
        return loop.run()
    finally:
        store.close()


class Optimizer:
    """Ask and tell, for people with their own loop and any objective.

    Args:
        space: ranges in the grammar of `hyperpilot.space.grammar`, or a `Space`.
        budget: units of training to spend; with the default horizon of 1, the number of evaluations.
        horizon: units of a full training.
        schedule, surrogate, acquisition, strategy: names of plug-ins.
        eta, rungs: of the schedule; its own by default.
        seed: of every random number.
    """

    def __init__(
        self,
        space: Space | Mapping[str, str],
        *,
        budget: int = 1_000_000,
        horizon: int = 1,
        strategy: str = "bayes",
        schedule: str = "full",
        surrogate: str = "bnn",
        acquisition: str = "averaged",
        eta: float | None = None,
        rungs: int | None = None,
        seed: int = 0,
    ) -> None:
        self._space = space if isinstance(space, Space) else _centred(space)
        self._seed = seed
        self._strategy: Strategy = load("strategies", strategy)(
            space=self._space,
            schedule=build_schedule(schedule, horizon, budget, eta, rungs),
            surrogate=load("surrogates", surrogate)(),
            acquisition=load("acquisition", acquisition),
            first=(self._space.default(),),
            seed=seed,
        )
        self.history = History()

    def ask(self, n: int = 1) -> list[Job]:
        """Jobs to carry out now; none when the budget is spent or results are being waited for.

        A job that was told to have failed because its process was killed is given out again.
        """
        lost = [run.job for run in self.history.lost][:n]
        self.history = self.history.extend(Restarted(job.run) for job in lost)
        rng = np.random.default_rng([self._seed, len(self.history.trials)])
        jobs = list(self._strategy.propose(self.history, n - len(lost), rng)) if n > len(lost) else []
        self.history = self.history.extend(Submitted(job) for job in jobs)
        return lost + jobs

    def tell(self, *events: Report | Finished | Failed) -> None:
        """What came of jobs; a report at a job's `until` finishes it, one whose score is not finite fails it."""
        for event in events:
            if isinstance(event, Report) and not math.isfinite(event.score):
                event = Failed(event.run, "diverged", f"the score was {event.score}", event.step)
            told: list[Event] = [event]
            if isinstance(event, Report) and event.step >= self.history.runs[event.run].job.until:
                told.append(Finished(event.run))
            self.history = self.history.extend(told)

    @property
    def best(self) -> tuple[Mapping[str, Any], float]:
        """The configuration that leads the history, and its last score."""
        run = next(iter(self.history.leaders), None)
        if run is None or run.score is None:
            raise InvalidStudy("nothing has been told yet", "Call tell with a report first.")
        return run.config, run.score


def _centred(ranges: Mapping[str, str]) -> Space:
    return Space(ranges, defaults=Space(ranges).middle())


def describe(events: Iterable[Event]) -> list[str]:
    """Events in words, one line each."""
    return [line for event in events if (line := _line(event))]


def _line(event: Event) -> str:
    name = f"trial {event.run.trial} seed {event.run.seed}:"
    match event:
        case Submitted(job):
            whose = f"trial {job.parent.run.trial}'s " if job.parent and job.parent.run != job.run else ""
            onward = f"from {whose}{job.start:,} " if job.start else ""
            onward = f"{branch} {onward}" if (branch := branch_of(job.config)) else onward
            return f"{job.phase:<7} {name} {onward}to {job.until:,} of {job.horizon:,} steps"
        case Report():
            return f"score   {name} {event.score:.4g} at step {event.step:,}"
        case Restarted():
            return f"again   {name} its process was lost; it goes on from its newest checkpoint"
        case Failed():
            reason = event.detail.strip().splitlines()[-1:]
            return ": ".join([f"failed  {name} {event.kind} at step {event.step:,}", *reason])
        case Finished():  # its last report has said it
            return ""
        case _:
            assert_never(event)
