"""Real trainings, real kills: the controller and a worker are killed with SIGKILL, and nothing evaluated is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from hyperpilot.api import read_history
from hyperpilot.errors import HyperPilotError
from hyperpilot.records import Job, Report
from hyperpilot.records.codec import job_to_json
from hyperpilot.runtime.study import Study

SETTINGS = [
    *("tune", "ppo", "CartPole-v1", "--total-steps", "24k", "--horizon", "3000", "--rungs", "2", "--workers", "2"),
    *("--schedule", "hyperband"),  # whose decisions do not depend on which worker is faster
    *("--fix", "n_envs=1", "--fix", "n_steps=128", "--fix", "batch_size=64", "--fix", "n_epochs=4", "--quiet"),
]


def start(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-c", "from hyperpilot.cli import main; main()", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def workers_of(folder: Path) -> list[int]:
    """Process ids of the study's workers, from the process table."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"hyperpilot.runtime.worker" in words and str(folder).encode() in words:
                found.append(int(entry.name))
    return found


def until(condition, process, limit_s=120.0):
    """Polls until the condition holds, while the process lives."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end and process.poll() is None:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(
        f"it never came; the controller said: {process.stderr.read() if process.poll() is not None else ''}"
    )


def reports(folder: Path) -> int:
    try:
        return read_history(folder).reports
    except HyperPilotError:
        return 0


def log(folder: Path):
    store = Study.read(folder).open_store(folder)
    events = store.read()
    store.close()
    return events


def test_a_study_survives_the_kill_of_a_worker_and_of_its_controller(tmp_path):
    folder = tmp_path / "study"
    controller = start(*SETTINGS, "--study", str(folder))
    until(lambda: reports(folder) >= 8, controller)
    os.kill(until(lambda: workers_of(folder), controller)[0], signal.SIGKILL)
    seen = until(lambda: read_history(folder).failures.get("killed"), controller)
    assert seen == 1
    until(lambda: reports(folder) >= 40, controller)
    controller.kill()
    controller.wait()
    before = log(folder)
    deadline = time.monotonic() + 20
    while workers_of(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workers_of(folder), "workers outlive their controller"

    resumed = start("resume", str(folder), "--quiet")
    assert resumed.wait(timeout=300) == 0, resumed.stderr.read()
    after = log(folder)
    assert after[: len(before)] == before  # nothing was lost
    said = Counter((event.run, event.step) for event in after if isinstance(event, Report))
    assert set(said.values()) == {1}  # nothing was evaluated twice
    history = read_history(folder)
    assert history.failures == {"killed": 1} and not history.active and not history.lost

    result = json.loads((folder / "result" / "result.json").read_text())
    keys = {
        "config",
        "tuning_score",
        "test_iqm",
        "test_interval",
        "test_seeds",
        "default_test_iqm",
        "steps_used",
        "wall_s",
    }
    assert keys <= result.keys()
    shown = subprocess.run(
        [sys.executable, "-c", "from hyperpilot.cli import main; main()", "status", str(folder), "--json"],
        capture_output=True,
        text=True,
    )
    status = json.loads(shown.stdout)
    assert (status["state"], status["finished"], status["failed"]) == ("finished", True, {"killed": 1})
    assert status["steps_used"] == result["steps_used"] <= status["steps_total"] == 24_000
    assert status["best"] == result
    loaded = subprocess.run([sys.executable, folder / "result" / "load_agent.py"], capture_output=True, text=True)
    assert loaded.returncode == 0 and loaded.stdout.startswith("return "), loaded.stderr


def test_an_interrupt_leaves_a_study_that_resume_continues(tmp_path):
    folder = tmp_path / "study"
    controller = start(*SETTINGS, "--total-steps", "18000", "--study", str(folder))
    until(lambda: reports(folder) >= 4, controller)
    controller.send_signal(signal.SIGINT)
    assert controller.wait(timeout=30) == 130
    assert f"hyperpilot resume {folder}" in controller.stderr.read()
    assert not workers_of(folder)
    assert not list(folder.glob("trials/*/*/checkpoints/.unfinished*")), "a state was left half-written"
    before = log(folder)
    resumed = start("resume", str(folder), "--quiet")
    assert resumed.wait(timeout=300) == 0, resumed.stderr.read()
    assert log(folder)[: len(before)] == before
    assert (folder / "result" / "model.zip").exists()


def test_a_worker_that_hangs_is_killed_and_the_study_goes_on(tmp_path):
    (tmp_path / "hanging.py").write_text(
        "import time\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "from gymnasium.wrappers import TimeLimit\n"
        "class Hanging(CartPoleEnv):\n"
        "    steps = 0\n"
        "    def step(self, action):\n"
        "        Hanging.steps += 1\n"
        "        if Hanging.steps == 400: time.sleep(3600)\n"
        "        return super().step(action)\n"
        "def make(render_mode=None): return TimeLimit(Hanging(), 100)\n"
    )
    settings = [word if word != "CartPole-v1" else "hanging:make" for word in SETTINGS]
    settings[settings.index("--total-steps") + 1] = "6000"
    command = [sys.executable, "-c", "from hyperpilot.cli import main; main()", *settings]
    command += ["--study", str(tmp_path / "s"), "--stall-limit", "8", "--test-share", "0"]
    subprocess.run(command, cwd=tmp_path, timeout=200, capture_output=True)
    history = read_history(tmp_path / "s")
    assert history.failures.get("timeout", 0) >= 2 and not history.active


WRITER = """
import sys, time
from pathlib import Path
from hyperpilot.runtime import worker
from hyperpilot.runtime.study import Study

class Writes:
    def train(self, job, beat):
        beat(1)
        (folder / "begun").touch()
        end = time.monotonic() + 1.5
        while time.monotonic() < end: pass  # a state that takes long to write
        (folder / "ended").touch()
        while True: beat(2)
        yield

folder = Path(sys.argv[1])
Study.read = lambda folder: Study
Study.trainer = "sb3"
Study.trainer_for = lambda folder: Writes()
worker.main(folder)
"""


def test_a_worker_finishes_what_it_is_writing_then_ends(tmp_path):
    worker = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    worker.stdin.write(json.dumps(job_to_json(Job(0, {}, 0, 9, 9))) + "\n")
    worker.stdin.flush()
    end = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < end:
        time.sleep(0.02)
    worker.stdin.close()
    assert worker.wait(timeout=30) == 0
    assert (tmp_path / "ended").exists()


def test_help_imports_nothing_heavy():
    script = (
        "import sys; sys.argv = ['hyperpilot', '--help']\n"
        "import hyperpilot\n"
        "from hyperpilot.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'gymnasium', 'sqlalchemy', 'ConfigSpace', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "tune" in done.stdout
