"""The fold of events, and events as JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperpilot.records import Checkpoint, Failed, Finished, History, Job, Report, Restarted, RunId, Submitted
from hyperpilot.records.codec import from_json, to_json
from hyperpilot.records.dataset import NormalScores, dataset
from hyperpilot.space import Space

JOB = Job(0, {"x": 0.5}, 7, 10, 90)
RUN = JOB.run
EVENTS = [
    Submitted(JOB, 1.0),
    Report(RUN, 5, 1.5, {"m": 2.0}, 0.1),
    Failed(RUN, "killed", "code -9", 6, 2.0),
    Restarted(RUN, 3.0),
    Report(RUN, 5, 9.9),
    Report(RUN, 10, 2.5),
    Finished(RUN, 4.0),
    Submitted(Job(0, {"x": 0.5}, 7, 30, 90, Checkpoint(RUN, 10)), 5.0),
]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_survives_json(event):
    assert from_json(json.loads(json.dumps(to_json(event)))) == event


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="newer version"):
        from_json({"event": "surprise"})


def test_history_folds_events():
    history = History().extend(EVENTS)
    run = history.runs[RUN]
    assert [(r.step, r.score) for r in run.reports] == [(5, 1.5), (10, 2.5)]  # the repeated report is ignored
    assert (run.state, history.failures, history.lost) == ("active", {"killed": 1}, ())
    assert (history.steps_used(), history.steps_committed()) == (10, 30)


@given(st.integers(0, len(EVENTS)))
def test_extending_piecewise_is_extending_at_once(cut):
    assert History().extend(EVENTS[:cut]).extend(EVENTS[cut:]) == History().extend(EVENTS)


def test_a_run_is_handed_out_again_twice_and_then_has_failed():
    history = History().extend(EVENTS[:1])
    for expected in (True, True, False):
        history = history.extend([Failed(RUN, "killed")])
        assert bool(history.lost) is expected
        history = history.extend([Restarted(RUN)])
    assert not History().extend([EVENTS[0], Failed(RUN, "diverged")]).lost


def test_an_event_without_a_job_is_refused():
    with pytest.raises(ValueError, match="never submitted"):
        History().extend([Finished(RunId(3, 3))])


def test_normal_scores_keep_order_and_nothing_else():
    y = np.array([3.0, -1e21, 5.0, 3.0])
    scores = NormalScores.of(y)(y)
    assert scores[1] < scores[0] == scores[3] < scores[2]
    assert np.abs(scores).max() < 2.5


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=40), st.lists(st.floats(-200, 200), min_size=2, max_size=9))
def test_normal_scores_never_fall_and_lead_back(seen, asked):
    scores = NormalScores.of(np.array(seen, dtype=float))
    rising = scores(np.sort(asked))
    assert (np.diff(rising) >= -1e-12).all()  # up to the last digit
    known = np.unique(np.array(seen, dtype=float))
    np.testing.assert_allclose(scores.scores_at(scores(known)), known)
    assert (np.diff(scores.scores_at(np.linspace(-5, 5, 50))) >= -1e-9).all()


def test_beyond_the_best_score_normal_scores_go_on_unless_it_is_a_ceiling():
    rising, ceiling = np.arange(100.0), np.minimum(np.arange(100.0), 60)
    assert NormalScores.of(rising).scores_at(np.array([4.0])) > 105
    assert NormalScores.of(ceiling).scores_at(np.array([4.0])) == 60


def test_a_diverged_run_is_a_row_at_the_horizon_too():
    history = History().extend([EVENTS[0], EVENTS[1], Failed(RUN, "diverged", "", 9)])
    data = dataset(history, Space({"x": "0.0..1.0"}))
    assert data.t.tolist() == [5 / 90, 9 / 90, 1.0]
    assert np.isnan(data.y).tolist() == [False, True, True]
