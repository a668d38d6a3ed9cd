"""Schedules, strategies and the loop on simulated trainings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import Simulated

from hyperpilot.acquisition.thompson import plugin as thompson
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Failed, Finished, History, Job, Report, Submitted
from hyperpilot.registry import load
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.loop import Loop
from hyperpilot.schedules._rungs import rungs
from hyperpilot.schedules.asha import Asha
from hyperpilot.schedules.hyperband import Hyperband, brackets
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.strategies.replicate import TEST_SEEDS_FROM, Replicate

SPACE = Space({"x": "0.0..1.0", "y": "a|b|c"}, defaults={"x": 0.9, "y": "a"})


def study(schedule, strategy="random", test_budget=0, seeds=2, **options):
    search = load("strategies", strategy)(space=SPACE, schedule=schedule, first=(SPACE.default(),), seed=0, **options)
    return Replicate(search, schedule.rungs[-1], test_budget, seeds)


def run(strategy, store=None, trainer=None):
    return Loop(strategy, store or MemoryStore(), Inline(trainer or Simulated())).run()


def test_brackets_are_those_of_the_published_table():
    table = brackets((1, 3, 9, 27, 81), 3)
    assert [list(zip(b.counts, b.steps, strict=True)) for b in table] == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(27, 3), (9, 9), (3, 27), (1, 81)],
        [(9, 9), (3, 27), (1, 81)],
        [(6, 27), (2, 81)],
        [(5, 81)],
    ]


@given(
    horizon=st.integers(81, 10**7),
    budget=st.integers(1, 10**8),
    count=st.integers(1, 5),
    eta=st.sampled_from([2, 3, 4]),
)
@settings(max_examples=60)
def test_a_plan_keeps_its_budget(horizon, budget, count, eta):
    budget = min(budget, 60 * horizon)
    if eta ** (count - 1) > horizon:
        return
    schedule = Hyperband(horizon, budget, eta, count)
    assert sum(bracket.cost for bracket in schedule.plan) <= budget
    assert bool(schedule.plan) == (budget >= horizon)
    assert rungs(horizon, eta, count)[-1] == horizon


def test_rungs_that_do_not_fit_are_refused():
    with pytest.raises(InvalidStudy, match="5 rungs"):
        rungs(10, 3, 5)


def test_hyperband_promotes_the_best_and_spends_what_it_planned():
    schedule = Hyperband(90, 90 * 12)
    history = run(study(schedule))
    assert history.steps_used("search") == sum(bracket.cost for bracket in schedule.plan)
    first = [r for r in history.search if schedule.bracket(r.id.trial) == 0]
    top = sorted(first, key=lambda r: -r.score_at(10))[:3]
    assert {r.id for r in first if r.job.until > 10} == {r.id for r in top}
    assert history.runs[0, 0].config == SPACE.default()


def test_nobody_skips_a_rung_when_scores_fall():
    class Falling(Simulated):
        def _report(self, job, step):
            return Report(job.run, step, -float(step))

    schedule = Hyperband(9, 100, 3, 3)
    history = run(study(schedule), trainer=Falling())
    for index, bracket in enumerate(schedule.plan):
        ends = [r.job.until for r in history.search if schedule.bracket(r.id.trial) == index]
        assert [sum(end >= step for end in ends) for step in bracket.steps] == list(bracket.counts)


def test_asha_never_waits_and_keeps_its_budget():
    schedule = Asha(90, 900)
    history = run(study(schedule))
    assert 810 < history.steps_used("search") <= 900
    assert {r.job.until for r in history.search} == {10, 30, 90}
    active = History().extend([Submitted(Job(0, {"x": 0.1}, 0, 10, 90))])
    assert schedule.first(active, 3) == (10, 10, 10)


def test_a_failed_trial_is_not_promoted_and_does_not_stop_its_bracket():
    class Failing(Simulated):
        def train(self, job, beat):
            if job.trial == 3:
                raise FloatingPointError("nan")
            yield from super().train(job, beat)

    history = run(study(Hyperband(90, 900)), trainer=Failing())
    assert history.failures == {"diverged": 1}
    assert history.runs[3, 3].job.until == 10 and not history.active


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_a_divergence(score):
    history = run(study(Asha(90, 300, count=1)), trainer=Simulated(scores={1: score}))
    assert history.failures == {"diverged": 1}


def test_the_test_uses_fresh_seeds_for_the_default_and_the_best():
    history = run(study(Hyperband(90, 900), test_budget=90 * 6, seeds=2))
    tested = list(history.of_phase("test"))
    assert {r.id.seed for r in tested} == {TEST_SEEDS_FROM, TEST_SEEDS_FROM + 1}
    assert not {r.id.seed for r in tested} & {r.id.seed for r in history.search}
    assert len({r.id.trial for r in tested}) == 3 and 0 in {r.id.trial for r in tested}
    assert history.steps_used("test") == 90 * 6
    assert all(r.complete for r in tested)


@pytest.mark.parametrize("acquisition", ["thompson", "log_ei"])
def test_bayes_finds_the_optimum_better_than_its_first_trials(acquisition):
    options = {"surrogate": load("surrogates", "bnn")(), "acquisition": load("acquisition", acquisition)}
    history = run(study(Asha(10, 300, count=1), "bayes", **options))
    errors = [abs(run.config["x"] - 0.3) for run in history.search]
    assert np.median(errors[-10:]) < 0.5 * np.median(errors[:10])


def test_random_and_bayes_start_alike_then_part():
    random = run(study(Hyperband(90, 900)))
    bayes = run(study(Hyperband(90, 900), "bayes", surrogate=load("surrogates", "bnn")(), acquisition=thompson))
    configs = lambda history: [run.config for run in history.search]  # noqa: E731
    assert configs(random)[0] == configs(bayes)[0] and configs(random)[9:] != configs(bayes)[9:]


class Crash(Exception):
    pass


class Crashing(MemoryStore):
    """Fails at one append, before or after it was written."""

    def arm(self, at, written):
        self.__class__.at, self.__class__.written, self.__class__.count = at, written, 0

    def append(self, events):
        cls = self.__class__
        cls.count += 1
        if cls.count == cls.at and not cls.written:
            raise Crash
        super().append(events)
        if cls.count == cls.at:
            raise Crash


@pytest.mark.parametrize("written", [True, False])
def test_a_crash_at_any_append_ends_in_the_same_history(written):
    def make():
        return study(Hyperband(9, 40, count=2), test_budget=36, seeds=2)

    def facts(history):
        return {id: (run.config, run.reports, run.state, run.job) for id, run in history.runs.items()}

    whole_trainer = Simulated()
    counted = Crashing()
    counted.arm(0, written)
    whole = facts(run(make(), counted, whole_trainer))
    appends = Crashing.count
    assert appends > 20
    for at in range(1, appends + 1):
        store, trainer = Crashing(), Simulated()
        store.arm(at, written)
        with pytest.raises(Crash):
            run(make(), store, trainer)
        history = run(make(), MemoryStore(store.events), trainer)
        assert facts(history) == whole
        assert trainer.trained == whole_trainer.trained  # nothing saved was trained twice
        said = [(e.run, e.step) for e in store.events if isinstance(e, Report)]
        assert len(said) == len(set(said))


def test_a_lost_process_is_restarted_and_recorded():
    class Lossy(Inline):
        lost = False

        def wait(self, timeout_s):
            outcomes = super().wait(timeout_s)
            if outcomes and isinstance(outcomes[0], Finished) and not self.lost:
                self.lost = True
                return (Failed(outcomes[0].run, "killed"),)
            return outcomes

    history = Loop(study(Hyperband(9, 30, count=2)), MemoryStore(), Lossy(Simulated())).run()
    assert history.failures == {"killed": 1} and not any(r.state == "failed" for r in history.runs.values())
