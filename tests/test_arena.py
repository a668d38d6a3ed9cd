"""The arena on hand-made tables: arithmetic, cost, secrets, and what users see."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from hyperpilot.analysis.statistics import clustered_interval
from hyperpilot.arena.contest import MethodCrashed, play
from hyperpilot.arena.methods import build, parts
from hyperpilot.arena.summary import by_workers, markdown
from hyperpilot.arena.tournament import Contest, Tournament, read, run
from hyperpilot.cli import app
from hyperpilot.errors import HyperPilotError, InvalidStudy, InvalidTable, StudyBusy, UnknownPlugin
from hyperpilot.records import Checkpoint, Job, RunId
from hyperpilot.trainers.tabular import TabularTrainer, read_table, read_tables

SPACE = {
    "hyperparameters": [
        {"name": "learning_rate", "type": "uniform_float", "lower": 1e-4, "upper": 1.0, "log": True},
        {"name": "n", "type": "uniform_int", "lower": 0.0, "upper": 10.0, "log": False},
        {"name": "batch_size", "type": "categorical", "choices": [32, 64]},
        {"name": "target", "type": "categorical", "choices": [True, False]},
        {"name": "tau", "type": "uniform_float", "lower": 0.0, "upper": 1.0, "log": False},
    ],
    "conditions": [{"child": "tau", "parent": "target", "value": True}],
}
NAMES = [hp["name"] for hp in SPACE["hyperparameters"]]


def arrays(n=90, units=10, secret=None, rng=None):
    """A table whose score is best at a learning rate of 0.01; `secret` replaces the returns of seeds 5 to 9."""
    rng = rng or np.random.default_rng(0)
    target = rng.integers(2, size=n)
    columns = [
        10 ** rng.uniform(-4, 0, n),
        rng.integers(11, size=n),
        rng.choice([32, 64], n),
        target,
        np.where(target, rng.random(n), np.nan),
    ]
    quality = -np.abs(np.log10(columns[0]) + 2)
    curve = np.linspace(0.1, 1, units)
    returns = (quality + 5)[:, None, None] * curve + 0.05 * rng.standard_normal((n, 10, units))
    if secret is not None:
        returns[:, 5:, :] = secret(quality)[:, None, None]
    return {
        "configs": np.column_stack(columns),
        "config_names": np.array(NAMES),
        "steps": np.arange(1, units + 1) * 1000,
        "seeds": np.arange(10),
        "returns": returns.astype(np.float32),
        "space_json": np.array(json.dumps(SPACE)),
    }


def save(folder, name="ppo__toy", **changes):
    known = {**arrays(), **changes}
    np.savez(folder / f"{name}.npz", **{key: value for key, value in known.items() if value is not None})
    return folder / f"{name}.npz"


@pytest.fixture
def table(tmp_path):
    return read_table(save(tmp_path))


def ours(name):
    return lambda table, budget, workers, seed: build(name, table.space, table.units, budget, seed)


def test_regret_and_rank_are_those_of_the_protocol(tmp_path):
    returns = np.zeros((4, 10, 2))
    returns[:, 5:, 1] = np.array([0.0, 4.0, 10.0, 2.0])[:, None]
    columns = arrays(n=4)["configs"]
    table = read_table(save(tmp_path, configs=columns, returns=returns, steps=np.array([1, 2])))
    # best 10, median 3: regret (10 - f) / 7, cut at 1
    np.testing.assert_allclose(table.regret, [1.0, 6 / 7, 0.0, 1.0])
    np.testing.assert_allclose(table.rank, [1.0, 1 / 3, 0.0, 2 / 3])


def test_what_is_below_the_floor_counts_as_the_floor(tmp_path):
    known = arrays()["returns"]
    known[0, 0, 3], known[0, 1, 3] = np.nan, -1e21
    path = save(tmp_path, returns=known)
    (tmp_path / "cases.csv").write_text("case,floor\nppo__toy,-7\n")
    (table,) = read_tables(tmp_path)
    assert table.scores[0, 0, 3] == table.scores[0, 1, 3] == -7
    assert read_table(path).scores.min() > -100  # a floor is found where none is given


def test_configurations_are_read_with_their_types_and_conditions(table):
    for config in table.configs:
        assert isinstance(config["n"], int) and isinstance(config["target"], bool) and config["batch_size"] in (32, 64)
        assert ("tau" in config) == config["target"]
        table.space.check(config)


def test_the_nearest_unused_configuration_is_taken(table):
    wanted = dict(table.configs[3])
    assert table.nearest(wanted, set()) == wanted
    wanted["learning_rate"] *= 1.01
    assert table.nearest(wanted, set()) == table.configs[3]
    assert table.nearest(wanted, {3}) != table.configs[3]
    assert table.nearest(wanted, set(range(len(table.configs)))) is None


def test_a_resumed_training_pays_only_the_difference(table):
    trainer, config = TabularTrainer(table), table.configs[0]
    first = list(trainer.train(Job(0, config, 2, 3, 10), lambda step: None))
    rest = list(trainer.train(Job(0, config, 2, 10, 10, Checkpoint(RunId(0, 2), 3)), lambda step: None))
    assert [report.step for report in first] == [1, 2, 3]
    assert [report.step for report in rest] == [4, 5, 6, 7, 8, 9, 10]
    assert [report.score for report in first + rest] == list(table.scores[0, 2])
    outcome = play(table, ours("random+asha"), 60, 1, 0)
    assert outcome.units == 60 and len(outcome.regret) == 60


@pytest.mark.parametrize("method", ["random", "random+asha", "bnn+log_ei+hyperband"])
def test_same_seed_same_result_whatever_the_held_out_seeds_say(tmp_path, method):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    honest = read_table(save(tmp_path / "a"))
    trap = read_table(save(tmp_path / "b", **arrays(secret=lambda quality: -quality)))  # the tuning seeds lie
    rows = []
    for known in (honest, honest, trap):
        # who was handed over, told by a rank that is the same in both tables
        known.__dict__["rank"] = np.arange(len(known.configs), dtype=float)
        rows.append(play(known, ours(method), 80, 1, 3).rank)
    assert rows[0] == rows[1] == rows[2]
    assert not hasattr(TabularTrainer(trap).table, "returns") and trap.scores.shape[1] == 5
    assert play(trap, ours(method), 80, 1, 3).regret[-1] > play(honest, ours(method), 80, 1, 3).regret[-1]


def test_workers_are_never_exceeded_and_time_is_shared(table, monkeypatch):
    from hyperpilot.runtime.executors import virtual

    busy, ends = [], []
    start, wait = virtual.Virtual.start, virtual.Virtual.wait
    monkeypatch.setattr(
        virtual.Virtual, "start", lambda self, job: (start(self, job), busy.append(len(self.progress)))[0]
    )
    monkeypatch.setattr(virtual.Virtual, "wait", lambda self, s: (wait(self, s), ends.append(self.now))[0])
    play(table, ours("random+asha"), 80, 4, 0)
    assert max(busy) == 4
    assert 20 <= max(ends) <= 30  # 80 ticks over 4 workers


def test_a_table_may_have_times_of_its_own(tmp_path):
    seconds = np.tile(np.arange(90.0)[:, None, None] + 1, (1, 10, 10))
    table = read_table(save(tmp_path, wall_s=seconds))
    assert TabularTrainer(table).seconds(Job(0, table.configs[4], 2, 3, 10), 0, 3) == 15.0
    assert play(table, ours("random+asha"), 60, 4, 0).units > 50


def test_a_method_that_cannot_be_made_or_leaves_the_space_has_crashed(table):
    def refuses(table, budget, workers, seed):
        raise MethodCrashed("no such space")

    assert play(table, refuses, 20, 1, 0).crash == "no such space"

    class Astray:
        def propose(self, history, n, rng):
            return [Job(0, {"batch_size": 48}, 0, 3, 10)]

        def leaders(self, history, n):
            return []

    outcome = play(table, lambda *args: Astray(), 20, 1, 0)
    assert "batch_size" in outcome.crash and outcome.regret == (1.0,) * 20


def test_a_method_is_named_by_its_parts():
    assert parts("random") == {
        "strategies": "random", "surrogates": "bnn", "acquisition": "averaged", "schedules": "full",
    }  # fmt: skip
    assert parts("bnn+log_ei+asha")["strategies"] == "bayes"
    for wrong, said in (("bnn+nothing", "nothing"), ("asha+hyperband", "both"), ("", "no ''")):
        with pytest.raises(UnknownPlugin, match=said):
            parts(wrong)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"returns": None}, "no array 'returns'"),
        ({"returns": np.zeros((90, 10, 3))}, "returns has shape"),
        ({"returns": np.full((90, 10, 10), np.nan)}, "no finite return"),
        ({"wall_s": np.full((90, 10, 10), np.nan)}, "no time"),
        ({"wall_s": np.full((90, 10, 3), 1.0)}, "wall_s has shape"),
        ({"space_json": np.array(json.dumps(SPACE).replace("[32, 64]", "[32]"))}, "fewer than two choices"),
        ({"seeds": np.zeros(10)}, "a seed twice"),
        ({"steps": np.zeros(10)}, "ascending"),
        ({"space_json": np.array("{")}, "space_json"),
        ({"space_json": np.array(json.dumps(SPACE).replace("uniform_int", "gaussian"))}, "unknown type 'gaussian'"),
        ({"space_json": np.array(json.dumps(SPACE).replace("0.0001", "2.0"))}, "empty range"),
        ({"config_names": np.array([*NAMES[:-1], "other"])}, "other is in only one"),
        ({"configs": np.tile([0.1, 1, 48, 0, np.nan], (90, 1))}, "none of its choices"),
        ({"configs": np.tile([0.1, 1, 32, 0, np.nan], (90, 1))}, "configuration twice"),
    ],
)
def test_a_malformed_table_is_refused_with_the_reason(tmp_path, changes, reason):
    path = save(tmp_path, **changes)
    with pytest.raises(InvalidTable, match=reason):
        read_table(path)


def test_files_that_are_no_tables_are_refused(tmp_path):
    with pytest.raises(InvalidTable, match="no tables"):
        read_tables(tmp_path)
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(InvalidTable, match="cannot be read"):
        read_tables(tmp_path)
    np.savez(tmp_path / "x.npz", configs=np.array([object()], dtype=object))
    with pytest.raises(InvalidTable, match="cannot be read"):
        read_tables(tmp_path)


def tournament(folder, **changes):
    settings = {"methods": ("random", "random+asha"), "repeats": (0, 1), "workers": (1, 2), "budget": 30}
    return Tournament(tables=folder, peers=folder / "peers", **{**settings, **changes})


def test_a_tournament_is_resumed_and_grows(tmp_path):
    save(tmp_path, "a"), save(tmp_path, "b", **arrays(rng=np.random.default_rng(1)))
    out, told = tmp_path / "out", []
    first = run(tournament(tmp_path, repeats=(0,)), out, 1, lambda *args: told.append(args))
    assert len(first) == 8 and told[0] == (0, 8, "") and told[-1] == (8, 8, "")
    log = out / "contests.jsonl"
    log.write_text(log.read_text()[:-40])  # killed while it wrote the last line
    told.clear()
    second = run(tournament(tmp_path), out, 2, lambda *args: told.append(args))
    assert told[0] == (7, 16, "") and len(second) == 16
    assert [played.contest for played in second[:8]] == [played.contest for played in first]
    for before, after in zip(first, second, strict=False):
        assert before.outcome.regret == after.outcome.regret
    with FileLock(out / "arena.lock"), pytest.raises(StudyBusy):
        run(tournament(tmp_path), out, 1, lambda *args: None)
    with pytest.raises(InvalidStudy, match="another budget"):
        run(tournament(tmp_path, budget=40), out, 1, lambda *args: None)


PEER = """
class Peer:
    def __init__(self, space, units, budget, workers, seed):
        self.asked, self.scores, self.seed = 0, {}, seed

    def ask(self):
        self.asked += 1
        if self.seed == CRASHING and self.asked > 4:
            raise RuntimeError("the peer has had enough")
        known = [trial for trial, unit in self.scores if unit == 2 and (trial, 5) not in self.scores]
        if known:
            return known[0], None, 5
        target = self.asked % 2 == 0
        config = {"learning_rate": 0.01 * self.asked, "n": 3, "batch_size": 32, "target": target}
        return self.asked, config | ({"tau": 0.5} if target else {}), 2

    def tell(self, trial, unit, score, last, config):
        assert last == (unit in (2, 5)) and "learning_rate" in config
        self.scores[trial, unit] = score

    def best(self):
        return max(self.scores, key=lambda key: (key[1], self.scores[key]))[0]

METHODS: dict = {"toy": Peer}
"""


@pytest.fixture
def peers(tmp_path):
    folder = tmp_path / "peers"
    (folder / ".venvs" / "toy_peer" / "bin").mkdir(parents=True)
    (folder / ".venvs" / "toy_peer" / "bin" / "python").symlink_to(sys.executable)
    (folder / "serve.py").write_text((Path(__file__).parents[1] / "benchmarks/peers/serve.py").read_text())
    crashing = Contest("toy", "ppo__toy", 1, 1).seed
    (folder / "toy_peer.py").write_text(f"CRASHING = {crashing}\n{PEER}")
    return folder


def test_a_peer_plays_over_its_pipe_and_its_crash_is_told(tmp_path, peers):
    save(tmp_path)
    out, notes = tmp_path / "out", []
    played = run(tournament(tmp_path, methods=("toy",), workers=(1,)), out, 1, lambda *args: notes.append(args[2]))
    well, ill = (p.outcome for p in played)
    assert well.units == 30 and not well.crash and min(well.regret) < 1 and well.method_s[-1] > 0
    assert "the peer has had enough" in ill.crash and ill.units < 30 and len(ill.regret) == 30
    assert any("the peer has had enough" in note for note in notes)
    page = markdown(played)
    assert "## Crashes" in page and "toy ppo__toy 1 1: RuntimeError: the peer has had enough" in page
    (peers / ".venvs" / "toy_peer" / "bin" / "python").unlink()
    with pytest.raises(UnknownPlugin, match="not installed"):
        tournament(tmp_path, methods=("toy",)).contests()


def test_the_command_writes_what_it_promises(tmp_path, capsys):
    save(tmp_path, "a"), save(tmp_path, "b", **arrays(rng=np.random.default_rng(1)))
    out = tmp_path / "out"
    command = ["arena", str(tmp_path), "--methods", "random,random+asha", "--repeats", "2", "--workers", "1,4"]
    command += ["--budget", "50", "--out", str(out), "--peers", str(tmp_path)]
    app(command, standalone_mode=False)
    with (out / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["method", "case", "repeat", "workers", "units", "regret", "rank", "method_s"]
    assert len(rows) == 2 * 2 * 2 * 2 * 10 and {row["units"] for row in rows} >= {"5", "50"}
    assert "1 worker, 2 cases" in (out / "summary.md").read_text() and "4 workers" in capsys.readouterr().out
    assert {path.name for path in out.glob("*.png")} >= {"regret-1w.png", "ranks-4w.png", "better-1w.png"}
    for wrong in (["--repeats", "0"], ["--workers", "1,x"], ["--methods", "nothing"]):
        with pytest.raises(HyperPilotError):
            app([*command, *wrong], standalone_mode=False)


def test_means_are_over_cases_and_pairs_are_compared(tmp_path):
    save(tmp_path, "a"), save(tmp_path, "b", **arrays(rng=np.random.default_rng(1)))
    played = run(tournament(tmp_path, workers=(1,)), tmp_path / "out", 1, lambda *args: None)
    assert read(tmp_path / "out") == played
    (scores,) = by_workers(played)
    regrets = [p.outcome.regret[9] for p in played if p.contest.method == "random"]
    assert scores.mean("random", 10) == pytest.approx(np.mean(regrets))
    assert scores.better("random", "random+asha", 10) == pytest.approx(1 - scores.better("random+asha", "random", 10))


def test_statistics_of_groups():
    rng = np.random.default_rng(0)
    low, high = clustered_interval([[1.0] * 5, [3.0] * 5], rng)
    assert (low, high) == (1.0, 3.0)  # two groups: one of them may be drawn twice
    low, high = clustered_interval([rng.normal(2, 1, 30) for _ in range(20)], rng)
    assert 1.8 < low < 2 < high < 2.2
