"""What a study will do, said before it starts."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hyperpilot.errors import InvalidStudy
from hyperpilot.runtime.rehearsal import Forecast, Timing, forecast, rehearse, steps_within, time_configurations
from hyperpilot.runtime.sought import is_population, population_of
from hyperpilot.runtime.study import Study

if TYPE_CHECKING:
    import typer


def measure(study: Study, folder: Path, *, quiet: bool) -> Forecast:
    """The forecast, with a sign of life while configurations are timed."""
    console = Console(quiet=quiet)
    with console.status("timing short trainings for the forecast (--no-forecast skips this)"):
        return forecast(study, folder)


def sized(study: Study, hours: float | None, ctx: typer.Context, *, quiet: bool) -> tuple[Study, Timing]:
    """The study with as many steps as fit into so many hours, and the timing of its configurations.

    Raises:
        InvalidStudy: steps were given as well, or the hours are none.
        MissingExtra: what trains is not installed.
    """
    if hours is not None:
        source = ctx.get_parameter_source("total_steps")
        if source is not None and source.name == "COMMANDLINE":
            raise InvalidStudy("both --hours and --total-steps are given", "Give one of the two.")
        if not (math.isfinite(hours) and hours > 0):
            raise InvalidStudy(f"--hours {hours} is no time to spend", "Write it as 0.5 or 8.")
    console = Console(quiet=quiet, stderr=True)
    with tempfile.TemporaryDirectory() as scratch, console.status("timing short trainings"):
        study.write(Path(scratch))
        timing = time_configurations(study, Path(scratch))
    if hours is None:
        return study, timing
    return study.model_copy(update={"total_steps": steps_within(study, timing, 3600 * hours)}), timing


def say(study: Study, timing: Timing, *, as_json: bool) -> None:
    """Prints what a study would do."""
    found = rehearse(study, timing)
    if as_json:
        known = {"total_steps": study.total_steps, **asdict(found), "words": words(study, found)}
        print(json.dumps({"event": "forecast", **known}))
    else:
        print(words(study, found))


def words(study: Study, plan: Forecast) -> str:
    """The forecast as a paragraph of lines."""
    counts = ", ".join(f"{count} to {step:,}" for step, count in plan.rungs.items())
    lines = [
        f"Forecast: {study.algorithm} on {study.env}, {study.workers} at once",
        f"  search     {plan.trials} trials; trainings: {counts} steps",
        f"  test       {_test(study, plan)}",
        f"  steps      {plan.steps:,} of {study.total_steps:,}",
        f"  speed      {_speed(study, plan)}",
        f"  time       {_time(plan)}",
    ]
    lines += [f"  warning    {warning}" for warning in _warnings(study, plan)]
    return "\n".join(lines)


def _test(study: Study, plan: Forecast) -> str:
    if not plan.test_seeds:
        return "none"
    tested = f"{plan.finalists} finalist{'s' if plan.finalists != 1 else ''} and the default{_whose(study)}"
    seeds = f"{plan.test_seeds} unseen seed{'s' if plan.test_seeds != 1 else ''}"
    return f"{tested}, {seeds} each, {study.horizon:,} steps"


def _whose(study: Study) -> str:
    """Which algorithm's default is meant, where there are several."""
    first, *others = study.algorithms()
    return f" of {first.name}" if others else ""


def _speed(study: Study, plan: Forecast) -> str:
    rates = sorted(1 / pace.step_s for pace in plan.timing.others)
    default = plan.timing.default
    said = [f"{1 / default.step_s:,.0f} steps/s for the default{_whose(study)}"] if default else []
    if rates:
        said.append(f"{rates[0]:,.0f} to {rates[-1]:,.0f} for {len(rates)} random configurations")
    return ", ".join(said) or "not known"


def _time(plan: Forecast) -> str:
    if plan.seconds is None:
        return "not known"
    said = f"about {duration(plan.seconds)}, if configurations take as long as those that were timed"
    longer = plan.seconds_long or 0.0
    return said + (
        f"; {duration(longer)} if their episodes come to last longest" if longer > 1.2 * plan.seconds else ""
    )


def _warnings(study: Study, plan: Forecast) -> list[str]:
    found = [f"a short training failed: {fault}" for fault in dict.fromkeys(plan.timing.faults)]
    if is_population(study) and study.search_budget >= (population_of(study).size + 1) * study.horizon:
        found.append(f"the search has steps for more members: --population {study.search_budget // study.horizon}")
    if study.test_share and plan.test_seeds < study.test_seeds:
        needed = math.ceil(2 * study.test_seeds * study.horizon / study.test_share)
        found.append(
            f"only {plan.test_seeds} of {study.test_seeds} test seeds fit; "
            f"all do from --total-steps {needed:,}, or with a larger --test-share"
        )
    return found


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
