"""A study whose log is written by hand: promotions, further seeds, failures and a test."""

import numpy as np

from hyperpilot.records import Checkpoint, Failed, Finished, Job, Report, Submitted
from hyperpilot.runtime.study import Study

START = 1_700_000_000.0


def settings(horizon=1000, **more):
    """Four hyperparameters of PPO; all others are fixed."""
    fixed = {"batch_size": 64, "n_epochs": 10, "gae_lambda": 0.95, "clip_range": 0.2, "clip_range_schedule": "constant"}
    fixed |= {
        "ent_coef": 0.0,
        "vf_coef": 0.5,
        "max_grad_norm": 0.5,
        "n_envs": 1,
        "net_arch": "64x64",
        "normalize": False,
    }
    fixed |= {"learning_rate_schedule": "constant"}
    return Study.of(
        algorithm="ppo",
        env="CartPole-v1",
        total_steps=100 * horizon,
        horizon=horizon,
        workers=2,
        fix=fixed,
        **more,
    )


def told(study, trials=24, points=10, tested=3, running=True, diverged=5, seed=0):
    """The events: every fourth trial goes to the horizon, one diverges, and the last one may run on."""
    rng = np.random.default_rng(seed)
    space, horizon, now = study.build_space(), study.horizon, START
    configs = [space.default(), *space.sample(trials - 1, rng)]
    events = []

    def train(job, ending="finished"):
        nonlocal now
        submitted, start = now, job.start
        events.append(Submitted(job, submitted))
        grid = [round(horizon * k / points) for k in range(1, points + 1)]
        for step in [step for step in grid if start < step <= job.until]:
            events.append(
                Report(job.run, step, _score(job, step, rng), _seen(job, step), step / horizon * _seconds(job))
            )
        now += (job.until - start) / horizon * _seconds(job)
        if ending == "finished":
            events.append(Finished(job.run, now))
        elif ending == "diverged":
            events.append(Failed(job.run, "diverged", "NaN", job.until, now))

    for trial, config in enumerate(configs):
        first = Job(trial, config, trial, horizon // 2, horizon)
        train(first, "diverged" if trial == diverged else "running" if running and trial == trials - 1 else "finished")
        if trial % 4 == 0:
            train(Job(trial, config, trial, horizon, horizon, Checkpoint(first.run, horizon // 2)))
    train(Job(4, configs[4], 100_007, horizon, horizon))
    for trial in (0, 4) if tested else ():
        for k in range(tested):
            train(Job(trial, configs[trial], 1_000_000 + k, horizon, horizon, phase="test"))
    return events


def written(folder, study, events, ended=False):
    """The folder of the study."""
    study.write(folder)
    store = Study.read(folder).open_store(folder)
    store.append(events)
    store.close()
    if ended:
        (folder / "result").mkdir()
        (folder / "result" / "result.json").write_text("{}")
    return folder


def _score(job, step, rng):
    best = 10 - (np.log10(job.config["learning_rate"]) + 3.1) ** 2
    return float(best * step / job.horizon + 0.2 * rng.standard_normal())


def _seen(job, step):
    share = step / job.horizon
    return {"policy_entropy": 0.69 * (1 - 0.8 * share), "state_coverage": 100.0 + 900 * share, "cpu_s": 9 * share}


def _seconds(job):
    return 10.0 + job.trial % 3
