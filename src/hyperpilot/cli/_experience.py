"""What a study says of the experience that it draws on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study


def told(settings: dict[str, Any], without: bool) -> dict[str, Any]:
    """The settings of a study that may be told to start cold.

    Raises:
        InvalidStudy: it is told to start cold and to draw on a file.
    """
    from hyperpilot.errors import InvalidStudy

    if not without:
        return settings
    if settings.get("experience", "none") != "none":
        raise InvalidStudy("--no-experience contradicts an experience", "Give one of the two.")
    return {**settings, "experience": "none"}


def exact(study: Study) -> bool:
    """Whether something was published for the study's very environment."""
    from hyperpilot.experience.published import for_env

    return any(for_env(each.name, study.env) for each in study.algorithms())


def print_used(folder: Path) -> None:
    """Prints what the study of a folder draws on, where it draws on anything."""
    from hyperpilot.runtime.experienced import pinned
    from hyperpilot.runtime.study import Study

    study = Study.read(folder)
    if study.first and study.experience == "default":
        how = "a configuration" if len(study.first) == 1 else f"{len(study.first)} configurations"
        whose = study.env if exact(study) else "a similar environment"
        print(f"Begins with {how} published for {whose} (RL Baselines3 Zoo), after the default", flush=True)
    sources = pinned(folder)
    if sources:
        named = ", ".join(source.name for source in sources)
        runs = sum(source.runs for source in sources)
        print(f"Draws on {runs:,} trainings elsewhere: {named} (--no-experience starts cold)\n", flush=True)
