"""Any program as a trainer: told by words or by JSON, in Python or not; ended, killed and taken up again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from calling import call

import hyperpilot as hp
from hyperpilot.api import read_history
from hyperpilot.errors import HyperPilotError, InvalidStudy
from hyperpilot.records import Checkpoint, Job, RunId
from hyperpilot.runtime.execution import execute
from hyperpilot.runtime.study import Study
from hyperpilot.trainers._command_line import filled, words
from hyperpilot.trainers._command_output import reader
from hyperpilot.trainers.command import CommandTrainer

# Saves, and notes in `life` of the folder where it started and how far it came.
SAVING = """
import json, os, pathlib, sys, time
job = json.load(sys.stdin)
home = pathlib.Path(job["checkpoint"])
state, life = home / "state", home / "life"
step = int(state.read_text()) if state.exists() else 0
for mark in job["evaluate_at"]:
    if mark <= step:
        continue
    time.sleep(PAUSE)
    with life.open("a") as file:
        file.write(f"{os.getpid()} {step} {mark}\\n")
    step = mark
    (home / "new").write_text(str(step))
    os.replace(home / "new", state)
    print(json.dumps({"step": step, "score": -(job["config"]["x"] - 0.3) ** 2, "pid": os.getpid()}))
"""

# Takes flags as argparse has them, and prints a line an episode: it knows where a training ends, and not where one pauses.
FLAGS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float)
parser.add_argument("--anneal-lr", action=argparse.BooleanOptionalAction)
parser.add_argument("--total-timesteps", type=int)
parser.add_argument("--seed", type=int)
args = parser.parse_args()
print("a line of another kind, score=3")
for step in range(10, args.total_timesteps + 1, 10):
    rate = args.learning_rate * (1 - step / args.total_timesteps if args.anneal_lr else 1)
    print(f"global_step={step}, episodic_return=[{args.seed + rate:.5f}]")
"""


def program(tmp_path, source, name="train.py", **values):
    path = tmp_path / name
    for key, value in values.items():
        source = source.replace(key, str(value))
    path.write_text(source)
    return path


def job(until=100, horizon=100, parent=None, seed=5, **config):
    at = None if parent is None else Checkpoint(RunId(1, seed), parent)
    return Job(1, config, seed, until, horizon, at)


def told(trainer, of):
    """Steps and scores, and how it ended."""
    *reports, end = execute(trainer, of, lambda step: None)
    return [(report.step, report.score) for report in reports], end


@pytest.mark.parametrize(
    ("command", "config", "expected"),
    [
        ("run --seed {seed} {flags}", {"n_steps": 8, "up": True}, ["run", "--seed", "5", "--n-steps", "8", "--up"]),
        ("run {flags} x={x}", {"x": 1e-5, "up": False}, ["run", "--no-up", "x=1e-05"]),
        ("run '{{a b}}' {flags}", {"low": -1.5}, ["run", "{a b}", "--low=-1.5"]),
        ("run {depth}", {}, ["run", ""]),  # a condition leaves it out
    ],
)
def test_names_in_braces_become_values(command, config, expected):
    assert filled(words(command), config, {"seed": 5}) == expected


def test_a_value_with_spaces_or_shell_signs_stays_one_word(tmp_path):
    out = tmp_path / "said"
    trainer = CommandTrainer(
        ("sh", "-c", 'printf "%s" "$1" > "$0"; echo \'{{"score": 1}}\'', str(out), "{x}"), tmp_path
    )
    assert told(trainer, job(x="a b; $(rm -rf /) *"))[0] == [(100, 1.0)]
    assert out.read_text() == "a b; $(rm -rf /) *"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("global_step=120, episodic_return=[45.5]", (120, 45.5)),
        ("INFO global_step=7, episodic_return=-1e-3 more", (7, -0.001)),
        ("global_step=7, episodic_return=nan", (7, None)),
        ("global_step=, episodic_return=1", None),
        ("globalXstep=1, episodic_return=1", None),
    ],
)
def test_a_pattern_finds_numbers(line, expected):
    said = reader("global_step={step}, episodic_return={score}")(line)
    found = said and (said.step, said.score if said.score == said.score else None)
    assert found == expected


def test_flags_and_a_pattern_train_a_script_that_knows_nothing_of_us(tmp_path):
    script = program(tmp_path, FLAGS)
    command = (sys.executable, str(script), "--seed", "{seed}", "--total-timesteps", "{horizon}", "{flags}")
    trainer = CommandTrainer(command, tmp_path, "global_step={step}, episodic_return={score}", (25, 50, 75, 100))
    first, end = told(trainer, job(until=50, learning_rate=0.5, anneal_lr=True))
    assert [step for step, _ in first] == [25, 50] and type(end).__name__ == "Finished"
    # Episodes up to 30, then up to 50; the schedule anneals over the horizon.
    assert [score for _, score in first] == pytest.approx([5 + 0.5 * (1 - 0.2), 5 + 0.5 * (1 - 0.45)], abs=1e-4)
    whole, _ = told(trainer, job(learning_rate=0.5, anneal_lr=True))
    assert whole[:2] == first and [step for step, _ in whole] == [25, 50, 75, 100]


def test_a_program_that_is_no_python(tmp_path):
    script = program(
        tmp_path,
        """#!/bin/sh
x=$(sed -n 's/.*"x": \\([0-9.]*\\).*/\\1/p' "$1")
awk -v x="$x" 'BEGIN { for (s = 20; s <= 100; s += 20) printf "{\\"step\\": %d, \\"score\\": %f}\\n", s, x * s }'
""",
        "train.sh",
    )
    trainer = CommandTrainer(("sh", str(script), "{config}"), tmp_path)
    assert told(trainer, job(x=0.5))[0] == [(20, 10.0), (40, 20.0), (60, 30.0), (80, 40.0), (100, 50.0)]


def test_a_saved_training_goes_on_and_what_it_said_is_said_again(tmp_path):
    script = program(tmp_path, SAVING, PAUSE=0)
    trainer = CommandTrainer((sys.executable, str(script), "{checkpoint}"), tmp_path, eval_steps=(25, 50, 75, 100))
    assert [step for step, _ in told(trainer, job(until=50, x=0.1))[0]] == [25, 50]
    assert [step for step, _ in told(trainer, job(parent=50, x=0.1))[0]] == [75, 100]
    assert [step for step, _ in told(trainer, job(parent=50, x=0.1))[0]] == [75, 100]  # the controller had died
    life = (tmp_path / "trials/0001/seed-5/checkpoint/life").read_text().splitlines()
    assert [line.split()[1:] for line in life] == [["0", "25"], ["25", "50"], ["50", "75"], ["75", "100"]]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("sys.exit(3)", "crashed", "code 3"),
        ("raise KeyError('gamma')", "crashed", "KeyError: 'gamma'"),
        ("raise MemoryError", "out_of_memory", "MemoryError"),
        ("sys.stderr.write('CUDA out of memory. Tried'); sys.exit(1)", "out_of_memory", "CUDA"),
        ("os.kill(os.getpid(), 9)", "killed", "137"),
        ("os.kill(os.getpid(), 11)", "crashed", "139"),
        ("print(json.dumps({'step': 60, 'score': float('nan')}))", "diverged", "nan"),
        ('print(\'{"step": 60, "score": null}\')', "diverged", "nan"),
        ('print(\'{"step": 60, "score": "high"}\')', "crashed", "score that is no number"),
    ],
)
def test_kinds_of_failure(tmp_path, body, kind, said):
    script = program(tmp_path, f"import json, os, sys\nprint(json.dumps({{'step': 40, 'score': 1}}))\n{body}\n")
    reports, end = told(CommandTrainer((sys.executable, str(script)), tmp_path), job())
    assert reports == [(40, 1.0)]
    assert (end.kind, end.run) == (kind, RunId(1, 5)) and said in end.detail


def test_a_program_without_a_score_and_one_that_is_not_there_have_failed(tmp_path):
    assert "printed no score" in told(CommandTrainer(("true",), tmp_path), job())[1].detail
    assert "No such file" in told(CommandTrainer(("./nowhere",), tmp_path), job())[1].detail
    _, end = told(
        CommandTrainer((sys.executable, "-c", "print('{{\"score\": 1}}')", "{checkpoint}"), tmp_path), job(50)
    )
    assert end.kind == "crashed" and "leave {checkpoint} out" in end.detail


def test_a_program_that_goes_on_is_stopped_at_the_pause_with_all_that_it_has_started(tmp_path):
    script = program(
        tmp_path,
        "import subprocess, sys, time\nchild = subprocess.Popen(['sleep', '600'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "for i in range(10, 2000, 10): print(f'at {i} got {i}')\ntime.sleep(600)\n",
    )
    trainer = CommandTrainer(
        (sys.executable, str(script), str(tmp_path / "pid"), "{flags}"), tmp_path, "at {step} got {score}"
    )
    assert told(trainer, job(50))[0] == [(50, 30.0)]
    assert not alive(int((tmp_path / "pid").read_text()))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def settings(script, *more, **other):
    return {
        "command": [sys.executable, str(script), *more],
        "space": {"x": "0.0..1.0", "depth": "1..4"},
        "total_steps": 4000,
        "horizon": 200,
        "strategy": "random",
        "evaluations": 4,
        **other,
    }


def test_trainings_from_scratch_are_paid_in_full(tmp_path):
    script = program(tmp_path, FLAGS)
    command = ("--seed", "{seed}", "--total-timesteps", "{horizon}", "--learning-rate", "{x}")
    given = settings(
        script, *command, pattern="global_step={step}, episodic_return={score}", test_share=0.5, test_seeds=2
    )
    given |= {"space": {"x": "0.0..1.0"}, "total_steps": 2400}
    result = hp.tune(**given, folder=tmp_path / "study", executor="inline")
    history = read_history(tmp_path / "study")
    assert Study.read(tmp_path / "study").schedule == "asha"
    again = [run for run in history.search if run.repeated]
    assert again and all(run.job.parent is None for run in history.search)
    # Rungs of 22, 67 and 200: who came to the second has trained 22 + 67.
    assert {22 + 67} <= {run.job.until + run.repeated for run in again}
    assert history.steps_used("search") == sum(run.job.until + run.repeated for run in history.search) <= 1200
    assert result.test_iqm is not None and result.steps_used <= 2400


def test_a_study_of_a_command_from_the_terminal_to_the_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script, study = program(tmp_path, SAVING, PAUSE=0), tmp_path / "study"
    (tmp_path / "study.yaml").write_text(
        json.dumps(
            {
                **settings(script, "{checkpoint}", test_share=0.4, test_seeds=2, rungs=2),
                "total_steps": 2000,
                "defaults": {"x": 0.9},
            }
        )
    )
    said = call("tune", "--file", tmp_path / "study.yaml", "--study", study, "--workers", 2, "--no-forecast")
    assert "Run it" in said and "SB3" not in said
    result = json.loads((study / "result/result.json").read_text())
    assert -((result["config"]["x"] - 0.3) ** 2) == pytest.approx(result["test_iqm"])
    assert len(result["test_seeds"]) == 2 and result["default_test_iqm"] == pytest.approx(-0.36)
    # What it tells to run gives the same score.
    line = next(line for line in said.splitlines() if line.startswith("Run it")).removeprefix("Run it").strip()
    told_ = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout.splitlines()
    assert json.loads(told_[-1])["score"] == pytest.approx(result["test_iqm"])
    assert "finished" in call("status", study)
    assert "better than the default" in call("analyze", study)
    call("report", study)
    assert "program's default" in (study / "report.html").read_text()
    for verb in ("export", "enjoy", "compare"):
        with pytest.raises(InvalidStudy, match="command"):
            call(verb, study)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"command": []}, "empty"),
        ({"command": "python3 'train.py"}, "cannot be split"),
        ({"command": ["python3", "-c", "1", "{y}"]}, "{y} is no hyperparameter"),
        ({"command": ["python3", "-c", "1", "{x}"]}, "depth is searched, and the program is not told"),
        ({"command": ["python3", "-c", "1", "--all={flags}"]}, "stands inside a word"),
        ({"command": ["python3", "-c", "1", "{x.__class__}"]}, "more than a name"),
        ({"command": ["python3", "-c", "1", "{until}", "{flags}"]}, "anneal"),
        ({"command": ["no-such-program"]}, "no program"),
        ({"command": ["python3", "nowhere.py"]}, "no file"),
        ({"space": {}}, "nothing to search"),
        ({"space": {"seed": "1..4"}}, "cannot be called seed"),
        ({"defaults": {"y": 1}}, "'y' is not searched"),
        ({"pattern": "score={score}"}, "no {step}"),
        ({"pattern": "{step} {score:.2f}"}, "more than a name"),
        ({"algorithm": "ppo"}, "beside a command"),
        ({"evaluate_on": ["CartPole-v1"]}, "environment is the command's"),
        ({"command": None}, "algorithm: there is none"),
    ],
)
def test_what_is_wrong_with_a_command_is_said_before_anything_runs(change, what):
    with pytest.raises(HyperPilotError, match=what.replace("{", r"\{").replace("}", r"\}")) as caught:
        Study.create(**{**settings("-c", "1"), **change})
    assert caught.value.mend


def test_kill_9_of_the_controller_and_of_a_worker_loses_nothing_and_leaves_no_program(tmp_path):
    script, study = program(tmp_path, SAVING, PAUSE=0.05), tmp_path / "study"
    Study.create(**settings(script, "{checkpoint}", workers=2, test_share=0, total_steps=1200, schedule="full")).write(
        study
    )
    resume = [sys.executable, "-c", "from hyperpilot.cli import main; main()", "resume", str(study), "--quiet"]
    controller = subprocess.Popen(resume)
    poll(lambda: reports(study) >= 6)
    programs = poll(lambda: running(script))
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    poll(lambda: not any(map(alive, programs)))
    controller = subprocess.Popen(resume)
    poll(lambda: reports(study) >= 12)
    mine = [pid for pid in running("hyperpilot.runtime.worker", study) if parent(pid) == controller.pid]
    os.kill(mine[0], signal.SIGKILL)  # a worker of the first controller may still be ending
    assert controller.wait(60) == 0
    history = read_history(study)
    assert history.steps_used() == 1200 and not running(script)
    # Every step of every run was trained once, apart from those that a kill had cut short before they were saved.
    for run in history.runs.values():
        home = study / f"trials/{run.id.trial:04d}/seed-{run.id.seed}/checkpoint"
        spans = [tuple(map(int, line.split()[1:])) for line in (home / "life").read_text().splitlines()]
        assert set(Counter(spans).values()) <= {1, 2}
        assert [report.step for report in run.reports] == sorted({end for _, end in spans})
        assert run.step == int((home / "state").read_text()) == run.job.until


def reports(study):
    try:
        return read_history(study).reports
    except HyperPilotError:
        return 0


def poll(condition, limit_s=60.0):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it never came")


def running(*names):
    """Process ids whose command has all of the words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if (
                all(str(name) in line for name in names)
                and "_command_guard.py" not in line[-1]
                and alive(int(entry.name))
            ):
                found.append(int(entry.name))
    return found
