"""What `hyperpilot analyze` says of studies whose truth is known."""

import json
import math

import numpy as np
import pytest

from hyperpilot.analysis.overview import overview
from hyperpilot.analysis.rungs import rungs
from hyperpilot.analysis.variance import against_model, among_seeds
from hyperpilot.cli.analyze import words
from hyperpilot.records import Failed, Finished, History, Job, RunId, Submitted
from hyperpilot.space import Space
from hyperpilot.strategies.bayes import believe
from hyperpilot.surrogates.bnn import BNN

SPACE = Space({"x": "0.0..1.0"})
HORIZON = 1600


def training(history, trial, seed, scores, phase="search", x=0.5, horizon=HORIZON):
    """A training that was evaluated every hundred steps and paused after the last score."""
    until = min(100 * len(scores), horizon)
    job = Job(trial, {"x": x}, seed, until, horizon, phase=phase)
    reports = [job.report(float(score), 100 * k) for k, score in enumerate(scores, 1)]
    return history.extend([Submitted(job), *reports, Finished(job.run)])


def rising(to, rng, n=16):
    return to * np.linspace(1 / n, 1, n)[:16] + rng.normal(0, 1, n)


def study(ours, default, others=()):
    """Twelve trainings of the search, then the test of the default, of trial 1 and of others."""
    rng = np.random.default_rng(0)
    history = History()
    for trial in range(12):
        history = training(history, trial, trial, rising(100 * (trial + 1), rng), x=trial / 12)
    for trial, scores in enumerate([default, ours, *others]):
        for seed, score in enumerate(scores):
            history = training(history, trial, 1_000_000 + seed, [score] * 16, "test", x=trial / 12)
    return history


def see(history):
    return overview(history, SPACE, BNN(), np.random.default_rng(0))


def test_what_is_established():
    found = see(study([500, 490, 495, 499, 500, 497], [100, 120, 90, 110, 130, 99]))
    assert found.match.trial == 1 and found.match.verdict.better and found.match.improvement == 1.0
    text = words(found)
    assert "established at 5%. Under most" in text and "not established" not in text
    assert [each.trial for each in found.tested] == [1, 0]


def test_what_is_not_established_says_what_it_takes():
    found = see(study([500, 490, 495, 99, 500], [100, 120, 90, 110, 130], [[480, 470, 475, 480, 490]]))
    assert found.match.candidates == 2 and not found.match.verdict.better
    text = words(found)
    assert "not established" in text and "the best of 2 finalists" in text
    assert f"At least {found.match.advice.seeds} more seeds" in text


def test_the_default_may_win():
    text = words(see(study([1] * 6, [2] * 6)))
    assert "under most seeds the default is better" in text


def test_pairs_count_in_the_order_that_was_planned_and_none_overtakes_another():
    history = study([500] * 2, [100] * 4)
    history = training(history, 1, 1_000_003, [500] * 16, "test", x=1 / 12)  # the third seed has not come yet
    assert see(history).match.pairs == 2
    history = training(history, 1, 1_000_002, [500] * 16, "test", x=1 / 12)
    assert see(history).match.pairs == 4


def test_a_failed_test_is_lost_and_not_left_out():
    history = study([500] * 4, [100] * 5)
    job = Job(1, {"x": 1 / 12}, 1_000_004, HORIZON, HORIZON, phase="test")
    history = history.extend([Submitted(job), Failed(job.run, "diverged", "", 5)])
    found = see(history)
    tested = next(each for each in found.tested if each.trial == 1)
    assert tested.iqm == -math.inf and "1 of 5 seeds failed" in words(found)
    assert found.match.verdict.wins == 4 and found.match.verdict.losses == 1


def test_a_study_without_a_test_or_anything():
    text = words(see(History()))
    assert "No configuration has been tested" in text and "Unknown" in text and "it takes 8 trials" in text
    rng = np.random.default_rng(0)
    few = training(training(History(), 0, 0, rising(5, rng, 3)), 1, 1, rising(5, rng, 8))
    assert "1 of 2 trainings" in words(see(few))


def test_ranks_that_hold_and_ranks_that_turn():
    rng = np.random.default_rng(1)
    holds, turns = History(), History()
    for trial in range(20):
        holds = training(holds, trial, trial, rising(100 * trial, rng))
        late = [trial] * 8 + [-trial] * 8
        turns = training(turns, trial, trial, late if trial > 9 else late[:8])
    (far,) = [rung for rung in rungs(holds) if rung.step == 800]
    assert far.correlation.low > 0.9 and (far.trainings, far.of, far.later) == (20, 20, 1600)
    (far,) = [rung for rung in rungs(turns) if rung.step == 800]
    assert far.correlation.rho == pytest.approx(-1) and (far.trainings, far.of) == (10, 20)


def test_no_evaluation_counts_at_both_rungs():
    """Pure noise correlates with itself: where the halves shared evaluations, this would."""
    rng = np.random.default_rng(2)
    history = History()
    for trial in range(300):
        history = training(history, trial, trial, rng.standard_normal(16))
    assert all(abs(rung.correlation.rho) < 0.15 for rung in rungs(history))


def test_a_seed_that_stands_out():
    history = study([500, 499, 500, 30, 498, 500], [100, 101, 102, 103, 104, 105])
    (found,) = among_seeds(history)
    assert found.run == RunId(1, 1_000_003) and found.z < -3.5 and found.expected == pytest.approx(499.5)
    assert not among_seeds(study([500, 500, 500, 500, 499], [100] * 5))  # they all but agree


def test_a_training_that_the_model_does_not_expect():
    rng, history = np.random.default_rng(3), History()
    for trial in range(40):
        x = trial / 40
        history = training(history, trial, trial, rising(20 if trial == 21 else 1000 * x, rng), x=x)
    belief = believe(history, SPACE, BNN(), np.random.default_rng(0))
    found = against_model(history, SPACE, belief)
    assert found[0].run == RunId(21, 21) and found[0].score < found[0].expected
    assert len(found) <= 4


def test_json_is_strict_and_complete(tmp_path, monkeypatch):
    from hyperpilot.cli.analyze import _plain

    found = see(study([500, 490], [100, 120]))
    told = json.loads(json.dumps(_plain(found), allow_nan=False))
    assert told["match"]["verdict"]["wins"] == 2 and len(told["courses"]) == 16
    assert told["tested"][0]["scores"] == {"1000000": 500.0, "1000001": 490.0}


def test_a_picture(tmp_path):
    from hyperpilot.reports.overview import draw

    for name, history in (("full", study([500, 490, 495], [100, 120, 90])), ("empty", History())):
        draw(see(history), history, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
