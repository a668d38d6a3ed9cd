"""Serves one peer over a pipe: `python serve.py PEER`, where PEER is a file beside this one.

It runs in the peer's own environment, so it needs the standard library alone. One JSON object a line comes in and one
goes out; scores are larger-is-better, and a unit is one checkpoint of a training.

    {"op": "start", "method": ..., "space": ..., "units": 10, "budget": 320, "workers": 1, "seed": 0}   -> {"s": ...}
    {"op": "ask"}                                       -> {"job": null or [trial, config, until], "s": ...}
    {"op": "tell", "trial": 7, "unit": 3, "score": -1.5, "last": true, "config": {...}}    -> {"best": 7, "s": ...}

`space` is a table's own description of its space. `s` is the seconds that the peer itself has used. A peer that raises
answers {"error": ...}, and the run counts as crashed. A peer's file has `METHODS`, names to factories of this interface:

    factory(space, units, budget, workers, seed)
    ask() -> (trial, config, until) or None    a new trial, or a known one to go on with; None: tell me more first
    tell(trial, unit, score, last, config)     every unit in order; last: the job has reached its until; config: the one
                                               that was trained, the table's nearest to what was asked
    best() -> trial or None                    what it would hand to the user now
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import time
import traceback
from typing import Any


def main(name: str) -> None:
    """Answers until the input closes."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what peers print is not for the pipe
    methods = importlib.import_module(name).METHODS
    peer: Any = None
    for line in sys.stdin:
        message = json.loads(line)
        operation = message.pop("op")
        began = time.perf_counter()
        answer: dict[str, Any] = {}
        try:
            if operation == "start":
                random.seed(message["seed"])
                peer = methods[message.pop("method")](**message)
            elif operation == "ask":
                answer["job"] = peer.ask()
            else:
                peer.tell(**message)
                answer["best"] = peer.best()
        except Exception:
            answer = {"error": traceback.format_exc(limit=-6)}
        answer["s"] = time.perf_counter() - began
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
