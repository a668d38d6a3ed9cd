"""Every optional package that is missing is named together with the extra that brings it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hyperpilot.records import Finished, Job, Submitted
from hyperpilot.runtime.study import Study

TUNE = ["tune", "ppo", "CartPole-v1", "--no-forecast", "--study", "new"]
CASES = [
    ("sb3", "gymnasium", TUNE),
    ("sb3", "torch", ["train", "ppo", "CartPole-v1", "--steps", "64", "--out", "new"]),
    ("sb3", "stable_baselines3", ["train", "ppo", "CartPole-v1", "--steps", "64", "--out", "new"]),
    ("sb3", "sb3_contrib", ["train", "trpo", "CartPole-v1", "--steps", "64", "--out", "new"]),
    ("box2d", "Box2D", ["tune", "ppo", "LunarLander-v3", "--study", "new"]),
    ("plots", "matplotlib", ["importance", "study", "--plot", "effects.png"]),
    ("plots", "matplotlib", ["report", "study", "--figures", "figures"]),
    ("report", "plotly", ["report", "study"]),
    ("postgres", "psycopg", [*TUNE, "--storage", "postgresql://someone@127.0.0.1:1/db"]),
    ("botorch", "botorch", [*TUNE, "--surrogate", "ibnn"]),
    ("botorch", "gpytorch", [*TUNE, "--surrogate", "lkgp"]),
    ("tfp", "jax", [*TUNE, "--surrogate", "bnn-nuts"]),
    ("tfp", "tensorflow_probability", [*TUNE, "--surrogate", "bnn-nuts"]),
    ("jax", "gymnax", [*TUNE, "--trainer", "jax"]),
    ("mjx", "mujoco", ["tune", "ppo", "Hopper-v5", "--trainer", "jax", "--no-forecast", "--study", "new"]),
    ("forest", "sklearn", [*TUNE, "--surrogate", "forest"]),
    ("ray", "ray", [*TUNE, "--executor", "ray"]),
    ("ray", "ray", [*TUNE, "--trainer", "rllib"]),
    ("ray", "fsspec", [*TUNE, "--executor", "ray", "--checkpoints", "file:///nowhere"]),
    ("optuna", "optuna", ["export", "study", "sqlite:///optuna.db", "--format", "optuna"]),
    ("mlflow", "mlflow", ["export", "study", "sqlite:///mlflow.db", "--format", "mlflow"]),
    ("wandb", "wandb", ["export", "study", "project", "--format", "wandb"]),
    ("gui", "qtpy", ["gui"]),
    ("gui", "pyqtgraph", ["gui"]),
    ("video", "imageio", ["enjoy", "agent", "--video", "film.gif"]),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a study of ten finished trainings."""
    folder = tmp_path_factory.mktemp("extras")
    study = Study.create(
        command=["true", "{flags}"],
        space={"x": "0.0..1.0", "y": "0.0..1.0"},
        total_steps=100,
        horizon=10,
        evaluations=2,
    )
    study.write(folder / "study")
    store = study.open_store(folder / "study")
    for trial, x in enumerate(k / 10 for k in range(10)):
        job = Job(trial, {"x": x, "y": 1 - x * x}, trial, 10, 10)
        store.append([Submitted(job), job.report(x), Finished(job.run)])
    store.close()
    return folder


@pytest.fixture(scope="module")
def agent(home):
    """A trained agent beside it."""
    words = [
        "train",
        "ppo",
        "CartPole-v1",
        "--steps",
        "64",
        "--fix",
        "n_steps=32",
        "--fix",
        "n_envs=2",
        "--out",
        "agent",
    ]
    subprocess.run([sys.executable, "-c", "from hyperpilot.cli import main; main()", *words], cwd=home, check=True)


# As if they were not installed, to whoever imports them and to whoever asks whether they are there.
BLOCK = """
import sys
class Gone:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gone)
from hyperpilot.cli import main
main()
"""


def without(packages, words, folder):
    code = BLOCK.replace("PACKAGES", repr(set(packages)))
    return subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(("extra", "package", "words"), CASES)
def test_what_is_missing_is_named_with_the_extra_that_brings_it(home, request, extra, package, words):
    if "agent" in words:
        request.getfixturevalue("agent")
    done = without([package], words, home)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"pip install 'hyperpilot-rl[{extra}]'" in done.stderr and "Traceback" not in done.stderr


def test_no_extra_is_left_out():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert {extra for extra, _, _ in CASES} == set(project["optional-dependencies"]) - {"dev"}


def test_a_command_is_tuned_without_any_extra(home):
    words = ["resume", "study", "--quiet"]
    done = without({"torch", "gymnasium", "stable_baselines3", "matplotlib", "plotly", "jax", "sklearn"}, words, home)
    assert done.returncode == 2 and "printed no score" in (done.stdout + done.stderr), done.stderr[-2000:]
