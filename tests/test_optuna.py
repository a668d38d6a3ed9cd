"""Our sampler and pruner inside Optuna."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optuna")

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.testing import pytest_samplers as suite
from optuna.trial import TrialState, create_trial

from hyperpilot.errors import InvalidStudy
from hyperpilot.hosts._optuna_record import history
from hyperpilot.hosts._optuna_space import Asked, Dimension, asked_for
from hyperpilot.hosts.optuna import HyperPilotPruner, HyperPilotSampler, RLObjective
from hyperpilot.strategies._remembered import Remembered
from hyperpilot.surrogates.bnn import BNN
from hyperpilot.testing import surrogates as rows_of

optuna.logging.set_verbosity(optuna.logging.WARNING)


class TestConformance(suite.BasicSamplerTestCase, suite.RelativeSamplerTestCase, suite.MultiObjectiveSamplerTestCase):
    """Optuna's own suite, whole: the remaining class of it is for samplers that refuse several objectives."""

    @pytest.fixture
    def sampler(self):
        return lambda: HyperPilotSampler(seed=0)


def bowl(trial):
    x, y = trial.suggest_float("x", -5, 5), trial.suggest_float("y", 1e-4, 1.0, log=True)
    return (x - 2) ** 2 + (np.log10(y) + 2) ** 2


def curve(trial, steps=9):
    """Rises to a height that depends on x, from which nobody is known at the first steps."""
    x = trial.suggest_float("x", 0, 1)
    for step in range(1, steps + 1):
        trial.report((1 - (x - 0.3) ** 2) * step / steps, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return 1 - (x - 0.3) ** 2


def created(direction="minimize", pruner=None, storage=None, **options):
    sampler = HyperPilotSampler(seed=0, **options)
    return optuna.create_study(direction=direction, sampler=sampler, pruner=pruner, storage=storage)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_it_finds_what_random_search_does_not(direction):
    sign = 1 if direction == "minimize" else -1
    study = created(direction)
    study.optimize(lambda trial: sign * bowl(trial), n_trials=30)
    blind = created(direction, random_share=1.0)
    blind.optimize(lambda trial: sign * bowl(trial), n_trials=30)
    assert sign * study.best_value < 0.1
    assert np.median([sign * trial.value for trial in study.trials[15:]]) < np.median(
        [sign * trial.value for trial in blind.trials[15:]]
    )


@pytest.mark.parametrize(
    ("distribution", "values"),
    [
        (FloatDistribution(1e-5, 1e-1, log=True), [1e-5, 3e-4, 1e-1]),
        (FloatDistribution(-1.0, 1.0, step=0.25), [-1.0, -0.25, 1.0]),
        (IntDistribution(1, 100, log=True), [1, 7, 100]),
        (IntDistribution(3, 9, step=2), [3, 5, 9]),
        (CategoricalDistribution([None, "a", 1, 2.5, True]), [None, "a", 1, 2.5]),
        (CategoricalDistribution([32, 64, 256]), [32, 256]),
        (CategoricalDistribution([False, True]), [False, True]),
    ],
)
def test_every_value_comes_back_and_every_draw_is_allowed(distribution, values):
    dimension = Dimension(distribution)
    for value in values:
        assert dimension.theirs(dimension.ours(value)) == value
        assert type(dimension.theirs(dimension.ours(value))) is type(value)
    asked = Asked({"odd name/[0]": distribution})
    for config in asked.space.sample(20, np.random.default_rng(0)):
        value = asked.theirs(config)["odd name/[0]"]
        assert distribution._contains(distribution.to_internal_repr(value))


def test_numbers_among_choices_are_in_order_and_words_are_not():
    assert Asked({"x": CategoricalDistribution([32, 64, 256, 512])}).space.width == 1
    assert Asked({"x": CategoricalDistribution(["a", "b", "c", "d"])}).space.width == 4


def layered(trial):
    kind = trial.suggest_categorical("kind", ["linear", "deep"])
    loss = trial.suggest_float("rate", 0, 1)
    if kind == "deep":
        for layer in range(trial.suggest_int("layers", 1, 3)):
            loss += trial.suggest_float(f"units {layer}", 0, 1)
    return loss


def test_what_is_asked_for_in_some_trials_only_is_known_by_what_it_depends_on():
    study = created(initial=30)
    study.optimize(layered, n_trials=30)
    asked = Asked.of(study.trials, asked_for(study.trials))
    deep = Dimension(asked.distributions["kind"]).ours("deep")
    assert asked.conditions == {
        "layers": ("kind", (deep,)),
        "units 0": ("kind", (deep,)),
        "units 1": ("layers", (2, 3)),
        "units 2": ("layers", (3,)),
    }
    found = study.sampler.sample_relative(study, study.ask()._cached_frozen_trial, asked_for(study.trials))
    assert ("layers" in found) == (found["kind"] == "deep")


def test_proposals_are_a_function_of_the_trials(tmp_path):
    """The same from memory, a database and a journal, and from a sampler that begins anew for every trial."""
    journal = JournalStorage(JournalFileBackend(str(tmp_path / "journal")))
    found = []
    for storage in (None, f"sqlite:///{tmp_path}/optuna.db", journal):
        study = created(storage=storage, pruner=HyperPilotPruner(), direction="maximize")
        for _ in range(10):
            study.sampler = HyperPilotSampler(seed=0)
            study.optimize(curve, n_trials=1)
        found.append([trial.params for trial in study.trials])
    assert found[0] == found[1] == found[2]


def test_running_trials_are_pending():
    """Asked for many at once, it does not ask for the same again."""
    study = created(random_share=0.0, acquisition="log_ei")
    study.optimize(bowl, n_trials=12)
    space = asked_for(study.trials)
    batch = [study.ask(space).params for _ in range(6)]
    points = np.array([[p["x"], np.log10(p["y"])] for p in batch])
    gaps = [np.abs(a - b).max() for i, a in enumerate(points) for b in points[:i]]
    assert min(gaps) > 0.01
    record = history(study.trials, Asked.of(study.trials, space), (-1,))
    assert len(record.active) == 6


def told(values, state=TrialState.COMPLETE, **more):
    return create_trial(
        state=state, params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}, intermediate_values=values, **more
    )


def read(*trials):
    study = optuna.create_study()
    study.add_trials(list(trials))
    trials = study.trials
    return history(trials, Asked.of(trials, asked_for(trials)), (-1,)).search


def test_steps_from_zero_and_the_objective_at_the_end():
    complete, stopped = read(told({0: 3.0, 9: 1.0}, value=0.5), told({0: 4.0, 4: 2.0}, state=TrialState.PRUNED))
    assert [(r.step, r.score) for r in complete.reports] == [(1, -3.0), (10, -0.5)]
    assert [(r.step, r.score) for r in stopped.reports] == [(1, -4.0), (5, -2.0)]
    assert complete.complete and stopped.state == "paused" and stopped.job.horizon == 10


def test_failures_are_knowledge_and_lost_processes_are_not():
    good = told({9: 1.0}, value=1.0)
    diverged = told({3: 1.0, 5: float("nan")}, state=TrialState.FAIL)
    infinite = told({}, value=float("inf"))
    crashed = told({2: 1.0}, state=TrialState.FAIL)
    lost = told({2: 1.0}, state=TrialState.FAIL)
    again = told({9: 1.0}, value=1.0, system_attrs={"failed_trial": 4})
    unfit = told({}, state=TrialState.PRUNED)
    kinds = [
        run.failures[-1].kind if run.failures else None for run in read(good, diverged, infinite, crashed, lost, again)
    ]
    assert kinds == [None, "diverged", "diverged", "crashed", "killed", None]
    assert read(good, diverged)[1].failures[-1].step == 5
    assert read(good, unfit)[1].state == "failed"


def test_it_keeps_away_from_where_trials_fail():
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        return float("nan") if x > 0.5 else -x

    study = created(random_share=0.0)
    study.optimize(objective, n_trials=20)
    late = [trial.params["x"] for trial in study.trials[10:]]
    assert np.mean(np.array(late) > 0.5) < 0.4
    assert study.best_value < -0.45


def test_several_objectives_find_both_ends_of_a_front():
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=HyperPilotSampler(seed=0))

    def objective(trial):
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        return x + 2 * y, x - 2 * y

    study.optimize(objective, n_trials=40)
    front = [trial.params["x"] for trial in study.best_trials]
    assert min(front) < 0.15 and max(front) > 0.85
    assert np.median([trial.params["y"] for trial in study.trials[20:]]) < 0.3


def test_a_model_is_fitted_once_to_the_same_data():
    data = rows_of.rows(np.random.default_rng(0).random((20, 2)), np.ones(20), np.arange(20.0))
    model = Remembered(BNN(draws=2), 0)
    first = model.fit(data, np.random.default_rng(1))
    assert model.fit(data, np.random.default_rng(2)) is first
    assert model.fit(data.rows(np.arange(20) < 19), np.random.default_rng(1)) is not first


@pytest.mark.parametrize("schedule", ["racing", "hyperband"])
def test_pruning_saves_steps_and_keeps_the_best(schedule):
    pruner = HyperPilotPruner(schedule, horizon=9)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(0), pruner=pruner)
    study.optimize(curve, n_trials=40)
    steps = sum(trial.last_step for trial in study.trials)
    assert steps < 0.7 * 40 * 9
    best = min(abs(trial.params["x"] - 0.3) for trial in study.trials)
    assert abs(study.best_params["x"] - 0.3) < best + 0.1
    stopped = [abs(trial.params["x"] - 0.3) for trial in study.trials if trial.state == TrialState.PRUNED]
    complete = [abs(trial.params["x"] - 0.3) for trial in study.trials if trial.state == TrialState.COMPLETE]
    assert np.mean(complete) < np.mean(stopped)


def test_nothing_is_pruned_before_a_trial_is_complete_and_what_is_not_finite_is():
    study = optuna.create_study(direction="minimize", pruner=HyperPilotPruner())
    for value in (1.0, 2.0, 3.0):
        trial = study.ask()
        trial.report(value, 1)
        assert not trial.should_prune()
    trial.report(float("nan"), 2)
    assert trial.should_prune()


def test_the_worst_of_a_rung_is_pruned_in_both_directions():
    for direction, worst in (("minimize", 9.0), ("maximize", -9.0)):
        study = optuna.create_study(direction=direction, pruner=HyperPilotPruner(horizon=10))
        for value in (1.0, 2.0, 3.0, 4.0):
            study.add_trial(told({5: value, 10: value}, value=value))
        trial = study.ask()
        trial.report(worst, 5)
        assert trial.should_prune()
        trial = study.ask()
        trial.report(-worst, 5)
        assert not trial.should_prune()


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(InvalidStudy, match="no search"):
        HyperPilotSampler(initial=0)
    with pytest.raises(InvalidStudy, match="no pruning by 'median'"):
        HyperPilotPruner("median")
    with pytest.raises(InvalidStudy, match="no schedule"):
        HyperPilotPruner(eta=1.0)


WORKER = """
import sys, optuna
from hyperpilot.hosts.optuna import HyperPilotPruner, HyperPilotSampler
optuna.logging.set_verbosity(optuna.logging.WARNING)
ours = {"sampler": HyperPilotSampler(), "pruner": HyperPilotPruner(horizon=5)}
study = optuna.load_study(study_name="shared", storage=sys.argv[1], **ours)
def objective(trial):
    x = trial.suggest_float("x", 0, 1)
    for step in range(1, 6):
        trial.report((x - 0.3) ** 2 + 1 / step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return (x - 0.3) ** 2
study.optimize(objective, n_trials=6)
"""


def test_several_processes_share_a_study(tmp_path):
    storage = f"sqlite:///{tmp_path}/shared.db"
    optuna.create_study(study_name="shared", storage=storage)
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, storage]) for _ in range(2)]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    study = optuna.load_study(study_name="shared", storage=storage)
    assert len(study.trials) == 12
    assert all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in study.trials)
    assert len({trial.params["x"] for trial in study.trials}) == 12


def small(folder, **more):
    return RLObjective(
        "ppo",
        "CartPole-v1",
        horizon=256,
        folder=folder,
        evaluations=4,
        eval_episodes=1,
        fix={"n_steps": 32, "batch_size": 32, "n_envs": 1, "n_epochs": 1, "net_arch": "64x64", "normalize": False},
        **more,
    )


def test_an_rl_training_is_an_objective(tmp_path):
    study = optuna.create_study(study_name="cart", direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(small(tmp_path, seeds=2), n_trials=1)
    (trial,) = study.trials
    assert sorted(trial.intermediate_values) == [64, 128, 192, 256]
    assert trial.value == pytest.approx(np.mean([trial.intermediate_values[step] for step in (192, 256)]))
    about = trial.user_attrs
    assert len(about["seeds"]) == 2 and np.mean(list(about["seeds"].values())) == pytest.approx(trial.value)
    assert all((Path(folder) / "model.zip").exists() for folder in about["checkpoints"])
    assert about["config"]["n_steps"] == 32 and about["metrics"]["episode_length"] > 0
    assert json.loads((Path(about["folder"]) / "config.json").read_text()) == about["config"]
    assert list(Path(about["folder"]).glob("seed-*/**/events.out.tfevents.*"))
    assert "learning_rate" in trial.params and "n_steps" not in trial.params


def test_an_rl_training_stops_where_it_is_pruned(tmp_path):
    pruner = optuna.pruners.ThresholdPruner(lower=1e6)
    study = optuna.create_study(study_name="cart", direction="maximize", pruner=pruner)
    study.optimize(small(tmp_path), n_trials=1)
    assert study.trials[0].state == TrialState.PRUNED and study.trials[0].last_step == 64


def test_an_rl_training_has_several_goals(tmp_path):
    study = optuna.create_study(study_name="two", directions=["maximize"] * 2, sampler=HyperPilotSampler(seed=0))
    study.optimize(small(tmp_path, objective="return,-wall_s"), n_trials=1)
    assert study.trials[0].values[0] > 0 > study.trials[0].values[1]


def test_an_rl_objective_says_what_is_wrong(tmp_path):
    objective = small(tmp_path)
    with pytest.raises(InvalidStudy, match="minimises"):
        optuna.create_study().optimize(objective, n_trials=1)
    with pytest.raises(InvalidStudy, match="2 objectives and the training 1"):
        optuna.create_study(directions=["maximize"] * 2).optimize(objective, n_trials=1)
    with pytest.raises(InvalidStudy, match="surrogate is not for an objective"):
        small(tmp_path, surrogate="gp")
    (tmp_path / "old" / "trials" / "0000").mkdir(parents=True)
    (tmp_path / "old" / "trials" / "0000" / "config.json").write_text("{}")
    with pytest.raises(InvalidStudy, match="another configuration"):
        optuna.create_study(study_name="old", direction="maximize").optimize(objective, n_trials=1)


ABSENT = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from hyperpilot.errors import MissingExtra
try:
    from hyperpilot.hosts.optuna import HyperPilotSampler
    HyperPilotSampler(seed=0)
    from hyperpilot.hosts.optuna import RLObjective
except MissingExtra as error:
    print(error.mend)
"""


@pytest.mark.parametrize(("absent", "extra"), [("optuna", "optuna"), ("gymnasium,stable_baselines3", "sb3")])
def test_without_an_extra_it_says_what_to_install(absent, extra):
    """The sampler needs no reinforcement learning, and says so by working without."""
    said = subprocess.run([sys.executable, "-c", ABSENT, absent], capture_output=True, text=True, check=True)
    assert said.stdout == f"pip install 'hyperpilot-rl[{extra}]'\n"
