"""A study on a Ray cluster of two nodes, of which one is lost, and whose controller is killed."""

import subprocess
import sys
import time
from collections import Counter

import pytest

pytest.importorskip("ray")

import fsspec
from ray.cluster_utils import Cluster
from test_kill import SETTINGS, log, reports, start, until

from hyperpilot.api import read_history, resume, tune
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Checkpoint, Job, Report, RunId, Submitted
from hyperpilot.runtime.carried import Carried, Remote
from hyperpilot.runtime.study import Study

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


@pytest.fixture(scope="module")
def cluster():
    started = Cluster(initialize_head=True, head_node_args=NODE)
    started.add_node(num_cpus=1, object_store_memory=NODE["object_store_memory"])
    started.wait_for_nodes()
    yield started
    started.shutdown()


def decisions(folder):
    """What was decided, and what came of it, in an order that does not depend on who was faster."""
    events = log(folder)
    jobs = sorted(repr(event.job) for event in events if isinstance(event, Submitted))
    return jobs, sorted((e.run, e.step, e.score) for e in events if isinstance(e, Report))


def test_inline_processes_and_ray_decide_the_same(cluster, tmp_path):
    found = {}
    for executor in ("inline", "processes", "ray"):
        tune(
            "ppo",
            "CartPole-v1",
            total_steps=4_000,
            horizon=400,
            rungs=2,
            schedule="hyperband",
            evaluations=2,
            eval_episodes=1,
            test_share=0,
            workers=2,
            seed=3,
            fix={"n_envs": 1, "n_steps": 64, "batch_size": 64, "n_epochs": 2},
            folder=tmp_path / executor,
            executor=executor,
            address=cluster.address if executor == "ray" else "auto",
        )
        found[executor] = decisions(tmp_path / executor)
    assert len(read_history(tmp_path / "ray").trials) > 9  # the model was asked
    assert found["inline"] == found["processes"] == found["ray"]


def machines(place):
    """Process ids of the workers whose runs are kept in a place, from the process table."""
    command = ["pgrep", "-f", f"hyperpilot.runtime.worker .*{place}"]
    return subprocess.run(command, capture_output=True, text=True).stdout.split()


def test_a_lost_node_and_a_killed_controller_cost_nothing_that_was_evaluated(cluster, tmp_path):
    folder, bucket = tmp_path / "study", tmp_path / "bucket"
    place = ["--executor", "ray", "--address", cluster.address, "--checkpoints", f"file://{bucket}"]
    controller = start(*SETTINGS, *place, "--total-steps", "15k", "--test-share", "0", "--study", str(folder))
    until(lambda: reports(folder) >= 6, controller)
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    until(lambda: read_history(folder).failures.get("killed"), controller)
    cluster.add_node(num_cpus=1, object_store_memory=NODE["object_store_memory"])
    seen = reports(folder)
    until(lambda: reports(folder) >= seen + 10, controller)
    controller.kill()
    controller.wait()
    before = log(folder)
    deadline = time.monotonic() + 30
    while machines(bucket) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not machines(bucket), "workers outlive their controller"

    resumed = start("resume", str(folder), "--quiet")
    assert resumed.wait(timeout=200) == 0, resumed.stderr.read()
    after = log(folder)
    assert after[: len(before)] == before  # nothing was lost
    said = Counter((event.run, event.step) for event in after if isinstance(event, Report))
    assert set(said.values()) == {1}  # nothing was evaluated twice
    history = read_history(folder)
    assert history.failures == {"killed": 1} and not history.active and not history.lost
    assert {run.step for run in history.runs.values()} == {run.job.until for run in history.runs.values()}
    assert (folder / "result" / "model.zip").exists()  # it was brought here
    assert not list(folder.glob("trials/*/*/checkpoints/.unfinished*"))
    command = [sys.executable, folder / "result" / "load_agent.py"]
    loaded = subprocess.run(command, capture_output=True, text=True)
    assert loaded.stdout.startswith("return "), loaded.stderr


class OnDisk:
    """A trainer that keeps a file for each state, and what only the newest needs in another."""

    def __init__(self, folder):
        self.folder, self.states = folder, []

    def train(self, job, beat):
        kept = self.folder / f"trials/{job.trial:04d}/seed-{job.seed}/checkpoints"
        saved = sorted(kept.glob("*"))
        self.states.append([(path.name, sorted(file.name for file in path.iterdir())) for path in saved])
        start = int(saved[-1].name) if saved else job.start
        for step in range(start + 10, job.until + 1, 10):
            for path in kept.glob("*/state"):
                path.unlink()
            (kept / f"{step:09d}").mkdir(parents=True)
            (kept / f"{step:09d}" / "state").write_text("all")
            (kept / f"{step:09d}" / "agent").write_text(str(step))
            (kept.parent / "log.txt").write_text(f"{step}\n")
            yield Report(job.run, step, 0.0)


def test_a_run_goes_on_elsewhere_from_what_was_kept(tmp_path):
    remote = Remote(fsspec.filesystem("memory"), f"/{tmp_path.name}")
    run = RunId(3, 5)
    first = OnDisk(tmp_path / "one")
    training = Carried(first, first.folder, remote).train(Job(3, {}, 5, 30, 90), lambda step: None)
    assert [next(training).step, next(training).step] == [10, 20]  # and the machine is lost
    torn = f"{remote.root}/trials/0003/seed-5/checkpoints/000000030-torn/state"
    remote.fs.pipe_file(torn, b"half of")

    second = OnDisk(tmp_path / "two")
    job = Job(3, {}, 5, 30, 90)
    assert [r.step for r in Carried(second, second.folder, remote).train(job, lambda step: None)] == [30]
    assert second.states == [[("000000010", ["agent"]), ("000000020", ["agent", "state"])]]
    assert not (second.folder / "trials/0003/seed-5").exists()  # a machine fills up otherwise

    remote.pull(run, tmp_path / "home")
    kept = tmp_path / "home/trials/0003/seed-5"
    assert (kept / "log.txt").read_text() == "30\n"
    assert sorted(path.name for path in kept.glob("checkpoints/*")) == ["000000010", "000000020", "000000030"]
    onward = Job(4, {}, 6, 40, 90, Checkpoint(run, 30))
    third = OnDisk(tmp_path / "three")
    list(Carried(third, third.folder, remote).train(onward, lambda step: None))
    remote.pull(run, tmp_path / "home")  # what was stripped there is stripped here
    assert [path.parent.name for path in sorted(kept.glob("checkpoints/*/state"))] == ["000000030"]


@pytest.mark.parametrize(
    "settings, fault",
    [
        ({"checkpoints": "file:///tmp/x"}, "processes does not know it"),
        ({"executor": "ray", "gpus_per_trial": 0.5}, "--device cuda"),
        ({"executor": "ray", "checkpoints": "nowhere://x"}, "cannot be opened"),
        ({"executor": "slurm"}, "Available: processes, inline, ray"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_starts(settings, fault):
    with pytest.raises(Exception, match=fault) as caught:
        Study.create(algorithm="ppo", env="CartPole-v1", total_steps=10_000, horizon=1_000, **settings)
    assert caught.value.mend


def test_a_cluster_that_is_not_there_is_said_to_be_so(tmp_path):
    settings = {"total_steps": 10_000, "horizon": 1_000, "folder": tmp_path / "s", "address": "127.0.0.1:1"}
    with pytest.raises(InvalidStudy, match="no Ray cluster at '127.0.0.1:1'"):
        tune("ppo", "CartPole-v1", executor="ray", **settings)


def test_a_study_can_go_on_elsewhere(tmp_path):
    study = Study.create(algorithm="ppo", env="CartPole-v1", total_steps=10_000, horizon=1_000)
    study.write(tmp_path / "s")
    with pytest.raises(InvalidStudy, match="no Ray cluster at '127.0.0.1:1'"):
        resume(tmp_path / "s", executor="ray", address="127.0.0.1:1")


def test_without_ray_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from hyperpilot.errors import MissingExtra; from hyperpilot.runtime.study import Study\n"
        "try: Study.create(algorithm='ppo', env='CartPole-v1', total_steps=9000, horizon=1000, executor='ray')\n"
        "except MissingExtra as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'hyperpilot-rl[ray]'" in done.stdout
