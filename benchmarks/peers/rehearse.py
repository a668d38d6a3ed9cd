"""Drives a peer on an invented problem and checks that it keeps the protocol: `python rehearse.py PYTHON PEER METHOD`."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SPACE = {
    "hyperparameters": [
        {"name": "learning_rate", "type": "uniform_float", "lower": 1e-6, "upper": 0.1, "log": True},
        {"name": "ent_coef", "type": "uniform_float", "lower": 0.0, "upper": 0.5, "log": False},
        {"name": "learning_starts", "type": "uniform_int", "lower": 0.0, "upper": 2048.0, "log": False},
        {"name": "batch_size", "type": "categorical", "choices": [64, 128, 256]},
        {"name": "use_target", "type": "categorical", "choices": [True, False]},
        {"name": "tau", "type": "uniform_float", "lower": 0.01, "upper": 1.0, "log": False},
    ],
    "conditions": [{"child": "tau", "parent": "use_target", "value": True}],
}


def score(config: dict[str, Any], unit: int, rng: random.Random) -> float:
    """Best at a learning rate of 1e-3; grows with training, with noise."""
    import math

    distance = abs(math.log10(config["learning_rate"]) + 3) + config["ent_coef"]
    return 100 * math.exp(-distance) * unit / 10 + rng.gauss(0, 1)


def main(python: str, name: str, method: str, workers: int = 1, budget: int = 320, seed: int = 0) -> None:
    """Prints what the peer did; raises where it breaks the protocol."""
    here = Path(__file__).parent
    pipe = subprocess.Popen([python, str(here / "serve.py"), name], cwd=here, text=True, stdin=-1, stdout=-1)
    used = 0.0

    def call(**message: Any) -> dict[str, Any]:
        nonlocal used
        assert pipe.stdin and pipe.stdout
        print(json.dumps(message), file=pipe.stdin, flush=True)
        answer = json.loads(pipe.stdout.readline())
        assert "error" not in answer, answer["error"]
        used += answer["s"]
        return answer

    began, rng = time.perf_counter(), random.Random(seed)
    call(op="start", method=method, space=SPACE, units=10, budget=budget, workers=workers, seed=seed)
    reached: dict[int, int] = {}
    configs: dict[int, dict[str, Any]] = {}
    running: list[tuple[int, int]] = []
    units, best, ends = 0, None, []
    while units < budget:
        while len(running) < workers and (job := call(op="ask")["job"]):
            trial, config, until = job
            known = {h["name"] for h in SPACE["hyperparameters"]}
            assert set(config) <= known and 1 <= until <= 10 and until > reached.get(trial, 0), job
            assert ("tau" in config) == bool(config["use_target"]) and trial not in [t for t, _ in running], job
            assert configs.setdefault(trial, config) == config, "a trial changed its configuration"
            running.append((trial, until))
        assert running, f"nothing to do after {units} of {budget} units"
        trial, until = running.pop(0)
        unit = reached[trial] = reached.get(trial, 0) + 1
        units += 1
        told = dict(op="tell", trial=trial, unit=unit, score=score(configs[trial], unit, rng), config=configs[trial])
        best = call(**told, last=unit == until)["best"]
        assert best in reached, best
        if unit < until:
            running.append((trial, until))
        else:
            ends.append(unit)
    counts = {unit: list(reached.values()).count(unit) for unit in sorted(set(reached.values()))}
    print(f"{method}: {len(reached)} trials, reached {counts}, best {best} {configs[best]}")  # type: ignore[index]
    print(f"{used:.2f} s of its own for {budget} units, {time.perf_counter() - began:.2f} s in all")


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
