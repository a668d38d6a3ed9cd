"""The verbs that look at spaces and environments, and that train, show and export agents."""

import json
import os
import shutil

import pytest
import yaml
from typer.testing import CliRunner

from hyperpilot.cli import app
from hyperpilot.cli._options import fixed_values, parse_assignments, parse_steps
from hyperpilot.errors import (
    EnvironmentUnavailable,
    InvalidConfiguration,
    InvalidStudy,
    UnknownPlugin,
    UnsupportedEnvironment,
    UntrustedFile,
)

TRAIN = ["train", "ppo", "CartPole-v1", "--steps", "300", "--fix", "n_steps=64", "--fix", "normalize=true"]

MAZE = """
import gymnasium, numpy as np

class Maze(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(4)

    def __init__(self, size):
        self.observation_space = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
"""


def call(*words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["hyperpilot", *words])
        result = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(error, *words):
    with pytest.raises(error) as caught:
        call(*words)
    assert caught.value.mend
    return str(caught.value)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("train") / "run"
    text = call(*TRAIN, "--evaluations", "3", "--out", str(out))
    assert text.count("return") == 3
    return out


@pytest.mark.parametrize(("text", "steps"), [("100k", 100_000), ("2M", 2_000_000), ("5000", 5000), ("1e5", 100_000)])
def test_steps_are_read_as_people_write_them(text, steps):
    assert parse_steps(text) == steps


@pytest.mark.parametrize("text", ["", "k", "-5", "0", "1.5", "many", "nan", "inf", "1e99"])
def test_what_is_no_number_of_steps_is_refused(text):
    with pytest.raises(InvalidStudy):
        parse_steps(text)


def test_assignments():
    assert parse_assignments(["a=1..2:log"]) == {"a": "1..2:log"}
    assert fixed_values(["a=1", "b=true", "c=x"]) == {"a": 1, "b": True, "c": "x"}
    for bad in (["a"], ["=1"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(InvalidStudy):
            parse_assignments(bad)


def test_spaces_lists_algorithms_and_prints_one():
    assert "Proximal Policy Optimization" in call("spaces")
    text = call("spaces", "td3", "--set", "tau=0.001..0.1:log", "--fix", "gamma=0.9")
    assert "0.001..0.1:log" in text
    assert "noise_type=normal|ornstein-uhlenbeck" in text
    assert "batch_size <= buffer_size" in text
    assert "target_noise_clip" in text


def test_spaces_as_yaml_can_be_read_back():
    part = yaml.safe_load(call("spaces", "ppo", "--yaml", "--env", "CartPole-v1", "--fix", "gamma=0.9"))
    assert part["space"]["activation_fn"] == "tanh|relu"
    assert part["fix"] == {"gamma": 0.9}
    assert "gamma" not in part["space"]


def test_spaces_refuses_what_does_not_fit():
    assert "ppo" in fails(UnsupportedEnvironment, "spaces", "sac", "--env", "CartPole-v1")
    fails(UnknownPlugin, "spaces", "nothing")
    fails(InvalidConfiguration, "spaces", "ppo", "--fix", "gama=0.9")


def test_envs():
    assert "CartPole-v1" in call("envs", "cartpole")
    found = json.loads(call("envs", "CartPole*", "--json"))
    assert {entry["family"] for entry in found if entry["id"] == "CartPole-v1"} == {"classic_control"}
    assert "no registered" in call("envs", "nothing-of-that-name")


def test_train_goes_on_and_refuses_another_training(trained):
    assert (trained / "trials/0000/seed-0/checkpoints/000000300/model.zip").exists()
    assert "300/300" in call(*TRAIN, "--out", str(trained))
    assert "gamma" in fails(InvalidStudy, *TRAIN, "--fix", "gamma=0.9", "--out", str(trained))
    longer = ["400" if word == "300" else word for word in TRAIN]
    assert "horizon" in fails(InvalidStudy, *longer, "--out", str(trained))


def test_train_takes_the_environments_arguments_with_its_configuration(tmp_path):
    write_best(tmp_path, "a2c", "CartPole-v1", {"sutton_barto_reward": True}, n_steps=8)
    words = ("--steps", "16", "--evaluations", "1", "--config", tmp_path / "result/best.yaml", "--out")
    assert "return -1.00" in call("train", "a2c", "CartPole-v1", *words, tmp_path / "same")
    film = ("--episodes", "1", "--video", tmp_path / "film.gif")
    assert "return -1.00" in call("enjoy", tmp_path / "same", *film)
    call("train", "a2c", "Acrobot-v1", *words, tmp_path / "other")
    assert yaml.safe_load((tmp_path / "other/train.yaml").read_text())["env_kwargs"] == {}


def test_train_takes_a_configuration_file(tmp_path):
    best = tmp_path / "best.yaml"
    best.write_text("algorithm: a2c\nconfig: {learning_rate: 1e-3, n_steps: 8}\n")
    call(
        "train", "a2c", "CartPole-v1", "--steps", "32", "--config", best, "--evaluations", "1", "--out", tmp_path / "o"
    )
    known = yaml.safe_load((tmp_path / "o" / "train.yaml").read_text())["config"]
    assert (known["learning_rate"], known["n_steps"]) == (0.001, 8)
    fails(InvalidStudy, "train", "ppo", "CartPole-v1", "--steps", "9", "--config", best, "--out", tmp_path / "p")
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_enjoy_records_a_video(trained, tmp_path, suffix):
    imageio = pytest.importorskip("imageio.v2")
    video = tmp_path / f"film.{suffix}"
    text = call("enjoy", trained, "--episodes", "2", "--video", video)
    assert text.count("episode") == 2 and "mean return" in text
    with imageio.get_reader(video) as film:
        assert film.get_data(0).shape[:2] == (400, 600)


def test_enjoy_finds_runs_and_checkpoints(trained, tmp_path):
    run = trained / "trials/0000/seed-0"
    film = ("--episodes", "1", "--video", tmp_path / "film.gif")
    for words in (
        [run, "--step", "100"],
        [run / "checkpoints/000000200"],
        [run / "checkpoints/000000200/model.zip", "--stochastic"],
    ):
        call("enjoy", *words, *film)
    fails(InvalidStudy, "enjoy", run, "--step", "7", *film)
    fails(UnsupportedEnvironment, "enjoy", run, "--env", "Pendulum-v1", *film)


def test_enjoy_shows_the_result_of_a_study(trained, tmp_path):
    study, film = tmp_path / "study", ("--episodes", "1", "--video", tmp_path / "film.gif")
    shutil.copytree(trained / "trials/0000/seed-0/checkpoints/000000300", study / "result")
    (study / "result/report.json").unlink()
    (study / "study.yaml").write_text("env: CartPole-v1\nenv_kwargs: {sutton_barto_reward: true}\n")
    (study / "result/best.yaml").write_text("algorithm: ppo\nenv: CartPole-v1\n")
    assert "return -1.00" in call("enjoy", study, *film)  # so the environment's arguments have been used
    (study / "study.yaml").rename(tmp_path / "elsewhere.yaml")
    assert "--trust" in fails(UntrustedFile, "enjoy", study / "result", *film)
    (study / "result/best.yaml").write_text((tmp_path / "elsewhere.yaml").read_text() + "algorithm: ppo\n")
    assert "return -1.00" in call("enjoy", study / "result", "--trust", *film)


def test_enjoy_says_what_a_study_has(trained, tmp_path):
    study, film = tmp_path / "study", ("--episodes", "1", "--video", tmp_path / "film.gif")
    shutil.copytree(trained / "trials", study / "trials")
    (study / "study.yaml").write_text("env: CartPole-v1\n")
    assert "--trial" in fails(InvalidStudy, "enjoy", study, *film)
    assert "--trial" in fails(InvalidStudy, "enjoy", study, "--step", "100", *film)
    assert "it has: 0" in fails(InvalidStudy, "enjoy", study, "--trial", "9", *film)
    assert "it has: 0" in fails(InvalidStudy, "enjoy", study, "--trial", "0", "--seed", "9", *film)
    assert "return" in call("enjoy", study, "--trial", "0", *film)
    fails(InvalidStudy, "enjoy", study / "trials", *film)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="the system does not tell who owns a file")
@pytest.mark.parametrize("name", ["model.zip", "vecnormalize.pkl"])
def test_enjoy_asks_before_it_loads_what_belongs_to_another_user(trained, tmp_path, monkeypatch, name):
    another = tmp_path / "training"
    shutil.copytree(trained, another)
    film = ("--episodes", "1", "--video", tmp_path / "film.gif")
    if os.getuid() == 0:
        os.chown(another / "trials/0000/seed-0/checkpoints/000000300" / name, 4321, -1)
    else:
        another_user = os.getuid() + 1
        monkeypatch.setattr("os.getuid", lambda: another_user)
    assert "another user" in fails(UntrustedFile, "enjoy", another, *film)
    call("enjoy", another, "--trust", *film)


def test_enjoy_refuses_strangers_files_and_needs_a_screen(trained, tmp_path, monkeypatch):
    bare = tmp_path / "other.zip"
    shutil.copyfile(trained / "trials/0000/seed-0/checkpoints/000000300/model.zip", bare)
    film = ("--episodes", "1", "--video", tmp_path / "film.gif")
    fails(UntrustedFile, "enjoy", bare, "--algo", "ppo", "--env", "CartPole-v1", *film)
    assert "--algo and --env" in fails(InvalidStudy, "enjoy", bare, "--trust", *film)
    call("enjoy", bare, "--trust", "--algo", "ppo", "--env", "CartPole-v1", *film)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "--video" in fails(EnvironmentUnavailable, "enjoy", trained)


def write_best(study, algorithm, env, env_kwargs=None, **config):
    (study / "result").mkdir(parents=True)
    best = {"algorithm": algorithm, "env": env, "horizon": 100_000, "config": config}
    if env_kwargs:
        best["env_kwargs"] = env_kwargs
    (study / "result" / "best.yaml").write_text(yaml.safe_dump(best))


def test_export_for_the_zoo(tmp_path):
    write_best(tmp_path / "a", "ppo", "CartPole-v1", learning_rate_schedule="linear", normalize=True, n_envs=4)
    entry = yaml.safe_load(call("export", tmp_path / "a", "--format", "sb3-zoo"))["CartPole-v1"]
    assert entry["learning_rate"] == "lin_0.0003" and entry["clip_range"] == 0.2
    assert entry["normalize"] is True and entry["n_envs"] == 4 and entry["n_timesteps"] == 1e5
    assert entry["policy_kwargs"].startswith("dict(net_arch=[64, 64], activation_fn=nn.Tanh")
    assert "clip_range_vf" not in entry

    write_best(tmp_path / "b", "td3", "Pendulum-v1", noise_type="normal", noise_std=0.2)
    out = tmp_path / "td3.yml"
    assert call("export", tmp_path / "b", "--out", out).strip() == str(out)
    entry = yaml.safe_load(out.read_text())["Pendulum-v1"]
    assert (entry["noise_type"], entry["noise_std"]) == ("normal", 0.2)
    fails(InvalidStudy, "export", tmp_path / "b", "--out", out)
    fails(InvalidStudy, "export", tmp_path / "b", "--format", "other")
    assert "holds no study" in fails(InvalidStudy, "export", tmp_path)
    (tmp_path / "study.yaml").touch()
    assert "resume" in fails(InvalidStudy, "export", tmp_path)


def test_export_gives_the_zoo_the_arguments_of_the_environment(tmp_path, monkeypatch):
    (tmp_path / "own_maze.py").write_text(MAZE)
    monkeypatch.syspath_prepend(tmp_path)
    write_best(tmp_path / "a", "ppo", "own_maze:Maze", {"size": 40})
    entry = yaml.safe_load(call("export", tmp_path / "a"))["own_maze:Maze"]
    assert entry["env_kwargs"] == {"size": 40}
    assert entry["policy"] == "CnnPolicy"  # which is known only where the environment was given its argument
    write_best(tmp_path / "b", "ppo", "CartPole-v1")
    assert "env_kwargs" not in call("export", tmp_path / "b")


@pytest.mark.parametrize("name", ["ppo", "recurrent_ppo", "sac", "tqc", "crossq", "qrdqn", "ars", "ddpg", "trpo"])
def test_every_algorithm_exports(tmp_path, name):
    write_best(tmp_path / "s", name, "CartPole-v1" if name in ("ppo", "qrdqn") else "Pendulum-v1")
    assert yaml.safe_load(call("export", tmp_path / "s"))
