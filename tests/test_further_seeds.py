"""Test seeds that are added to a study that has ended."""

import json

import numpy as np
import pytest
from calling import call
from simulated import Simulated

from hyperpilot.analysis.overview import match
from hyperpilot.analysis.result import judge
from hyperpilot.api import read_history
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import History
from hyperpilot.registry import load
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.study import Study
from hyperpilot.schedules.hyperband import Hyperband
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.strategies._replicate import Replicate

SPACE = Space({"x": "0.0..1.0"}, defaults={"x": 0.9})


def go_on(store, further, test_budget=90 * 8, scores=None):
    """The history of a study that may have as many further seeds, from where its store stands."""
    schedule = Hyperband(90, 90 * 12)
    search = load("strategies", "random")(space=SPACE, schedule=schedule, first=(SPACE.default(),), seed=0)
    strategy = Replicate(search, 90, test_budget, 2, further)
    return Loop(strategy, store, Inline(Simulated(scores=scores or {}))).run()


def seeds(history):
    found = {}
    for run in history.of_phase("test"):
        found.setdefault(run.id.trial, []).append(run.id.seed - 1_000_000)
    return found


def test_the_best_of_the_test_and_the_default_get_the_further_seeds():
    store = MemoryStore()
    before = go_on(store, 0)
    planned = seeds(before)
    assert len(planned) == 4 and all(of == [0, 1000] for of in planned.values())
    found = match(before, np.random.default_rng(0))
    after = go_on(store, 3)
    assert after.steps_used() - before.steps_used() == 2 * 3 * 90
    for trial, of in seeds(after).items():
        assert of == ([0, 1000, 2000, 3000, 4000] if trial in (0, found.trial) else [0, 1000])
    again = match(after, np.random.default_rng(0))
    assert (again.trial, again.pairs, again.candidates) == (found.trial, 5, 3)
    assert again.verdict.capital > found.verdict.capital and again.single_look < found.single_look
    assert go_on(store, 3) == after  # asked again, nothing is left to do


def test_without_a_test_the_leader_of_the_search_and_the_default_get_them():
    history = go_on(MemoryStore(), 2, test_budget=0)
    assert seeds(history) == {0: [0, 1000], history.leaders[0].id.trial: [0, 1000]}


def test_a_kill_on_the_way_changes_nothing():
    events = MemoryStore()
    whole = go_on(events, 2)
    for cut in range(len(events.read()) - 20, len(events.read())):
        store = MemoryStore()
        store.append(events.read()[:cut])
        assert seeds(go_on(store, 2)) == seeds(whole)


def resolved(config):
    return load("algorithms", "ppo"), config


def test_one_of_the_two_wins_by_all_of_their_seeds():
    store = MemoryStore()
    before = go_on(store, 0)
    first = judge(before, resolved)
    assert first.trial != 0
    # On the further seeds it turns out to be poor: the default wins, and not one of those that were tested less.
    after = go_on(store, 9, scores={first.trial: -5.0})
    result = judge(after, resolved)
    assert (result.trial, len(result.test_seeds)) == (0, 11) and result.default_test_iqm == result.test_iqm
    assert result.finalists[first.trial] == -5.0 and max(result.finalists.values()) > result.test_iqm
    assert judge(History(), resolved) is None


def test_a_user_adds_seeds_to_a_study_that_has_ended(tmp_path):
    pytest.importorskip("stable_baselines3")
    words = ("--total-steps", 1600, "--horizon", 200, "--rungs", 1, "--test-share", 0.5, "--test-seeds", 2)
    few = ("--evaluations", 2, "--eval-episodes", 1, "--test-episodes", 1, "--strategy", "random", "--no-forecast")
    small = ("--fix", "n_steps=64", "--fix", "batch_size=32", "--fix", "n_epochs=1", "--fix", "n_envs=1")
    tune = ("tune", "ppo", "CartPole-v1", "--study", tmp_path, *words, *few, *small, "--quiet")
    call(*tune)
    text = (tmp_path / "study.yaml").read_text()
    call("resume", tmp_path, "--more-seeds", 1, "--quiet")
    assert (tmp_path / "study.yaml").read_text() == text.replace("further_seeds: 0", "further_seeds: 1")
    assert len(json.loads((tmp_path / "result" / "result.json").read_text())["test_seeds"]) == 3
    assert "3 seeds" in call("analyze", tmp_path) and "2,000 of 2,000" in call("status", tmp_path)
    length = read_history(tmp_path).length
    call(*tune)  # the same words go on with the same study
    assert read_history(tmp_path).length == length
    Study.read(tmp_path).write(tmp_path / "new")
    with pytest.raises(InvalidStudy, match="has not ended"):
        call("resume", tmp_path / "new", "--more-seeds", 1)
