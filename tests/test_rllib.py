"""RLlib as a trainer: five algorithms train, go on from checkpoints, and are given the hyperparameters that they are to have."""

import subprocess
import sys
from itertools import pairwise

import pytest

pytest.importorskip("ray")

import ray
import torch

from hyperpilot.api import tune
from hyperpilot.environments import EnvSpec
from hyperpilot.errors import InvalidConfiguration, InvalidStudy, UnsupportedEnvironment
from hyperpilot.records import Checkpoint, Failed, Job, RunId
from hyperpilot.runtime.execution import execute
from hyperpilot.runtime.study import Study
from hyperpilot.trainers._rllib_build import learner_of, module_of
from hyperpilot.trainers._rllib_session import Session
from hyperpilot.trainers._run_folder import RunFolder

SMALL = {
    "ppo": {"n_steps": 32, "n_envs": 2, "batch_size": 32, "n_epochs": 1, "learning_rate_schedule": "linear"},
    "dqn": {"learning_starts": 40, "train_freq": 8, "n_envs": 1, "buffer_size": 500},
    "sac": {"learning_starts": 40, "train_freq": 8, "net_arch": "32x32", "buffer_size": 500},
    "appo": {"n_steps": 25, "batch_size": 50, "net_arch": "32x32"},
    "impala": {"n_steps": 25, "batch_size": 50, "net_arch": "32x32"},
}


@pytest.fixture(scope="module", autouse=True)
def stopped():
    yield
    ray.shutdown()


def study(name, **settings):
    env = "Pendulum-v1" if name == "sac" else "CartPole-v1"
    given = {"evaluations": 4, "eval_episodes": 1, "total_steps": 10_000, "horizon": 400, **settings}
    return Study.of(algorithm=name, env=env, trainer="rllib", **given)


def config_of(made, **changed):
    (algorithm,) = made.algorithms()
    return {**algorithm.defaults, **SMALL[algorithm.name], **changed}


def still(step):
    pass


@pytest.mark.parametrize("name", SMALL)
def test_an_algorithm_trains_and_goes_on_from_its_checkpoint(name, tmp_path):
    made = study(name)
    config = config_of(made)
    run = RunId(0, 0)
    first = list(made.trainer_for(tmp_path).train(Job(0, config, 0, 200, 400), still))
    assert [report.step for report in first] == [100, 200]
    onward = Job(0, config, 0, 400, 400, Checkpoint(run, 200))
    then = list(made.trainer_for(tmp_path).train(onward, still))
    assert [report.step for report in then] == [300, 400]
    assert then[0].metrics["fresh_episode"] == 1 and "fresh_episode" not in then[1].metrics
    steps = [report.metrics["num_timesteps"] for report in (*first, *then)]
    assert all(later > earlier for earlier, later in pairwise(steps)) and steps[-1] >= 400
    assert {"iqm", "cvar", "auc", "policy_entropy", "action_spread", "cpu_s", "episode_length"} <= first[
        0
    ].metrics.keys()
    assert list(made.trainer_for(tmp_path).train(onward, still)) == then  # told again, not trained again


def test_a_child_takes_over_what_its_parent_had_at_an_interval(tmp_path):
    made = study("ppo", strategy="pbt", population=2, interval=100)
    config = config_of(made)
    trainer = made.trainer_for(tmp_path)
    list(trainer.train(Job(0, config, 0, 100, 400), still))
    list(
        trainer.train(Job(0, config, 0, 200, 400, Checkpoint(RunId(0, 0), 100)), still)
    )  # it goes on before its child begins
    child = Job(1, {**config, "learning_rate": 1e-3}, 1, 200, 400, Checkpoint(RunId(0, 0), 100))
    reports = list(trainer.train(child, still))
    assert [report.step for report in reports] == [200]
    steps = RunFolder.of(tmp_path, RunId(0, 0)).at(100).report().metrics["num_timesteps"]
    assert reports[0].metrics["num_timesteps"] > steps  # it counts on from its parent


def session(made, folder, job, start=None):
    (algorithm,) = made.algorithms()
    return Session(algorithm, EnvSpec(made.env), folder, job, start, still, (1, 7), "cpu")


def rates(algo):
    return {name: each.param_groups[0]["lr"] for name, each in learner_of(algo)._named_optimizers.items()}


def test_changed_hyperparameters_reach_the_learner_of_a_restored_training(tmp_path):
    made = study("ppo")
    config = config_of(made, learning_rate=1e-3, learning_rate_schedule="constant", n_envs=1)
    folder = RunFolder.of(tmp_path, RunId(0, 0))
    before = session(made, folder, Job(0, config, 0, 128, 400))
    before.report_at(128, save=True)
    assert set(rates(before.algo).values()) == {1e-3}
    weights = [each.clone() for each in module_of(before.algo).parameters()]
    before.close()

    changed = {**config, "learning_rate": 2e-4, "clip_range": 0.37, "gae_lambda": 0.81, "gamma": 0.93, "ent_coef": 0.05}
    changed |= {"max_grad_norm": 0.9, "vf_coef": 0.7, "n_epochs": 3, "batch_size": 16}
    job = Job(1, changed, 1, 300, 400, Checkpoint(RunId(0, 0), 128))
    after = session(made, RunFolder.of(tmp_path, job.run), job, folder.at(128))
    learner = learner_of(after.algo)
    assert all(map(torch.equal, weights, module_of(after.algo).parameters()))  # what was learned is there
    assert after.steps == 128
    assert learner._named_optimizers["default_policy_default_optimizer"].state  # Adam's moments, too
    for _ in range(2):  # at once, and still after an update
        used = learner.config
        assert set(rates(after.algo).values()) == {2e-4}
        assert (used.clip_param, used.lambda_, used.gamma) == (0.37, 0.81, 0.93)
        assert (used.grad_clip, used.vf_loss_coeff, used.num_epochs, used.minibatch_size) == (0.9, 0.7, 3, 16)
        gae = learner._learner_connector.connectors[-1]
        assert (gae.gamma, gae.lambda_) == (0.93, 0.81)
        schedule = learner.entropy_coeff_schedulers_per_module["default_policy"]
        assert schedule.get_current_value() == 0.05
        after.algo.train()
    assert not all(map(torch.equal, weights, module_of(after.algo).parameters()))
    after.close()


def test_schedules_anneal_over_the_horizon_wherever_a_training_is_taken_up(tmp_path):
    made = study("ppo")
    config = config_of(made, learning_rate=1e-3, n_envs=1)
    folder = RunFolder.of(tmp_path, RunId(0, 0))
    before = session(made, folder, Job(0, config, 0, 128, 400))
    before.report_at(128, save=True)
    (rate,) = rates(before.algo).values()
    assert rate == pytest.approx(1e-3 * (1 - 128 / 400))
    before.close()
    after = session(made, folder, Job(0, config, 0, 400, 400, Checkpoint(RunId(0, 0), 128)), folder.at(128))
    assert list(rates(after.algo).values()) == [pytest.approx(rate)]
    after.close()


def test_what_fails_is_data(tmp_path):
    made = study("ppo", evaluations=1, horizon=128)
    config = config_of(made, learning_rate=1e30, learning_rate_schedule="constant")
    (*_, last) = execute(made.trainer_for(tmp_path), Job(0, config, 0, 128, 128), still)
    assert isinstance(last, Failed) and last.kind == "diverged"
    images = study("ppo").model_copy(update={"env": "CarRacing-v3"})
    with pytest.raises(UnsupportedEnvironment, match="shows images"):
        next(images.trainer_for(tmp_path).train(Job(1, config_of(made), 1, 100, 400), still))


def test_a_tuned_agent_is_loaded_by_rllib_alone(tmp_path):
    fix = {**SMALL["ppo"], "n_envs": 1}
    small = {"total_steps": 900, "horizon": 128, "rungs": 1, "test_share": 0.6, "test_seeds": 1, "test_episodes": 1}
    settings = {"trainer": "rllib", "evaluations": 1, "eval_episodes": 1, "fix": fix, **small}
    result = tune("ppo", "CartPole-v1", folder=tmp_path / "s", executor="inline", **settings)
    assert result.test_iqm is not None and "ortho_init" not in result.config
    done = subprocess.run([sys.executable, tmp_path / "s/result/load_agent.py"], capture_output=True, text=True)
    assert done.stdout.startswith("return "), done.stderr
    assert "hyperpilot" not in (tmp_path / "s/result/load_agent.py").read_text().replace("not hyperpilot", "")


@pytest.mark.parametrize(
    "settings, error, fault",
    [
        ({"algorithm": "td3", "env": "Pendulum-v1"}, InvalidStudy, "does not train td3"),
        ({"algorithm": "ppo", "fix": {"normalize": True}}, InvalidConfiguration, "unknown hyperparameter 'normalize'"),
        ({"algorithm": "impala", "trainer": "sb3"}, InvalidStudy, "--trainer rllib"),
        ({"algorithm": "sac", "env": "CartPole-v1"}, UnsupportedEnvironment, "sac serves continuous"),
    ],
)
def test_what_rllib_has_not_is_refused_before_anything_trains(settings, error, fault):
    given = {"env": "CartPole-v1", "trainer": "rllib", "total_steps": 10_000, "horizon": 1_000, **settings}
    with pytest.raises(error, match=fault):
        Study.create(**given)


def test_other_environments_are_refused_before_work_starts():
    asked = {"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 9000, "horizon": 1000, "trainer": "rllib"}
    with pytest.raises(InvalidStudy, match="evaluate_on"):
        Study.create(**asked, evaluate_on=("CartPole-v1,sutton_barto_reward=true",))
