"""A collection of experience as a table of the arena, so that search methods can be compared on trainings of one's own.

    hyperpilot experience collect ppo CartPole-v1 --configs 200 --seeds 6 --trainer jax --out mine
    python benchmarks/recorded.py mine.npz tables/mine.npz
    hyperpilot arena tables --workers 1 --budget 100

Six seeds or more are worth having, as half of them are kept for judging. `live` in the place of both prints the command that
collects the PPO case of `live.py`; `results/live-cartpole.npz` is what came of it.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import numpy as np
from live import CASES, described_hyperparameter

from hyperpilot.experience import Source
from hyperpilot.experience.files import read
from hyperpilot.space.grammar import parse


def table(source: Source) -> dict[str, np.ndarray]:
    """The arrays of a table. Where a configuration lacks an evaluation, as it failed, stands NaN."""
    described = [described_hyperparameter(name, parse(name, text)) for name, text in source.ranges.items()]
    values: dict[str, list[object]] = {each["name"]: each.get("choices", []) for each in described}
    configs = [[_number(config[name], values[name]) for name in values] for config in source.configs]
    for each in described:
        if "choices" in each:
            each["choices"] = list(range(len(each["choices"])))
    seeds, times = np.unique(source.seed), np.unique(np.round(source.t, 3))
    returns = np.full((len(source.configs), len(seeds), len(times)), np.nan)
    at = np.searchsorted(seeds, source.seed), np.searchsorted(times, np.round(source.t, 3))
    returns[source.trial, at[0], at[1]] = source.score
    return {
        "configs": np.array(configs, float),
        "config_names": np.array(list(values)),
        "steps": np.round(1000 * times).astype(int),
        "seeds": seeds,
        "returns": returns,
        "space_json": np.array(json.dumps({"hyperparameters": described, "conditions": []})),
    }


def _number(value: object, choices: list[object]) -> float:
    return float(choices.index(value)) if choices else float(value)  # type: ignore[arg-type]


def command() -> str:
    """What collects the trainings of live.py's PPO."""
    case = CASES["cartpole"]
    given = [f"--fix={name}={json.dumps(value).strip(chr(34))}" for name, value in case["fix"].items()]
    given += [f"--set={name}={text}" for name, text in case["space"].items()]
    sizes = f"--configs 200 --seeds 6 --horizon {case['horizon']} --evaluations 10 --eval-episodes 20 --workers 2"
    start = f"hyperpilot experience collect {case['algorithm']} {case['env']} --trainer jax --out live-cartpole"
    return f"{start} {sizes} {shlex.join(given)}"


def main() -> None:
    if sys.argv[1:] == ["live"]:
        print(command())
        return
    (source,) = read(Path(sys.argv[1]))
    Path(sys.argv[2]).parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(sys.argv[2], **table(source))


if __name__ == "__main__":
    main()
