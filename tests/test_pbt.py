"""Populations: who goes on, who is taken over, what children are given, and that the record alone decides."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import Drifting
from test_strategies import Crash, Crashing

from hyperpilot.acquisition.log_ei import plugin as log_ei
from hyperpilot.acquisition.thompson import plugin as thompson
from hyperpilot.algorithms._lasting import lasting
from hyperpilot.analysis.lineage import descent
from hyperpilot.api import Optimizer
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Checkpoint, Failed, Finished, History, Job, Report, RunId, Stage, Submitted
from hyperpilot.records.codec import job_from_json, job_to_json
from hyperpilot.registry import available, load
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.sought import kept
from hyperpilot.runtime.study import Study
from hyperpilot.schedules._population import Population
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.strategies._replicate import Replicate
from hyperpilot.strategies.pbt_bnn import ByModel, changes
from hyperpilot.surrogates.bnn import BNN

SPACE = Space(
    {"x": "0.01..1.0:log", "y": "a|b|c", "z": "1..9", "net": "8|16"},
    defaults={"x": 0.9, "y": "a", "z": 3, "net": 8},
    conditions={"z": ("y", ("a", "b"))},
)


def population(kind="pbt", size=6, horizon=30, asynchronous=False, tests=0, **options):
    search = load("strategies", kind)(
        space=SPACE,
        schedule=Population(horizon, size, 5, asynchronous),
        first=(SPACE.default(),),
        kept={"net"},
        surrogate=BNN(draws=8, width=16),
        acquisition=thompson,
        **options,
    )
    return Replicate(search, horizon, tests, 2)


def run(strategy, trainer=None, store=None, workers=1, seed=0):
    trainer = trainer or Drifting(every=5)
    executor = Virtual(trainer, workers, lambda job, a, b: (b - a) * (1.0 + job.trial % 3)) if workers > 1 else None
    return Loop(strategy, store or MemoryStore(), executor or Inline(trainer), seed).run()


def members(history, step):
    """The runs that train towards a comparison."""
    return [each for each in history.search if each.inherited < step <= each.job.until]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_population_keeps_its_size_and_spends_what_it_was_given(asynchronous, workers):
    history = run(population(asynchronous=asynchronous), workers=workers)
    assert history.steps_used() == 6 * 30
    assert [len(members(history, step)) for step in range(5, 31, 5)] == [6] * 6
    assert sum(each.complete for each in history.search) == 6
    assert len(history.search) > 8, "hardly anybody was taken over"


def test_at_a_comparison_the_worst_fifth_take_over_the_best_fifth():
    history = run(population(size=10))
    for step in range(5, 30, 5):
        ranked = sorted(members(history, step), key=lambda each: (each.score_at(step), -each.id.trial))
        children = [each for each in history.search if each.inherited == step]
        assert {each.id for each in ranked if each.job.until == step} == {each.id for each in ranked[:2]}
        assert len(children) == 2 and {each.origin.run for each in children} <= {each.id for each in ranked[-2:]}
        for child in children:
            donor = history.runs[child.origin.run]
            assert child.config["net"] == donor.config["net"] and child.config != donor.config
            assert child.id.seed not in [each.id.seed for each in history.search if each.id != child.id]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_who_trains_asynchronously_waits_for_nobody(asynchronous):
    store = MemoryStore()
    clock = Virtual(Drifting(every=5), 6, lambda job, a, b: (b - a) * (20.0 if job.trial == 3 else 1.0))
    Loop(population(asynchronous=asynchronous), store, clock).run()
    slow = next(i for i, event in enumerate(store.events) if isinstance(event, Report) and event.run.trial == 3)
    before = History().extend(store.events[:slow])
    assert sum(each.complete for each in before.search) == (5 if asynchronous else 0)
    assert any(each.origin for each in before.search) == asynchronous


def test_with_few_workers_the_hindmost_go_first():
    store = MemoryStore()
    run(population(asynchronous=True), store=store, workers=2)
    seen = Counter()
    for event in store.events:
        if isinstance(event, Submitted):
            ahead = seen[event.job.until] - 1
            seen[event.job.until] += 1
            assert ahead < 6
    founders = [e.job.trial for e in store.events if isinstance(e, Submitted) and not e.job.parent]
    first_gone_on = next(i for i, e in enumerate(store.events) if isinstance(e, Submitted) and e.job.parent)
    started = [e.job.trial for e in store.events[:first_gone_on] if isinstance(e, Submitted)]
    assert founders == started == list(range(6))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_whoever_diverges_is_replaced(asynchronous):
    history = run(population(asynchronous=asynchronous), Drifting(every=5, fails=(0, 2, 7)), workers=3)
    failed = [each for each in history.search if each.state == "failed"]
    assert {each.id.trial for each in failed} == {0, 2, 7}
    assert sum(each.complete for each in history.search) == 6
    assert not any(each.origin and history.runs[each.origin.run].state == "failed" for each in history.search)


def test_where_all_diverge_the_search_ends():
    history = run(population(), Drifting(every=5, fails=tuple(range(6))))
    assert len(history.search) == 6 and not history.active


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("written", [True, False])
def test_a_crash_at_any_append_ends_in_the_same_history(written, asynchronous):
    def make():
        return population(size=3, horizon=15, tests=60, asynchronous=asynchronous)

    def facts(history):
        return {id: (each.config, each.reports, each.state, each.job, each.origin) for id, each in history.runs.items()}

    whole_trainer, counted = Drifting(every=5), Crashing()
    counted.arm(0, written)
    whole = facts(run(make(), whole_trainer, counted))
    assert any(origin for *_, origin in whole.values())
    for at in range(1, Crashing.count + 1):
        store, trainer = Crashing(), Drifting(every=5)
        store.arm(at, written)
        with pytest.raises(Crash):
            run(make(), trainer, store)
        assert facts(run(make(), trainer, MemoryStore(store.events))) == whole
        assert trainer.trained == whole_trainer.trained
        said = [(event.run, event.step) for event in store.events if isinstance(event, Report)]
        assert len(said) == len(set(said))


def test_a_test_lives_through_what_the_winner_did():
    store, trainer = MemoryStore(), Drifting(every=5)
    strategy = population(size=8, tests=200)
    history = run(strategy, trainer, store)
    tested = {each.id.trial: each.job for each in history.of_phase("test")}
    bred = [job for job in tested.values() if job.earlier]
    assert bred and tested[0].earlier == ()
    (line, *_) = [descent(store.events).line(RunId(job.trial, job.trial)) for job in bred]
    assert [history.runs[each].config for each in reversed(line)] == [stage.config for stage in bred[0].stages()]
    origins = [history.runs[each].inherited for each in reversed(line)]
    assert origins[1:] == [stage.until for stage in bred[0].earlier]
    # The trainer gains exactly the same again, as its score is nothing but what the stages bring.
    again = trainer.states[RunId(bred[0].trial, bred[0].seed), 30]
    assert again == pytest.approx(trainer.states[RunId(bred[0].trial, bred[0].trial), 30])


def test_schedules_that_cannot_be_are_refused_and_others_survive_the_log():
    job = Job(1, {"x": 0.5}, 0, 30, 30, earlier=(Stage(5, {"x": 0.1}), Stage(10, {"x": 0.2})))
    assert job_from_json(job_to_json(job)) == job
    plain = job_to_json(replace(job, earlier=()))
    assert "earlier" not in plain and job_from_json(plain).earlier == ()
    for ends in ([10, 5], [0], [30], [5, 5]):
        with pytest.raises(ValueError, match="stages"):
            replace(job, earlier=tuple(Stage(end, {}) for end in ends))


def test_leaders_came_to_the_end_and_count_by_what_they_score_there():
    def ran(trial, scores, until, parent=None):
        job = Job(trial, {"x": 0.5}, trial, until, 30, parent)
        begin = parent.step if parent else 0
        return [Submitted(job), *(job.report(s, begin + 5 * i) for i, s in enumerate(scores, 1)), Finished(job.run)]

    events = ran(0, [90.0], 5) + ran(1, [1, 1, 1, 1, 1, 7], 30) + ran(2, [8.0], 30, Checkpoint(RunId(1, 1), 25))
    assert population().leaders(History().extend(events), 5) == [2, 1, 0]


PPO = Study.of(algorithm="ppo", env="CartPole-v1", total_steps=10**6, horizon=1000, strategy="pbt")


@given(seed=st.integers(0, 10**6), redrawn=st.sampled_from([0.0, 0.25, 1.0]))
@settings(max_examples=40, deadline=None)
def test_what_is_explored_is_legal_and_keeps_what_shapes_a_training(seed, redrawn):
    space, rng = PPO.build_space(), np.random.default_rng(seed)
    lasts = kept(space, PPO.algorithms())
    for config in (space.default(), *space.sample(2, rng)):
        child = space.explored(config, lasts, redrawn, rng)
        assert child != config and space.legal(child)
        assert {name: child[name] for name in lasts} == {name: config[name] for name in lasts}
        assert child["n_steps"] * child["n_envs"] % child["batch_size"] == 0
        space.check(child)


def test_numbers_are_multiplied_and_choices_move_to_a_neighbour():
    space = Space({"x": "0.001..1.0:log", "k": "1..100", "o": "1|2|4|8", "c": "a|b|c", "f": "0.5..2.0"})
    config = {"x": 0.1, "k": 50, "o": 4, "c": "b", "f": 1.9}
    seen = [space.explored(config, (), 0.0, np.random.default_rng(i)) for i in range(40)]
    assert {round(each["x"], 9) for each in seen} == {0.08, 0.12} and {each["k"] for each in seen} == {40, 60}
    assert {each["o"] for each in seen} == {2, 8} and {each["c"] for each in seen} == {"b"}
    assert {round(each["f"], 9) for each in seen} == {1.52, 2.0}
    drawn = [space.explored(config, (), 1.0, np.random.default_rng(i)) for i in range(40)]
    assert {each["c"] for each in drawn} == {"a", "b", "c"} and len({each["x"] for each in drawn}) == 40
    small = {space.explored({**config, "k": 2}, (), 0.0, np.random.default_rng(i))["k"] for i in range(9)}
    assert small == {1, 3}, "two times 1.2 is still two"


def test_a_parent_that_changes_brings_its_children_in_and_out():
    config = {"x": 0.5, "y": "c", "net": 8}
    seen = [SPACE.explored(config, {"net"}, 1.0, np.random.default_rng(i)) for i in range(30)]
    assert all(("z" in each) == (each["y"] != "c") for each in seen)
    assert {each["y"] for each in seen} == {"a", "b", "c"}
    for each in seen:
        SPACE.check(each)


OF_SB3 = [name for name in available("algorithms") if load("algorithms", name).sb3_class]


@pytest.mark.parametrize("name", OF_SB3)
def test_what_lasts_is_known_of_every_algorithm(name):
    algorithm = load("algorithms", name)
    space = Space(algorithm.space, conditions=algorithm.conditions, defaults=algorithm.defaults)
    found = lasting(algorithm, {each: space.grid(each, 3) for each in space.names})
    shapes = {"net_arch", "critic_net_arch", "activation_fn", "n_envs", "normalize", "buffer_size", "lstm_hidden_size"}
    shapes |= {"learning_starts", "use_sde", "log_std_init", "n_quantiles", "enable_critic_lstm", "zero_policy"}
    assert found == shapes & set(space.names)


def test_a_weight_that_may_be_learned_stays_as_it_is():
    sac = load("algorithms", "sac")
    assert lasting(sac, {"ent_coef": ["auto", "auto_0.1", 0.1], "tau": [0.01, 0.02]}) == {"ent_coef"}
    assert lasting(sac, {"ent_coef": [0.1, 0.2]}) == frozenset()


def test_changes_begin_where_a_state_was_taken_over():
    job = Job(0, {"x": 0.1}, 0, 20, 30)
    child = Job(1, {"x": 0.2}, 1, 15, 30, Checkpoint(job.run, 10))
    lost = Job(2, {"x": 0.3}, 2, 10, 30)
    told = [
        Submitted(job),
        *(job.report(s, at) for at, s in ((5, 1.0), (10, 3.0), (15, 9.0), (20, 10.0))),
        Finished(job.run),
    ]
    told += [Submitted(child), child.report(2.5, 15), Finished(child.run)]
    told += [Submitted(lost), lost.report(1.0, 5), Failed(lost.run, "diverged", "", 7)]
    found = {
        (c.run.id.trial, c.begin): (c.before, c.gain) for c in changes(History().extend(told), (5, 10, 15, 20, 30))
    }
    assert {key: value for key, value in found.items() if key[0] < 2} == {
        (0, 5): (1.0, 2.0),
        (0, 10): (3.0, 6.0),
        (0, 15): (9.0, 1.0),
        (1, 10): (3.0, -0.5),
    }
    assert found[2, 5][0] == 1.0 and np.isnan(found[2, 5][1])


def grown(best, horizon=30, trials=8):
    """A record in which x gains most near a value, and y=c nothing at all."""
    history, rng = History(), np.random.default_rng(0)
    for trial, config in enumerate(SPACE.sample(trials, rng)):
        job, score, told = Job(trial, config, trial, 20, horizon), 1.0, []
        for step in (5, 10, 15, 20):
            told.append(job.report(score, step))
            score += (config["y"] != "c") * (1 - abs(config["x"] - best))
        history = history.extend([Submitted(job), *told, Finished(job.run)])
    return history


@pytest.mark.parametrize("acquisition", [thompson, log_ei])
def test_the_model_gives_children_what_gains_and_keeps_them_apart(acquisition):
    history = grown(best=0.6, trials=16)
    model = ByModel(SPACE, {"net"}, Population(30, 16, 5), BNN(), acquisition, candidates=60)
    bred = [(history.runs[RunId(trial, trial)], 20) for trial in range(6)]
    children = model(history, bred, np.random.default_rng(0))
    assert [child["net"] for child in children] == [donor.config["net"] for donor, _ in bred]
    assert len({child["x"] for child in children}) == 6
    assert sum(child["y"] != "c" for child in children) >= 5
    blind = [SPACE.explored(donor.config, {"net"}, 0.25, np.random.default_rng(9)) for donor, _ in bred]
    assert np.mean([abs(child["x"] - 0.6) for child in children]) < np.mean([abs(each["x"] - 0.6) for each in blind])


def test_before_the_model_knows_anything_children_are_near_their_parents():
    history = grown(best=0.6, trials=2)
    model = ByModel(SPACE, {"net"}, Population(30, 2, 5), None, thompson)
    (child,) = model(history, [(history.runs[RunId(0, 0)], 20)], np.random.default_rng(0))
    SPACE.check(child)


@pytest.mark.parametrize("kind", ["pbt", "pbt_bnn"])
def test_a_population_finds_a_schedule_that_no_configuration_equals(kind):
    constant = max(sum(1 - abs(x - (0.1 + 0.8 * step / 60)) for step in range(1, 61)) for x in np.linspace(0, 1, 101))
    found = []
    for seed in range(2):
        history = run(population(kind, size=10, horizon=60), seed=seed)
        found.append(history.runs[(leader := population(kind, 10, 60).leaders(history, 1)[0]), leader].score)
    assert np.mean(found) > constant + 0.5, f"{found} and {constant} with the best constant"


def settings_of(**change):
    given = {"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 100_000, "horizon": 10_000, "strategy": "pbt-bnn"}
    return {**given, **change}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"population": 9}, "population 7"),
        ({"interval": 10_000}, "interval"),
        ({"strategy": "bayes", "population": 4}, "no population"),
        ({"strategy": "random", "asynchronous": True}, "no population"),
        ({"executor": "ray", "checkpoints": "file:///nowhere"}, "shared folder"),
        ({"objective": "return,-wall_s"}, "one score"),
        ({"eta": 3.0}, "eta"),
        ({"trainer": "tabular"}, "trainer"),
        ({"total_steps": 20_000}, "total-steps 26668"),
        ({"space": {}, "fix": {name: value for name, value in load("algorithms", "ppo").defaults.items()
                              if name not in ("net_arch", "learning_rate_schedule", "clip_range_schedule")
                              and name in load("algorithms", "ppo").space} | {"learning_rate_schedule": "linear",
                              "clip_range_schedule": "linear"}}, "cannot change"),
    ],
)  # fmt: skip
def test_populations_that_cannot_be_are_refused_by_name(change, message):
    with pytest.raises(InvalidStudy, match=message):
        Study.create(**settings_of(**change))


def test_a_population_is_as_large_as_its_budget_and_compared_ten_times():
    study = Study.create(**settings_of())
    assert study.search_schedule() == Population(10_000, 7, 1000)
    assert study.build_strategy().search.population.rungs == tuple(range(1000, 10_001, 1000))


def test_ask_and_tell_says_that_a_population_needs_states():
    with pytest.raises(InvalidStudy, match="strategy"):
        Optimizer({"x": "0.0..1.0"}, strategy="pbt")
