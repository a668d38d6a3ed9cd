"""A new surrogate is one file: declared by an entry point, it works wherever ours do."""

import subprocess
import sys

import numpy as np
import pytest

from hyperpilot import registry
from hyperpilot.api import Optimizer, tune
from hyperpilot.cli import app
from hyperpilot.errors import UnknownPlugin, UnsupportedEnvironment
from hyperpilot.records.dataset import Dataset
from hyperpilot.testing import surrogates as suite

NEAREST = '''
import numpy as np


class Nearest:
    """The score of the nearest row, with noise that grows with the distance."""

    def fit(self, data, rng):
        noise = rng.standard_normal((8, 1, len(data)))
        rows = np.column_stack([data.x, data.t])

        def posterior(x, t):
            at = np.column_stack([x, t])
            distances = ((at[:, None] - rows) ** 2).sum(axis=2)
            guesses = data.y + noise * distances
            nearest = distances.argmin(axis=1)
            return guesses[:, np.arange(len(at)), nearest]

        return posterior


plugin = Nearest
'''


PATIENT = """
from functools import partial

from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm
from hyperpilot.registry import load

A2C = load("algorithms", "a2c")
plugin = Algorithm(
    name="patient",
    title="A2C that is never in a hurry",
    actions=("discrete",),
    space={"learning_rate": "1e-4..1e-3:log"},
    defaults=A2C.defaults,
    sb3_class="patient_class.Patient",
    sb3=partial(keywords, A2C.defaults),
)
"""


def installed(folder, kind, name, source):
    """Installs a module with an entry point in a folder."""
    module = f"{name}_plugin"
    (folder / f"{module}.py").write_text(source)
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[hyperpilot.{kind}]\n{name} = {module}:plugin\n")


@pytest.fixture
def nearest(tmp_path, monkeypatch):
    installed(tmp_path, "surrogates", "nearest", NEAREST)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def patient(tmp_path, monkeypatch):
    installed(tmp_path, "algorithms", "patient", PATIENT)
    (tmp_path / "patient_class.py").write_text("from stable_baselines3 import A2C\nclass Patient(A2C): pass\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_an_algorithm_is_one_file(patient, tmp_path):
    fix = {"n_envs": 1, "n_steps": 8}
    settings = {
        "total_steps": 1200,
        "horizon": 100,
        "rungs": 1,
        "test_share": 0.4,
        "test_episodes": 1,
        "evaluations": 1,
    }
    result = tune("patient", "CartPole-v1", folder=tmp_path / "s", executor="inline", fix=fix, **settings)
    assert result.test_iqm > 0
    assert "from patient_class import Patient" in (tmp_path / "s/result/load_agent.py").read_text()
    with pytest.raises(UnsupportedEnvironment, match="patient serves discrete"):
        tune("patient", "Pendulum-v1", folder=tmp_path / "p", **settings)


def test_without_its_package_there_is_no_such_plugin():
    with pytest.raises(UnknownPlugin, match="nearest"):
        registry.load("surrogates", "nearest")


def test_the_shipped_suite_judges_it(nearest):
    assert "nearest" in registry.available("surrogates")
    surrogate = registry.load("surrogates", "nearest")()
    suite.draws_have_their_shape(surrogate)
    suite.rows_are_the_same_functions_in_every_batch(surrogate)
    x = np.random.default_rng(0).random((12, 2))
    data = Dataset(x, np.ones(12), np.arange(12), np.zeros(12, dtype=np.int64), x[:, 0])
    with pytest.raises(AssertionError, match="correlation"):  # the suite tells how far a nearest row gets
        suite.better_scores_are_predicted_better(surrogate)
    np.testing.assert_allclose(surrogate.fit(data, np.random.default_rng(0))(x, data.t).mean(axis=0), x[:, 0])


def test_it_searches(nearest):
    optimizer = Optimizer({"x": "0.0..1.0"}, budget=25, surrogate="nearest", seed=0)
    while jobs := optimizer.ask(1):
        optimizer.tell(jobs[0].report(1 - (jobs[0].config["x"] - 0.3) ** 2))
    assert optimizer.best[1] > 0.99


def test_the_command_line_offers_it(nearest, tmp_path, capsys):
    with pytest.raises(UnknownPlugin, match="nearest"):
        app(
            ["tune", "ppo", "CartPole-v1", "--surrogate", "none", "--study", str(tmp_path / "s")], standalone_mode=False
        )


@pytest.mark.parametrize("kind", registry.KINDS)
def test_whatever_is_listed_can_be_loaded(kind):
    assert registry.available(kind)
    for name in registry.available(kind):
        assert registry.load(kind, name) is not None


def test_without_botorch_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['botorch'] = None\n"
        "from hyperpilot.errors import MissingExtra; from hyperpilot.registry import load\n"
        "def host(): import hyperpilot.hosts.botorch\n"
        "for name in ('gp_botorch', 'ibnn', 'lkgp', ''):\n"
        "    try: load('surrogates', name) if name else host()\n"
        "    except MissingExtra as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'hyperpilot-rl[botorch]'") == 4


def test_a_hyphen_may_stand_for_an_underscore_in_the_name_of_a_plug_in():
    assert registry.load("acquisition", "log-ei") is registry.load("acquisition", "log_ei")
    with pytest.raises(UnknownPlugin, match="log-ie"):
        registry.load("acquisition", "log-ie")
