"""A training that knows nothing of hyperpilot: tabular Q-learning in a corridor, told by JSON and told on by JSON lines.

    hyperpilot tune --file examples/command/study.yaml --study studies/corridor

It saves its table in the folder that it is given and goes on from there; a program that cannot save leaves that out.
"""

import json
import os
import random
import sys
from pathlib import Path

LENGTH = 12
LIMIT = 60

job = json.load(sys.stdin)
config, until = job["config"], job["until"]
saved = Path(job["checkpoint"]) / "state.json"


def play(q, rng, epsilon, update):
    """One episode; the return is 1 for the end of the corridor, less a little for every step."""
    place, total, steps = 0, 0.0, 0
    while place < LENGTH and steps < LIMIT:
        action = rng.randrange(2) if rng.random() < epsilon else int(q[place][1] > q[place][0])
        after = max(0, place + (1 if action else -1))
        reward = 1.0 if after == LENGTH else -0.01
        if update:
            future = 0.0 if after == LENGTH else config["gamma"] * max(q[after])
            q[place][action] += config["learning_rate"] * (reward + future - q[place][action])
        place, total, steps = after, total + reward, steps + 1
    return total, steps


step, q = 0, [[0.0, 0.0] for _ in range(LENGTH + 1)]
if saved.exists():
    state = json.loads(saved.read_text())
    step, q = state["step"], state["q"]
for mark in [mark for mark in job["evaluate_at"] if mark > step]:
    rng = random.Random(job["seed"] * 1_000_003 + mark)
    while step < mark:
        epsilon = config["epsilon"] * (1 - step / job["horizon"])  # over the horizon, never over until
        step += play(q, rng, epsilon, update=True)[1]
    score = sum(play(q, random.Random(i), 0.05, update=False)[0] for i in range(5)) / 5
    unfinished = saved.with_suffix(".tmp")  # a kill leaves the old state or the new one
    unfinished.write_text(json.dumps({"step": step, "q": q}))
    os.replace(unfinished, saved)
    print(json.dumps({"step": step, "score": score, "value": max(q[0])}), flush=True)
