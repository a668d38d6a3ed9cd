"""Several algorithms searched as one space."""

import io
import json
import subprocess
import sys
from collections import Counter
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from calling import call
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import hyperpilot as hp
from hyperpilot.analysis.importance import importance, surface
from hyperpilot.api import describe, read_history
from hyperpilot.cli._live import Screen
from hyperpilot.errors import (
    HyperPilotError,
    InvalidConfiguration,
    InvalidSpace,
    InvalidStudy,
    UnknownPlugin,
    UnsupportedEnvironment,
)
from hyperpilot.records import History, Job, Submitted
from hyperpilot.registry import load
from hyperpilot.runtime.asked import Asked
from hyperpilot.runtime.searched import search_space
from hyperpilot.runtime.study import Study
from hyperpilot.space import Constraint, Space
from hyperpilot.space.branches import Branch, joined, split

NAMES = ("ppo", "a2c", "dqn")
CASES = {
    "discrete": (NAMES, Asked()),
    "continuous": (
        ("a2c", "sac", "td3", "recurrent_ppo"),
        Asked(
            space={"a2c.sde_sample_freq": "4|8", "gamma": "0.9..0.99"},
            fix={"normalize": True, "td3.noise_type": "normal", "sac.gamma": 0.97},
            conditions={
                "max_grad_norm": {"learning_rate_schedule": "linear"},
                "td3.tau": {"policy_delay": [2, 3]},
            },
            forbid=[{"learning_rate_schedule": "linear", "net_arch": ["64x64", "256x256"]}, {"td3.policy_delay": 1}],
        ),
    ),
}
SMALL = {"n_envs": 1, "net_arch": "64x64", "ppo.n_steps": 64, "ppo.batch_size": 32, "n_epochs": 2,
         "a2c.n_steps": 16, "learning_starts": 100, "train_freq": 16, "buffer_size": 10_000}  # fmt: skip


@cache
def space_of(case):
    names, asked = CASES[case]
    return search_space([load("algorithms", name) for name in names], case, asked)


@cache
def alone(case, name):
    """The space of one algorithm, asked in its own names for what the case asks of it."""
    wide = [{"learning_rate_schedule": "linear", "net_arch": ["64x64", "256x256"]}]
    own = {
        "a2c": Asked({"sde_sample_freq": "4|8", "gamma": "0.9..0.99"}, {"normalize": True},
                     {"max_grad_norm": {"learning_rate_schedule": "linear"}}, wide),
        "sac": Asked({}, {"normalize": True, "gamma": 0.97}, {}, wide),
        "td3": Asked({"gamma": "0.9..0.99"}, {"normalize": True, "noise_type": "normal"}, {"tau": {"policy_delay": [2, 3]}},
                     [*wide, {"policy_delay": 1}]),
        "recurrent_ppo": Asked({"gamma": "0.9..0.99"}, {"normalize": True}, {}, wide),
    }  # fmt: skip
    return search_space([load("algorithms", name)], case, own[name] if case == "continuous" else Asked())


@pytest.mark.parametrize("case", CASES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_every_draw_is_one_of_its_own_algorithm_and_of_no_other(case, seed):
    rng = np.random.default_rng(seed)
    space = space_of(case)
    configs = space.sample(8, rng)
    configs += [near for config in configs for near in space.neighbours(config, 4, rng)]
    for config in configs:
        space.check(config)
        name, own = split(config)
        assert len(own) == len(config) - 1
        alone(case, name).check(own)
        algorithm = load("algorithms", name)
        assert all(rule.holds({**algorithm.defaults, **own}) for rule in algorithm.constraints)
        algorithm.sb3({**algorithm.defaults, **own})
    x = space.encode(configs)
    assert x.shape == (len(configs), space.width) and (x >= 0).all() and (x <= 1).all()


@pytest.mark.parametrize("case", CASES)
def test_the_joined_space_has_what_each_has_alone(case):
    space, names = space_of(case), CASES[case][0]
    for name in names:
        one = alone(case, name)
        assert {key: text for key, text in space.ranges().items() if key.startswith(f"{name}.")} == {
            f"{name}.{key}": text for key, text in one.ranges().items()
        }
        assert split(space.default({"algorithm": name})) == (name, one.default())
        rules = {rule.text for rule in space.constraints if rule.text.startswith(f"{name}: ")}
        assert rules == {f"{name}: {rule.text}" for rule in one.constraints}
    assert space.default()["algorithm"] == names[0]


def test_an_algorithm_is_drawn_as_often_as_any_other_however_few_of_its_draws_are_valid():
    rare = Constraint("x < 0.05", lambda config: float(config["x"]) < 0.05)
    space = joined({"a": Branch({"x": "0.0..1.0"}, constraints=[rare]), "b": Branch({"x": "0.0..1.0"})})
    rng = np.random.default_rng(0)
    assert Counter(config["algorithm"] for config in space.sample(400, rng)) == {"a": 200, "b": 200}
    ones = Counter(space.sample(1, rng)[0]["algorithm"] for _ in range(400))
    assert 150 < ones["a"] < 250
    assert len({tuple(c["algorithm"] for c in space.sample(4, rng)) for _ in range(30)}) == 4  # ab|ba in either round


def test_neighbours_change_the_algorithm_now_and_then():
    space, rng = space_of("discrete"), np.random.default_rng(0)
    default = space.default()
    near = [split(config) for config in space.neighbours(default, 300, rng)]
    counts = Counter(name for name, _ in near)
    assert counts["ppo"] > counts["a2c"] > 0 and counts["dqn"] > 0
    kept = np.mean([own["gamma"] == default["ppo.gamma"] for name, own in near if name == "ppo"])
    assert kept > 0.6


def test_a_fixed_value_comes_along_when_a_neighbour_changes_the_algorithm():
    algorithms = [load("algorithms", name) for name in ("ppo", "a2c")]
    space = search_space(algorithms, "discrete", Asked(fix={"n_envs": 2}))
    for config in space.neighbours(space.default(), 200, np.random.default_rng(0)):
        assert split(config)[1]["n_envs"] == 2


def test_what_an_algorithm_does_not_have_tells_nothing():
    space = joined({"a": Branch({"x": "0.0..1.0", "k": "u|v|w"}), "b": Branch({"x": "0.0..1.0", "y": "1..5"})})
    assert space.names == ("algorithm", "a.k", "a.x", "b.x", "b.y") and space.width == 7
    rows = space.encode([{"algorithm": "a", "a.x": 0.25, "a.k": "v"}, {"algorithm": "b", "b.x": 1.0, "b.y": 5}])
    assert rows.tolist() == [[0, 0, 1, 0, 0.25, 0.5, 0.5], [1, 0, 0, 0, 0.5, 1, 1]]


def test_a_condition_in_a_branch_holds_along_the_whole_chain():
    inner = Branch({"k": "u|v", "x": "0.0..1.0", "z": "1..3"}, conditions={"x": ("k", ("u",)), "z": ("x", (0.5,))})
    space = joined({"a": inner, "b": Branch({"k": "u|v"})})
    for config in space.sample(50, np.random.default_rng(0)):
        assert ("a.x" in config) == (config.get("a.k") == "u")
        assert ("a.k" in config) == (config["algorithm"] == "a") == ("b.k" not in config)
    assert space.activate({"algorithm": "b", "a.k": "u", "a.x": 0.5, "a.z": 2, "b.k": "v"}) == {
        "algorithm": "b",
        "b.k": "v",
    }
    assert space.together("a.k", "a.x") and not space.together("a.x", "b.k")


def test_the_longer_name_says_more_than_the_shorter():
    algorithms = [load("algorithms", name) for name in NAMES]
    asked = Asked({"gamma": "0.8..0.9", "a2c.n_envs": "2|4"}, {"ppo.gamma": 0.5, "n_envs": 8, "batch_size": 64})
    space = search_space(algorithms, "discrete", asked)
    assert space.fixed == {"ppo.gamma": 0.5, "ppo.n_envs": 8, "dqn.n_envs": 8, "a2c.use_sde": False,
                           "ppo.batch_size": 64, "dqn.batch_size": 64}  # fmt: skip
    assert space.ranges()["a2c.n_envs"] == "2..4:pow2"
    assert space.ranges()["a2c.gamma"] == space.ranges()["dqn.gamma"] == "0.8..0.9"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"algorithm": "ppo,pp0"}, UnknownPlugin, "pp0"),
        ({"algorithm": "ppo,a2c,ppo"}, InvalidStudy, "ppo is named twice"),
        ({"algorithm": "recurrent-ppo,recurrent_ppo"}, InvalidStudy, "twice"),
        ({"algorithm": "ppo,"}, InvalidStudy, "empty name"),
        ({"algorithm": []}, InvalidStudy, "algorithm"),
        ({"algorithm": "ppo,dqn", "env": "Pendulum-v1"}, UnsupportedEnvironment, "dqn serves.*\n.*Leave it out.*ppo"),
        ({"fix": {"algorithm": "ppo"}}, InvalidConfiguration, "searches them all"),
        ({"fix": {"gama": 0.9}}, InvalidConfiguration, "'gamma'"),
        ({"fix": {"sac.gamma": 0.9}}, InvalidConfiguration, "sac.gamma"),
        ({"fix": {"a2c.gama": 0.9}}, InvalidConfiguration, "a2c: unknown.*'gama'"),
        ({"fix": {"dqn.gamma": 7}}, InvalidConfiguration, "dqn: gamma cannot be 7"),
        ({"fix": {"n_steps": 5}}, InvalidConfiguration, "rollout for ppo, a2c, and of a return for dqn"),
        ({"fix": {"ppo.batch_size": 48}}, InvalidSpace, "ppo: batch_size"),
        ({"fix": {"dqn.buffer_size": 50}}, InvalidSpace, "dqn: learning_starts"),
        ({"space": {"a2c.gamma": "0.9..0.99"}, "fix": {"a2c.gamma": 0.9}}, InvalidSpace, "gamma has a range and is"),
        ({"conditions": {"n_epochs": {"algorithm": "ppo"}}}, InvalidSpace, "'algorithm' is not searched"),
        ({"conditions": {"ppo.n_epochs": {"a2c.gamma": 0.9}}}, InvalidSpace, "one of them all"),
        ({"conditions": {"n_epoch": {"gamma": 0.9}}}, InvalidSpace, "'n_epoch'"),
        ({"forbid": [{"n_epochs": 10, "train_freq": 4}]}, InvalidSpace, "n_epochs and train_freq"),
        ({"forbid": [{"ppo.n_epochs": 11}]}, InvalidSpace, "11"),
        ({"forbid": [{"dqn.train_freq": [1, 4, 16, 64]}]}, InvalidSpace, "next to nothing.*algorithm=dqn"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_work_starts(change, error, message, tmp_path):
    settings = {"algorithm": ",".join(NAMES), "env": "CartPole-v1", "total_steps": 1000, "horizon": 500, **change}
    with pytest.raises(error, match="(?s)" + message) as caught:
        hp.tune(**settings, folder=tmp_path / "s")
    assert caught.value.mend and not (tmp_path / "s").exists()


def test_one_algorithm_is_searched_as_ever(tmp_path):
    study = Study.create(algorithm=["ppo"], env="CartPole-v1", total_steps=1000, horizon=500)
    study.write(tmp_path)
    assert yaml.safe_load((tmp_path / "study.yaml").read_text())["algorithm"] == "ppo"
    ppo = load("algorithms", "ppo")
    space, again = study.build_space(), Space(ppo.space, constraints=ppo.constraints, defaults=ppo.defaults)
    assert space.choice is None and space.sample(5, np.random.default_rng(0)) == again.sample(
        5, np.random.default_rng(0)
    )
    assert study.baselines(space) == (space.default(),)


def test_a_study_file_names_several_and_is_read_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hyperpilot.cli._run.run", lambda folder, **options: None)
    written = {"algorithm": ["ppo", "a2c"], "fix": {"gamma": 0.9}, "space": {"a2c.n_envs": "2|4"},
               "conditions": {"vf_coef": {"normalize": True}}}  # fmt: skip
    (tmp_path / "file.yaml").write_text(yaml.safe_dump(written))
    call("tune", "ppo, a2c", "CartPole-v1", "--file", "file.yaml")
    study = Study.read(tmp_path / "studies" / "ppo-a2c-CartPole-v1")
    assert study.algorithm == "ppo,a2c" and study.fix == {"gamma": 0.9}
    assert study.build_space().conditions["a2c.vf_coef"] == ("a2c.normalize", (True,))
    with pytest.raises(InvalidStudy, match="algorithm is 'ppo'"):
        call("tune", "ppo", "CartPole-v1", "--file", "file.yaml")
    printed = call("spaces", "ppo,a2c", "--yaml", "--env", "CartPole-v1", "--file", "file.yaml")
    (tmp_path / "printed.yaml").write_text(printed)
    again = Study(
        **{**yaml.safe_load(printed), "algorithm": "ppo,a2c", "env": "CartPole-v1", "total_steps": 9, "horizon": 9}
    )
    for part in ("names", "fixed", "conditions", "width"):
        assert getattr(again.build_space(), part) == getattr(study.build_space(), part)
    assert call("spaces", "ppo,a2c", "--yaml", "--env", "CartPole-v1", "--file", "printed.yaml") == printed


def test_spaces_prints_several():
    text = call("spaces", "ppo,td3", "--fix", "n_envs=4")
    assert "ppo|td3" in text and "td3.noise_type=normal|ornstein-uhlenbeck" in text and "algorithm=" not in text
    assert "td3: batch_size <= buffer_size" in text and text.index("ppo.vf_coef") < text.index("td3.batch_size")
    with pytest.raises(HyperPilotError, match="no actions that all"):
        call("spaces", "sac,dqn")


def test_importance_is_within_an_algorithm_and_adds_up():
    space = joined({"a": Branch({"x": "0.0..1.0", "y": "0.0..1.0"}), "b": Branch({"z": "0.0..1.0"})})
    columns = dict(zip(("algorithm", "a.x", "a.y", "b.z"), range(4), strict=True))

    def score(x, t):  # variances: 1 between a and b; in a, of x 1/12, and of x with y 4 / 144, a half of the space
        a, u, v = 1 - x[:, 0], x[:, columns["a.x"]] - 0.5, x[:, columns["a.y"]] - 0.5
        return np.tile(2 * a + a * u + 2 * a * u * v, (2, 1))

    found = importance(score, space, np.random.default_rng(0), 4096)
    total = 1 + (1 / 12 + 4 / 144) / 2
    assert found.main["algorithm"].mean == pytest.approx(1 / total, abs=0.03)
    assert found.main["a.x"].mean == pytest.approx(1 / 24 / total, abs=0.03)
    assert found.pairs["a.x", "a.y"].mean == pytest.approx(2 / 144 / total, abs=0.03)
    assert set(found.pairs) == {("a.x", "a.y")} and abs(found.rest) < 0.03
    slope = np.diff(surface(score, space, ("a.x",), np.random.default_rng(0), size=5).mean)
    np.testing.assert_allclose(slope, 0.25, atol=0.05)  # not the half of it


def test_events_name_the_algorithm():
    assert describe([Submitted(Job(1, {"algorithm": "a2c", "a2c.gamma": 0.9}, 7, 5, 10))]) == [
        "search  trial 1 seed 7: a2c to 5 of 10 steps"
    ]


def test_the_live_table_names_the_algorithm():
    study = Study.create(algorithm=",".join(NAMES), env="CartPole-v1", total_steps=9_000, horizon=500)
    job = Job(1, {"algorithm": "a2c", "a2c.gamma": 0.9}, 7, 50, 500)
    history = History().extend([Submitted(job), job.report(3.0, 25)])
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(Screen(study).picture(history, SimpleNamespace(progress={job.run: 30})))
    said = console.export_text()
    assert "ppo,a2c,dqn on CartPole-v1" in said and "algorithm" in said and "(trial 1, a2c)" in said
    one = Study.create(algorithm="ppo", env="CartPole-v1", total_steps=9_000, horizon=500)
    console.print(Screen(one).picture(history, SimpleNamespace(progress={job.run: 30})))
    assert "algorithm" not in console.export_text()


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("branches") / "study"
    result = hp.tune(
        NAMES, "CartPole-v1", folder=folder, total_steps=6_000, horizon=500, rungs=2, workers=2,
        evaluations=2, eval_episodes=1, test_episodes=1, test_seeds=1, test_share=0.25, seed=1, fix=SMALL,
    )  # fmt: skip
    return folder, result


def test_a_study_of_several_runs_to_its_result_and_goes_on(tuned):
    folder, result = tuned
    history = read_history(folder)
    assert [history.trials[i]["algorithm"] for i in range(3)] == list(NAMES)
    space = Study.read(folder).build_space()
    assert [history.trials[i] for i in range(3)] == [space.default({"algorithm": name}) for name in NAMES]
    assert {split(config)[0] for config in history.trials.values()} == set(NAMES) and len(history.trials) >= 8
    assert not history.failures and result.steps_used <= 6_000
    winner, own = split(history.trials[result.trial])
    assert result.algorithm == winner
    assert result.config == {**load("algorithms", winner).defaults, **own}
    assert result.default_test_iqm == result.finalists[0] and len(result.finalists) == 3
    assert hp.resume(folder) == result and read_history(folder) == history


def test_a_study_of_several_hands_over_a_plain_winner(tuned, tmp_path):
    folder, result = tuned
    best = yaml.safe_load((folder / "result" / "best.yaml").read_text())
    assert best["algorithm"] == result.algorithm and best["config"] == dict(result.config)
    assert json.loads((folder / "result" / "result.json").read_text())["algorithm"] == result.algorithm
    exported = yaml.safe_load(text := call("export", folder))
    assert f"hyperparams/{result.algorithm}.yml" in text
    assert exported["CartPole-v1"]["learning_rate"] and "algorithm" not in exported["CartPole-v1"]
    played = subprocess.run([sys.executable, folder / "result" / "load_agent.py"], capture_output=True, text=True)
    assert played.stdout.startswith("return "), played.stderr
    film = ("--episodes", 1, "--video", tmp_path / "film.gif")
    assert "mean return" in call("enjoy", folder, *film)
    for trial in range(3):
        assert "mean return" in call("enjoy", folder, "--trial", trial, *film)
    train = (
        "--config",
        folder / "result" / "best.yaml",
        "--steps",
        64,
        "--evaluations",
        1,
        "--out",
        tmp_path / "again",
    )
    assert "return" in call("train", result.algorithm, "CartPole-v1", *train)


def test_a_study_of_several_is_told_of(tuned, tmp_path):
    from hyperpilot.cli._run import summary

    folder, result = tuned
    known = json.loads(call("status", folder, "--json"))
    assert known["best"]["algorithm"] == result.algorithm and known["finished"]
    assert "ppo,a2c,dqn on CartPole-v1, finished" in call("status", folder)
    assert f"trial {result.trial}, {result.algorithm}:" in call("status", folder)
    tried = known["algorithms"]
    assert list(tried) == list(NAMES) and sum(of["trials"] for of in tried.values()) == known["trials"]
    assert tried["ppo"]["best"]["step"] >= 250
    said = summary(result, Study.read(folder), folder)
    assert f"({result.algorithm}, trial {result.trial}" in said and "(ppo)" in said
    assert f"    learning_rate: {result.config['learning_rate']}\n" in said and f"{result.algorithm}." not in said
    (folder / "result" / "result.json").rename(tmp_path / "result.json")
    leader = json.loads(call("status", folder, "--json"))["best"]
    (tmp_path / "result.json").rename(folder / "result" / "result.json")
    assert leader["algorithm"] in NAMES and "learning_rate" in leader["config"]
    effects = json.loads(call("importance", folder, "--json"))
    assert "algorithm" in effects["main"]
    assert all(len({name.partition(".")[0] for name in pair["names"]}) == 1 for pair in effects["pairs"])


def test_a_forecast_times_every_algorithm(tmp_path, monkeypatch):
    from hyperpilot.cli._rehearsal import words
    from hyperpilot.runtime import rehearsal

    study = Study.create(algorithm=",".join(NAMES), env="CartPole-v1", total_steps=9_000, horizon=500, fix=SMALL)
    study.write(tmp_path)
    timed = []
    monkeypatch.setattr(rehearsal, "_start", lambda folder, share: timed.extend(share))
    monkeypatch.setattr(rehearsal, "_lines", lambda process, n: [{"step_s": 1e-3, "evaluation_s": 1e-2}] * n)
    said = words(study, rehearsal.forecast(study, tmp_path))
    assert timed[0] == study.build_space().default()
    assert {config["algorithm"] for config in timed[1:]} == set(NAMES)
    assert "ppo,a2c,dqn on CartPole-v1" in said and "default of ppo" in said
