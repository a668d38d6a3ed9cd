"""The virtual clock, and the forecast that runs on it."""

import time

import pytest
from simulated import Simulated

from hyperpilot.records import Finished, Job, Report
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.rehearsal import Timing, rehearse, time_configurations
from hyperpilot.runtime.study import Study
from hyperpilot.runtime.timing import Pace, pace


def study(**settings):
    known = {"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 40_000, "horizon": 900, "test_share": 0.3,
             "schedule": "hyperband"}  # fmt: skip
    return Study.create(**{**known, **settings})


def job(trial, until, config=None):
    return Job(trial, config or {"x": 0.3}, trial, until, 9)


def test_virtual_workers_report_in_the_order_of_their_clocks():
    workers = Virtual(Simulated(), 2, lambda job, a, b: (b - a) * (2.0 if job.trial else 1.0))
    workers.start(job(0, 9))
    workers.start(job(1, 3))
    assert not workers.free
    with pytest.raises(ValueError, match="busy"):
        workers.start(job(2, 3))
    said = []
    while events := workers.wait(1.0):
        said += [(workers.now, event.run.trial, type(event)) for event in events]
    assert said == [
        (3.0, 0, Report),
        (6.0, 0, Report),
        (6.0, 1, Report),
        (6.0, 1, Finished),
        (9.0, 0, Report),
        (9.0, 0, Finished),
    ]


def test_what_runs_in_a_worker_that_was_waited_for_starts_at_that_time():
    workers = Virtual(Simulated(), 1, lambda job, a, b: b - a)
    workers.start(job(0, 3))
    workers.wait(1.0)
    workers.start(job(1, 6))
    while workers.wait(1.0):
        pass
    assert workers.now == 9.0


def test_the_rehearsal_counts_what_hyperband_plans():
    settings = study()
    plan = rehearse(settings, Timing(Pace(0.01, 0.0), (Pace(0.01, 0.0),)))
    brackets = settings.search_schedule().plan
    assert plan.trials == sum(bracket.counts[0] for bracket in brackets)
    reached = {step: 0 for step in (100, 300, 900)}
    for bracket in brackets:
        for step, count in zip(bracket.steps, bracket.counts, strict=True):
            reached[step] += count
    assert plan.rungs == reached
    assert (plan.test_seeds, plan.finalists) == (5, 1)
    assert plan.steps == sum(bracket.cost for bracket in brackets) + 10 * 900
    assert plan.seconds == pytest.approx(plan.steps * 0.01)


def test_more_workers_and_slower_evaluations_count():
    timing = Timing(Pace(0.01, 0.0), (Pace(0.01, 0.0),))
    one, four = (rehearse(study(workers=n), timing) for n in (1, 4))
    assert one.rungs == four.rungs and one.steps == four.steps
    assert one.seconds / 4 < four.seconds < one.seconds / 2  # barriers keep some of them waiting
    slow = rehearse(study(), Timing(Pace(0.01, 1.0), (Pace(0.01, 1.0),)))
    # 20 evaluations a full training, with 20 episodes in place of 5 in the test
    assert slow.seconds - one.seconds > 10 * 20 * 4


def test_without_a_timing_there_is_a_plan_and_no_time():
    plan = rehearse(study(schedule="asha"), Timing(None, (), ("Error: no",)))
    assert plan.seconds is None and plan.trials > 10


def test_configurations_are_timed(tmp_path):
    settings = study(workers=2, horizon=512, total_steps=20_000, fix={"n_steps": 64, "n_envs": 1, "batch_size": 64})
    settings.write(tmp_path)
    timing = time_configurations(settings, tmp_path)
    assert timing.default and len(timing.others) == 3 and not timing.faults
    assert all(1e-5 < p.step_s < 0.1 for p in (timing.default, *timing.others))
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_what_a_short_training_raises_is_told(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text(
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "class Broken(CartPoleEnv):\n"
        "    def step(self, action): raise RuntimeError('the cart is gone')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    settings = study(env="broken:Broken")
    settings.write(tmp_path)
    timing = time_configurations(settings, tmp_path)
    assert timing.default is None and "the cart is gone" in timing.faults[0]


def test_a_long_update_is_not_waited_for():
    class Endless:
        def train(self, job, beat):
            step = 0
            while True:
                step += 1
                beat(step)
                yield from ()

    timed = pace(Endless(), {"x": 0.3}, 0, 10**9, 0.02)
    assert 0 < timed.step_s < 1e-3


@pytest.mark.parametrize("told", [True, False])
def test_set_up_and_evaluations_are_not_taken_for_training(told):
    class Slow:
        """Evaluates for long, also before the first rollout, in which nothing is trained; trains fast."""

        def train(self, job, beat):
            step = 0 if job.until < 600 else job.until
            for done in range(job.start, step):
                beat(done)
            end = time.perf_counter() + 0.02
            while time.perf_counter() < end:
                beat(step)
            metrics = {"steps_per_s": 1e5} if told and step else {}
            yield Report(job.run, job.until, 0.0, {**metrics, "evaluation_s": 0.02})

    timed = pace(Slow(), {"x": 0.3}, 0, 10**6, 0.015)
    assert timed.evaluation_s == 0.02
    assert timed.step_s == pytest.approx(1e-5) if told else timed.step_s < 2e-5


def test_an_evaluation_that_was_not_made_again_is_not_taken_for_a_quick_one():
    class Lazy:
        def train(self, job, beat):
            yield job.report(1.0, evaluation_s=0.5 if job.until == 256 else 0.0, steps_per_s=100.0, episode_length=20.0)

    timed = pace(Lazy(), {}, 0, 1024, 2.0)
    assert (timed.step_s, timed.evaluation_s, timed.episode_length) == (0.01, 0.5, 20.0)
