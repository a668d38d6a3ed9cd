"""Published scores, and a study beside them."""

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from hyperpilot.analysis.comparison import at, compare, reached
from hyperpilot.analysis.references import anchor, every_score, family, published
from hyperpilot.cli._options import plain
from hyperpilot.cli.compare import show
from hyperpilot.records import Finished, History, Job, Submitted
from hyperpilot.registry import available, load

RNG = np.random.default_rng(0)


def test_the_table_is_the_zoos_and_more():
    by_source = Counter(score.source.title for score in every_score())
    assert by_source["RL Baselines3 Zoo benchmark"] == 199
    zoo = [score for score in every_score() if score.source.title == "RL Baselines3 Zoo benchmark"]
    assert len({score.algorithm for score in zoo}) == 11 and len({score.env for score in zoo}) == 55
    lander = next(score for score in zoo if (score.algorithm, score.env) == ("ppo", "LunarLander-v2"))
    assert (lander.mean, lander.std, lander.steps, lander.runs) == (242.119, 31.823, 1_000_000, 1)
    assert all(score.source.url.startswith("https://") and score.source.date for score in every_score())
    assert {score.algorithm for score in every_score()} <= set(available("algorithms"))
    assert all(math.isfinite(score.mean) and score.std >= 0 and score.steps >= 10_000 for score in every_score())


def test_atari_alone_was_evaluated_with_a_stochastic_policy_in_the_zoo():
    (pong,) = [s for s in published("Pong") if s.algorithm == "a2c"]
    (pole,) = [s for s in published("CartPole") if s.algorithm == "a2c"]
    assert (pong.evaluation, pole.evaluation) == ("stochastic", "deterministic")


def test_families():
    assert family("LunarLander-v3") == family("LunarLander-v2") == "LunarLander"
    assert family("LunarLander-v3", {"continuous": True}) == family("LunarLanderContinuous-v2")
    assert family("ALE/Pong-v5") == family("PongNoFrameskip-v4") == "Pong"
    assert family("HalfCheetah-v5") != family("HalfCheetahBulletEnv-v0")
    assert published("no such thing") == [] and anchor("no such thing") is None


def test_anchors():
    breakout = anchor("Breakout")
    assert (breakout.random, breakout.reference, breakout.kind) == (1.7, 30.5, "human")
    assert breakout.normalized(30.5) == 1.0 and breakout.normalized(1.7) == 0.0
    pole = anchor("CartPole")
    assert pole.reference == 475 and 20 < pole.random < 25


def test_the_measured_anchor_can_be_measured():
    gymnasium = pytest.importorskip("gymnasium")
    env, returns = gymnasium.make("CartPole-v1"), []
    env.action_space.seed(1)
    for seed in range(300):
        env.reset(seed=seed)
        steps, over = 0, False
        while not over:
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            steps, over = steps + 1, terminated or truncated
        returns.append(steps)
    assert np.mean(returns) == pytest.approx(anchor("CartPole").random, abs=4 * np.std(returns) / 300**0.5)


def curve(to, horizon, seed):
    steps = np.linspace(horizon / 20, horizon, 20).round().astype(int)
    noise = np.random.default_rng(seed).normal(0, 2, 20)
    return [(int(s), float(to * (1 - math.exp(-5 * s / horizon)) + e)) for s, e in zip(steps, noise, strict=True)]


def study(horizon, levels, seeds=5, phase="test"):
    """The test of trial 0, 1, ..., which level off at so much."""
    history = History()
    for trial, to in enumerate(levels):
        for seed in range(seeds):
            job = Job(trial, {}, 1_000_000 + seed, horizon, horizon, phase=phase)
            reports = [job.report(y, s) for s, y in curve(to, horizon, 100 * trial + seed)]
            history = history.extend([Submitted(job), *reports, Finished(job.run)])
    return history


def beside(history, env, of="ppo", source="Zoo", **kwargs):
    algorithm = load("algorithms", "ppo")
    found = compare(history, env, kwargs, lambda config: (algorithm, config), np.random.default_rng(0))
    (row,) = [b for b in found.beside if b.published.algorithm == of and source in b.published.source.title]
    return found, row


def test_equal_steps():
    found, row = beside(study(1_000_000, [100, 260]), "LunarLander-v3")
    assert found.agents[0].name == "tuned" and found.agents[1].name == "default"
    assert row.ours.how == "evaluated" and row.ours.mean == pytest.approx(260, abs=5) and row.stands == "higher"
    assert any("another version" in reason and "LunarLander-v2" in reason for reason in row.unfair)
    assert any("single training" in reason for reason in row.unfair)
    assert row.reached is not None and row.reached < 1_000_000


def test_an_equal_comparison_has_no_note_on_versions_or_steps():
    _, row = beside(study(500_000, [100, 495]), "CartPole-v1", source="CleanRL")
    assert row.ours.how == "evaluated" and row.published.runs == 3
    assert not any("version" in reason or "steps" in reason or "single" in reason for reason in row.unfair)
    assert any("while training" in reason for reason in row.unfair)


def test_shorter_and_longer_studies():
    _, longer = beside(study(5_000_000, [100, 260]), "LunarLander-v3")
    assert longer.ours.how == "read off" and longer.ours.mean == pytest.approx(260 * (1 - math.exp(-1)), abs=8)
    assert longer.stands == "lower" and any("read off" in reason for reason in longer.unfair)
    _, short = beside(study(600_000, [100, 260]), "LunarLander-v3")
    assert short.ours.how == "extrapolated" and short.ours.interval[0] < 260 < short.ours.interval[1]
    assert any("extrapolated" in reason for reason in short.unfair)
    _, far = beside(study(100_000, [100, 260]), "LunarLander-v3")
    assert far.ours is None and far.stands is None and any("too far to extrapolate" in reason for reason in far.unfair)
    _, early = beside(study(50_000_000, [100, 260]), "LunarLander-v3")
    assert early.ours is None and any("so early" in reason for reason in early.unfair)


def test_other_algorithms_and_settings_are_named():
    _, row = beside(study(500_000, [100, 495]), "CartPole-v1", of="a2c", gravity=3.0)
    assert "another algorithm" in row.unfair and any("settings of its own" in reason for reason in row.unfair)


def test_the_default_is_compared_where_it_is_better():
    found, _ = beside(study(1_000_000, [260, 100]), "LunarLander-v3")
    assert [agent.name for agent in found.agents] == ["default", "tuned"]


def test_before_the_test_the_leader_is_shown_and_doubted(capsys):
    found, row = beside(study(1_000_000, [100, 260], seeds=1, phase="search"), "LunarLander-v3")
    assert found.agents[0].name == "leader" and row.ours.interval is None and row.stands is None
    show(found)
    assert "has not been tested: its score is too good" in capsys.readouterr().out


def test_runs_are_read_at_a_step():
    runs = list(study(1000, [100]).runs.values())
    assert at(runs, 10, RNG) is None and at(runs, 2001, RNG) is None
    assert at(runs, 1005, RNG).how == "evaluated" and at(runs, 75, RNG).how == "read off"
    assert at(runs[:1], 1000, RNG).interval is None
    assert reached(runs, 60) == 200  # 63 of 100 there, and 53 at 150
    assert reached(runs, 101) is None
    fallen = replace(runs[0], reports=tuple(replace(r, score=r.score * (r.step < 800)) for r in runs[0].reports))
    assert reached([fallen], 60) is None


def test_what_people_see(capsys):
    found, _ = beside(study(1_000_000, [100, 260]), "LunarLander-v3")
    show(found)
    text = capsys.readouterr().out
    assert "tuned (trial 1, ppo)" in text and "Notes" in text and "https://github.com/DLR-RM/rl-baselines3-zoo" in text
    assert json.loads(json.dumps(plain(found), allow_nan=False))["agents"][0]["trial"] == 1
    algorithm = load("algorithms", "ppo")
    show(compare(study(1000, [1, 2]), "my.envs:Mine", {}, lambda config: (algorithm, config), RNG))
    assert "None of the 270 published scores" in capsys.readouterr().out
    show(compare(History(), "CartPole-v1", {}, lambda config: (algorithm, config), RNG))
    assert "no training of the study has a score yet" in capsys.readouterr().out


def test_returns_are_compared_whatever_the_study_maximises():
    job = Job(0, {}, 0, 10, 10)
    told = [job.report(0.1 * step, step, **{"return": 100.0 * step}) for step in range(1, 11)]
    (run,) = History().extend([Submitted(job), *told, Finished(job.run)]).runs.values()
    assert at([run], 5, RNG).mean == 500 and reached([run], 700.0) == 7
