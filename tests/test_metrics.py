"""What is measured of trainings, what studies make of it, and how agents are put to the test."""

# ruff: noqa: E402  (what is skipped without its extra comes first)

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

import gymnasium
from calling import call
from gymnasium import spaces

import hyperpilot as hp
from hyperpilot.analysis.metrics import exploration, measures, over_seeds
from hyperpilot.analysis.pareto import hypervolume, pareto_front
from hyperpilot.api import read_history
from hyperpilot.environments import EnvSpec, make, parse_spec, tells_success
from hyperpilot.errors import EnvironmentUnavailable, InvalidStudy, UnsupportedEnvironment
from hyperpilot.records import (
    Checkpoint,
    Failed,
    Finished,
    History,
    Job,
    Report,
    RunId,
    Submitted,
    measured,
    parse_objective,
)
from hyperpilot.records.returns import cvar, so_far, spread
from hyperpilot.registry import load
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.study import Study
from hyperpilot.schedules import build_schedule
from hyperpilot.space import Space
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.strategies._pareto import by_front, crowding, fronts, in_direction, ordered, outcomes, pareto
from hyperpilot.trainers._sb3_costs import Costs
from hyperpilot.trainers._sb3_explore import Visits, action_spread, greedy_entropy
from hyperpilot.trainers._sb3_trial import Condition, _disturbed
from hyperpilot.trainers._scored import Scored
from hyperpilot.trainers.sb3 import sb3_trainer

RUN = RunId(0, 0)
SMALL_PPO = {"n_steps": 64, "batch_size": 32, "n_envs": 1, "n_epochs": 1}


def curve(*scores, **metrics):
    """Evaluations every ten steps."""
    return [Report(RUN, 10 * (i + 1), score, metrics) for i, score in enumerate(scores)]


# -- of one evaluation -------------------------------------------------------------------------------------------------


def test_the_tail_is_the_mean_of_the_worst_fifth():
    assert cvar(range(10)) == 0.5
    assert cvar([5.0, 1.0, 3.0]) == 1.0  # of three episodes, the worst one
    assert cvar(range(11)) == 1.0  # a part of an episode counts as one
    assert cvar([7.0]) == 7.0


def test_the_spread_of_returns():
    known = spread(np.array([0.0, 1.0, 2.0, 3.0, 100.0]))
    assert (known["return_min"], known["return_max"], known["iqm"], known["cvar"]) == (0.0, 100.0, 2.0, 0.0)
    assert known["return_std"] == pytest.approx(np.std([0, 1, 2, 3, 100]))


def test_the_curve_so_far_is_that_of_the_whole_curve():
    reports, last = [], None
    for step, score in ((10, 1.0), (15, 5.0), (40, 2.0), (60, 3.0)):
        last = Report(RUN, step, score, so_far(last, step, score))
        reports.append(last)
    known = measures(reports)
    assert last.metrics["auc"] == pytest.approx(known.auc)
    # level to 10, then straight lines: (10 + 15 + 87.5 + 50) / 60
    assert known.auc == pytest.approx(162.5 / 60)
    assert (last.metrics["best_return"], last.metrics["drawdown"]) == (5.0, 2.0)


def test_the_entropy_of_a_greedy_choice():
    assert greedy_entropy(0.0, 4) == 0.0
    assert greedy_entropy(1.0, 4) == pytest.approx(math.log(4))
    assert greedy_entropy(0.5, 2) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))


def test_the_spread_of_actions():
    assert action_spread(np.array([1, 1, 1]), spaces.Discrete(3)) == 0.0
    assert action_spread(np.array([0, 1, 2, 3]), spaces.Discrete(4)) == pytest.approx(math.log(4))
    two = np.array([[0, 0], [0, 1], [0, 0], [0, 1]])
    assert action_spread(two, spaces.MultiDiscrete([2, 2])) == pytest.approx(math.log(2) / 2)
    assert action_spread(np.array([[-2.0], [2.0]]), spaces.Box(-4, 4, (1,))) == 0.5


# -- states that were visited ------------------------------------------------------------------------------------------


def test_discrete_states_are_counted_exactly_and_no_generator_is_drawn_from():
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    visits = Visits(spaces.Discrete(5000))
    for state in [*range(3000), *range(2000)]:
        visits.note(np.array([state]))
    assert visits.count == 3000
    assert (np.random.get_state()[1] == before).all()


def test_a_count_goes_on_where_it_was_left_however_it_is_cut():
    space = spaces.Dict({"a": spaces.Box(-1, 1, (3,)), "b": spaces.Discrete(4)})
    rng = np.random.default_rng(0)
    seen = [{"a": rng.uniform(-1, 1, (2, 3)), "b": rng.integers(4, size=2)} for _ in range(1500)]
    whole, first = Visits(space), Visits(space)
    for each in seen:
        whole.note(each)
    for each in seen[:777]:
        first.note(each)
    state, second = first.state, Visits(space)
    second.restore(state)
    for each in seen[777:]:
        second.note(each)
    assert first.count < second.count == whole.count
    assert second.state == whole.state


def test_more_is_counted_the_further_one_gets():
    near, far = Visits(spaces.Box(-np.inf, np.inf, (4,))), Visits(spaces.Box(-np.inf, np.inf, (4,)))
    rng = np.random.default_rng(0)
    for state in rng.normal(size=(500, 1, 4)):
        near.note(0.02 * state)
        far.note(state)
    assert 1 <= near.count < far.count <= 500


def test_of_images_no_more_is_kept_than_is_looked_at():
    visits = Visits(spaces.Box(0, 255, (84, 84, 4), np.uint8))
    rng = np.random.default_rng(0)
    for _ in range(20):
        visits.note(rng.integers(0, 256, (2, 84, 84, 4)).astype(np.uint8))
    assert all(part.base is None and part.nbytes <= 2 * 256 for part in visits._pending[""])
    assert 2 < visits.count <= 40


# -- of one training ---------------------------------------------------------------------------------------------------


def test_the_course_of_a_training():
    known = measures(curve(0.0, 4.0, 10.0, 2.0), threshold=3.0)
    assert (known.steps, known.final, known.best, known.steps_to) == (40, 2.0, 10.0, 20)
    assert (known.drawdown, known.collapsed) == (8.0, None)
    assert known.variability == pytest.approx(np.subtract(*np.quantile([4.0, 6.0, -8.0], [0.75, 0.25])))
    steady = measures(curve(0.0, 1.0, 2.0, 3.0), threshold=9.0)
    assert (steady.steps_to, steady.drawdown, steady.collapsed, steady.variability) == (None, 0.0, None, 0.0)
    fallen, dipped = (
        measures(curve(0.0, 2.0, 5.0, 9.0, 10.0, 10.0, 9.0, *end)).collapsed for end in ((1.0, 1.0), (9.0, 1.0))
    )
    assert fallen and not dipped, "one bad evaluation is no collapse"
    assert measures(curve(5.0)).variability is None and measures([]) is None


def test_the_course_is_of_the_return_whatever_is_maximised():
    reports = [Report(RUN, 10, -1.0, {"return": 7.0, "iqm": 3.0}), Report(RUN, 20, -2.0, {"return": 9.0})]
    assert measures(reports).final == 9.0
    assert measures(reports, name="iqm").final == 3.0
    assert measures(reports, name="gpu_s") is None


def test_exploration_and_exploitation():
    reports = [Report(RUN, 10, 1.0, {"policy_entropy": 0.6, "state_coverage": 5.0}), Report(RUN, 20, 2.0)]
    first, second = exploration(reports)
    assert (first.step, first.value, first.entropy, first.coverage) == (10, 1.0, 0.6, 5.0)
    assert (second.value, second.entropy, second.coverage) == (2.0, None, None)


def test_seeds_are_summed_up_where_they_were_trained_as_far():
    parts = [paid(trial, score, 1.0) for trial, score in enumerate((1.0, 2.0, 3.0, 4.0, 90.0))] + [
        paid(7, -9.0, 1.0, until=5)
    ]
    known = over_seeds(list(History().extend(event for part in parts for event in part).search))
    assert (known.steps, known.count, known.iqm, known.cvar) == (10, 5, 3.0, 1.0)
    assert over_seeds([]) is None


def test_costs_go_on_from_the_last_report(monkeypatch):
    now = {"perf_counter": 107.0, "process_time": 12.0}
    for name in now:
        monkeypatch.setattr(f"time.{name}", lambda name=name: now[name])
    monkeypatch.setattr("torch.cuda.max_memory_allocated", lambda device: 5e6)
    last = Report(RUN, 10, 0.0, {"cpu_s": 3.0, "gpu_s": 4.0, "memory_mb": 1e9, "gpu_memory_mb": 2.0}, wall_s=20.0)
    costs = Costs(last, (100.0, 10.0))
    known = costs.metrics(torch.device("cuda"))
    assert costs.wall_s == 27.0
    assert known == {"cpu_s": 5.0, "gpu_s": 11.0, "memory_mb": 1e9, "gpu_memory_mb": 5.0}
    fresh = Costs(None, (100.0, 10.0)).metrics(torch.device("cpu"))
    assert fresh.keys() == {"cpu_s", "memory_mb"} and fresh["cpu_s"] == 2.0 and 1 < fresh["memory_mb"] < 1e6


# -- objectives --------------------------------------------------------------------------------------------------------


def test_objectives_in_words_and_in_numbers():
    report = Report(RUN, 50, 8.0, {"iqm": 6.0, "cvar": 2.0, "success_rate": 0.5}, wall_s=3.0)
    values = {text: parse_objective(text).values(report) for text in ("return", "iqm", "-wall_s", "success")}
    assert values == {"return": (8.0,), "iqm": (6.0,), "-wall_s": (-3.0,), "success": (0.5,)}
    assert parse_objective("iqm:1, cvar:-0.5").values(report) == (5.0,)
    assert parse_objective("return,-wall_s").values(report) == (8.0, -3.0)
    assert parse_objective("return,-wall_s").values(report, horizon=100) == (8.0, -6.0)  # half the steps, half the time
    assert parse_objective("iqm:1,cvar:-0.5").names == ("iqm:1,cvar:-0.5",)
    assert parse_objective("return,-wall_s").names == ("return", "-wall_s")
    assert math.isnan(parse_objective("gpu_s").values(report)[0])
    assert parse_objective("gpu_s").missing(report) == ["gpu_s"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("retrun", "retrun.*\n.*Known: return, iqm"),
        ("", "nothing is measured"),
        ("iqm:1,cvar", "to some and not to all"),
        ("iqm:x", "no weight"),
        ("iqm:0,cvar:1", "no weight"),
        ("return,-return", "twice"),
        ("return,iqm,cvar,-wall_s", "three at most"),
    ],
)
def test_what_is_no_objective_is_refused_before_work_starts(text, message, tmp_path):
    with pytest.raises(InvalidStudy, match=message):
        hp.tune("ppo", "CartPole-v1", total_steps=1000, horizon=500, folder=tmp_path / "s", objective=text)
    assert not (tmp_path / "s").exists()


class Goal(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.t += 1
        return np.zeros(1, np.float32), 1.0, self.t == 5, False, {"is_success": True} if self.t == 5 else {}


class Lucky(Goal):
    """Tells of successes alone, which are those episodes that end with action 1."""

    def step(self, action):
        seen, reward, over, cut, _ = super().step(action)
        return seen, reward, over, cut, {"is_success": True} if over and action == 1 else {}


def test_an_episode_that_says_nothing_failed_where_others_say_they_succeeded(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    result = tune(tmp_path, env="test_metrics:Lucky", objective="success")
    rates = {report.metrics["success_rate"] for run in read_history(tmp_path).runs.values() for report in run.reports}
    assert rates and 0.0 in rates and result.test_iqm is not None


def test_the_area_under_a_curve_does_not_depend_on_the_jobs(tmp_path):
    trainers = [
        sb3_trainer(load("algorithms", "ppo"), EnvSpec("CartPole-v1"), tmp_path / name, (200, 400), eval_episodes=1)
        for name in "ab"
    ]
    fix = {**SMALL_PPO, "n_steps": 32, "batch_size": 32}
    whole = list(trainers[0].train(Job(0, fix, 0, 400, 400), lambda step: None))
    first = list(trainers[1].train(Job(0, fix, 0, 300, 400), lambda step: None))
    rest = list(trainers[1].train(Job(0, fix, 0, 400, 400, Checkpoint(RunId(0, 0), 300)), lambda step: None))
    assert [report.step for report in (*first, *rest)] == [200, 300, 400]
    for name in ("return", "auc", "best_return", "drawdown"):
        assert measured(rest[-1], name) == measured(whole[-1], name), name
    grids = [measures(reports, grid=(200, 400)).auc for reports in (whole, [*first, *rest])]
    assert grids[0] == grids[1] == pytest.approx(whole[-1].metrics["auc"])


def test_success_has_to_be_told(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    assert tells_success(EnvSpec("test_metrics:Goal"))
    settings = {"algorithm": "ppo", "total_steps": 1000, "horizon": 500, "objective": "success"}
    assert Study.create(env="test_metrics:Goal", **settings).objective == "success"
    assert tells_success(EnvSpec("test_metrics:Lucky"))  # says so of successes alone
    with pytest.raises(InvalidStudy, match="CartPole-v1 tells of no episode"):
        Study.create(env="CartPole-v1", **settings)
    with pytest.raises(InvalidStudy, match="gpu_s is not measured on cpu"):
        Study.create(env="CartPole-v1", **{**settings, "objective": "return,-gpu_s"})


class Knows:
    """A trainer that tells nothing but the return."""

    def train(self, job, beat):
        yield job.report(3.0, noise=1.0)


def test_reports_are_scored_by_the_objective():
    job = Job(0, {}, 0, 10, 10)
    (report,) = Scored(Knows(), parse_objective("return:2")).train(job, lambda step: None)
    assert (report.score, report.metrics["return"], report.metrics["noise"]) == (6.0, 3.0, 1.0)
    assert measured(report, "return") == 3.0
    with pytest.raises(InvalidStudy, match="cvar is not measured here"):
        list(Scored(Knows(), parse_objective("cvar")).train(job, lambda step: None))


# -- several goals -----------------------------------------------------------------------------------------------------


def test_fronts_and_crowding():
    points = np.array([[1.0, 4.0], [2.0, 3.0], [4.0, 1.0], [1.0, 3.0], [0.0, 0.0], [4.0, 1.0]])
    assert fronts(points).tolist() == [0, 0, 0, 1, 2, 0]
    assert crowding(np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]])).tolist() == [np.inf, 2.0, np.inf]
    assert ordered({7: (1.0, 4.0), 8: (2.0, 3.0), 9: (4.0, 1.0), 3: (0.0, 0.0)})[0] == 9  # the best by the first goal
    assert ordered({7: (1.0, 4.0), 8: (2.0, 3.0), 9: (4.0, 1.0), 3: (0.0, 0.0)})[-1] == 3


def test_hypervolumes():
    assert hypervolume([(2.0, 1.0), (1.0, 3.0), (1.0, 1.0)], (0.0, 0.0)) == 4.0
    assert hypervolume([(2.0, 1.0)], (2.0, 0.0)) == 0.0  # no better than the reference
    assert hypervolume([], (0.0, 0.0)) == 0.0
    assert hypervolume([(1.0, 1.0, 1.0), (2.0, 1.0, 0.5)], (0.0, 0.0, 0.0)) == 1.5
    rng = np.random.default_rng(0)
    points, drawn = rng.random((8, 3)), rng.random((100_000, 3))
    covered = np.mean((drawn[:, None] < points[None]).all(axis=2).any(axis=1))
    assert hypervolume(points, (0.0, 0.0, 0.0)) == pytest.approx(covered, abs=0.01)


def paid(trial, score, wall_s, until=10, failed=False):
    """The events of a training with two evaluations, the last at `until` of ten steps."""
    job = Job(trial, {}, trial, until, 10)
    reports = [Report(job.run, step, score, {}, wall_s * step / 10) for step in (until - 1, until)]
    return [Submitted(job), *reports, Failed(job.run, "crashed") if failed else Finished(job.run)]


def test_the_front_is_among_trials_that_were_trained_as_far():
    parts = [
        paid(0, 1.0, 1.0),
        paid(1, 5.0, 2.0),
        paid(2, 4.0, 3.0),
        paid(3, 9.0, 0.1, until=5),
        paid(4, 9.0, 0.1, failed=True),
    ]
    history = History().extend(event for part in parts for event in part)
    objective = parse_objective("return,-wall_s")
    assert outcomes(history, objective) == {0: (1.0, -1.0), 1: (5.0, -2.0), 2: (4.0, -3.0)}
    front = pareto_front(history, objective)
    assert [member.trial for member in front.members] == [1, 0]
    assert (front.reference, front.hypervolume) == ((1.0, -3.0), 4.0)
    job = Job(1, {}, 1_000_000, 10, 10, phase="test")
    tested = [Submitted(job), Report(job.run, 10, 6.0, {}, 4.0), Finished(job.run)]
    assert pareto_front(history.extend(tested), objective).members[0].tested == (6.0, -4.0)
    assert pareto_front(History(), objective).members == ()


def test_each_part_of_a_search_sees_scores_of_its_own():
    parts = [paid(0, 1.0, 1.0), paid(1, 5.0, 2.0), paid(2, 4.0, 3.0), paid(3, -1e21, 2.5)]
    history = History().extend(event for part in parts for event in part)
    objective = parse_objective("return,-wall_s")
    seen = {run.id.trial: run.score for run in by_front(history, objective).search}
    assert min(seen[0], seen[1]) > max(seen[2], seen[3])  # the front, then what others are better than
    for weights, best in (((1.0, 0.0), 1), ((0.0, 1.0), 0)):
        scores = {run.id.trial: run.score for run in in_direction(history, objective, np.array(weights)).search}
        assert max(scores, key=scores.__getitem__) == best
    assert history.search[0].score == 1.0  # the record itself is as it was


@dataclass(frozen=True)
class TradeOff:
    """More of `a` is better and takes longer; `b` and `c` have one good place."""

    def train(self, job, beat):
        a, b, c = (job.config[name] for name in "abc")
        height = math.sqrt(a) * math.exp(-((b - 0.7) ** 2 + (c - 0.3) ** 2) / 0.05)
        for step in range(job.start + 1, job.until + 1):
            noise = 0.01 * np.random.default_rng([job.seed, step]).normal()
            yield Report(job.run, step, height * math.sqrt(step / job.horizon) + noise, {}, (0.1 + a) * step)


def searched(strategy, seed):
    """The hypervolume that a search of a race finds."""
    plugins = {"surrogate": load("surrogates", "bnn")(), "acquisition": load("acquisition", "thompson")}
    schedule = build_schedule("racing", 10, 300, None, None)
    search = load("strategies", strategy)(
        space=Space({name: "0.0..1.0" for name in "abc"}), schedule=schedule, seed=seed, **plugins
    )
    objective = parse_objective("return,-wall_s")
    history = Loop(pareto(search, objective), MemoryStore(), Inline(TradeOff()), seed).run()
    assert history.steps_used() <= 300
    assert any(run.state == "paused" and run.step < 10 for run in history.search)  # not all were trained to the end
    members = pareto_front(history, objective).members
    return hypervolume([member.values for member in members], (0.0, -11.0))


def test_a_search_for_a_front_beats_random_search_under_the_same_race():
    found = {strategy: [searched(strategy, seed) for seed in range(2)] for strategy in ("random", "bayes")}
    assert np.mean(found["bayes"]) > 1.05 * np.mean(found["random"]), found


def test_several_goals_need_a_search_that_they_can_be_shown_to():
    with pytest.raises(InvalidStudy, match="one goal only"):
        pareto(object(), parse_objective("return,-wall_s"))


# -- whole studies -----------------------------------------------------------------------------------------------------


def tune(folder, env="CartPole-v1", **settings):
    small = {"total_steps": 2000, "horizon": 200, "rungs": 2, "evaluations": 2, "strategy": "random", "test_share": 0.4}
    few = {"eval_episodes": 4, "test_episodes": 2, "test_seeds": 2, "fix": SMALL_PPO, "executor": "inline"}
    return hp.tune("ppo", env, folder=folder, **{**small, **few, **settings})


def test_a_study_maximises_what_it_is_asked_to(tmp_path):
    result = tune(tmp_path, objective="iqm:1,cvar:0.5", evaluate_on=["CartPole-v1,sutton_barto_reward=true"])
    reports = [report for run in read_history(tmp_path).runs.values() for report in run.reports]
    assert len(reports) > 8
    for report in reports:
        assert report.score == report.metrics["iqm"] + 0.5 * report.metrics["cvar"]
    assert any(report.score != report.metrics["return"] for report in reports)
    assert result.front is None
    (elsewhere,) = result.elsewhere.values()
    assert (elsewhere.scores, elsewhere.iqm, elsewhere.default_iqm) == ((-1.0, -1.0), -1.0, -1.0)
    written = json.loads((tmp_path / "result/result.json").read_text())
    assert written["elsewhere"]["CartPole-v1,sutton_barto_reward=true"]["iqm"] == -1.0
    assert hp.resume(tmp_path, executor="inline") == result


def test_a_study_of_several_goals_ends_with_a_front(tmp_path):
    result = tune(tmp_path, objective=["return", "-wall_s"])
    history = read_history(tmp_path)
    assert all(report.score == report.metrics["return"] for run in history.runs.values() for report in run.reports)
    assert result.front.goals == ("return", "-wall_s")
    returns, seconds = zip(*(member.values for member in result.front.members), strict=True)
    assert list(returns) == sorted(returns, reverse=True) and list(seconds) == sorted(seconds)
    assert result.trial in result.finalists
    text = call("metrics", tmp_path, "--threshold", "5")
    assert "Pareto front" in text and "Hypervolume" in text and "steps to" in text and "over seeds" in text
    known = json.loads(call("metrics", tmp_path, "--of", "cvar", "--json"))
    assert len(known["trainings"]) == len(history.runs)
    assert known["front"]["hypervolume"] == result.front.hypervolume
    assert "exploration and exploitation" in call("metrics", tmp_path, "--trial", "0")


def test_other_environments_are_checked_before_work_starts(tmp_path):
    for spec, error in (
        ("Pendulum-v1", UnsupportedEnvironment),
        ("CartPole-v1,nothing=3", EnvironmentUnavailable),
        ("CartPole-v1,3", InvalidStudy),
    ):
        with pytest.raises(error):
            tune(tmp_path / "s", evaluate_on=[spec])
    with pytest.raises(InvalidStudy, match="twice"):
        tune(tmp_path / "s", evaluate_on=["CartPole-v1", "CartPole-v1"])
    assert not (tmp_path / "s").exists()
    assert parse_spec("A-v1,x=1,y=true", {"z": 2}) == EnvSpec("A-v1", {"x": 1, "y": True, "z": 2})


# -- agents put to the test --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    out = tmp_path_factory.mktemp("agent") / "run"
    fix = ("--fix", "n_steps=256", "--fix", "learning_rate=0.001")
    call("train", "ppo", "CartPole-v1", "--steps", 5120, "--evaluations", 1, "--out", out, *fix)
    return out


def test_an_agent_is_put_to_the_test(agent):
    words = ("--stochastic", "--noise", 3, "--sticky", 0.9, "--start", "low=-0.001", "--start", "high=0.001")
    other = ("--env-kwargs", "sutton_barto_reward=true", "--episodes", 22)
    known = json.loads(call("evaluate", agent, *words, *other, "--json"))["conditions"]
    by_name = {each["condition"]: each for each in known}
    assert list(by_name) == [
        "CartPole-v1", "stochastic policy", "noise 3 on observations", "sticky actions 0.9",
        "from low=-0.001, high=0.001", "with sutton_barto_reward=True",
    ]  # fmt: skip
    undisturbed = by_name["CartPole-v1"]
    assert (
        len(undisturbed["returns"]) == 22
        and undisturbed["interval"][0] <= undisturbed["iqm"] <= undisturbed["interval"][1]
    )
    for harder in ("stochastic policy", "noise 3 on observations", "sticky actions 0.9"):
        assert by_name[harder]["iqm"] < undisturbed["iqm"], harder
    assert by_name["from low=-0.001, high=0.001"]["returns"] != undisturbed["returns"]
    assert by_name["with sutton_barto_reward=True"]["return"] in (-1.0, 0.0)
    again = json.loads(call("evaluate", agent, "--sticky", 0.9, "--episodes", 22, "--json"))["conditions"]
    assert [each["returns"] for each in again] == [undisturbed["returns"], by_name["sticky actions 0.9"]["returns"]]


def test_agents_are_shown_in_a_table_and_other_spaces_refused(agent):
    text = call("evaluate", agent, "--evaluate-on", "CartPole-v1,sutton_barto_reward=true", "--episodes", 1)
    assert "worst fifth" in text and "CartPole-v1 with sutton_barto_reward=True" in text
    with pytest.raises(UnsupportedEnvironment, match="observations"):
        call("evaluate", agent, "--evaluate-on", "Pendulum-v1", "--episodes", 1)


def test_noise_is_added_to_numbers_and_needs_some():
    def seen(spec, noise):
        env = _disturbed(make(spec), Condition("", spec, noise=noise))
        return np.array([env.reset(seed=seed)[0] for seed in range(300)])

    noisy, clean = (seen(EnvSpec("CartPole-v1"), noise) for noise in (2.0, 0.0))
    assert np.std(noisy - clean) == pytest.approx(2.0, rel=0.1)
    assert noisy.dtype == np.float32
    assert (seen(EnvSpec("CartPole-v1"), 2.0) == noisy).all()
    with pytest.raises(UnsupportedEnvironment, match="no noise"):
        seen(EnvSpec("Taxi-v3"), 1.0)
