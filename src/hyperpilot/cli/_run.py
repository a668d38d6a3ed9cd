"""Runs a study before the user's eyes and says what came out."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from hyperpilot.analysis.result import Result
from hyperpilot.api import read_history, resume
from hyperpilot.cli._live import Screen
from hyperpilot.cli.metrics import words as front_words
from hyperpilot.cli.status import experience, schedule_words, tried, tried_words
from hyperpilot.records import Event, History
from hyperpilot.runtime.commanded import how_to_run, run_line
from hyperpilot.runtime.executors import Executor
from hyperpilot.runtime.study import Study


def run(
    folder: Path,
    *,
    quiet: bool,
    as_json: bool,
    forecast: bool = False,
    executor: str | None = None,
    address: str | None = None,
    more_seeds: int = 0,
) -> None:
    """Takes the study of a folder to its end; Ctrl-C leaves one that can be continued."""
    study = Study.read(folder)
    if more_seeds:
        study = study.model_copy(
            update={"further_seeds": study.further_seeds + more_seeds}
        )  # what the screen counts with
    try:
        if forecast:
            _say_forecast(study, folder, as_json)
        with Screen(study, quiet=quiet, as_json=as_json) as screen, _interrupts() as let_through:

            def watch(history: History, executor: Executor, events: Sequence[Event]) -> None:
                screen(history, executor, events)
                let_through()

            result = resume(folder, watch=watch, executor=executor, address=address, more_seeds=more_seeds)
    except KeyboardInterrupt:
        print(f"\nstopped; nothing that was evaluated is lost. Continue: hyperpilot resume {folder}", file=sys.stderr)
        sys.exit(130)
    if as_json:
        print(json.dumps({"event": "result", **result.as_json()}, allow_nan=False))
    elif not quiet:
        print(summary(result, study, folder))


@contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
    """Holds Ctrl-C back until the function that it gives is called, which raises it; a second one is raised at once.

    Raised wherever Python happens to be, it would be lost in a callback from C, such as those of threadpoolctl.
    """
    asked = False

    def note(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def let_through() -> None:
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield let_through
    finally:
        signal.signal(signal.SIGINT, before)


def _say_forecast(study: Study, folder: Path, as_json: bool) -> None:
    from hyperpilot.cli._rehearsal import measure, words

    plan = measure(study, folder, quiet=as_json)
    print(json.dumps({"event": "forecast", **asdict(plan)}) if as_json else words(study, plan) + "\n", flush=True)


def summary(result: Result, study: Study, folder: Path) -> str:
    """The result in words."""
    names = [name.removeprefix(f"{result.algorithm}.") for name in study.build_space().names]
    front = f"\n\n{front_words(result.front)}" if result.front else ""
    config = "\n".join(f"    {name}: {result.config[name]}" for name in names if name in result.config)
    bred = "".join(f"\n{line}" for line in schedule_words(result.schedule))
    several = len(study.algorithms()) > 1
    of = f"{result.algorithm}, " if several else ""
    default = ", the default" if result.trial < len(study.algorithms()) else ""
    return f"""
Best configuration ({of}trial {result.trial}{default})
{config}{bred}

{_objective(study)}{_scores(result, study)}{_elsewhere(result)}
Steps used    {result.steps_used:,}{_early(study, folder)}{_tried(study, folder) if several else ""}{_experience(study, folder)}
{_handed_over(result, study, folder)}{front}"""


def _experience(study: Study, folder: Path) -> str:
    """What the study drew on and what that was worth; nothing where it drew on nothing."""
    known = experience(folder, study).get("experience", {})
    return f"\nElsewhere     {known['words']}" if known.get("words") else ""


def _handed_over(result: Result, study: Study, folder: Path) -> str:
    """Where to go from here."""
    if study.command is not None:
        seed = min(result.test_seeds, default=result.model_seed)
        run = folder / "trials" / f"{result.trial:04d}" / f"seed-{result.model_seed}"
        words, _ = how_to_run(study, result.config, seed, folder / "result")
        return f"Run it        {run_line(words, study, folder / 'result')}\nIts best run  {run}"
    watch = (
        f"hyperpilot enjoy {folder}"
        if study.trainer in ("sb3", "jax")
        else f"python {folder / 'result' / 'load_agent.py'}"
    )
    return f"""Agent         {folder / "result" / "model.zip"}
Watch it      {watch}
TensorBoard   tensorboard --logdir {folder}"""


def _objective(study: Study) -> str:
    """What scores are, where they are not mean returns."""
    first, *others = study.goals().names
    if (first, others) == ("return", []):
        return ""
    also = f"  (the first goal of {study.objective})" if others else ""
    return f"Scores are    {first}{also}\n"


def _elsewhere(result: Result) -> str:
    """Returns in other environments, a line for each."""
    lines = []
    for spec, known in result.elsewhere.items():
        beside = "not tested to the end" if known.default_iqm is None else f"{known.default_iqm:.4g}"
        low, high = known.interval
        lines.append(
            f"\nOn {spec}: return {known.iqm:.4g} (95% interval {low:.4g} to {high:.4g}), SB3 default {beside}"
        )
    return "".join(lines)


def _early(study: Study, folder: Path) -> str:
    """Why the search left steps, where it did."""
    left = study.search_budget - read_history(folder).steps_used("search")
    if study.min_gain is None or left < study.horizon:
        return ""
    return f"; the search left {left:,}, as going on could be expected to gain less than {study.min_gain:g}"


def _tried(study: Study, folder: Path) -> str:
    """What else was tried: a line for each algorithm."""
    first, *rest = tried_words(tried(study, read_history(folder)))
    return "".join(f"\n{line}" for line in [f"Tuning tried  {first}", *(f"              {line}" for line in rest)])


def _scores(result: Result, study: Study) -> str:
    """What was measured, and what was not."""
    first, *others = study.algorithms()
    whose = f"  ({first.name})" if others else ""
    tuning = "no score" if result.tuning_score is None else f"{result.tuning_score:.4g}"
    if result.test_iqm is None or result.test_interval is None:
        why = "not tested: the study kept too few steps for it (--test-share); expect less than while tuning"
        return f"Test score    {why}\nWhile tuning  {tuning}"
    seeds, (low, high) = len(result.test_seeds), result.test_interval
    over = f"IQM over {seeds} unseen seeds; 95% interval {low:.4g} to {high:.4g}" if seeds > 1 else "one unseen seed"
    drop = "" if result.tuning_score is None else f"  (drop {result.tuning_score - result.test_iqm:.4g})"
    default = "not tested to the end" if result.default_test_iqm is None else f"{result.default_test_iqm:.4g}"
    lines = [
        f"Test score    {result.test_iqm:.4g}  ({over})",
        f"While tuning  {tuning}{drop}",
        f"{'Default     ' if study.command else 'SB3 default '}  {default}{whose}",
    ]
    if result.failed_tests:
        out = ", ".join(f"trial {trial} ({n} test runs failed)" for trial, n in result.failed_tests.items())
        lines.append(f"Out           {out}")
    return "\n".join(lines)
