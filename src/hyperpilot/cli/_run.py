"""Runs a study before the user's eyes and says what came out."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from hyperpilot.analysis.result import Result
from hyperpilot.api import resume
from hyperpilot.cli._live import Screen
from hyperpilot.runtime.study import Study


def run(folder: Path, *, quiet: bool, as_json: bool, forecast: bool = False) -> None:
    """Takes the study of a folder to its end; Ctrl-C leaves one that can be continued."""
    study = Study.read(folder)
    try:
        if forecast:
            _say_forecast(study, folder, as_json)
        with Screen(study, quiet=quiet, as_json=as_json) as screen:
            result = resume(folder, watch=screen)
    except KeyboardInterrupt:
        print(f"\nstopped; nothing that was evaluated is lost. Continue: hyperpilot resume {folder}", file=sys.stderr)
        sys.exit(130)
    if as_json:
        print(json.dumps({"event": "result", **asdict(result)}))
    elif not quiet:
        print(summary(result, study, folder))


def _say_forecast(study: Study, folder: Path, as_json: bool) -> None:
    from hyperpilot.cli._forecast import measure, words

    plan = measure(study, folder, quiet=as_json)
    print(json.dumps({"event": "forecast", **asdict(plan)}) if as_json else words(study, plan) + "\n", flush=True)


def summary(result: Result, study: Study, folder: Path) -> str:
    """The result in words."""
    low, high = result.test_interval
    default = "not tested" if result.default_test_iqm is None else f"{result.default_test_iqm:.4g}"
    config = "\n".join(
        f"    {name}: {result.config[name]}" for name in study.build_space().names if name in result.config
    )
    return f"""
Best configuration (trial {result.trial})
{config}

Test score    {result.test_iqm:.4g}  (IQM over {len(result.test_seeds)} unseen seeds; 95% interval {low:.4g} to {high:.4g})
While tuning  {result.tuning_score:.4g}  (drop {result.tuning_score - result.test_iqm:.4g})
SB3 default   {default}
Steps used    {result.steps_used:,}
Agent         {folder / "result" / "model.zip"}
Watch it      hyperpilot enjoy {folder}
TensorBoard   tensorboard --logdir {folder}"""
