"""Strategies that are asked beside the loop: workers go on meanwhile, and the record stays one that could have been."""

import importlib.util
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from simulated import Simulated

from hyperpilot.records import Job, Report
from hyperpilot.registry import load
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.thinking import AtOnce, Beside
from hyperpilot.schedules import build_schedule
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore


class Slow:
    """Does not answer its second question before a report has been written down."""

    def __init__(self, told: threading.Event) -> None:
        self.told, self.asked, self.waited = told, 0, None

    def propose(self, history, n, rng):
        self.asked += 1
        if self.asked == 2:
            self.waited = self.told.wait(20)
        trials = len(history.trials)
        return [Job(trials + i, {"x": 0.1}, trials + i, 9, 9) for i in range(min(n, 6 - trials))]

    def leaders(self, history, n):
        return []


def test_reports_are_written_down_while_the_strategy_thinks():
    told = threading.Event()
    strategy = Slow(told)

    def watch(history, executor, events):
        if any(isinstance(event, Report) for event in events):
            told.set()

    executor = Virtual(Simulated(), 2, lambda job, start, end: end - start)
    history = Loop(strategy, MemoryStore(), executor, watch=watch, thinker=Beside(), ahead=1).run()
    assert strategy.waited is True
    assert len(history.runs) == 6 and all(run.complete for run in history.runs.values())


def search(schedule):
    return load("strategies", "random")(
        space=Space({"x": "0.0..1.0"}),
        schedule=build_schedule(schedule, 27, 600),
        surrogate=None,
        acquisition=None,
        seed=0,
    )


@pytest.mark.parametrize("schedule", ["racing", "asha", "hyperband"])
@pytest.mark.parametrize("ahead", [0, 3])
def test_a_budget_is_kept_and_nothing_is_trained_twice(schedule, ahead):
    trainer = Simulated()
    executor = Virtual(trainer, 4, lambda job, start, end: (end - start) * (1 + job.trial % 3))
    history = Loop(search(schedule), MemoryStore(), executor, thinker=Beside(), ahead=ahead).run()
    assert not history.active and history.steps_used() == trainer.trained <= 600
    assert trainer.trained > 500


def test_an_error_of_the_strategy_comes_out_of_the_loop():
    class Broken(Slow):
        def propose(self, history, n, rng):
            raise RuntimeError("no idea")

    executor = Virtual(Simulated(), 2, lambda job, start, end: 1.0)
    for thinker in (AtOnce(), Beside()):
        with pytest.raises(RuntimeError, match="no idea"):
            Loop(Broken(threading.Event()), MemoryStore(), executor, thinker=thinker, ahead=1).run()


def test_synchronous_decisions_do_not_depend_on_how_the_strategy_is_asked():
    logs = []
    for thinker, ahead in ((AtOnce(), 0), (Beside(), 0), (Beside(), 4)):
        executor = Virtual(Simulated(), 4, lambda job, start, end: (end - start) * (1 + job.trial % 3))
        history = Loop(search("hyperband"), MemoryStore(), executor, thinker=thinker, ahead=ahead).run()
        logs.append({run.id: (run.config, run.job.until) for run in history.runs.values()})
    assert logs[0] == logs[1] == logs[2]


def test_sixty_four_workers_lose_less_than_a_hundredth_of_their_time_to_the_controller():
    path = Path(__file__).parents[1] / "benchmarks" / "scale.py"
    spec = importlib.util.spec_from_file_location("scale", path)
    scale = importlib.util.module_from_spec(spec)
    sys.modules["scale"] = scale
    spec.loader.exec_module(scale)
    found = scale.simulate(64, 120, "bayes", "racing", 30.0, "bnn", True)
    assert found["worker_time_lost"] < 0.01 and found["reports"] == 240
    assert np.isfinite(found["kb_a_trial"])
