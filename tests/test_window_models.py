"""What the window's pages show and start, without a window: forms, ranges, commands, lists, and processes that outlive it."""

import json
import os
import shutil

import pytest
from calling import call
from reported import settings, told, written

from hyperpilot.cli import _rehearsal
from hyperpilot.errors import InvalidStudy
from hyperpilot.gui import processes
from hyperpilot.gui.models import catalogue, checkpoints, compared, fields, library, ranges, records, study, training
from hyperpilot.gui.models.commands import TrainForm, TuneForm, free_folder
from hyperpilot.gui.models.meanings import MEANINGS
from hyperpilot.gui.models.plugins import algorithm, trainable
from hyperpilot.gui.models.records import current
from hyperpilot.gui.models.words import duration, number, steps
from hyperpilot.runtime.rehearsal import Timing
from hyperpilot.runtime.study import Study
from hyperpilot.runtime.timing import Pace

PPO, SAC = algorithm("ppo"), algorithm("sac")


def test_every_hyperparameter_is_explained_and_its_default_accepted():
    for name in trainable():
        for field in fields.fields(algorithm(name)):
            assert field.name in MEANINGS
            text = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
            assert field.wrong(text) == "", (name, field.name)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("gamma", "1.2", "between 0 and 1"),
        ("learning_rate", "-1e-3", "above 0"),
        ("learning_rate", "fast", "a number"),
        ("learning_rate", "inf", "finite"),
        ("n_steps", "12.5", "a whole number"),
        ("net_arch", "64by64", "as in 64x64"),
        ("activation_fn", "sine", "one of"),
        ("normalize", "maybe", "one of"),
    ],
)
def test_what_cannot_be_is_refused_in_its_field(name, text, why):
    form = fields.fields(PPO)
    assert why in next(field for field in form if field.name == name).wrong(text)
    assert name in fields.wrong(PPO, form, {name: text})


def test_a_form_gives_what_differs_and_names_rules_that_are_broken():
    form = fields.fields(PPO)
    assert fields.values(form, {"gamma": "0.99", "n_steps": "64", "learning_rate": "1", "net_arch": "32x32"}) == {
        "n_steps": 64,
        "learning_rate": 1.0,
        "net_arch": "32x32",
    }
    assert fields.wrong(PPO, form, {"n_steps": "64"}) == ""
    assert "divides" in fields.wrong(PPO, form, {"n_steps": "65", "batch_size": "64"})


def test_ranges_are_edited_and_become_words():
    rows = {row.name: row for row in ranges.rows([SAC])}
    assert rows["learning_rate"].use == "search" and rows["learning_rate"].scale == "log"
    assert rows["log_std_init"].only == "use_sde = true"
    assert ranges.words(list(rows.values())) == []
    edited = [
        rows["learning_rate"].written("1e-4..1e-3"),
        rows["gamma"].used("fix"),
        rows["tau"].used("default"),
        rows["n_critics"].used("search"),
    ]
    assert ranges.words(edited) == [
        *("--set", "learning_rate=1e-4..1e-3:log"),
        *("--fix", "gamma=0.99"),
        *("--fix", "tau=0.005"),
        *("--set", "n_critics=1..4"),
    ]
    assert not any(row.wrong for row in edited)
    assert "empty" in rows["learning_rate"].written("1..0.1").wrong
    assert rows["tau"].written("0.01..0.1:pow2").scale == "pow2"
    kept = ranges.kept(edited)
    assert [row for row in ranges.restored(ranges.rows([SAC]), kept) if row.name == "tau"][0].use == "default"


def test_several_algorithms_have_their_names_in_front():
    assert {row.name.partition(".")[0] for row in ranges.rows([PPO, SAC])} == {"ppo", "sac"}


def test_forms_are_commands_of_the_terminal(tmp_path):
    out = tmp_path / "run"
    form = TrainForm(
        "ppo", "CartPole-v1", "128", seed=3, seeds=2, evaluations=2, values={"n_steps": 32, "batch_size": 32}
    )
    text = call(*TrainForm.words(form, out), "--log-interval", 1)
    assert text.count("step 128/128") == 2
    known = training.read(out)
    assert known.state == "finished" and known.seed == 4 and known.about["config"]["n_steps"] == 32
    assert [step for step, _ in known.returns["evaluation"]] == [64, 128]
    assert len(known.losses["loss"]) == 3 and len(known.entropy) == 1
    assert [choice.words for choice in checkpoints.choices(out)][:2] == ["seed 3, step 128", "seed 3, step 64"]
    assert library.item(out).state == "finished" and library.folders([out], tmp_path) == [out.resolve()]
    saved = TrainForm("ppo", "CartPole-v1", "128", save_every="64", log_interval=2).words(out)
    assert saved[saved.index("--checkpoint-every") + 1] == "64" and saved[saved.index("--log-interval") + 1] == "2"
    with pytest.raises(InvalidStudy):
        TrainForm("ppo", "CartPole-v1", "many").words(out)
    tune = TuneForm("ppo,a2c", "CartPole-v1", "20k", "2k", strategy="pbt", space=["--fix", "ppo.gamma=0.9"])
    assert "--schedule" not in tune.words(out) and tune.words(None)[-2:] == ["--plan", "--json"]
    more = TuneForm(
        "ppo", "CartPole-v1", "20k", "2k", trainer="jax", more="--test-share 0.2 --device=cuda --set 'gamma=0.9|1'"
    )
    assert more.words(out)[-8:-3] == ["--test-share", "0.2", "--device=cuda", "--set", "gamma=0.9|1"]
    for wrong, said in {
        "--tset 1": "no option --tset",
        "0.2": "is no option",
        "--seed 3": "not a further",
        "--study=x": "not a further",
        "--eta '3": "quotation",
    }.items():
        with pytest.raises(InvalidStudy, match=said):
            TuneForm("ppo", "CartPole-v1", "20k", "2k", more=wrong).words(out)
    own = TrainForm("ppo", "LunarLander-v3,gravity=-5,enable_wind=true", "1k").words(out)
    assert own[2:7] == ["LunarLander-v3", "--env-kwargs", "gravity=-5", "--env-kwargs", "enable_wind=true"]
    (tmp_path / "ppo-X").mkdir()
    assert free_folder(tmp_path, "ppo", "X") == tmp_path / "ppo-X-2"


def test_the_tree_of_environments_is_searched():
    entries = catalogue.known(
        [
            {"id": "CartPole-v1", "family": "classic_control", "available": True, "needs": ""},
            {"id": "ALE/Breakout-v5", "family": "ale_py", "available": False, "needs": "pip install ale-py"},
            {"id": "Ant-v5", "family": "mujoco", "available": False, "needs": "pip install 'gymnasium[mujoco]'"},
        ]
    )
    assert list(catalogue.tree(entries)) == ["classic_control", "ale_py", "mujoco"]
    assert [e.id for e in catalogue.tree(entries, "atari break")["ale_py"]] == ["ALE/Breakout-v5"]
    assert list(catalogue.tree(entries, installed=True)) == ["classic_control"]


@pytest.fixture
def told_study(tmp_path):
    known = settings()
    events = told(known)
    folder = written(tmp_path / "study", known, events[:-20])
    return folder, known, events


def test_a_study_is_read_once_and_then_what_is_new(told_study):
    folder, known, events = told_study
    first = study.opened(folder)
    assert study.later(first) is first
    assert len(first.rows) == len(first.record.runs) and first.best.trial == first.record.history.leaders[0].id.trial
    assert first.rows[5].state == "diverged" and first.rows[0].cell(2, first.names) == number(first.rows[0].score)
    store = Study.read(folder).open_store(folder)
    store.append(events[-20:])
    store.close()
    later = study.later(first)
    assert later is not first and len(later.record.events) == len(events)
    xs, ys = later.behind
    assert len(xs) == len(ys) == sum(len(run.reports) + 1 for run in later.record.history.search if run.reports)
    lines = {
        name: (value, default) for name, value, default, other in study.config_lines(later, later.rows[3]) if other
    }
    assert "learning_rate" in lines and lines["learning_rate"][1] == "0.0003"


def test_trials_are_compared_by_the_test_where_there_is_one(told_study):
    folder, _, events = told_study
    store = Study.read(folder).open_store(folder)
    store.append(events[-20:])
    store.close()
    picks = (compared.Pick(folder, 0), compared.Pick(folder, 4), compared.Pick(folder, 1))
    found = compared.look(picks, None)
    assert [side.tested for side in found.sides] == [True, True, False]
    assert (
        len(found.sides[0].scores) == 3 and found.sides[0].low[-1] < found.sides[0].mean[-1] < found.sides[0].high[-1]
    )
    assert found.statistics[0][4] == "–" and "%" in found.statistics[1][4]
    assert "too good" in found.verdict and found.words[folder][0]["heading"] == "What was tuned"
    assert compared.look(picks, found) is found


def test_a_log_is_folded_once_for_all_who_look_at_it(told_study):
    folder, _, events = told_study
    first = current(folder)
    assert current(folder) is first
    store = Study.read(folder).open_store(folder)
    store.append(events[-20:])
    store.close()
    later = current(folder)
    assert len(later.events) == len(first.events) + 20 and current(folder) is later
    records._known.clear()
    assert current(folder, later) is later  # whoever still has it need not read it again
    shutil.rmtree(folder)
    known = settings()
    written(folder, known, told(known)[:30])
    assert len(current(folder).events) == 30


def test_a_process_is_found_paused_and_stopped_by_whoever_opens_its_folder(tmp_path, monkeypatch):
    waits = "import time; print('ready', flush=True); time.sleep(600)  # hyperpilot"
    monkeypatch.setattr(processes, "_MAIN", waits)
    folder = tmp_path / "run"
    started = processes.launch(["train", "ppo"], folder)
    while "ready" not in processes.said(folder):
        assert processes.alive(started)
    assert processes.alive(started) and processes.found(folder) == started
    monkeypatch.setattr(processes, "_STARTED", {})  # as another window sees it
    assert processes.alive(processes.found(folder))
    assert not processes.alive(processes.Launch(started.pid, ("tune", "x"))), "a number that is used again is another's"
    if processes.can_pause():
        held = processes.pause(folder, started)
        assert processes.found(folder).paused and processes.alive(held)
        processes.stop(folder, held)
    else:
        processes.stop(folder, started)
    os.waitpid(started.pid, 0)
    assert not processes.alive(processes.found(folder))


def test_what_a_command_complains_of_is_told(tmp_path):
    (tmp_path / "window.log").write_text("step 1\nerror: there is no environment 'X'\n  Did you mean Y?\n")
    assert processes.complaint(tmp_path) == "There is no environment 'X'. Did you mean Y?"
    (tmp_path / "window.log").write_text("step 1\n")
    assert processes.complaint(tmp_path) == "" and processes.said(tmp_path) == "step 1"
    (tmp_path / "window.log").write_text("Traceback (most recent call last):\n  File x\nKeyError: 'a'\n")
    assert processes.complaint(tmp_path) == "KeyError: 'a'"
    assert processes.found(tmp_path) is None and not processes.alive(None)


def test_numbers_are_written_as_people_read_them():
    assert [steps(n) for n in (1500, 20_000, 2_000_000, 1_234_567)] == ["1,500", "20k", "2M", "1,234,567"]
    assert [number(x) for x in (None, 0.12345, 123456.7)] == ["–", "0.1235", "123,457"]
    assert [duration(s) for s in (12, 600, 9000)] == ["12 s", "10 min", "2.5 h"]


def test_hours_become_steps_and_a_plan_starts_nothing(tmp_path, monkeypatch):
    pace = Pace(step_s=0.001, evaluation_s=0.0)
    monkeypatch.setattr(_rehearsal, "time_configurations", lambda *_: Timing(pace, (pace,)))
    monkeypatch.chdir(tmp_path)
    words = ["tune", "ppo", "CartPole-v1", "--horizon", "1k", "--plan", "--json"]
    plan = json.loads(call(*words, "--hours", "0.02").splitlines()[-1])
    assert 60_000 <= plan["total_steps"] <= 75_000 and 60 <= plan["seconds"] <= 75
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvalidStudy, match="--hours and --total-steps"):
        call(*words, "--hours", "1", "--total-steps", "10k")
    with pytest.raises(InvalidStudy, match="eight trainings"):
        call(*words, "--hours", "0.0001")
