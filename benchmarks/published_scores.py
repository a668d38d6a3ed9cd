"""Collects published scores into the package's tables: figures and where they stand, and none of their sources' text.

    python benchmarks/published_scores.py ZOO SB3 CLEANRL OPENRLBENCHMARK

Each is a clone of the repository that `sources.csv` names, read at the commit that it names. What a table does not say beside its
figures (steps, number of seeds) stands here, with the file of the same repository that says it.
"""

import csv
import re
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np

FOLDER = Path(__file__).parents[1] / "src/hyperpilot/analysis/published"
SCORES = ("source", "algorithm", "env", "mean", "std", "steps", "runs", "episodes", "variant")
ANCHORS = ("source", "env", "random", "reference", "kind")

# CleanRL: files of docs/, algorithm, steps (the default in cleanrl/*.py); three seeds by benchmark/*.sh, the last 100 episodes of
# each by docs/contribution.md.
CLEANRL = (
    ("benchmark/ppo.md", "ppo", 500_000),
    ("benchmark/ppo_continuous_action.md", "ppo", 1_000_000),
    ("benchmark/ppo_atari.md", "ppo", 10_000_000),
    ("benchmark/ppo_atari_lstm.md", "recurrent_ppo", 10_000_000),
    ("benchmark/sac.md", "sac", 1_000_000),
    ("benchmark/td3.md", "td3", 1_000_000),
    ("benchmark/ddpg.md", "ddpg", 1_000_000),
)
# SB3's own table of each algorithm: page, columns, steps and seeds (in the page's text).
SB3 = (
    ("ppo", (("a2c", "Gaussian"), ("a2c", "gSDE"), ("ppo", "Gaussian"), ("ppo", "gSDE")), 2_000_000, 6),
    ("sac", (("sac", "Gaussian"), ("sac", "gSDE"), ("td3", "Gaussian")), 1_000_000, 3),
    ("ddpg", (("ddpg", "Gaussian"),), 1_000_000, 6),
)
RANDOM = (
    *("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0"),
    *("LunarLander-v3", "LunarLanderContinuous-v3", "BipedalWalker-v3"),
)
EPISODES = 1000


def main(zoo: str, sb3: str, cleanrl: str, openrlbenchmark: str) -> None:
    sources = {row["source"]: row for row in csv.DictReader((FOLDER / "sources.csv").open())}

    def text(clone: str, source: str, path: str) -> str:
        of = f"{sources[source]['commit']}:{path}"
        return subprocess.run(["git", "-C", clone, "show", of], check=True, capture_output=True, text=True).stdout

    rows = [*of_zoo(text(zoo, "zoo", "benchmark.md"))]
    for page, columns, steps, seeds in SB3:
        rows += of_sb3(text(sb3, "sb3", f"docs/modules/{page}.md"), columns, steps, seeds)
    for path, algorithm, steps in CLEANRL:
        rows += of_cleanrl("cleanrl", text(cleanrl, "cleanrl", f"docs/{path}"), algorithm, steps, 100)
    old = text(cleanrl, "cleanrl-dqn", "docs/rl-algorithms/dqn.md").split("average episodic returns for")
    for part, steps in zip(old[1:3], (10_000_000, 500_000), strict=True):
        rows += of_cleanrl("cleanrl-dqn", part, "dqn", steps, "")
    write("scores.csv", SCORES, rows)
    human = re.findall(
        r'"(\w+)-v5": \(\s*([-\d.]+),\s*([-\d.]+)', text(openrlbenchmark, "hns", "openrlbenchmark/hns.py")
    )
    atari = [("hns", f"ALE/{game}-v5", low, high, "human") for game, low, high in human]
    write("anchors.csv", ANCHORS, [*atari, *map(measured, RANDOM)])


def of_zoo(table: str) -> list[tuple]:
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    names = {"ppo_lstm": "recurrent_ppo"}
    return [
        ("zoo", names.get(algo, algo), env, mean, std, steps_of(steps), 1, episodes, "")
        for algo, env, mean, std, steps, _, episodes in cells[2:]
    ]


def of_sb3(page: str, columns: tuple, steps: int, seeds: int) -> list[tuple]:
    found = re.findall(r"^\| (HalfCheetah|Ant|Hopper|Walker2D) +\|(.*)\|$", page, re.MULTILINE)
    return [
        ("sb3", algorithm, f"{env}BulletEnv-v0", *map(str.strip, cell.split("+/-")), steps, seeds, "", variant)
        for env, line in found
        for (algorithm, variant), cell in zip(columns, line.split("|"), strict=False)
    ]


def of_cleanrl(source: str, table: str, algorithm: str, steps: int, episodes: int | str) -> list[tuple]:
    found = re.findall(r"^\| ([\w-]+-v\d) +\| +([-\d.]+) ± ([\d.]+)", table, re.MULTILINE)
    return [(source, algorithm, env, mean, std, steps, 3, episodes, "") for env, mean, std in found]


def steps_of(text: str) -> int:
    return int(float(text[:-1]) * {"k": 1_000, "M": 1_000_000}[text[-1]])


def measured(env_id: str) -> tuple:
    """The mean return of uniformly random actions, and gymnasium's own threshold for a solved task."""
    env, returns = gymnasium.make(env_id), []
    env.action_space.seed(0)
    for seed in range(EPISODES):
        env.reset(seed=seed)
        total, over = 0.0, False
        while not over:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            total, over = total + float(reward), terminated or truncated
        returns.append(total)
    assert env.spec is not None
    return "measured", env_id, round(float(np.mean(returns)), 2), env.spec.reward_threshold, "solved"


def write(name: str, columns: tuple[str, ...], rows: list[tuple]) -> None:
    with (FOLDER / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([columns, *rows])
    print(name, len(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
