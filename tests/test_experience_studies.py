"""Experience of studies: what they give and draw on, what was published, what environments are like, and collecting."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from calling import call
from simulated import Simulated

from hyperpilot.acquisition.averaged import averaged
from hyperpilot.analysis.trust import course_of_trust, words
from hyperpilot.arena.lessons import elsewhere
from hyperpilot.environments import EnvSpec, distance, probe
from hyperpilot.errors import InvalidExperience
from hyperpilot.experience import Experience, Source
from hyperpilot.experience.files import read, write
from hyperpilot.experience.published import Density, for_env, nearest, published
from hyperpilot.experience.store import ExperienceStore
from hyperpilot.records import Finished, History, Job, Report, Submitted
from hyperpilot.registry import load
from hyperpilot.runtime.collecting import collect, collection
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.experienced import FILE, experience_of, first_of, gathered, shipped, sources_of
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.study import Study
from hyperpilot.schedules.racing import Racing
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.strategies import bayes
from hyperpilot.surrogates.bnn import BNN
from hyperpilot.trainers._table import Hyperparameter, Table

X = {"x": "0.0..1.0"}


def source(score, name="elsewhere", algorithm="ppo", env="Env-v0", n=40, about=None):
    configs = Space(X).sample(n, np.random.default_rng(0))
    every = np.arange(n)
    scores = np.array([score(config["x"]) for config in configs])
    columns = {"trial": every, "seed": np.zeros(n, dtype=np.int64), "t": np.ones(n), "score": scores}
    return Source(name, algorithm, env, X, configs, **columns, about=about or {})


def study(**settings):
    return Study.create(algorithm="ppo", env="CartPole-v1", total_steps=4_000, horizon=1_000, **settings)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store, from which studies draw."""
    monkeypatch.setenv("HYPERPILOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HYPERPILOT_EXPERIENCE", "default")
    return ExperienceStore()


def test_a_study_draws_on_what_there_was_when_it_began(tmp_path, store):
    store.add([source(lambda x: x, "mine"), source(lambda x: x, "other", algorithm="dqn")])
    asked = study()
    asked.write(tmp_path / "a")
    store.remove("mine")
    kept = Study.read(tmp_path / "a")
    known = experience_of(kept, kept.build_space(), tmp_path / "a")
    assert [each.name for each in known.sources] == ["mine"]
    assert kept.build_strategy(tmp_path / "a").search.proposer.experience.sources[0].name == "mine"
    asked.write(tmp_path / "a")  # typing the same again is no contradiction, whatever the store holds now
    assert not (tmp_path / "b").exists() and not gathered(asked)


def test_a_study_may_start_cold_or_draw_on_a_file(tmp_path, store):
    store.add([source(lambda x: x, "mine")])
    assert gathered(study(experience="none")) == ()
    study(experience="none").write(tmp_path / "cold")
    assert not (tmp_path / "cold" / FILE).exists() and Study.read(tmp_path / "cold").first == []
    write([source(lambda x: x, "given")], tmp_path / "given.npz")
    assert [each.name for each in gathered(study(experience=str(tmp_path / "given.npz")))] == ["given"]
    write([source(lambda x: x, algorithm="sac")], tmp_path / "sac.npz")
    with pytest.raises(InvalidExperience, match="holds nothing of ppo"):
        study(experience=str(tmp_path / "sac.npz"))
    assert gathered(study(strategy="random")) == ()


def test_a_study_begins_with_what_was_published_for_its_environment(tmp_path, store):
    study().write(tmp_path)
    kept = Study.read(tmp_path)
    (first,) = kept.first
    assert (first["n_steps"], first["gamma"], first["learning_rate_schedule"]) == (32, 0.98, "linear")
    assert kept.build_strategy(tmp_path).search.first[1]["batch_size"] == 256
    kept.build_space().check(kept.build_strategy(tmp_path).search.first[1])


def test_what_was_published_is_there_with_its_author_s_confidence():
    (lander,) = for_env("dqn", "LunarLander-v2")  # another version of the same
    assert lander.confidence == "tuned" and lander.config["learning_rate"] == 6.3e-4
    assert len(published("ppo")) > 40 and not for_env("ppo", "Nothing-v0")
    for name in ("ppo", "a2c", "dqn", "sac", "td3"):
        known = load("algorithms", name)
        for each in published(name):
            known.sb3({**known.defaults, **each.config})  # every value can be said to SB3


def test_usual_values_are_denser_than_odd_ones():
    space = Space({"learning_rate": "1e-6..1e-1:log", "gamma": "0.8..0.9999"})
    usual, odd = Density(space, "ppo", load("algorithms", "ppo").defaults)(
        [{"learning_rate": 3e-4, "gamma": 0.99}, {"learning_rate": 0.09, "gamma": 0.81}]
    )
    assert usual > 1 > -0.5 > odd


def test_the_zoo_s_words_are_read_by_a_whitelist():
    path = Path(__file__).parents[1] / "benchmarks" / "published_configurations.py"
    spec = importlib.util.spec_from_file_location("published_configurations", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.plain("learning_rate", "lin_3e-4") == {"learning_rate": 3e-4, "learning_rate_schedule": "linear"}
    words = "dict(log_std_init=-2,\n ortho_init=False, activation_fn=nn.ReLU, net_arch=dict(pi=[256, 128], vf=[64]))"
    assert script.plain("policy_kwargs", words) == {
        **{"log_std_init": -2, "ortho_init": False},
        **{"net_arch": "256x128", "activation_fn": "relu"},
    }
    for bad in ("__import__('os').system('true')", "dict(a=open('x'))", "[x for x in y]", "dict(**a)"):
        with pytest.raises(ValueError, match="nothing that a configuration may hold"):
            script.literal(bad)


def test_a_study_is_a_source_for_others(store, monkeypatch):
    asked = study()
    space = asked.build_space()
    configs = space.sample(2, np.random.default_rng(0))
    events = []
    for trial, config in enumerate(configs):
        job = Job(trial, config, 7 + trial, 500, 1_000)
        events += [Submitted(job), Report(job.run, 500, float(trial)), Finished(job.run)]
    (found,) = sources_of(asked, History().extend(events), "mine")
    assert (found.runs, found.env, found.t.tolist(), found.score.tolist()) == (2, "CartPole-v1", [0.5, 0.5], [0.0, 1.0])
    assert found.ranges["learning_rate"] == "1e-05..0.002:log" and found.configs[1]["gamma"] == configs[1]["gamma"]
    assert found.about["fingerprint"]["action_size"] == 2 and "numpy" in found.about["versions"]


def events_of(experience):
    store = MemoryStore()
    strategy = bayes.plugin(Space(X), Racing(3, 90), BNN(draws=8), averaged, experience=experience)
    Loop(strategy, store, Inline(Simulated(every=1))).run()
    return store.read()


def test_trust_is_kept_where_a_source_is_right_and_lost_where_it_is_wrong():
    def told(score):
        return Experience(Space(X), (source(score),), "ppo")

    right, wrong = told(lambda x: -((x - 0.3) ** 2)), told(lambda x: (x - 0.3) ** 2)
    kept = course_of_trust(events_of(right), right, BNN(draws=8), 0)
    lost = course_of_trust(events_of(wrong), wrong, BNN(draws=8), 0)
    assert kept[-1].explained > 0.3 and "explains" in words(kept)
    assert lost[-1].explained < 0.1 and "dropped by trial" in words(lost)
    assert [each.trials for each in kept] == sorted({each.trials for each in kept})


def test_environments_are_told_by_a_walk():
    cart, again = probe(EnvSpec("CartPole-v1"), 600), probe(EnvSpec("CartPole-v1"), 600)
    assert cart == again and cart.reward_share == 0 and cart.actions == "discrete" and 10 < cart.length < 50
    car, pendulum = probe(EnvSpec("MountainCar-v0"), 600), probe(EnvSpec("Pendulum-v1"), 600)
    acrobot = probe(EnvSpec("Acrobot-v1"), 600)

    def far(one, other):
        return sum(distance(one, other).values())

    assert far(cart, cart) == 0 and far(cart, pendulum) == far(pendulum, cart)
    assert far(car, acrobot) < far(car, cart) < far(cart, pendulum)


def test_similar_shows_the_nearest_and_in_what_they_differ(store):
    found = json.loads(call("similar", "MountainCar-v0", "--steps", "400", "--json"))
    assert found["nearest"][0]["env"] == "Acrobot-v1" and "dqn" in found["nearest"][0]["published"]
    assert found["nearest"] == sorted(found["nearest"], key=lambda row: row["distance"])


def test_verbs_of_the_store(tmp_path, store):
    write([source(lambda x: x, "mine", about={"date": "2026-11-27"})], tmp_path / "some.npz")
    folder = ["--store", str(store.folder)]
    assert "added mine" in call("experience", "import", str(tmp_path / "some.npz"), *folder)
    assert "40 trainings" in call("experience", "show", "mine", *folder)
    call("experience", "export", str(tmp_path / "out.npz"), "mine", *folder)
    assert read(tmp_path / "out.npz")[0].about == {"date": "2026-11-27"}
    call("experience", "remove", "mine", *folder)
    assert "nothing in" in call("experience", "list", *folder)


def test_collecting_trains_every_configuration_with_every_seed_and_goes_on(tmp_path):
    settings = {"executor": "inline", "fix": {"n_steps": 64}, "space": {"batch_size": "32|64"}, "evaluations": 2}
    asked = collection("ppo", "CartPole-v1", 64, 2, 2, eval_episodes=1, **settings)

    def stop(history, executor, events):
        if any(isinstance(event, Finished) for event in events):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(asked, tmp_path, 2, 2, "set", stop)
    (found,) = collect(asked, tmp_path, 2, 2, "set")
    assert (found.runs, len(found.configs), sorted(set(found.t.tolist()))) == (4, 2, [0.5, 1.0])
    assert found.configs[0]["learning_rate"] == 3e-4  # the default comes first


def test_a_contest_s_sources_are_of_its_algorithm_and_of_other_families():
    def table(name):
        scores = np.random.default_rng(0).random((3, 2, 4))
        hps = (Hyperparameter("x"),)
        return Table(name, "", hps, {}, tuple({"x": v} for v in (0.1, 0.5, 0.9)), (0, 1), scores, scores.mean((1, 2)))

    own, *others = (table(n) for n in ("ppo__cc_a", "ppo__cc_b", "ppo__brax_a", "ppo__atari_a", "dqn__brax_a"))
    told = elsewhere(own, [own, *others], False, 0)
    assert [each.name for each in told.sources] == ["ppo__brax_a", "ppo__atari_a"]
    mixed = elsewhere(own, [own, *others], True, 1).sources[0]
    assert (
        sorted(mixed.score) == sorted(told.sources[0].score) and mixed.score.tolist() != told.sources[0].score.tolist()
    )


def test_where_nothing_was_published_the_nearest_environment_s_is_tried(tmp_path, store):
    assert nearest("ppo", probe(EnvSpec("CartPole-v1"), 600))[0] == "CartPole-v1"
    of_class = study().model_copy(update={"env": "gymnasium.envs.classic_control:CartPoleEnv"})
    (first,) = first_of(of_class)
    assert first["n_steps"] == for_env("ppo", "CartPole-v1")[0].config["n_steps"]


def test_what_is_shipped_is_drawn_on_and_only_the_algorithm_s_files_are_read(tmp_path, store, monkeypatch):
    folder = tmp_path / "package" / "shipped"
    write([source(lambda x: x, "classic")], folder / "ppo-classic.npz")
    (folder / "dqn.npz").write_bytes(b"not read")
    monkeypatch.setattr("hyperpilot.runtime.experienced.resources", lambda package: tmp_path / "package")
    assert [each.name for each in gathered(study())] == ["classic"]
    with pytest.raises(InvalidExperience, match="dqn.npz is no experience"):
        shipped()
