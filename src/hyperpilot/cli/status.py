"""Show how far a study has come, also while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.records import History
    from hyperpilot.runtime.study import Study


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Show how far a study has come, also while it runs."""
    from json import dumps

    from hyperpilot.api import read_history
    from hyperpilot.runtime.study import Study

    settings, history = Study.read(study), read_history(study)
    known = facts(study, settings, history)
    print(dumps(known, indent=2) if json else words(study, settings, known))


def facts(folder: Path, study: Study, history: History) -> dict[str, Any]:
    """What is known of a study; `best` is its result once it has one, before that the leader of the search."""
    from json import loads

    from hyperpilot.reports.record import is_running
    from hyperpilot.runtime.sought import leaders_of

    result = folder / "result" / "result.json"
    first = next(iter(leaders_of(study, history) or ()), None)
    leader = next((run for run in history.leaders if first in (None, run.id.trial)), None)
    best = None
    if leader is not None:
        algorithm, config = study.resolved(leader.config)
        best = {"trial": leader.id.trial, "score": leader.score, "algorithm": algorithm.name, "config": dict(config)}
    finished = result.exists() and not history.active
    return {
        "state": "finished" if finished else "running" if is_running(folder) else "stopped",
        "trials": len(history.trials),
        "reports": history.reports,
        "running": len(history.active),
        "failed": dict(history.failures),
        "steps_used": history.steps_used(),
        "steps_total": study.all_steps,
        "finished": finished,
        "best": loads(result.read_text()) if result.exists() else best,
        **population(study, history),
        **experience(folder, study),
        **({"algorithms": tried(study, history)} if len(study.algorithms()) > 1 else {}),
    }


def population(study: Study, history: History) -> dict[str, Any]:
    """How often a member was taken over, in all and at each comparison; nothing for other strategies."""
    from hyperpilot.runtime.sought import is_population, population_of

    if not is_population(study):
        return {}
    of, children = population_of(study), [run for run in history.search if run.origin]
    replaced = [len([run for run in children if run.inherited == step]) for step in of.rungs[:-1]]
    return {"population": {"members": of.size, "interval": of.interval, "taken_over": sum(replaced), "at": replaced}}


def experience(folder: Path, study: Study) -> dict[str, Any]:
    """What the study draws on, and how far it trusts it, as that moved; nothing where it draws on nothing."""
    from dataclasses import asdict

    from hyperpilot.runtime.experienced import experience_of

    told = experience_of(study, study.build_space(), folder)
    if told is None:
        return {}
    known: dict[str, Any] = {"sources": [source.name for source in told.sources]}
    if study.surrogate == "bnn":  # others have no weights of their own for what is promised
        from hyperpilot.analysis.trust import course_of_trust, words
        from hyperpilot.surrogates.bnn import BNN

        store = study.open_store(folder)
        try:
            course = course_of_trust(store.read(), told, BNN(), study.seed)
        finally:
            store.close()
        known |= {"trust": [asdict(each) for each in course], "words": words(course)}
    return {"experience": known}


def tried(study: Study, history: History) -> dict[str, dict[str, Any]]:
    """How many trials each algorithm had, and the leader of those with a score, at the step that it has come to."""
    from hyperpilot.space.branches import branch_of

    found: dict[str, dict[str, Any]] = {each.name: {"trials": 0, "best": None} for each in study.algorithms()}
    for config in history.trials.values():
        found[branch_of(config)]["trials"] += 1
    for run in reversed(history.leaders):
        found[branch_of(run.config)]["best"] = {"trial": run.id.trial, "score": run.score, "step": run.step}
    return found


def tried_words(known: dict[str, dict[str, Any]]) -> list[str]:
    """The same for people, a line for each algorithm."""
    width = max(map(len, known))
    lines = []
    for name, of in known.items():
        best, count = of["best"], f"{of['trials']} trial{'s' if of['trials'] != 1 else ''}"
        ahead = (
            f"trial {best['trial']} is ahead with {best['score']:.4g} at step {best['step']:,}" if best else "no score"
        )
        lines.append(f"{name:<{width}}  {count}; {ahead}")
    return lines


def schedule_words(schedule: Sequence[Mapping[str, Any]]) -> list[str]:
    """What changed during a training, a line for each step at which something did."""
    lines = ["Bred: what changed on the way"] if len(schedule) > 1 else []
    for before, after in zip(schedule, schedule[1:], strict=False):
        new = {k: v for k, v in after["config"].items() if before["config"].get(k) != v}
        told = ", ".join(
            f"{name} {_short(before['config'].get(name))} -> {_short(value)}" for name, value in new.items()
        )
        lines.append(f"    from step {after['from_step']:,}: {told}")
    return lines


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def words(folder: Path, study: Study, known: dict[str, Any]) -> str:
    """The same for people."""
    state = known["state"] + (f" (continue: hyperpilot resume {folder})" if known["state"] == "stopped" else "")
    failed = ", ".join(f"{count} {kind}" for kind, count in known["failed"].items())
    lines = [
        f"Study    {study.algorithm} on {study.env}, {state}",
        f"Steps    {known['steps_used']:,} of {known['steps_total']:,}",
        f"Trials   {known['trials']} ({known['reports']} evaluations; failed: {failed or 'none'})",
    ]
    if of := known.get("population"):
        lines.append(
            f"Members  {of['members']}, compared every {of['interval']:,} steps; {of['taken_over']} took another over"
        )
    if of := known.get("experience"):
        said = of.get("words") or "nothing seen yet"
        lines.append(f"Elsewhere  {len(of['sources'])} source{'s' if len(of['sources']) > 1 else ''}: {said}")
    if "algorithms" in known:
        first, *rest = tried_words(known["algorithms"])
        lines += [f"Tried    {first}", *(f"         {line}" for line in rest)]
    best = known["best"]
    if best is None:
        return "\n".join([*lines, "Best     no evaluation yet"])
    score = best.get("score", best.get("tuning_score"))
    said = "no score" if score is None else f"{score:.4g} while tuning"
    if best.get("test_iqm") is not None:
        said += f", {best['test_iqm']:.4g} on {len(best['test_seeds'])} unseen seeds"
    which = f", {best['algorithm']}" if len(study.algorithms()) > 1 else ""
    lines.append(f"Best     trial {best['trial']}{which}: {said}")
    lines += [f"    {name}: {value}" for name, value in best["config"].items()]
    return "\n".join([*lines, *schedule_words(best.get("schedule") or ())])
