"""What trainings elsewhere promise: sources, files, the network that weighs them, and the search that draws on them."""

import json
import zipfile

import numpy as np
import pytest
from scipy.stats import spearmanr
from simulated import Simulated

from hyperpilot.acquisition.averaged import averaged
from hyperpilot.errors import InvalidExperience
from hyperpilot.experience import Experience, Source
from hyperpilot.experience.files import read, write
from hyperpilot.experience.reading import Reading
from hyperpilot.experience.source import plainly_named
from hyperpilot.experience.store import ExperienceStore, home
from hyperpilot.records import Failed, History, Job, Submitted
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.loop import Loop
from hyperpilot.schedules.racing import Racing
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.strategies import bayes
from hyperpilot.surrogates.bnn import BNN

RANGES = {"x": "0.0..1.0", "learning_rate": "1e-5..1e-1:log", "activation_fn": "tanh|relu"}


def source(score=lambda config: -((config["x"] - 0.3) ** 2), name="elsewhere", ranges=RANGES, n=60, algorithm="ppo"):
    """Complete trainings, two seeds each, of random configurations."""
    configs = Space(ranges).sample(n, np.random.default_rng(0))
    trial, seed, t = (part.ravel() for part in np.meshgrid(np.arange(n), [0, 1], [0.5, 1.0], indexing="ij"))
    scores = np.array([score(configs[i]) for i in trial]) * t
    return Source(name, algorithm, "Env-v0", ranges, configs, trial=trial, seed=seed, t=t, score=scores)


def test_a_source_ranks_configurations_that_it_has_not_seen():
    space = Space(RANGES)
    new = space.sample(200, np.random.default_rng(1))
    promised = Experience(space, (source(),), "ppo")(new)[:, 0]
    truth = [-((config["x"] - 0.3) ** 2) for config in new]
    assert spearmanr(promised, truth).statistic > 0.9
    assert abs(promised.mean()) < 0.3 and 0.6 < promised.std() < 1.4  # standard scores


def test_hyperparameters_are_told_by_their_names_and_values():
    """The other search has another range, another library's name, more that the source lacks and less than it has."""
    ranges = {"clip_range": "0.1..0.5", "extra": "0.0..1.0"}
    known = source(lambda config: -abs(config["clip_range"] - 0.2), ranges=ranges)
    space = Space({"clip_eps": "0.0..1.0", "more": "0.0..1.0"})
    experience = Experience(space, (known,), "ppo")
    at = [{"clip_eps": value, "more": 0.5} for value in (0.2, 0.3, 0.45)]
    first, second, third = experience(at)[:, 0]
    assert first > second > third
    assert Experience(space, (known,), "dqn")(at).tolist() == [[0.0]] * 3  # another algorithm's source says nothing


def test_fixed_values_and_defaults_are_known_to_the_sources():
    known = source(lambda config: config["x"] if config["activation_fn"] == "relu" else -config["x"])
    relu, tanh = (
        Experience(Space({"x": "0.0..1.0"}, fixed={"activation_fn": word}), (known,), "ppo")
        for word in ("relu", "tanh")
    )
    at = [{"x": 0.1}, {"x": 0.9}]
    assert np.diff(relu(at)[:, 0]) > 0.5 and np.diff(tanh(at)[:, 0]) < -0.5


def test_values_outside_a_range_are_told_apart_and_layers_are_sizes():
    rate = Reading.of("learning_rate", "1e-4..1e-2:log", False)([1e-5, 1e-4, 1e-2, 1e-1, 5.0])
    assert rate[:, 0].tolist() == pytest.approx([-0.5, 0, 1, 1.5, 1.5])
    layers = Reading.of("net_arch", "32x32|64x64|128x128:ordered", False)(["64x64", "400x300"])[:, 0]
    assert layers[0] == pytest.approx(0.5) and layers[1] == pytest.approx(1.5)
    conditional = Reading.of("tau", "0.0..1.0", True)([0.2, None])
    assert conditional.tolist() == [[0.2, 1.0], [0.5, 0.0]]


def test_failed_trainings_promise_the_least():
    configs = [{"x": 0.1}, {"x": 0.5}, {"x": 0.9}]
    known = Source(
        *("s", "ppo", "E", {"x": "0.0..1.0"}, configs),
        trial=np.array([0, 0, 1, 1, 2]),
        seed=np.zeros(5, dtype=np.int64),
        t=np.array([0.5, 1.0, 0.5, 1.0, 0.5]),
        score=np.array([5.0, np.nan, 3.0, 2.0, 4.0]),
    )
    trial, t, promise = known.promises()
    assert {(a, b): c for a, b, c in zip(trial, t, promise, strict=True)} == {
        **{(0, 0.5): 5.0, (1, 0.5): 3.0, (2, 0.5): 4.0},  # at 0.5, where one ended, all are compared that came so far
        **{(0, 1.0): 2.0, (1, 1.0): 2.0},
    }


def fitted(known, truth, n=12):
    """The network's ranking of new configurations after n trainings, and the weights that it gives the source."""
    space = Space(RANGES)
    experience = Experience(space, (known,), "ppo")
    rng = np.random.default_rng(2)
    tried, new = space.sample(n, rng), space.sample(100, rng)
    y = np.array([truth(config) for config in tried])
    from hyperpilot.records.dataset import Dataset

    data = Dataset(experience.encode(tried), np.ones(n), np.arange(n), np.zeros(n, dtype=np.int64), y)
    posterior = experience.told(BNN()).fit(data, np.random.default_rng(3))
    ranked = posterior(experience.encode(new), np.ones(100)).mean(axis=0)
    agreement = np.corrcoef(ranked, [truth(config) for config in new])[0, 1]
    return agreement, np.mean([network.trusted[0] for network in posterior.networks])


def test_the_network_trusts_a_source_that_agrees_and_drops_one_that_does_not():
    def truth(config):
        return -((config["x"] - 0.3) ** 2) - 0.05 * np.log10(config["learning_rate"] / 1e-3) ** 2

    right, trusted = fitted(source(truth), truth)
    wrong, dropped = fitted(source(lambda config: -truth(config)), truth)
    cold, _ = fitted(source(lambda config: 0.0 if config["x"] < 0.5 else 1e-9), truth)
    assert right > 0.9 and right > cold
    assert trusted > 0.5 > 0.2 > dropped
    assert wrong > 0.3  # the data have spoken


def test_slopes_of_columns_that_are_promised_are_those_of_the_function():
    space = Space(RANGES)
    experience = Experience(space, (source(),), "ppo")
    x = experience.encode(space.sample(6, np.random.default_rng(0)))
    from hyperpilot.records.dataset import Dataset

    data = Dataset(x, np.ones(6), np.arange(6), np.zeros(6, dtype=np.int64), np.arange(6.0))
    posterior = BNN(draws=3, known=1).fit(data, np.random.default_rng(0))
    weights, step = np.ones((3, 6)), 1e-3
    moved = x.copy()
    moved[:, -1] += step
    slope = (posterior(moved, np.ones(6)) - posterior(x, np.ones(6))).sum(axis=0) / step
    assert posterior.gradient(x, np.ones(6), weights)[:, -1] == pytest.approx(slope, rel=0.02)


def test_the_first_trials_are_where_the_sources_are_good():
    space = Space({"x": "0.0..1.0"})
    known = source(lambda config: -((config["x"] - 0.3) ** 2), ranges={"x": "0.0..1.0"})
    proposer = bayes.Proposer(space, BNN(), averaged, random_share=0.0, experience=Experience(space, (known,), "ppo"))
    first = [config["x"] for config in proposer(History(), 8, np.random.default_rng(0))]
    assert np.abs(np.array(first) - 0.3).max() < 0.15
    assert len(set(first)) == 8

    jobs = [Job(i, {"x": x}, i, 3, 3) for i, x in enumerate(first)]
    failed = History().extend([each for job in jobs for each in (Submitted(job), Failed(job.run, "diverged", step=1))])
    then = [config["x"] for config in proposer(failed, 8, np.random.default_rng(0))]
    assert np.abs(np.array(then) - 0.3).max() > 0.3, "where the sources were wrong the search looks elsewhere"


def test_what_sources_do_not_agree_on_is_worth_less():
    space = Space({"x": "0.0..1.0"})

    def peak(at):
        return source(lambda config: -((config["x"] - at) ** 2), ranges={"x": "0.0..1.0"})

    same, other = (Experience(space, sources, "ppo") for sources in ((peak(0.3), peak(0.3)), (peak(0.3), peak(0.9))))
    at = [{"x": 0.3}]
    assert same.agreed(at) == pytest.approx(same(at).mean(axis=1))
    assert other.agreed(at) == pytest.approx(other(at).mean(axis=1) - other(at).std(axis=1))
    assert other.agreed(at) < other(at).mean(axis=1) - 0.1


def test_a_search_with_experience_is_a_function_of_its_record():
    space = Space({"x": "0.0..1.0"})
    known = source(lambda config: -((config["x"] - 0.3) ** 2), ranges={"x": "0.0..1.0"})

    def run():
        strategy = bayes.plugin(
            space, Racing(3, 24), BNN(draws=4), averaged, experience=Experience(space, (known,), "ppo")
        )
        return Loop(strategy, MemoryStore(), Inline(Simulated(every=1))).run()

    one, other = run(), run()
    assert one.trials == other.trials and len(one.trials) > 5


def test_files_give_back_what_was_written_and_refuse_the_rest(tmp_path):
    known, path = source(), tmp_path / "some.npz"
    write([known], path)
    (again,) = read(path)
    assert again.configs == known.configs and dict(again.ranges) == dict(known.ranges)
    assert np.array_equal(again.trial, known.trial) and again.score == pytest.approx(known.score, abs=1e-6)
    (tmp_path / "none.npz").write_bytes(b"not a zip")
    with pytest.raises(InvalidExperience, match="is no experience"):
        read(tmp_path / "none.npz")
    np.savez(tmp_path / "pickled.npz", about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InvalidExperience, match="is no experience"):
        read(tmp_path / "pickled.npz")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("ranges", {"x": "import os"}, "is not a range"),
        ("configs", {"x": [[1]] * 60}, "no value of a hyperparameter"),
        ("configs", {"x": [0.5]}, "does not hold"),
        ("name", "", "is no name"),
    ],
)
def test_what_a_file_says_is_checked(tmp_path, key, value, said):
    write([source()], tmp_path / "some.npz")
    with np.load(tmp_path / "some.npz") as file:
        arrays = dict(file)
    about = json.loads(arrays["about"].tobytes())
    about["sources"][0][key] = value
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    np.savez(tmp_path / "bent.npz", **arrays)
    with pytest.raises(InvalidExperience, match=said):
        read(tmp_path / "bent.npz")


def test_what_would_unpack_to_a_flood_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hyperpilot.experience.files._LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.npy", b"0" * 10_000)
    with pytest.raises(InvalidExperience, match="unpacks to more"):
        read(tmp_path / "bomb.npz")


def test_a_store_adds_lists_and_forgets(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPERPILOT_HOME", str(tmp_path))
    assert home() == tmp_path
    store = ExperienceStore()
    store.add([source(name="a"), source(name="b")])
    assert store.names() == ["a", "b"] and store.folder == tmp_path / "experience"
    store.remove("a")
    assert [known.name for known in store.all()] == ["b"]
    with pytest.raises(InvalidExperience, match="no experience 'a'"):
        store.get("a")
    with pytest.raises(InvalidExperience, match="is no name"):
        store.add([source(name="../b")])


def test_other_libraries_names_become_ours():
    known = plainly_named(
        *("s", "dqn", "E", {"buffer_batch_size": "16..64:pow2"}, [{"buffer_batch_size": 32}]),
        trial=np.array([0]),
        seed=np.array([0]),
        t=np.array([1.0]),
        score=np.array([1.0]),
    )
    assert known.ranges == {"batch_size": "16..64:pow2"} and known.configs == [{"batch_size": 32}]
