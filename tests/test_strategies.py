"""Schedules, strategies and the loop on simulated trainings."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import Simulated

from hyperpilot.acquisition.thompson import plugin as thompson
from hyperpilot.api import Optimizer
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Failed, Finished, History, Job, Report, Restarted, Submitted
from hyperpilot.records.dataset import dataset
from hyperpilot.records.objective import parse_objective
from hyperpilot.registry import load
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.loop import Loop
from hyperpilot.schedules import racing
from hyperpilot.schedules._rungs import rungs
from hyperpilot.schedules.asha import Asha
from hyperpilot.schedules.hyperband import Hyperband, brackets
from hyperpilot.schedules.racing import SEED_STRIDE, Racing, lowest_that_ranks
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.strategies import bayes
from hyperpilot.strategies._from_scratch import FromScratch, begun_anew
from hyperpilot.strategies._pareto import pareto
from hyperpilot.strategies._replicate import TEST_SEEDS_FROM, Replicate
from hyperpilot.surrogates.bnn import BNN

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


@pytest.mark.parametrize("kind", [Asha, Racing])
@given(budget=st.integers(90, 700), workers=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_no_number_of_workers_overspends(kind, budget, workers):
    clock = Virtual(Simulated(every=30), workers, lambda job, a, b: float(b - a))
    history = Loop(study(kind(90, budget)), MemoryStore(), clock).run()
    assert history.steps_used() <= budget


@pytest.mark.parametrize("workers, budget", [(1, 10), (1, 25), (1, 50), (1, 100), (4, 40), (4, 100)])
def test_a_race_hands_over_what_was_trained_to_its_end(workers, budget):
    search = load("strategies", "random")(space=SPACE, schedule=Racing(10, budget), seed=0)
    clock = Virtual(Simulated(every=1), workers, lambda job, a, b: float(b - a))
    history = Loop(search, MemoryStore(), clock).run()
    leader = search.leaders(history, 1)[0]
    assert any(run.complete for run in history.search if run.id.trial == leader)
    assert budget - 2 <= history.steps_used() <= budget
    assert len(history.trials) > budget // 10 or budget == 10


class Restless(Simulated):
    """Scores that say nothing of what comes."""

    def _report(self, job, step):
        return Report(job.run, step, float(np.random.default_rng([job.trial, step]).random()))


@pytest.mark.parametrize("trainer", [Simulated, Restless])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_race_uses_its_budget_up_whatever_leads(workers, trainer):
    for seed in range(4):
        for budget in (37, 64, 100):
            search = load("strategies", "random")(space=SPACE, schedule=Racing(10, budget), seed=100 * seed)
            clock = Virtual(trainer(every=1), workers, lambda job, a, b: float(b - a))
            history = Loop(search, MemoryStore(), clock).run()
            lowest = lowest_that_ranks(list(history.search), search.schedule.rungs)
            assert budget - lowest < history.steps_used() <= budget


def test_a_leader_goes_on_where_a_new_trial_would_need_more_than_is_left_beside_the_reserve(monkeypatch):
    monkeypatch.setattr(racing, "lowest_that_ranks", lambda runs, rungs: 4)
    history, schedule = History().extend(curve(0, [1.0] * 8)), Racing(10, 12)
    assert schedule.first(history, 1) == ()
    assert [(job.trial, job.until) for job in schedule.promotions(history, 1)] == [(0, 9)]


def test_a_race_whose_first_trials_fail_tries_others_with_what_is_left():
    schedule = Racing(10, 10)
    first = Job(0, {"x": 0.5}, 0, 1, 10)
    failed = History().extend([Submitted(first), Failed(first.run, "diverged", "", 1)])
    assert schedule.first(failed, 1) == (1,)


def test_with_several_goals_nobody_leads_and_nothing_is_kept_for_a_leader():
    schedule = Racing(10, 100)
    search = load("strategies", "random")(space=SPACE, schedule=schedule, seed=0)
    kept = pareto(search, parse_objective("return,-wall_s")).search.schedule
    assert (kept.per_seed, kept.reserve) == (0, False)


def test_where_trainings_begin_anew_a_race_keeps_no_reserve():
    schedule = Racing(10, 100)
    search = load("strategies", "random")(space=SPACE, schedule=schedule, seed=0)
    assert begun_anew(search, 100).search.schedule == replace(schedule, reserve=False)
    assert begun_anew(FromScratch(search, 100), 100).search.search is search


def test_a_race_decides_at_every_tenth_by_the_mean_of_the_second_half():
    assert Racing(1000, 10_000).rungs == tuple(range(100, 1001, 100))
    assert Racing(3, 100).rungs == (1, 2, 3)
    with pytest.raises(InvalidStudy, match="4 rungs"):
        _ = Racing(3, 100, count=4).rungs
    with pytest.raises(InvalidStudy, match="eta=1"):
        _ = Racing(9, 100, eta=1.0).rungs
    steady, lucky = curve(0, [1.0, 5.0, 5.0, 5.0]), curve(1, [1.0, 1.0, 2.0, 9.0])
    history = History().extend(steady + lucky)
    assert history.runs[0, 0].promise == 5.0 and history.runs[1, 1].promise == 5.5
    schedule = Racing(10, 100, eta=2.0, count=10)
    assert [job.trial for job in schedule.promotions(history, 8)] == [1]
    lucky = curve(1, [1.0, 1.0, 0.0, 9.0])
    assert [job.trial for job in schedule.promotions(History().extend(steady + lucky), 8)] == [0]


def test_the_leader_of_a_race_is_tried_under_further_seeds_until_another_leads():
    schedule = Racing(4, 1000, eta=2.0, count=4)
    history = History().extend(curve(0, [1.0, 1.0, 8.0, 8.0], 4) + curve(1, [1.0, 1.0, 6.0, 6.0], 4))
    (again,) = schedule.promotions(history, 3)
    assert (again.trial, again.seed, again.until, again.parent) == (0, SEED_STRIDE, 4, None)
    history = history.extend([Submitted(again)])
    assert schedule.promotions(history, 3) == []  # one seed more for every two that have finished
    history = history.extend([*(again.report(2.0, step) for step in range(1, 5)), Finished(again.run)])
    assert history.leaders[0].id.trial == 1  # (8 + 2) / 2 is less than 6
    (other,) = schedule.promotions(history, 3)
    assert (other.trial, other.seed) == (1, 1 + SEED_STRIDE)


def test_a_trial_that_failed_under_a_second_seed_leads_no_more():
    again = Job(0, {"x": 0.5}, 7, 4, 4)
    history = History().extend(curve(0, [9.0] * 4, 4) + curve(1, [1.0] * 4, 4) + [Submitted(again)])
    assert [run.id.trial for run in history.leaders] == [0, 1]
    assert [run.id.trial for run in history.extend([Failed(again.run, "diverged", "", 2)]).leaders] == [1]
    lost = history.extend([Failed(again.run, "killed", "", 2)])
    assert [run.id.trial for run in lost.leaders] == [0, 1]


def test_a_short_training_that_flatters_does_not_lead():
    history = History().extend(curve(0, [9.0], 10) + curve(1, [1.0] * 4, 10) + curve(2, [3.0] * 2, 10))
    assert [run.id.trial for run in history.leaders] == [2, 1, 0]


def curve(trial, scores, horizon=10):
    """The events of a training that was evaluated after every step."""
    job = Job(trial, {"x": 0.5}, trial, len(scores), horizon)
    reports = [job.report(score, step) for step, score in enumerate(scores, 1)]
    return [Submitted(job), *reports, Finished(job.run)]


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
    assert {r.id.seed for r in tested} == {TEST_SEEDS_FROM, TEST_SEEDS_FROM + 1000}
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


def test_where_trainings_fail_few_more_are_started():
    space = Space({name: "0.0..1.0" for name in "abc"})
    proposer = bayes.Proposer(space, BNN(), thompson, initial=12)
    rng, history, failed = np.random.default_rng(0), History(), []
    for trial in range(40):
        config = proposer(history, 1, rng)[0]
        job = Job(trial, config, trial, 10, 10)
        failed.append(config["a"] > 0.5)  # where the scores would be best
        end = [Failed(job.run, "diverged", step=3)] if failed[-1] else [job.report(config["a"]), Finished(job.run)]
        history = history.extend([Submitted(job), *end])
    assert sum(failed[:12]) >= 3, "nothing to learn from"
    assert sum(failed[12:]) <= 10, f"{sum(failed[12:])} of 28 trainings failed"
    survivors = [run.config["a"] for run in history.search[12:] if run.state != "failed"]
    assert np.median(survivors) > 0.35, "the search keeps too far away from where trainings fail"


def test_a_belief_has_no_score_for_what_failed():
    space = Space({"a": "0.0..1.0"})
    history = History()
    for trial, a in enumerate(np.linspace(0, 1, 20)):
        job = Job(trial, {"a": float(a)}, trial, 10, 10)
        end = [Failed(job.run, "diverged", step=3)] if a > 0.5 else [job.report(float(-a)), Finished(job.run)]
        history = history.extend([Submitted(job), *end])
    belief = bayes.believe(history, space, BNN(), np.random.default_rng(0))
    x, t = np.array([[0.1], [0.4], [0.9]]), np.ones(3)
    one, four, nine = belief(x, t).mean(axis=0)
    assert one > four > nine
    assert belief.survival is not None and belief.survival(x, t).mean(axis=0)[2] < 0.3
    assert belief.courses(x, t).mean(axis=0)[2] > nine


def test_a_search_stops_by_itself_when_little_is_to_be_gained():
    options = {"surrogate": BNN(), "acquisition": thompson}
    stopped, whole = (run(study(Asha(10, 500, count=1), "bayes", min_gain=gain, **options)) for gain in (0.004, 1e-9))
    assert whole.steps_used() == 500
    assert 100 <= stopped.steps_used() <= 400
    # What was left could indeed not have gained as much.
    best = [max(run.score for run in history.search) for history in (stopped, whole)]
    assert best[1] - best[0] < 0.02


def test_under_hyperband_a_search_stops_between_brackets():
    options = {"surrogate": BNN(), "acquisition": thompson, "min_gain": 100.0}
    schedule = Hyperband(9, 900, count=3)
    history = run(study(schedule, "bayes", **options))
    ends = {schedule.bracket(each.id.trial) for each in history.search}
    whole = [sum(schedule.bracket(each.id.trial) == end for each in history.search) for end in sorted(ends)]
    assert whole == [bracket.counts[0] for bracket in schedule.plan[: len(whole)]]
    assert history.steps_used() < 900 and not history.active


class Late(Simulated):
    """Says nothing of a configuration before the third tenth: noise, or a score that all have."""

    def __init__(self, silent):
        super().__init__(every=1)
        self.silent = silent

    def _report(self, job, step):
        noise = float(np.random.default_rng([job.trial, step]).random())
        early = 0.0 if self.silent else noise
        return Report(job.run, step, early if step < 3 else 10 * job.config["x"] + 0.1 * noise)


@pytest.mark.parametrize("silent", [True, False])
def test_a_race_moves_its_lowest_rung_to_where_scores_rank(silent):
    history = run(study(Racing(10, 1200)), trainer=Late(silent))
    trained = [each.step for each in history.search]
    assert np.mean(np.array(trained[-60:]) >= 2) > 0.9, "the lowest rung ranks nothing, and is left"


def test_a_race_keeps_a_lowest_rung_that_ranks():
    history = run(study(Racing(10, 1200)), trainer=Simulated(every=1))
    assert [each.step for each in history.search][-30:].count(1) >= 5


def test_what_started_at_a_higher_rung_does_not_make_the_others_look_good():
    # Six paused at the lowest rung, and six that began at the next and were not evaluated below it.
    history = History()
    for trial in range(12):
        until, config = (2 if trial < 6 else 4), {"x": trial / 12, "y": "a"}
        job = Job(trial, config, trial, until, 10)
        history = history.extend([Submitted(job), job.report(float(trial), until), Finished(job.run)])
    promoted = [job.trial for job in Racing(10, 1000, count=5).promotions(history, 12) if job.trial < 6]
    assert sorted(promoted) == [2, 3, 4, 5]


def test_a_search_that_has_stopped_is_not_fitted_again_at_every_look():
    fits = []

    class Counted(BNN):
        def fit(self, data, rng):
            fits.append(len(data))
            return super().fit(data, rng)

    proposer = bayes.Proposer(SPACE, Counted(), thompson, initial=2, min_gain=1e6)
    history = History().extend(event for trial in range(8) for event in curve(trial, [float(trial)] * 3))
    rng = np.random.default_rng(0)
    assert [proposer(history, 1, rng) for _ in range(5)] == [()] * 5
    assert len(fits) == 1


@pytest.mark.parametrize("surrogate", ["bnn", "forest"])
def test_a_search_whose_first_trials_all_fail_goes_on(surrogate):
    class Failing(Simulated):
        def train(self, job, beat):
            if job.trial < 9:
                raise FloatingPointError("nan")
            yield from super().train(job, beat)

    options = {"surrogate": load("surrogates", surrogate)(), "acquisition": thompson}
    history = run(study(Asha(90, 1800, count=1), "bayes", **options), trainer=Failing())
    assert history.failures == {"diverged": 9} and history.search[-1].complete


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


def test_a_batch_holds_no_configuration_twice_even_in_a_small_space():
    space = Space({"x": "1|2|3", "y": "a|b|c", "z": "true|false"}, defaults={"x": 1, "y": "a", "z": True})
    search = load("strategies", "bayes")(
        space=space, schedule=Asha(9, 1000, count=1), surrogate=load("surrogates", "bnn")(draws=4), acquisition=thompson
    )
    told = []
    for trial, config in enumerate(space.sample(60, np.random.default_rng(0))):
        if config not in [event.job.config for event in told if isinstance(event, Submitted)] and trial < 12:
            job = Job(trial, config, trial, 9, 9)
            told += [Submitted(job), Report(job.run, 9, float(trial)), Finished(job.run)]
    history = History().extend(told)
    jobs = replace(search.proposer, initial=1, random_share=0.0)(history, 6, np.random.default_rng(0))
    known = [dict(config) for config in history.trials.values()]
    assert len({tuple(sorted(config.items())) for config in jobs}) == 6
    assert all(dict(config) not in known for config in jobs)


def test_what_lies_beyond_the_horizon_does_not_count():
    job = Job(0, {"x": 0.1, "y": "a"}, 0, 100, 100)
    told = [Submitted(job), Failed(job.run, "killed", "", 164)]
    assert History().extend(told).steps_used() == 100
    mended = [*told, Restarted(job.run), Report(job.run, 100, 1.0), Finished(job.run)]
    assert History().extend(mended).steps_used() == 100
    stalled = History().extend([Submitted(job), Failed(job.run, "timeout", "", 164)])
    assert dataset(stalled, SPACE).t.max() == 1.0


def test_ask_and_tell_survive_scores_that_are_no_numbers_and_lost_processes():
    optimizer = Optimizer(SPACE, budget=200, horizon=9, schedule="hyperband", strategy="random")
    first, lost, *others = optimizer.ask(1)  # a whole rung
    optimizer.tell(Report(first.run, first.until, float("nan")))
    assert optimizer.history.failures == {"diverged": 1}
    optimizer.tell(Failed(lost.run, "killed"))
    assert optimizer.ask(1) == [lost]
    optimizer.tell(*[Report(job.run, job.until, 3.0) for job in (lost, *others)])
    while jobs := optimizer.ask(1):
        optimizer.tell(*[Report(job.run, job.until, 1.0) for job in jobs])
    assert optimizer.history.steps_used() > 150 and np.isfinite(optimizer.best[1])
