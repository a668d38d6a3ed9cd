"""Our search inside Ray Tune: a searcher and a scheduler for `tune.Tuner`, over any trainable.

    search = HyperPilot({"lr": "1e-5..1e-2:log"}, metric="score", mode="max", horizon=81, budget=2_000)
    tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(search_alg=search.searcher, scheduler=search.scheduler, num_samples=-1),
    ).fit()

Both look at one record, as Tune lets a scheduler decide which trial goes on and a searcher which begins, and our strategies
decide both at once. The record is a list of events, and is all that is saved: the scheduler has no state of its own, which Tune
would not restore. A trial is paused at its rung until its record says that it goes on, so that trainables have to save and load
checkpoints.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Strategy
from hyperpilot.records import Event, Failed, Finished, History, Job, Report, RunId, Submitted
from hyperpilot.records.codec import from_json, to_json
from hyperpilot.registry import load, missing_extra
from hyperpilot.schedules import build_schedule
from hyperpilot.space import Config, Space

try:
    from ray.tune.experiment import Trial
    from ray.tune.schedulers import TrialScheduler
    from ray.tune.search import Searcher

    from hyperpilot.hosts._tune_space import converted
except ModuleNotFoundError as error:
    raise missing_extra(error) from error


class HyperPilot:
    """What a searcher and a scheduler share.

    Args:
        space: ranges in the grammar of `hyperpilot.space.grammar`, or a `Space`; None: those of the Tuner's `param_space`.
        metric: what trials report; None: the Tuner's.
        mode: `max` or `min`; None: the Tuner's.
        horizon: units of a full training, as `time_attr` counts them.
        budget: units to spend in all.
        time_attr: what in a result tells how far a trial has come.
        schedule, surrogate, acquisition, strategy: names of plug-ins.
        eta, rungs: of the schedule; its own by default.
        first: a configuration to begin with.
        seed: of every random number.
        workers: trials at once; `ConcurrencyLimiter` sets it, too.
    """

    def __init__(
        self,
        space: Space | Mapping[str, str] | None = None,
        *,
        horizon: int,
        budget: int,
        metric: str | None = None,
        mode: str | None = None,
        time_attr: str = "training_iteration",
        strategy: str = "bayes",
        schedule: str = "hyperband",
        surrogate: str = "bnn",
        acquisition: str = "averaged",
        eta: float | None = None,
        rungs: int | None = None,
        first: Config | None = None,
        seed: int = 0,
        workers: int = 4,
    ) -> None:
        self._plan = build_schedule(schedule, horizon, budget, eta, rungs)
        self._names, self._seed, self._first = (strategy, surrogate, acquisition), seed, first
        self._strategy: Strategy | None = None
        self.metric, self.mode, self.time_attr, self.workers = metric, mode, time_attr, workers
        self.history, self.events, self.numbers = History(), list[Event](), dict[str, int]()
        if space is not None:
            self.search(space)
        self.searcher = _Search(self)
        self.scheduler = _Schedule(self)

    @property
    def defined(self) -> bool:
        """Whether it is known what is searched."""
        return self._strategy is not None

    def search(self, space: Space | Mapping[str, str]) -> None:
        """Sets what is searched."""
        strategy, surrogate, acquisition = self._names
        self._strategy = load("strategies", strategy)(
            space=space if isinstance(space, Space) else Space(space, defaults=Space(space).middle()),
            schedule=self._plan,
            surrogate=load("surrogates", surrogate)(),
            acquisition=load("acquisition", acquisition),
            first=() if self._first is None else (self._first,),
            seed=self._seed,
        )

    def tell(self, *events: Event) -> None:
        """Writes events down."""
        self.events += events
        self.history = self.history.extend(events)

    def propose(self) -> None:
        """Lets the strategy decide what the free workers do."""
        if self._strategy is None:
            raise InvalidStudy(
                "nothing is searched", "Give HyperPilot a space, or the Tuner a param_space with ranges."
            )
        free = self.workers - len(self.history.active)
        if free > 0:
            rng = np.random.default_rng([self._seed, len(self.history.trials)])
            self.tell(*(Submitted(job) for job in self._strategy.propose(self.history, free, rng)))

    def begin(self, trial_id: str) -> Job | None:
        """The job of a trial that begins now, where one is due."""
        taken = set(self.numbers.values())
        started = sum(run.id.trial in taken for run in self.history.active)
        waiting = [run.job for run in self.history.active if run.id.trial not in taken]
        if not waiting or started >= self.workers:
            return None
        self.numbers[trial_id] = waiting[0].trial
        return waiting[0]

    def job(self, trial_id: str) -> Job | None:
        """What a trial is to do now; None where it is not to do anything."""
        number = self.numbers.get(trial_id)
        runs = (run for run in self.history.active if run.id.trial == number)
        return next((run.job for run in runs), None)

    def result(self, trial_id: str, result: Mapping[str, Any]) -> Job | None:
        """Takes a trial's result, and gives what it is to do then."""
        job = self.job(trial_id)
        if job is None:
            return None
        if self.metric is None or self.metric not in result or self.time_attr not in result:
            return job
        value, step = float(result[self.metric]), int(result[self.time_attr])
        if not math.isfinite(value):
            self.tell(Failed(job.run, "diverged", f"{self.metric} was {value}", step))
        else:
            self.tell(Report(job.run, step, -value if self.mode == "min" else value))
            if step >= job.until:
                self.tell(Finished(job.run))
        self.propose()
        return self.job(trial_id)

    def end(self, trial_id: str, failed: bool = False) -> None:
        """Takes note that a trial has ended, perhaps before it should."""
        job = self.job(trial_id)
        if job is not None:
            run = self.history.runs[job.run]
            self.tell(
                Failed(job.run, "crashed", "the trial raised an error", run.step) if failed else Finished(job.run)
            )

    def save(self, path: str) -> None:
        """Writes the record, as JSON."""
        body = {"events": [to_json(event) for event in self.events], "numbers": self.numbers}
        Path(path).write_text(json.dumps(body))

    def restore(self, path: str) -> None:
        """Reads the record that `save` wrote."""
        body = json.loads(Path(path).read_text())
        self.numbers = body["numbers"]
        self.events = [from_json(event) for event in body["events"]]
        self.history = History().extend(self.events)

    @property
    def best(self) -> tuple[Config, float]:
        """The configuration that leads, and its last value of the metric.

        Raises:
            InvalidStudy: nothing has been reported.
        """
        run = next(iter(self.history.leaders), None)
        if run is None or run.score is None:
            raise InvalidStudy("no trial has reported yet", "Run the Tuner first.")
        return run.config, -run.score if self.mode == "min" else run.score

    def run_of(self, trial_id: str) -> RunId | None:
        """The run of a trial of Tune's."""
        number = self.numbers.get(trial_id)
        return next((run for run in self.history.runs if run.trial == number), None)


class _Search(Searcher):
    def __init__(self, core: HyperPilot) -> None:
        super().__init__(core.metric, core.mode)
        self._core = core

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        core = self._core
        core.metric, core.mode = core.metric or metric, core.mode or mode
        self._metric, self._mode = core.metric, core.mode
        if not core.defined:
            core.search(converted(config))
        return True

    def set_max_concurrency(self, max_concurrent: int) -> bool:
        self._core.workers = max_concurrent  # of those that train: a paused trial would hold a place of the limiter's
        return True

    def suggest(self, trial_id: str) -> Any:
        self._core.propose()
        job = self._core.begin(trial_id)
        if job is not None:
            return dict(job.config)
        return None if self._core.history.active else Searcher.FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        pass  # the scheduler is told first

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        self._core.end(trial_id, error)

    def save(self, checkpoint_path: str) -> None:
        self._core.save(checkpoint_path)

    def restore(self, checkpoint_path: str) -> None:
        self._core.restore(checkpoint_path)


class _Schedule(TrialScheduler):
    _supports_buffered_results = False

    def __init__(self, core: HyperPilot) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._core = core

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        core = self._core
        core.metric, core.mode = core.metric or metric, core.mode or mode
        self._metric = core.metric
        return True

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        pass

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self._core.end(trial.trial_id, failed=True)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        if self._core.result(trial.trial_id, result) is not None:
            return TrialScheduler.CONTINUE
        run = self._core.run_of(trial.trial_id)
        known = None if run is None else self._core.history.runs[run]
        over = known is None or known.state == "failed" or known.complete
        return TrialScheduler.STOP if over else TrialScheduler.PAUSE

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        self._core.end(trial.trial_id)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        self._core.end(trial.trial_id)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        trials: list[Trial] = tune_controller.get_trials()
        for status in (Trial.PAUSED, Trial.PENDING):
            for trial in trials:
                if trial.status == status and self._core.job(trial.trial_id) is not None:
                    return trial
        if not self._core.history.active:
            self._core.propose()
        if not self._core.history.active:  # the search is over; nobody else would stop what it left behind
            for trial in trials:
                if trial.status == Trial.PAUSED:
                    tune_controller.stop_trial(trial)
        return None

    def debug_string(self) -> str:
        history = self._core.history
        return f"HyperPilotRL: {len(history.trials)} trials, {history.steps_used():,} units used"

    def save(self, checkpoint_path: str) -> None:
        self._core.save(checkpoint_path)

    def restore(self, checkpoint_path: str) -> None:
        self._core.restore(checkpoint_path)
