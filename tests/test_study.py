"""A study's settings: from the command line, from a file, on disk, and what is refused before anything trains."""

import os
import signal
import subprocess
import sys
import weakref

import numpy as np
import pytest
import yaml
from calling import call

import hyperpilot.cli._run
from hyperpilot.cli import main
from hyperpilot.environments import EnvSpec
from hyperpilot.errors import HyperPilotError, InvalidConfiguration, InvalidSpace, InvalidStudy
from hyperpilot.records import History, Job, Submitted
from hyperpilot.registry import available, load
from hyperpilot.runtime.study import Study

SMALL = {"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 2000, "horizon": 500}
TUNE = ["tune", "ppo", "CartPole-v1", "--total-steps", "2000", "--horizon", "500"]


@pytest.fixture
def tuned(tmp_path, monkeypatch):
    """Takes `hyperpilot tune` as far as the folder, and gives the study that would run."""
    monkeypatch.setattr(hyperpilot.cli._run, "run", lambda folder, **options: None)
    monkeypatch.chdir(tmp_path)

    def tuned(*words, written=None):
        if written is not None:
            (tmp_path / "study.yaml").write_text(written if isinstance(written, str) else yaml.safe_dump(written))
            words = (*words, "--file", "study.yaml")
        call(*words, "--study", tmp_path / "s")
        return Study.read(tmp_path / "s")

    return tuned


def test_help_names_the_studys_own_defaults():
    words = " ".join(call("tune", "--help").replace("│", " ").split())
    for name in ("workers", "strategy", "schedule", "surrogate", "acquisition", "test_share", "device",
                 "test_seeds", "evaluations", "eval_episodes", "test_episodes", "stall_limit_s", "seed"):  # fmt: skip
        option = "--" + name.removesuffix("_s").replace("_", "-")
        rest = words[words.index(f" {option} ") :]
        assert f"[default: {Study.model_fields[name].default}]" in rest[: rest.index("]") + 1], name


def test_every_option_reaches_the_study(tuned):
    study = tuned(
        *TUNE, "--evaluations", "7", "--eval-episodes", "2", "--test-episodes", "3", "--checkpoint-every", "1k",
        "--device", "auto", "--env-kwargs", "sutton_barto_reward=true", "--set", "gamma=0.9|0.99", "--fix", "n_envs=2",
        "--stall-limit", "9",
    )  # fmt: skip
    assert (study.evaluations, study.eval_episodes, study.test_episodes) == (7, 2, 3)
    assert (study.checkpoint_every, study.device, study.stall_limit_s) == (1000, "auto", 9)
    assert study.env_kwargs == {"sutton_barto_reward": True}
    assert study.env_spec() == EnvSpec("CartPole-v1", {"sutton_barto_reward": True})
    assert study.space == {"gamma": "0.9|0.99"} and study.fix == {"n_envs": 2}


def test_a_file_gives_what_is_not_typed(tuned):
    text = """
        env: CartPole-v1
        total_steps: 4k
        horizon: 1e3
        checkpoint_every: 2_000
        workers: 2
        eta: 4e0
        space: {gamma: 0.9|0.99}
        fix: {learning_rate: 1e-3, use_sde: false}
        conditions:
        storage: sqlite:///events.db
    """
    study = tuned(
        "tune", "ppo", "CartPole-v1", "--set", "n_epochs=1..5", "--fix", "n_envs=2", "--seed", 3, written=text
    )
    assert (study.total_steps, study.horizon, study.checkpoint_every) == (4000, 1000, 2000)
    assert (study.workers, study.eta, study.seed, study.rungs) == (2, 4, 3, None)
    assert study.space == {"gamma": "0.9|0.99", "n_epochs": "1..5"}
    assert study.fix == {"learning_rate": 0.001, "use_sde": False, "n_envs": 2}


def test_a_default_of_an_option_never_overrides_the_file_and_equal_values_agree(tuned):
    written = {"workers": 2, "horizon": 500, "fix": {"n_envs": 2}, "storage": "sqlite:///events.db"}
    words = ["--workers", "2", "--fix", "n_envs=2", "--storage", "sqlite:///events.db"]
    assert tuned(*TUNE, *words, written=written).workers == 2
    assert tuned(*TUNE, written=written).workers == 2


@pytest.mark.parametrize(
    ("written", "words", "shown"),
    [
        ({"workers": 3}, ["--workers", "1"], ["workers", "1", "3"]),
        ({"horizon": "1k"}, [], ["horizon", "500", "1000"]),
        ({"algorithm": "a2c"}, [], ["algorithm", "ppo", "a2c"]),
        ({"fix": {"n_envs": 2}}, ["--fix", "n_envs=4"], ["n_envs", "2", "4"]),
        ({"space": {"gamma": "0.9|0.99"}}, ["--set", "gamma=0.5..0.9"], ["gamma", "0.9|0.99", "0.5..0.9"]),
        ({"space": {"gamma": "0.9|0.99"}}, ["--fix", "gamma=0.9"], ["gamma", "a range and is fixed"]),
        ({"worker": 2}, [], ["'worker'", "'workers'", "study.yaml"]),
        ({"horizon": "soon"}, [], ["soon"]),
        ({"space": {"gama": "0.1..0.9"}}, [], ["'gama'", "'gamma'"]),
        ({"space": {"gamma": 0.9}}, [], ["space.gamma"]),
        ({"fix": {"gamma": [0.9]}}, [], ["fix.gamma"]),
        ({"storage": "postgresql://u:secret@h/d"}, ["--storage", "postgresql://u@h/d"], ["PGPASSWORD"]),
        ("", [], ["study.yaml", "mapping"]),
        ("- 1", [], ["study.yaml", "mapping"]),
        ("a: [", [], ["study.yaml"]),
    ],
)
def test_a_file_that_contradicts_or_cannot_be_read_is_refused(written, words, shown, tuned, tmp_path):
    with pytest.raises(HyperPilotError) as caught:
        tuned(*TUNE, *words, written=written)
    assert caught.value.mend and not (tmp_path / "s").exists()
    assert "secret" not in str(caught.value)
    for part in shown:
        assert part in str(caught.value)


def test_a_file_that_is_missing_is_refused(tuned):
    with pytest.raises(InvalidStudy, match=r"nothing\.yaml"):
        tuned(*TUNE, "--file", "nothing.yaml")


def test_conditions_and_forbidden_combinations_come_from_the_file(tuned):
    text = """
        conditions: {log_std_init: {use_sde: [false]}, tau: {train_freq: 1}}
        forbid: [{batch_size: [32, 64], train_freq: 1}]
    """
    study = tuned("tune", "sac", "Pendulum-v1", "--total-steps", "2k", "--horizon", "500", written=text)
    configs = study.build_space().sample(200, np.random.default_rng(0))
    for config in configs:
        assert ("log_std_init" in config) == (not config["use_sde"])  # it replaces the algorithm's own
        assert ("tau" in config) == (config["train_freq"] == 1)
        assert not (config["train_freq"] == 1 and config["batch_size"] in (32, 64))
    assert {c["batch_size"] for c in configs if c["train_freq"] != 1} > {32, 64}


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ({"conditions": {"tua": {"use_sde": True}}}, ["conditions", "'tua'", "'tau'"]),
        ({"conditions": {"tau": {"use_sd": True}}}, ["conditions", "'use_sd'", "'use_sde'"]),
        ({"conditions": {"tau": {"ent_coef": "auto"}}}, ["conditions", "'ent_coef'"]),
        ({"conditions": {"tau": {"train_freq": [1, 3]}}}, ["conditions", "tau", "train_freq", "3", "1|4|16|64"]),
        ({"conditions": {"tau": {"use_sde": []}}}, ["conditions", "use_sde"]),
        ({"conditions": {"tau": {"use_sde": True, "train_freq": 1}}}, ["conditions", "tau"]),
        ({"conditions": {"tau": {"use_sde": {"a": 1}}}}, ["conditions.tau"]),
        ({"forbid": [{"train_frq": 1}]}, ["forbid", "'train_frq'", "'train_freq'"]),
        ({"forbid": [{"train_freq": 3}]}, ["forbid", "train_freq", "3"]),
        ({"forbid": [{"use_sde": True}, {"use_sde": False}]}, ["use_sde=true"]),
        ({"forbid": {"use_sde": True}}, ["forbid"]),
    ],
)
def test_rules_that_cannot_be_are_refused_by_name(rules, shown):
    with pytest.raises(HyperPilotError) as caught:
        Study.create(algorithm="sac", env="Pendulum-v1", total_steps=2000, horizon=500, **rules)
    assert caught.value.mend
    for part in shown:
        assert part in str(caught.value)


def test_a_condition_may_name_what_only_the_algorithms_own_range_has():
    narrowed = Study(
        algorithm="td3",
        env="Pendulum-v1",
        total_steps=1,
        horizon=1,
        space={"noise_type": "none|normal"},
        conditions={"noise_std": {"noise_type": ["normal", "ornstein-uhlenbeck"]}},
    ).build_space()
    assert narrowed.conditions["noise_std"] == ("noise_type", ("normal", "ornstein-uhlenbeck"))


@pytest.mark.parametrize("name", available("algorithms"))
def test_a_printed_space_can_be_read_back(name, tmp_path):
    names = list(load("algorithms", name).space)
    choices = {"learning_rate_schedule": "linear"} if "learning_rate_schedule" in names else {"normalize": True}
    first = "gamma" if "gamma" in names else "delta_std"
    rules = {
        "space": {"learning_rate": "0.0001..0.1:log"},
        "fix": {names[-1]: load("algorithms", name).defaults[names[-1]]},
        "conditions": {first: {key: [value] for key, value in choices.items()}},
        "forbid": [{"net_arch": load("algorithms", name).space["net_arch"].split("|")[0], **choices}],
    }
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    for words in ([], ["--file", tmp_path / "rules.yaml"]):
        printed = call("spaces", name, "--yaml", *words)
        (tmp_path / "printed.yaml").write_text(printed)
        assert call("spaces", name, "--yaml", "--file", tmp_path / "printed.yaml") == printed
        assert call("spaces", name, "--file", tmp_path / "printed.yaml") == call("spaces", name, *words)
        parts = yaml.safe_load(printed)
        asked, again = (
            Study(**{**SMALL, "algorithm": name, "env": "Pendulum-v1" if name not in ("dqn", "qrdqn") else "CartPole-v1"}
                  | settings).build_space()
            for settings in (rules if words else {}, parts)
        )  # fmt: skip
        for part in ("ranges", "default"):
            assert getattr(asked, part)() == getattr(again, part)()
        for part in ("names", "fixed", "conditions", "forbidden", "constraints"):
            assert getattr(asked, part) == getattr(again, part)
        assert len(again.forbidden) == bool(words) and (not words or first in again.conditions)
        assert asked.sample(20, np.random.default_rng(0)) == again.sample(20, np.random.default_rng(0))


def test_spaces_prints_the_rules_of_a_file(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("workers: 2\nenv: CartPole-v1\nforbid: [{n_epochs: [10, 20], n_envs: 1}]\n")
    text = call("spaces", "ppo", "--file", path)
    assert "not n_epochs=10|20 with n_envs=1" in text
    with pytest.raises(InvalidStudy, match="algorithm"):
        path.write_text("algorithm: sac\n")
        call("spaces", "ppo", "--file", path)
    with pytest.raises(InvalidStudy, match="space"):
        path.write_text("space: [1]\n")
        call("spaces", "ppo", "--file", path)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--workers", "0"], "workers"),
        (["--eta", "1"], "eta"),
        (["--eta", "nan"], "eta"),
        (["--rungs", "0"], "rungs"),
        (["--rungs", "-1"], "rungs"),
        (["--rungs", "501"], "rungs"),
        (["--schedule", "hyperband", "--rungs", "20"], "rungs"),
        (["--seed", "-1"], "seed"),
        (["--test-share", "1"], "test_share"),
        (["--test-seeds", "0"], "test_seeds"),
        (["--evaluations", "0"], "evaluations"),
        (["--evaluations", "501"], "evaluations"),
        (["--eval-steps", "100,501"], "eval_steps: 501"),
        (["--eval-steps", "x"], "'x'"),
        (["--eval-episodes", "0"], "eval_episodes"),
        (["--test-episodes", "-2"], "test_episodes"),
        (["--checkpoint-every", "0"], "'0'"),
        (["--device", "gpu"], "device"),
        (["--stall-limit", "0"], "stall_limit_s"),
        (["--horizon", "3k"], "total_steps"),
        (["--horizon", "-3"], "'-3'"),
        (["--strategy", "bays"], "bays"),
        (["--schedule", "hyperband2"], "hyperband2"),
        (["--surrogate", "bn"], "bn"),
        (["--acquisition", "ei"], "ei"),
        (["--set", "gamma=0.9..0.5"], "gamma"),
        (["--set", "gamma=0.5..1.5"], "gamma"),
        (["--set", "gama=0.5..0.9"], "'gamma'"),
        (["--set", "gamma"], "gamma"),
        (["--set", "n_epochs=1.5..3"], "n_epochs"),
        (["--set", "net_arch=64|big"], "net_arch"),
        (["--fix", "gamma=nan"], "gamma"),
        (["--fix", "n_steps=0"], "n_steps"),
        (["--fix", "n_steps=2e3"], "n_steps"),
        (["--fix", "learning_rate=fast"], "learning_rate"),
        (["--fix", "normalize=1"], "normalize"),
        (["--fix", "batch_size=1000"], "batch_size"),
        (["--env-kwargs", "gravity=9"], "gravity"),
        (["--study", "a-file"], "a-file"),
        (["--study", "a-file/s"], "a-file"),
        (["--study", "/proc/s"], "/proc/s"),
        (["--storage", "sqlite:////nowhere/log.db"], "nowhere"),
        (["--storage", "nonsense"], "storage"),
        (["--storage", "postgresql://u:secret@h/d"], "PGPASSWORD"),
    ],
)
def test_what_is_wrong_is_said_before_anything_trains(words, shown, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    monkeypatch.setattr("sys.argv", ["hyperpilot", *TUNE, *words])
    with pytest.raises(SystemExit) as caught:
        main()
    said = capsys.readouterr()
    assert caught.value.code == 2 and not said.out
    assert said.err.startswith("error: ") and shown in said.err
    assert len(said.err.splitlines()) > 1  # the mend
    assert "Traceback" not in said.err and "secret" not in said.err
    assert os.listdir(tmp_path) == ["a-file"]


def test_a_password_is_never_shown_nor_read_from_a_study(tmp_path):
    url = "postgresql://u:secret@h/d"
    for settings in (SMALL, {"env": "x"}, {**SMALL, "workers": 0}):
        with pytest.raises(InvalidStudy) as caught:
            Study.create(**settings, storage=url)
        assert "secret" not in f"{caught.value} {caught.value.__cause__}"
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({**SMALL, "storage": url, "rungs": 0}))
    with pytest.raises(InvalidStudy) as caught:
        Study.read(tmp_path)
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"


def log(folder):
    store = Study.read(folder).open_store(folder)
    events = store.read()
    store.close()
    return events


def append(folder):
    store = Study.read(folder).open_store(folder)
    store.append([Submitted(Job(0, {"x": 0.5}, 1, 1, 1))])
    store.close()


def test_a_study_in_a_shared_database_keeps_its_history_when_its_folder_moves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = Study.create(**SMALL, storage="sqlite:///shared.db")
    for folder in (tmp_path / "a", tmp_path / "b"):
        study.write(folder)
    append(tmp_path / "a")
    assert len(log(tmp_path / "a")) == 1 and log(tmp_path / "b") == ()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a").rename(tmp_path / "elsewhere" / "c")
    monkeypatch.chdir(tmp_path / "elsewhere")  # nor does a relative URL depend on where one stands
    assert len(log(tmp_path / "elsewhere" / "c")) == 1
    before = (tmp_path / "elsewhere" / "c" / "study.yaml").read_text()
    study.write(tmp_path / "elsewhere" / "c")  # the same command again: the same study
    assert (tmp_path / "elsewhere" / "c" / "study.yaml").read_text() == before
    with pytest.raises(InvalidStudy, match="other settings"):
        study.model_copy(update={"seed": 1}).write(tmp_path / "b")


def test_a_name_of_ones_own_is_kept_and_never_shared(tmp_path):
    study = Study.create(**SMALL, storage=f"sqlite:///{tmp_path}/shared.db", name="mine")
    study.write(tmp_path / "a")
    append(tmp_path / "a")
    study.write(tmp_path / "a")
    assert Study.read(tmp_path / "a").name == "mine"
    with pytest.raises(InvalidStudy, match="'mine'"):
        study.write(tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_storage_without_a_name_is_not_taken_for_an_empty_study(tmp_path):
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({**SMALL, "storage": f"sqlite:///{tmp_path}/shared.db"}))
    with pytest.raises(InvalidStudy, match="name: "):
        log(tmp_path)


def test_writing_again_is_the_same_study_whatever_yaml_makes_of_its_values(tmp_path):
    study = Study(**SMALL, env_kwargs={"size": (3, 3)})
    study.write(tmp_path / "s")
    study.write(tmp_path / "s")
    assert sorted(os.listdir(tmp_path / "s")) == ["study.yaml"]
    with pytest.raises(InvalidStudy, match="env_kwargs"):
        Study(**SMALL, env_kwargs={"size": np.zeros(3)}).write(tmp_path / "t")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("name", ["what?", "a%20b", "50%", "#1 é"])
def test_the_log_lies_in_the_studys_folder_whatever_its_name(name, tmp_path):
    folder = tmp_path / name
    Study(**SMALL).write(folder)
    append(folder)
    assert len(log(folder)) == 1
    assert {"study.yaml", "study.db"} <= set(os.listdir(folder)) and os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("text", [b"", b"- 1", b"a: [", b"\xff\xfe\x00", b"algorithm: ppo"])
def test_a_damaged_study_is_named(text, tmp_path):
    (tmp_path / "study.yaml").write_bytes(text)
    with pytest.raises(InvalidStudy, match=r"study\.yaml"):
        Study.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"fix": {"n_epochs": "none"}}, InvalidConfiguration),
        ({"fix": {"use_sde": "yes"}}, InvalidConfiguration),
        ({"space": {"n_envs": "0..4"}}, InvalidConfiguration),
        ({"space": {"tau": "0.1..0.5"}}, InvalidConfiguration),
        ({"space": {"gamma": "0.1..0.5"}, "fix": {"gamma": 0.9}}, InvalidSpace),
    ],
)
def test_values_that_a_hyperparameter_cannot_have_are_refused(change, error):
    with pytest.raises(error, match=next(iter(next(iter(change.values()))))):
        Study(**SMALL, **change).build_space()


def test_values_beyond_the_ranges_that_can_be_are_taken():
    fix = {
        "target_kl": 0.03,
        "clip_range_vf": "none",
        "max_grad_norm": 5,
        "gamma": 1.0,
        "clip_range_schedule": "linear",
    }
    assert Study(**SMALL, fix=fix).build_space().fixed.items() >= fix.items()


def test_settings_are_checked_without_torch():
    script = (
        "import sys\nfrom hyperpilot.runtime.study import Study\n"
        f"Study.create(**{SMALL!r})\nassert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_evaluations_are_where_they_are_asked_for():
    known = {"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 9_000, "horizon": 900}
    assert Study.create(**known, evaluations=3).evaluated_at() == (300, 600, 900)
    assert Study.create(**known, eval_steps=[700, 50]).evaluated_at() == (50, 700)
    # a state is saved with its score, so there is one wherever a state is asked for
    assert Study.create(**known, eval_steps=[500], checkpoint_every=400).evaluated_at() == (400, 500, 800)


def test_steps_of_evaluations_are_read_from_options_and_files(tmp_path):
    from hyperpilot.cli._study_file import read

    (tmp_path / "s.yaml").write_text("eval_steps: [1k, 2500]\n")
    assert read(tmp_path / "s.yaml") == {"eval_steps": [1000, 2500]}


def test_a_folder_that_cannot_be_locked_is_said_to_be_so(tmp_path):
    Study(**SMALL).write(tmp_path / "s")
    (tmp_path / "s" / "study.lock").mkdir()
    with pytest.raises(InvalidStudy, match="cannot be written"):
        hyperpilot.api.resume(tmp_path / "s")


def test_an_interrupt_that_comes_inside_a_callback_is_not_lost(tmp_path, monkeypatch, capsys):
    class Passing:
        pass

    def resumed(folder, watch, **where):
        passing = Passing()
        callback = weakref.ref(passing, lambda _: signal.raise_signal(signal.SIGINT))  # Python ignores what it raises
        del passing
        assert callback() is None
        watch(History(), None, [])

    Study(**SMALL).write(tmp_path / "s")
    monkeypatch.setattr(hyperpilot.cli._run, "resume", resumed)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as caught:
        hyperpilot.cli._run.run(tmp_path / "s", quiet=True, as_json=False)
    assert caught.value.code == 130 and "resume" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("settings", [{"strategy": "random"}, {"objective": "return,iqm"}])
def test_a_search_that_cannot_tell_what_it_would_gain_is_not_asked_to_stop_by_that(settings):
    with pytest.raises(InvalidStudy, match="min_gain"):
        Study.create(**{**SMALL, "min_gain": 1.0, **settings})


@pytest.mark.parametrize(
    "algorithm, env, objective",
    [("ppo", "CartPole-v1", "train_gap"), ("ppo,a2c", "CartPole-v1", "return,train_return"),
     ("td3", "Pendulum-v1", "policy_entropy")],
)  # fmt: skip
def test_an_objective_that_not_every_evaluation_has_is_refused_before_work_starts(algorithm, env, objective):
    with pytest.raises(InvalidStudy, match="objective"):
        Study.create(**{**SMALL, "algorithm": algorithm, "env": env, "objective": objective})


def test_a_device_that_is_not_there_is_refused_before_work_starts():
    torch = pytest.importorskip("torch")
    missing = "cuda:99" if torch.cuda.is_available() else "cuda"
    with pytest.raises(InvalidStudy, match="device: .*PyTorch finds"):
        Study.create(algorithm="ppo", env="CartPole-v1", total_steps=1000, horizon=500, device=missing)
