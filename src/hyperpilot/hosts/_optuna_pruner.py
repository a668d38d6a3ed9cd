"""Stops trials of an Optuna study at the rungs of our schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import FrozenTrial

from hyperpilot.errors import InvalidStudy
from hyperpilot.hosts._optuna_record import Scale, history, signs
from hyperpilot.records import Run
from hyperpilot.schedules._rungs import Score, rungs
from hyperpilot.schedules.hyperband import brackets
from hyperpilot.schedules.racing import Racing, lowest_that_ranks

_SCHEDULES = {"racing": 1.5, "hyperband": 3.0}
"""Each schedule with its eta."""


class HyperPilotPruner(BasePruner):
    """Stops a trial that is not among the best 1/eta of all that came to the same rung.

    Under `racing` there are ten rungs, at every tenth of a full training, trials are compared by the mean of the second half of
    what they have reported, and the lowest rungs are passed over while they do not foretell later ones. Under `hyperband`
    there are three rungs, each eta times the one below, trials take turns between brackets that begin at a lower or a higher
    one, and compare their last values within their bracket.

    Optuna cannot pause a trial: what is stopped will not go on, and the first to come to a rung pass it.

    Args:
        schedule: `racing` or `hyperband`.
        horizon: the step that a full training reports at last; by default the last that a complete trial has reached, and none
            is pruned before the first is complete.
        eta: 1.5 for racing and 3 for Hyperband by default.
        count: number of rungs, fewer where a training has fewer steps.
    """

    def __init__(
        self,
        schedule: str = "racing",
        *,
        horizon: int | None = None,
        eta: float | None = None,
        count: int | None = None,
    ) -> None:
        if schedule not in _SCHEDULES:
            raise InvalidStudy(f"there is no pruning by {schedule!r}", f"Known: {', '.join(_SCHEDULES)}.")
        self._racing = schedule == "racing"
        self._eta = _SCHEDULES[schedule] if eta is None else eta
        self._count = (10 if self._racing else 3) if count is None else count
        self._horizon = horizon
        if self._eta <= 1 or self._count < 1 or (horizon is not None and horizon < 1):
            what = f"eta={eta}, count={count}, horizon={horizon} make no schedule"
            raise InvalidStudy(what, "Use eta above 1, count and horizon of at least 1.")

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial should stop at its last intermediate value; always where that is not finite."""
        if trial.last_step is None:
            return False
        if not math.isfinite(trial.intermediate_values[trial.last_step]):
            return True
        others = [each for each in study.get_trials(deepcopy=False) if each.number != trial.number]
        trials = [*others, trial]
        scale = Scale.of(trials, self._horizon)
        if scale.horizon < 1:
            return False
        steps = sorted(step + scale.offset for step in trial.intermediate_values)
        now, before = steps[-1], ([0] + steps)[-2]
        ladder, rivals = self._ladder(scale.horizon, trial.number)
        passed = [rung for rung in ladder if before < rung <= now]
        if not passed:  # most reports end here, before anything is read
            return False
        record = history(trials, None, signs(study.directions), self._horizon, points=None)
        runs = {run.id.trial: run for run in record.search if run.state != "failed" and rivals(run.id.trial)}
        if self._racing and passed[-1] < lowest_that_ranks(list(runs.values()), [*ladder, scale.horizon]):
            return False
        return not _among_best(trial.number, runs, passed[-1], now, self._eta, self._score)

    @property
    def _score(self) -> Score:
        return Run.promise_at if self._racing else Run.score_at

    def _ladder(self, horizon: int, trial: int) -> tuple[Sequence[int], Callable[[int], bool]]:
        """The rungs below the horizon at which a trial is judged, and whom it is compared with."""
        if self._racing:
            every = Racing(horizon, horizon, self._eta, min(self._count, horizon)).rungs
            return every[:-1], lambda number: True
        count = min(self._count, 1 + int(math.log(horizon) / math.log(self._eta) + 1e-9))
        turn = brackets(rungs(horizon, self._eta, count), self._eta)
        ends = list(accumulate(bracket.counts[0] for bracket in turn))

        def bracket_of(number: int) -> int:
            return next(i for i, end in enumerate(ends) if number % ends[-1] < end)

        own = bracket_of(trial)
        return turn[own].steps[:-1], lambda number: bracket_of(number) == own


def _among_best(trial: int, runs: dict[int, Run], rung: int, now: int, eta: float, score: Score) -> bool:
    """Whether a trial is among the best 1/eta of the runs that came to a rung, judged by what they reported up to `now`."""
    scores = {number: score(run, now) for number, run in runs.items() if run.reports and run.step >= rung}
    known = {number: value for number, value in scores.items() if value is not None and value > -math.inf}
    better = sum(value > known[trial] for value in known.values())
    return better < math.ceil(len(known) / eta - 1e-9)
