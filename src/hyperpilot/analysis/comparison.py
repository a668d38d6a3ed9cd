"""A study beside published scores, at equal steps, with every reason why the comparison is not fair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hyperpilot.analysis.curves import LEAST, extrapolate
from hyperpilot.analysis.references import Anchor, Published, anchor, family, published
from hyperpilot.analysis.result import Resolved
from hyperpilot.analysis.statistics import stratified_interval, tasks_mean
from hyperpilot.records import History, Run
from hyperpilot.records.objective import measured
from hyperpilot.records.tested import ranked, standing

FURTHEST = 2
"""Times its own steps as far as which a learning curve is extrapolated."""

_NEAR = 0.01
"""Steps that differ by less than this share are the same."""

How = Literal["evaluated", "read off", "extrapolated"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean score over seeds after some steps.

    Args:
        mean: of the seeds' scores.
        interval: 95% bootstrap interval, of an extrapolation 90%; None with a single seed that was evaluated.
        seeds: how many.
        steps: environment steps.
        how: at the end of trainings, read off their curves, or extrapolated from them.
    """

    mean: float
    interval: tuple[float, float] | None
    seeds: int
    steps: int
    how: How


@dataclass(frozen=True, slots=True)
class Agent:
    """One of the study's configurations.

    Args:
        name: what it is here: tuned, default or leader.
        trial: its number.
        algorithm: its algorithm.
        final: at the end of its trainings.
        candidates: among how many it was chosen by the same scores.
    """

    name: str
    trial: int
    algorithm: str
    final: Estimate
    candidates: int


@dataclass(frozen=True, slots=True)
class Beside:
    """A published score beside ours.

    Args:
        published: the score.
        ours: ours at its steps; None where that cannot be said.
        stands: how ours stands to it, where the interval tells.
        reached: step from which on the mean of our seeds is at least as high, as far as they were trained; None where it is not.
        unfair: why the two are not the same thing, in words.
    """

    published: Published
    ours: Estimate | None
    stands: Literal["higher", "lower", "not to be told apart"] | None
    reached: int | None
    unfair: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A study beside what is published.

    Args:
        env: the study's environment.
        agents: ours, the best first, which is the one that is compared.
        anchor: what a random agent and a good one score.
        beside: published scores, those of the same algorithm first.
        search_steps: what it took to find ours.
    """

    env: str
    agents: tuple[Agent, ...]
    anchor: Anchor | None
    beside: tuple[Beside, ...]
    search_steps: int


def compare(
    history: History, env: str, env_kwargs: Mapping[str, Any], resolved: Resolved, rng: np.random.Generator
) -> Comparison:
    """A study, finished or not, beside what is published of its environment.

    Args:
        history: of the study.
        env, env_kwargs: of the study.
        resolved: tells a configuration's algorithm.
        rng: of the bootstrap.
    """
    of = family(env, env_kwargs)
    agents, runs = _agents(history, resolved, rng)
    known = published(of)
    first = agents[0].algorithm if agents else ""
    known = sorted(known, key=lambda each: (each.algorithm != first, each.env != env, each.algorithm, -each.mean))
    beside = [_beside(each, agents, runs, env, env_kwargs, rng) for each in known]
    return Comparison(env, agents, anchor(of), tuple(beside), history.steps_used("search"))


def at(runs: Sequence[Run], steps: int, rng: np.random.Generator) -> Estimate | None:
    """The mean return of trainings after so many steps; None where they do not tell it."""
    end = min(run.step for run in runs)
    if steps > end * (1 + _NEAR):
        if steps > FURTHEST * end or any(len(run.reports) < LEAST for run in runs):
            return None
        curves = [([r.step for r in run.reports], _returns(run)) for run in runs]
        middle, low, high = extrapolate(curves, steps, rng)
        return Estimate(middle, (low, high), len(runs), steps, "extrapolated")
    if any(not run.reports or steps < run.reports[0].step * (1 - _NEAR) for run in runs):
        return None
    known = [float(np.interp(steps, [r.step for r in run.reports], _returns(run))) for run in runs]
    low, high = (float(bound) for bound in stratified_interval(tasks_mean, [known], rng=rng))
    how: How = "evaluated" if steps >= end * (1 - _NEAR) else "read off"
    return Estimate(float(np.mean(known)), (low, high) if len(known) > 1 else None, len(known), steps, how)


def reached(runs: Sequence[Run], score: float) -> int | None:
    """The step of the first evaluation from which on the mean return over trainings is at least a score."""
    curves = [dict(zip([r.step for r in run.reports], _returns(run), strict=True)) for run in runs]
    steps = sorted(set.intersection(*({report.step for report in run.reports} for run in runs)))
    found = None
    for step in reversed(steps):
        if float(np.mean([curve[step] for curve in curves])) < score:
            break
        found = step
    return found


def _returns(run: Run) -> list[float]:
    """What is published are returns, whatever the study maximises."""
    return [returned for report in run.reports if (returned := measured(report, "return")) is not None]


def _agents(
    history: History, resolved: Resolved, rng: np.random.Generator
) -> tuple[tuple[Agent, ...], dict[int, list[Run]]]:
    """Ours, the best first, and the trainings by which each is judged: its test, or the search where there is none yet."""
    tested: dict[int, list[Run]] = {}
    for run in history.of_phase("test"):
        tested.setdefault(run.id.trial, []).append(run)
    runs = {trial: each for trial, each in tested.items() if all(run.complete and run.reports for run in each)}
    scores = {trial: {run.id.seed: run.score or 0.0 for run in each} for trial, each in runs.items()}
    others = [trial for trial in ranked(scores) if trial]
    chosen = [("tuned", others[0], len(tested) - (0 in tested))] if others else []
    if not others and history.leaders:
        leader = history.leaders[0]
        runs = {**runs, leader.id.trial: [leader]} if leader.id.trial not in runs else runs
        chosen = [("leader", leader.id.trial, len(history.trials))]
    chosen += [("default", 0, 1)] if 0 in runs and all(trial for _, trial, _ in chosen) else []
    agents = []
    for name, trial, candidates in chosen:
        final = at(runs[trial], min(run.step for run in runs[trial]), rng)
        if final is not None:
            agents.append(Agent(name, trial, resolved(runs[trial][0].config)[0].name, final, candidates))
    return tuple(sorted(agents, key=lambda agent: _standing(runs[agent.trial]), reverse=True)), runs


def _beside(
    score: Published,
    agents: Sequence[Agent],
    runs: Mapping[int, Sequence[Run]],
    env: str,
    env_kwargs: Mapping[str, Any],
    rng: np.random.Generator,
) -> Beside:
    ours = at(runs[agents[0].trial], score.steps, rng) if agents else None
    stands: Literal["higher", "lower", "not to be told apart"] | None = None
    if ours is not None and ours.interval is not None and ours.seeds > 1:
        low, high = ours.interval
        stands = "higher" if low > score.mean else "lower" if high < score.mean else "not to be told apart"
    when = reached(runs[agents[0].trial], score.mean) if agents else None
    return Beside(score, ours, stands, when, tuple(_unfair(score, ours, agents, env, env_kwargs)))


def _unfair(
    score: Published, ours: Estimate | None, agents: Sequence[Agent], env: str, env_kwargs: Mapping[str, Any]
) -> list[str]:
    """Reasons in words, for footnotes: the same reason has the same words."""
    reasons = []
    if score.env != env:
        reasons.append(f"another version of the environment, {score.env}: scores need not mean the same")
    if env_kwargs and family(env) == family(env, env_kwargs):
        reasons.append("the study's environment has settings of its own")
    if agents and score.algorithm != agents[0].algorithm:
        reasons.append("another algorithm")
    if score.runs == 1:
        reasons.append("a single training: another seed may score otherwise")
    if score.spread == "episodes":
        reasons.append("its spread is over episodes of one agent, not over seeds")
    if score.evaluation == "training":
        reasons.append("the return while training, exploration included; ours is of the deterministic policy")
    if score.evaluation in ("stochastic", "unstated"):
        how = "of a stochastic policy" if score.evaluation == "stochastic" else "of a policy that is not stated"
        reasons.append(f"an evaluation {how}; ours is of the deterministic one")
    if score.source.note:
        reasons.append(score.source.note)
    if ours is None:
        early = agents and score.steps < agents[0].final.steps
        far = "more than twice the steps of ours, which is too far to extrapolate"
        reasons.append("ours was not evaluated so early" if early else far)
    elif ours.how == "read off":
        reasons.append("ours is read off curves whose schedules anneal over more steps")
    elif ours.how == "extrapolated":
        reasons.append("ours is extrapolated, its 90% interval rough, and its schedules anneal over fewer steps")
    return reasons


def _standing(runs: Sequence[Run]) -> tuple[float, float]:
    return standing([run.score for run in runs if run.score is not None])
