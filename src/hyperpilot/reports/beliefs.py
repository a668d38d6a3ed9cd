"""What the study's model says, for figures: what matters, slices, surfaces, forecasts, and whether it can be believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from hyperpilot.analysis.forecast import LEVELS, Outlook
from hyperpilot.analysis.importance import Importance, Surface, importance, surface
from hyperpilot.errors import HyperPilotError, InvalidStudy
from hyperpilot.protocols import Array, Forecaster, Surrogate
from hyperpilot.records import Event, History, Report, Run
from hyperpilot.records.dataset import NormalScores
from hyperpilot.registry import load
from hyperpilot.reports.frames import axes, label, place
from hyperpilot.reports.record import Frame, Record
from hyperpilot.space import Space
from hyperpilot.strategies.bayes import Belief, believe

_LEAST = 8
"""Trials without which there is nothing to say."""

_ROWS, _REFIT_ROWS = 4000, 1500
"""Evaluations that the model sees; beyond that it sees each training at fewer steps, or else it would take minutes."""

_SLICES, _SURFACES, _PAIRS, _FORECASTS, _CUTS = 6, 2, 12, 3, 4


@dataclass(frozen=True, slots=True)
class Beliefs:
    """The frames that come of a model, and the division of the variance for the words; None where there is no model."""

    frames: Mapping[str, Frame]
    shares: Importance | None = None


def without(why: str) -> Beliefs:
    """No belief, for a reason."""
    return Beliefs(dict.fromkeys(("importance", "slices", "surfaces", "forecasts", "calibration"), why))


def beliefs(record: Record, told: Callable[[int, int], None] = lambda done, total: None) -> Beliefs:
    """Everything that the model says of a study.

    Args:
        record: of the study.
        told: is told how much is done, of how much.
    """
    known = sum(any(run.reports for run in runs) for runs in record.runs.values())
    if known < _LEAST:
        return without(f"{known} of the {_LEAST} trials that a model needs have been evaluated.")
    rng = np.random.default_rng(record.study.seed)
    try:
        surrogate: Surrogate = load("surrogates", record.study.surrogate)()
        return _beliefs(record, surrogate, rng, told)
    except HyperPilotError as error:
        return without(f"The model cannot be fitted: {error}")


def _beliefs(
    record: Record, surrogate: Surrogate, rng: np.random.Generator, told: Callable[[int, int], None]
) -> Beliefs:
    done, total = 0, 4 + _CUTS

    def step() -> None:
        nonlocal done
        done += 1
        told(done, total)

    belief = believe(thinned(record.history, _ROWS), record.space, surrogate, rng)
    step()
    shares = importance(belief.courses, record.space, rng, points=512)
    step()
    names, pairs = list(shares.main)[:_SLICES], list(shares.pairs)[:_SURFACES]
    frames: dict[str, Frame] = {
        "importance": _importance(shares),
        "slices": _slices(belief, record.space, names, rng),
        "surfaces": _surfaces(belief, record.space, pairs, rng),
    }
    step()
    frames["forecasts"] = forecasts(record, belief)
    step()
    frames["calibration"] = calibration(record, surrogate, rng, step)
    return Beliefs(frames, shares)


def thinned(history: History, rows: int) -> History:
    """The history with so many evaluations of search runs at most, those of a run evenly spaced and the last among them."""
    runs = [run for run in history.search if run.reports]
    most = max(2, rows // max(1, len(runs)))
    if sum(len(run.reports) for run in runs) <= rows:
        return history

    def thin(run: Run) -> Run:
        kept = {round((len(run.reports) - 1) * k / (most - 1)) for k in range(most)}
        return replace(run, reports=tuple(run.reports[i] for i in sorted(kept) if run.reports))

    return replace(
        history,
        runs=MappingProxyType({id: thin(run) if run.reports else run for id, run in history.runs.items()}),
    )


def _importance(shares: Importance) -> Frame:
    pairs = list(shares.pairs.items())[:_PAIRS]
    return {
        "name": list(shares.main),
        "mean": [share.mean for share in shares.main.values()],
        "low": [share.low for share in shares.main.values()],
        "high": [share.high for share in shares.main.values()],
        "pair": [list(pair) for pair, _ in pairs],
        "pair_mean": [share.mean for _, share in pairs],
        "pair_low": [share.low for _, share in pairs],
        "pair_high": [share.high for _, share in pairs],
        "rest": max(0.0, shares.rest),
    }


def _slices(belief: Belief, space: Space, names: Sequence[str], rng: np.random.Generator) -> Frame:
    found = {name: _in_scores(surface(belief.courses, space, (name,), rng), belief.scores, space) for name in names}
    return {"axes": axes(space, names), "of": found}


def _surfaces(belief: Belief, space: Space, pairs: Sequence[tuple[str, str]], rng: np.random.Generator) -> Frame:
    if not pairs:
        return "No two hyperparameters are searched together."
    found = [_in_scores(surface(belief.courses, space, pair, rng, size=11), belief.scores, space) for pair in pairs]
    return {"axes": {each["name"]: each for pair in pairs for each in axes(space, pair)}, "of": found}


def _in_scores(found: Surface, scores: NormalScores, space: Space) -> dict[str, Any]:
    """A surface in the study's scores, and where its grid stands on the axes."""
    grids = {name: space.grid(name, 101) for name in found.names}
    return {
        "names": list(found.names),
        "places": [[place(value, grids[name]) for value in grid] for name, grid in zip(*_both(found), strict=True)],
        "labels": [[label(value) for value in grid] for grid in found.grids],
        **{each: scores.scores_at(getattr(found, each)).tolist() for each in ("mean", "low", "high")},
    }


def _both(found: Surface) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    return found.names, found.grids


def forecasts(record: Record, belief: Belief) -> Frame:
    """What is believed of the leading trainings that have not reached the horizon."""
    if not isinstance(belief.courses, Forecaster):
        return f"The surrogate {record.study.surrogate} forecasts no training."
    if record.state == "finished":
        return "The study has ended, and no training goes on."
    open_runs = [run for run in record.history.leaders if not run.complete and run.step < run.job.horizon]
    found: list[dict[str, Any]] = []
    for run in open_runs[:_FORECASTS]:
        horizon = run.job.horizon
        later = np.array([step for k in range(1, 11) if (step := round(horizon * k / 10)) > run.step])
        bands = belief.scores.scores_at(outlook(belief, record.space, run, later / horizon).quantiles(LEVELS))
        ends = np.hstack([np.full((len(LEVELS), 1), run.score), bands])
        found.append({"trial": run.id.trial, "steps": [run.step, *later.tolist()], "bands": ends.tolist()})
    return {"levels": list(LEVELS), "of": found} if found else "No leading training is left unfinished."


def outlook(belief: Belief, space: Space, run: Run, later: Array) -> Outlook:
    """The belief about a training at later shares of its horizon, from its reports so far, of which there may be none."""
    assert isinstance(belief.courses, Forecaster)
    past = np.array([report.step for report in run.reports], dtype=float) / run.job.horizon
    known = belief.scores(np.array([report.score for report in run.reports], dtype=float))
    return Outlook(*belief.courses.forecast(space.encode([run.config])[0], past, known, later))


def calibration(record: Record, surrogate: Surrogate, rng: np.random.Generator, told: Callable[[], None]) -> Frame:
    """Where later scores fell in forecasts that were made before them, at some moments of the study.

    At each moment the model is fitted to what was known then. It foretells the last score that every training had by the next
    moment, of those that went on and of those that had not begun. `pit` is the probability that was given to a lower score.
    """
    found: list[tuple[float, int, bool]] = []
    parts = _parts(record.events)
    history = History().extend(parts[0])
    for part in parts[1:]:
        later = history.extend(part)
        try:
            found += _foretold(history, later, record.space, surrogate, rng)
        except InvalidStudy as error:
            return str(error)
        history = later
        told()
    if len(found) < 10:
        return f"Only {len(found)} scores came after a moment at which the model could have foretold them."
    pit = np.array([each for each, _, _ in found])
    levels = np.linspace(0.1, 0.9, 9)
    return {
        "pit": pit.tolist(),
        "trial": [trial for _, trial, _ in found],
        "begun": [begun for _, _, begun in found],
        "levels": levels.tolist(),
        "covered": [float(np.mean(np.abs(pit - 0.5) <= level / 2)) for level in levels],
        "moments": len(parts) - 1,
    }


def _parts(events: Sequence[Event]) -> list[Sequence[Event]]:
    """The log in parts with as many evaluations each."""
    reports = np.cumsum([isinstance(event, Report) for event in events])
    ends = [int(np.searchsorted(reports, reports[-1] * k / (_CUTS + 1))) + 1 for k in range(1, _CUTS + 1)]
    return [events[a:b] for a, b in zip([0, *ends], [*ends, len(events)], strict=True)]


def _foretold(
    history: History, later: History, space: Space, surrogate: Surrogate, rng: np.random.Generator
) -> list[tuple[float, int, bool]]:
    if len({run.id.trial for run in history.search if run.reports}) < _LEAST:
        return []
    known = thinned(history, _REFIT_ROWS)
    belief = believe(known, space, surrogate, rng)
    if not isinstance(belief.courses, Forecaster):
        raise InvalidStudy("the study's surrogate cannot forecast a training", "Use --surrogate bnn.")
    found = []
    for run in later.search:
        before = known.runs.get(run.id)
        if run.reports and (before is None or run.step > before.step):
            past = replace(run, reports=before.reports if before else ())
            ahead = outlook(belief, space, past, np.array([run.step / run.job.horizon]))
            score = belief.scores(np.array([run.reports[-1].score]))
            found.append((float(ahead.below(score)[0]), run.id.trial, bool(before and before.reports)))
    return found
