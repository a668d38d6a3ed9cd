"""Ray Tune as a host: our searcher and scheduler decide which of its trials begin, pause, go on and end."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("ray")

import ray
from ray import cloudpickle, tune
from ray.tune.search import ConcurrencyLimiter

from hyperpilot.errors import InvalidSpace
from hyperpilot.hosts._tune_space import converted
from hyperpilot.hosts.ray_tune import HyperPilot
from hyperpilot.records import Submitted

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # Ray's workers do not find this module


@pytest.fixture(scope="module", autouse=True)
def running():
    ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False)
    yield
    ray.shutdown()


def parabola(config):
    """Rises towards 1 - (x - 0.3)^2, and saves where it stands."""
    start, checkpoint = 0, tune.get_checkpoint()
    if checkpoint:
        with checkpoint.as_directory() as folder:
            start = json.loads((Path(folder) / "step").read_text())
    for step in range(start + 1, 28):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "step").write_text(str(step))
            score = (1 - (config["x"] - 0.3) ** 2) * step / 27
            tune.report({"score": score, "step": step}, checkpoint=tune.Checkpoint.from_directory(folder))


SETTINGS = {"horizon": 9, "budget": 45, "metric": "score", "mode": "max", "seed": 1, "time_attr": "step"}


def tuner(search, folder, param_space=None, workers=2):
    return tune.Tuner(
        parabola,
        param_space=param_space or {},
        tune_config=tune.TuneConfig(
            search_alg=ConcurrencyLimiter(search.searcher, max_concurrent=workers),
            scheduler=search.scheduler,
            num_samples=-1,
            reuse_actors=True,  # a paused trial would else start a process each time
        ),
        run_config=tune.RunConfig(storage_path=str(folder), name="it", verbose=0),
    )


def test_a_tuner_runs_hyperband_with_the_network_to_the_end_of_its_budget(tmp_path):
    search = HyperPilot({"x": "0.0..1.0"}, **SETTINGS)
    results = tuner(search, tmp_path).fit()
    history = search.history
    assert not history.active and not history.failures
    assert {run.job.until for run in history.search} == {1, 3, 9}  # some were paused at each rung for good
    assert 35 < history.steps_used() <= 45
    assert len(results) == len(history.trials) > 9  # the model was asked
    last = {result.config["x"]: result.metrics["step"] for result in results}
    assert sorted(last.values()) == sorted(
        run.job.until for run in history.search
    )  # no trial went further, or less far
    config, score = search.best
    assert score == max(result.metrics["score"] for result in results) and abs(config["x"] - 0.3) < 0.3


def test_an_interrupted_tuner_goes_on_with_the_same_decisions(tmp_path):
    whole = HyperPilot({"x": "0.0..1.0"}, **SETTINGS)
    tuner(whole, tmp_path / "whole", workers=1).fit()
    script = tmp_path / "begin.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import os, ray\n"
        "from test_ray_tune import HyperPilot, SETTINGS, tuner\n"
        "from ray.tune import Callback\n"
        "import test_ray_tune\n"
        "class Ends(Callback):\n"
        "    def on_trial_result(self, iteration, trials, trial, result, **info):\n"
        "        if iteration >= 12: os._exit(3)\n"
        "ray.init('local', num_cpus=1, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False)\n"
        "made = tuner(HyperPilot({'x': '0.0..1.0'}, **SETTINGS), sys.argv[1], workers=1)\n"
        "made._local_tuner._run_config.callbacks = [Ends()]\n"
        "made.fit()\n"
    )
    env = {**os.environ, "TUNE_GLOBAL_CHECKPOINT_S": "0"}
    begun = subprocess.run([sys.executable, script, tmp_path / "cut"], env=env, capture_output=True, text=True)
    assert begun.returncode == 3, begun.stderr[-3000:]
    again = tune.Tuner.restore(str(tmp_path / "cut" / "it"), trainable=parabola, resume_unfinished=True)
    search = again._local_tuner._tune_config.search_alg.searcher._core
    again.fit()
    assert [event for event in search.events if isinstance(event, Submitted)] == [
        event for event in whole.events if isinstance(event, Submitted)
    ]
    assert {run.score for run in search.history.search} == {run.score for run in whole.history.search}


def test_domains_of_tune_become_ranges():
    domains = {
        "lr": tune.loguniform(1e-5, 1e-2),
        "x": tune.uniform(0, 1),
        "n": tune.randint(1, 10),
        "q": tune.qrandint(64, 192, 64),
        "kind": tune.choice(["a", "b"]),
        "fixed": 3,
    }
    assert converted(domains) == {
        "lr": "1e-05..0.01:log",
        "x": "0.0..1.0",
        "n": "1..9",
        "q": "64|128|192:ordered",
        "kind": "a|b",
    }
    with pytest.raises(InvalidSpace, match="no range"):
        converted({"x": tune.randn(0, 1)})
