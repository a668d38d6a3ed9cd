"""What a training takes over from another, and what it does not: read out of Stable-Baselines3's running learners."""

# ruff: noqa: E402  (what is skipped without its extra comes first)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from calling import call

torch = pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

import hyperpilot as hp
from hyperpilot import registry
from hyperpilot.api import describe
from hyperpilot.environments import EnvSpec
from hyperpilot.records import Checkpoint, Job, RunId, Stage
from hyperpilot.runtime.study import Study
from hyperpilot.testing.takeovers import check_values_arrive
from hyperpilot.trainers import _sb3_session as session_module
from hyperpilot.trainers._run_folder import RunFolder
from hyperpilot.trainers._sb3_checkpoint import load_agent
from hyperpilot.trainers._session_trainer import SessionTrainer
from hyperpilot.trainers.sb3 import sb3_trainer

CARTPOLE, PENDULUM = EnvSpec("CartPole-v1"), EnvSpec("Pendulum-v1")
HORIZON = 1000
OFF = {"learning_starts": 40, "batch_size": 16, "buffer_size": 500, "net_arch": "8x8"}


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trainer(name: str, env: EnvSpec, folder: Path, **given: Any) -> SessionTrainer:
    known = {"eval_steps": (), "eval_episodes": 1, "test_episodes": 1, **given}
    return sb3_trainer(registry.load("algorithms", name), env, folder, **known)


class Watched:
    """Carries out jobs, and sees what the learner does: gradient steps, batches and learning rates as they happen."""

    def __init__(self, made: SessionTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made, self.models = made, []
        build = session_module.build

        def spied(*args: Any, **kwargs: Any) -> Any:
            model = build(*args, **kwargs)
            self.models.append(model)
            self.steps, self.rates, self.batches = 0, set(), set()
            first = self._optimizers(model)[0]

            def stepped(optimizer: Any, *_: Any) -> None:
                self.steps += 1
                self.rates.add(optimizer.param_groups[0]["lr"])

            first.register_step_post_hook(stepped)
            if getattr(model, "replay_buffer", None) is not None:
                sample = model.replay_buffer.sample
                model.replay_buffer.sample = lambda size, *a, **k: (self.batches.add(size), sample(size, *a, **k))[1]
            return model

        monkeypatch.setattr(session_module, "build", spied)

    def _optimizers(self, model: Any) -> list[Any]:
        if hasattr(model, "critic"):
            entropy = [model.ent_coef_optimizer] if getattr(model, "ent_coef_optimizer", None) else []
            return [model.critic.optimizer, model.actor.optimizer, *entropy]
        return [model.policy.optimizer]

    def train(self, job: Job) -> Any:
        list(self.made.train(job, lambda step: None))
        return self.models[-1]

    def rate(self, model: Any) -> float:
        """The learning rate of every optimiser at the end, where they agree."""
        (rate,) = {optimizer.param_groups[0]["lr"] for optimizer in self._optimizers(model)}
        assert rate in self.rates
        return float(rate)


def ppo(watched: Watched) -> Any:
    def in_force(job: Job) -> dict[str, Any]:
        model = watched.train(job)
        buffer, left = model.rollout_buffer, model._current_progress_remaining
        updates = (job.until - job.start) // (buffer.buffer_size * buffer.n_envs)
        epochs = watched.steps / updates / (buffer.buffer_size * buffer.n_envs / model.batch_size)
        return {
            "learning_rate": watched.rate(model),
            "clip_range": float(model.clip_range(left)),
            "gae_lambda": buffer.gae_lambda,
            "gamma": buffer.gamma if buffer.gamma == model.gamma else None,
            "ent_coef": model.ent_coef,
            "vf_coef": model.vf_coef,
            "max_grad_norm": model.max_grad_norm,
            "batch_size": model.batch_size,
            "n_epochs": epochs,
            "n_steps": len(buffer.rewards) if buffer.buffer_size == model.n_steps else None,
        }

    return in_force


def test_new_values_reach_ppo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"n_steps": 32, "n_envs": 2, "net_arch": "8x8", "batch_size": 16, "n_epochs": 2, "normalize": True}
    changes = {
        "learning_rate": 0.002,
        "clip_range": 0.35,
        "gae_lambda": 0.8,
        "gamma": 0.9,
        "ent_coef": 0.03,
        "vf_coef": 0.7,
        "max_grad_norm": 1.5,
        "batch_size": 32,
        "n_epochs": 5,
        "n_steps": 64,
    }
    watched = Watched(trainer("ppo", CARTPOLE, tmp_path), monkeypatch)
    check_values_arrive(ppo(watched), Job(0, config, 0, 128, HORIZON), changes, 256)


def test_a_new_schedule_of_the_learning_rate_holds_from_the_takeover_on(tmp_path: Path, monkeypatch: Any) -> None:
    config = {"n_steps": 64, "net_arch": "8x8", "batch_size": 32, "n_epochs": 1, "learning_rate": 0.001}
    watched = Watched(trainer("ppo", CARTPOLE, tmp_path), monkeypatch)
    watched.train(Job(0, config, 0, 128, HORIZON))
    assert watched.rates == {0.001}
    new = {**config, "learning_rate_schedule": "linear", "clip_range_schedule": "linear", "learning_rate": 0.004}
    model = watched.train(Job(1, new, 1, 256, HORIZON, Checkpoint(RunId(0, 0), 128)))
    # Two updates, after 192 and 256 of 1,000 steps: the schedule is that of the whole training, not of what was left.
    assert sorted(watched.rates) == pytest.approx([0.004 * (1 - 0.256), 0.004 * (1 - 0.192)])
    assert model.clip_range(model._current_progress_remaining) == pytest.approx(0.2 * (1 - 0.256))


def dqn(watched: Watched) -> Any:
    def in_force(job: Job) -> dict[str, Any]:
        model = watched.train(job)
        (batch,) = watched.batches
        begin = max(job.start, model.learning_starts)
        return {
            "learning_rate": watched.rate(model),
            "gamma": model.gamma,
            "batch_size": batch,
            "train_freq": round((job.until - begin) / watched.steps),
            "target_update_interval": model.target_update_interval,
            "tau": model.tau,
            # The rate at which it explores now, turned back into the end of the schedule: 1 to it over the whole horizon.
            "exploration_final_eps": 1 - (1 - model.exploration_rate) * HORIZON / job.until,
        }

    return in_force


def test_new_values_reach_dqn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**OFF, "exploration_fraction": 1.0, "train_freq": 4, "tau": 0.5, "target_update_interval": 20}
    changes = {
        "learning_rate": 0.002,
        "gamma": 0.9,
        "batch_size": 32,
        "train_freq": 8,
        "target_update_interval": 7,
        "tau": 0.9,
        "exploration_final_eps": 0.4,
    }
    watched = Watched(trainer("dqn", CARTPOLE, tmp_path), monkeypatch)
    check_values_arrive(dqn(watched), Job(0, config, 0, 200, HORIZON), changes, 400)


def test_new_values_reach_sac_whose_learned_entropy_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**OFF, "train_freq": 4, "normalize": True, "learning_rate": 0.01}
    watched = Watched(trainer("sac", PENDULUM, tmp_path), monkeypatch)
    learned: list[float] = []

    def in_force(job: Job) -> dict[str, Any]:
        model = watched.train(job)
        learned.append(model.log_ent_coef.item())
        (batch,) = watched.batches
        return {"learning_rate": watched.rate(model), "tau": model.tau, "gamma": model.gamma, "batch_size": batch}

    # The child that learns slowest stays next to where its parent has got to, and not where a new one begins.
    changes = {"tau": 0.05, "gamma": 0.9, "batch_size": 32, "learning_rate": 1e-9}
    check_values_arrive(in_force, Job(0, config, 0, 200, HORIZON), changes, 240)
    assert learned[0] < -0.1 and learned[-1] == pytest.approx(learned[0], abs=1e-6)


def test_replay_buffer_and_normalisation_travel_though_the_parent_has_gone_on(tmp_path: Path, monkeypatch: Any) -> None:
    config = {**OFF, "train_freq": 8, "normalize": True, "gamma": 0.98}
    watched = Watched(trainer("sac", PENDULUM, tmp_path, eval_steps=(100, 150, 200, 250), interval=100), monkeypatch)
    parent = Job(0, config, 0, 300, HORIZON)
    watched.train(parent)
    kept = {path.parent.name for path in tmp_path.rglob("replay.npz")}
    assert kept == {"000000100", "000000200", "000000300"}, "the last two that may be taken over, and the newest"
    child = Job(1, {**config, "gamma": 0.9}, 1, 104, HORIZON, Checkpoint(parent.run, 100))
    model = watched.train(child)
    assert model.replay_buffer.size() == 104
    normalize = model.get_vec_normalize_env()
    assert normalize.obs_rms.count > 100 and normalize.gamma == 0.9
    assert not (RunFolder.of(tmp_path, child.run).path / "log.txt").exists()  # it notes what was missing


PLAIN = {"n_steps": 32, "net_arch": "8x8", "batch_size": 16, "n_epochs": 2}
LATER = {**PLAIN, "learning_rate": 0.003, "n_epochs": 1}
LAST = {**LATER, "gamma": 0.9, "n_steps": 64}


def weights(folder: Path, run: RunId, step: int) -> Any:
    model, _ = load_agent(RunFolder.of(folder, run).at(step).folder)
    return torch.nn.utils.parameters_to_vector(model.policy.parameters()).detach().numpy()


def staged(until: int = 320) -> Job:
    return Job(5, LAST, 9, until, 320, earlier=(Stage(96, PLAIN), Stage(192, LATER)))


def test_a_schedule_is_what_a_chain_of_takeovers_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(trainer("ppo", CARTPOLE, tmp_path / "one", eval_steps=(64, 128, 256)), monkeypatch)
    reports = list(watched.made.train(staged(), lambda step: None))
    assert [report.step for report in reports] == [64, 96, 128, 192, 256, 320]
    assert {report.run for report in reports} == {RunId(5, 9)}
    used = [(model.n_epochs, model.gamma, model.n_steps) for model in watched.models]
    assert used == [(2, 0.99, 32), (1, 0.99, 32), (1, 0.9, 64)]
    rates = [model.lr_schedule(1.0) for model in watched.models]
    assert rates == pytest.approx([3e-4, 3e-3, 3e-3])
    # The first stage is the training of its configuration; what follows has its networks.
    alone = trainer("ppo", CARTPOLE, tmp_path / "two", eval_steps=(64, 128, 256))
    list(alone.train(Job(5, PLAIN, 9, 96, 320), lambda step: None))
    assert np.array_equal(weights(tmp_path / "one", RunId(5, 9), 96), weights(tmp_path / "two", RunId(5, 9), 96))
    assert (RunFolder.of(tmp_path / "one", RunId(5, 9)).path / "monitor.csv").read_text().count("#") == 1


@pytest.mark.parametrize("stop", [96, 128])
def test_a_schedule_that_is_cut_off_anywhere_goes_on_exactly(stop: int, tmp_path: Path) -> None:
    def run(folder: Path, until: int | None = None) -> list[Any]:
        made = trainer("ppo", CARTPOLE, folder, eval_steps=(64, 128, 256))
        reports = []
        for report in made.train(staged(), lambda step: None):
            reports.append(report)
            if report.step == until:
                break
        return [(report.step, report.score) for report in reports]

    whole = run(tmp_path / "whole")
    run(tmp_path / "cut", stop)
    assert run(tmp_path / "cut") == whole
    assert np.array_equal(weights(tmp_path / "cut", RunId(5, 9), 320), weights(tmp_path / "whole", RunId(5, 9), 320))


def test_a_schedule_can_be_trained_in_jobs(tmp_path: Path) -> None:
    whole = list(trainer("ppo", CARTPOLE, tmp_path / "whole").train(staged(), lambda step: None))
    made = trainer("ppo", CARTPOLE, tmp_path / "jobs")
    list(made.train(staged(128), lambda step: None))
    rest = replace(staged(), parent=Checkpoint(RunId(5, 9), 128))
    assert list(made.train(rest, lambda step: None))[-1].score == whole[-1].score


def test_a_population_is_tuned_tested_replayed_and_told(tmp_path: Path) -> None:
    """As a user does it: the test and the replay live through what the winner did, at the same steps."""
    folder = tmp_path / "study"
    result = hp.tune(
        "ppo",
        "CartPole-v1",
        total_steps=2_160,
        horizon=240,
        folder=folder,
        executor="inline",
        strategy="pbt",
        population=4,
        interval=60,
        test_share=0.5,
        test_seeds=1,
        evaluations=4,
        eval_episodes=1,
        test_episodes=1,
        space={"n_steps": "16..32:pow2", "batch_size": "16..32:pow2"},
        fix={"n_envs": 1, "net_arch": "8x8", "n_epochs": 1},
    )
    history = hp.read_history(folder)
    assert history.steps_used("search") == 960 and result.steps_used <= 2_160
    bred = [run for run in history.of_phase("test") if run.job.earlier]
    assert bred, "no finalist was taken over on its way"
    trial = bred[0].id.trial
    best = yaml.safe_load((folder / "result" / "best.yaml").read_text())
    lived = len(history.earlier(result.trial))
    assert len(best.get("schedule", [])) == len(result.schedule) == (lived + 1 if lived else 0)
    said = call("replay", folder, "--trial", trial, "--seed", bred[0].id.seed)
    assert "Bred" in said and f"from step {bred[0].job.earlier[0].until}:" in said
    again = RunFolder.of(folder / "replays" / f"{trial:04d}-{bred[0].id.seed}", bred[0].id).at(240).folder
    tested = RunFolder.of(folder, bred[0].id).at(240).folder
    both = [torch.nn.utils.parameters_to_vector(load_agent(each)[0].policy.parameters()) for each in (again, tested)]
    assert torch.equal(*both), "a replay under a test's seed is that test"
    assert "took another over" in call("status", folder)
    (origin, *_) = [run.origin for run in history.search if run.id.trial == trial]
    events = Study.read(folder).open_store(folder).read()
    assert any(f"from trial {origin.run.trial}'s {origin.step} to" in line for line in describe(events))
    told = yaml.safe_load(call("export", folder, "--format", "schedule"))
    assert told["schedule"][-1]["config"] == best["config"] and told["schedule"][0]["from_step"] == 0
