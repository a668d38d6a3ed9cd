"""Racing: an asynchronous halving at every tenth of the horizon, and further seeds for whichever trial leads.

A paused training goes on for free, so every evaluation can be a decision. Ten gentle ones, each of which keeps the better two
thirds, lose fewer late starters than three harsh ones. Runs are compared by the mean score of the second half of what they were
trained, which is far less noise than the last evaluation.

The trial that leads may owe it to a lucky seed. It is trained again from scratch under further seeds, the more of them the more
trials have finished, and where the mean over its seeds falls behind, the next leader is tried in turn.

What is handed over shall have been trained to its end. The steps that the leader lacks for that are kept in reserve, and spent
on it by one worker while the others use up the rest. Only where the lead changes at the last moment may there be too few left.

Where the lowest rung does not rank, to halve there is to throw dice for whole trainings. How well it ranks is measured as trials
come in, and while even the upper end of the interval is low, new trials start at the next rung.

References:
    Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar: A System for Massively Parallel Hyperparameter
    Tuning. MLSys (2020): promotion without barriers.
    Birattari, Stuetzle, Paquete, Varrentrapp: A Racing Algorithm for Configuring Metaheuristics. GECCO (2002): candidates
    are compared again after every evaluation, and more is spent on those that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hyperpilot.errors import InvalidStudy
from hyperpilot.records import History, Job, Run
from hyperpilot.schedules._rungs import foretells, promotions, starts

SEED_STRIDE = 100_003
"""From one seed of a trial to its next: further apart than any two trials' first ones."""

_RANKS = 0.3
"""A rung whose rank correlation with the next but one is below this for sure is not worth a decision."""


@dataclass(frozen=True)
class Racing:
    """One race without barriers, until the budget is spent.

    Args:
        horizon: environment steps of a full training.
        budget: environment steps to spend.
        eta: a rung promotes the best 1/eta of its trials.
        count: number of rungs, evenly spaced; ten by default, fewer where the horizon has fewer steps.
        per_seed: finished trials for each further seed of the leader; 0 for none.
        seeds: of a trial at most.
        reserve: whether the leader is sure of the steps to its end.
    """

    horizon: int
    budget: int
    eta: float = 1.5
    count: int | None = None
    per_seed: int = 2
    seeds: int = 5
    reserve: bool = True

    @cached_property
    def rungs(self) -> tuple[int, ...]:
        count = min(10, self.horizon) if self.count is None else self.count
        if self.eta <= 1 or count < 1:
            raise InvalidStudy(
                f"eta={self.eta} with {count} rungs is no race", "Use eta above 1 and at least one rung."
            )
        if count > self.horizon:
            raise InvalidStudy(f"{count} rungs do not fit in a horizon of {self.horizon} steps", "Use fewer rungs.")
        return tuple(round(self.horizon * k / count) for k in range(1, count + 1))

    def bracket(self, trial: int) -> int:
        return 0

    def promotions(self, history: History, n: int) -> Sequence[Job]:
        """A further seed of the leader where it is due, then promotions; up to `n`. Towards the end the leader's own first."""
        firsts, workers = _firsts(history), n + _active(history)
        left, leader = self._free(history, firsts, workers)
        jobs = self._to_the_end(firsts, leader, left, workers)[:n]
        taken = {job.run for job in jobs}
        jobs += [job for job in self._verifications(history, firsts) if job.until <= left][: n - len(jobs)]
        left -= sum(job.until for job in jobs if job.run not in taken)
        others = promotions(firsts, self.rungs, self.eta, left, n, Run.promise_at)
        return (jobs + [job for job in others if job.run not in taken])[:n]

    def first(self, history: History, n: int) -> Sequence[int]:
        """New trials up to the lowest rung that ranks."""
        firsts = _firsts(history)
        left, _ = self._free(history, firsts, n + _active(history))
        return starts(lowest_that_ranks(firsts, self.rungs), left, n)

    def _free(self, history: History, firsts: Sequence[Run], workers: int) -> tuple[int, Run | None]:
        """Steps that are left without the reserve; and the leader, where it is not at its end and can still get there.

        There is no reserve where it would take longer than all else.
        """
        left = self.budget - history.steps_committed("search")
        leading = next((run.id.trial for run in history.leaders), None)
        leader = next((run for run in firsts if run.id.trial == leading), None)
        if leader is None or not self.reserve or workers * self.horizon > self.budget:
            return left, None
        lacking = self.horizon - leader.job.until
        return (left - lacking, leader) if 0 < lacking <= left else (left, None)

    def _to_the_end(self, firsts: Sequence[Run], leader: Run | None, free: int, workers: int) -> list[Job]:
        """The leader's next rung out of the reserve, once the others' steps last no longer than it takes to the end."""
        if leader is None or leader.state != "paused":
            return []
        # Where not even a trial can start, nothing may be left to do but this.
        if free >= lowest_that_ranks(firsts, self.rungs) + (workers - 1) * (self.horizon - leader.job.until):
            return []
        return [leader.promoted(next(step for step in self.rungs if step > leader.job.until))]

    def _verifications(self, history: History, firsts: Sequence[Run]) -> list[Job]:
        """A training under a further seed of the trial that leads those that have finished."""
        finished = {run.id.trial for run in firsts if run.complete}
        leader = next((run.id.trial for run in history.leaders if run.id.trial in finished), None)
        if leader is None or not self.per_seed:
            return []
        runs = [run for run in history.search if run.id.trial == leader]
        if len(runs) >= min(self.seeds, 1 + len(finished) // self.per_seed):
            return []
        seed = runs[0].id.seed + SEED_STRIDE * len(runs)
        return [Job(leader, runs[0].config, seed, self.horizon, self.horizon)]


def lowest_that_ranks(runs: Sequence[Run], rungs: Sequence[int]) -> int:
    """The lowest rung that is worth a decision, for all that is known; rungs are ascending."""
    lowest = 0
    while lowest + 2 < len(rungs):
        found = foretells(runs, rungs[lowest], rungs[lowest + 2], Run.promise_at)
        if found is None or found.high > _RANKS:  # not a number where one side is all ties
            break
        lowest += 1
    return rungs[lowest]


def _active(history: History) -> int:
    return sum(run.state == "active" for run in history.search)


def _firsts(history: History) -> list[Run]:
    """The first run of every trial, the newest trial first."""
    return list({run.id.trial: run for run in reversed(history.search)}.values())


plugin = Racing
