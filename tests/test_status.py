"""What `hyperpilot status` says of a study at every stage."""

import json

import pytest
from filelock import FileLock

from hyperpilot.cli import app
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Failed, Job, Report, Submitted
from hyperpilot.runtime.study import Study

CONFIG = {"learning_rate": 0.001}


@pytest.fixture
def folder(tmp_path):
    study = Study.create(algorithm="ppo", env="CartPole-v1", total_steps=10_000, horizon=1_000)
    study.write(tmp_path / "s")
    return tmp_path / "s"


def tell(folder, *events):
    store = Study.read(folder).open_store(folder)
    store.append(events)
    store.close()


def status(folder, capsys, *options):
    app(["status", str(folder), *options], standalone_mode=False)
    return capsys.readouterr().out


def test_a_study_that_has_not_begun(folder, capsys):
    assert "no evaluation yet" in status(folder, capsys)
    known = json.loads(status(folder, capsys, "--json"))
    assert (known["trials"], known["best"], known["state"], known["steps_total"]) == (0, None, "stopped", 10_000)


def test_a_study_under_way(folder, capsys):
    jobs = [Job(trial, CONFIG, trial, 300, 1_000) for trial in range(3)]
    tell(folder, *map(Submitted, jobs), Report(jobs[1].run, 100, 7.5), Failed(jobs[2].run, "diverged", "", 50))
    with FileLock(folder / "study.lock"):
        known = json.loads(status(folder, capsys, "--json"))
        said = status(folder, capsys)
    assert known["state"] == "running" and known["running"] == 2 and known["failed"] == {"diverged": 1}
    assert known["steps_used"] == 150
    assert known["best"] == {"trial": 1, "score": 7.5, "algorithm": "ppo", "config": CONFIG}
    assert "ppo on CartPole-v1, running" in said and "trial 1: 7.5" in said and "1 diverged" in said
    assert f"hyperpilot resume {folder}" in status(folder, capsys)


def test_a_folder_without_a_study(tmp_path):
    with pytest.raises(InvalidStudy, match="no study"):
        app(["status", str(tmp_path)], standalone_mode=False)
