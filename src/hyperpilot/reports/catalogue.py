"""The figures of a report: what each is called, what it says, and which frames it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hyperpilot.reports import evidence, frames
from hyperpilot.reports.beliefs import Beliefs
from hyperpilot.reports.record import Frame, Record
from hyperpilot.reports.timeline import timeline


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure.

    Args:
        name: also of its functions, on the page and on paper.
        title, caption: in words.
        needs: the frames without which it is left out.
        wide: whether it takes the whole width.
        trials: whether trials can be picked in it.
        silent: whether it is left out without a word where there is nothing to draw, as most studies have nothing of the kind.
    """

    name: str
    title: str
    caption: str
    needs: tuple[str, ...]
    wide: bool = False
    trials: bool = True
    silent: bool = False

    def missing(self, known: Mapping[str, Frame]) -> str:
        """Why it is left out; empty where it is not."""
        return next((frame for name in self.needs if isinstance(frame := known[name], str)), "")


SHOWN = (
    Shown(
        "progress",
        "Optimisation history",
        "Each trial at the steps that the study had spent when it was last evaluated; its score is the mean of the second half "
        "of its training. The line is the trial that led at the time, which better knowledge can replace by a worse score.",
        ("progress",),
    ),
    Shown(
        "transfer",
        "Tuning against test",
        "Finalists on unseen seeds. Below the diagonal lies what choosing the best of noisy scores had promised too much.",
        ("transfer",),
    ),
    Shown(
        "curves",
        "Learning curves",
        "Every training of the search, by the rung that it came to. Shaded, where a leading training is unfinished: where 90% of "
        "the belief about its evaluations lies, and the middle of it.",
        ("curves",),
        wide=True,
    ),
    Shown(
        "parallel",
        "Parallel coordinates",
        "A line for each trial, in five groups of equal size by score. The hyperparameters that go with the score come first.",
        ("parallel",),
        wide=True,
    ),
    Shown(
        "slices",
        "Slices",
        "Trials along each hyperparameter, the larger the longer they were trained. Where there is a model: its mean at the "
        "horizon over all other hyperparameters, and 90% of the belief about that.",
        ("parallel",),
        wide=True,
    ),
    Shown(
        "surfaces",
        "Surfaces",
        "What the model expects at the horizon of two hyperparameters together, over all others, and how wide 90% "
        "of its belief is.",
        ("surfaces", "parallel"),
        wide=True,
    ),
    Shown(
        "importance",
        "Importance",
        "Share of the variance of the score's rank over the space that each explains alone, and that two explain beyond that, "
        "with 90% of the belief.",
        ("importance",),
        trials=False,
    ),
    Shown(
        "interactions",
        "Interactions",
        "Larger discs matter more alone; thicker lines join what depends on each other, coloured where that is sure.",
        ("importance",),
        trials=False,
    ),
    Shown(
        "rungs",
        "Rung correlation",
        "How well the order of trainings at an early rung foretells their order at a later one. Trainings that were stopped are "
        "missing, which makes the correlation look lower than it is.",
        ("rungs",),
        trials=False,
    ),
    Shown("seeds", "Seed spread", "The same configuration under different seeds: what chance alone does.", ("seeds",)),
    Shown(
        "front",
        "Pareto front",
        "Trials by what the study maximises, and those that no other beats in all of it together. A study with one goal has the "
        "time that training takes for the other.",
        ("front",),
    ),
    Shown(
        "exploration",
        "Exploration and exploitation",
        "The leading trials: how many different states they have visited, and how training trades a policy that draws its "
        "actions freely for one that scores. Each line begins at the ring.",
        ("exploration",),
        wide=True,
    ),
    Shown(
        "lineage",
        "Lineage",
        "Trainings that took over another's state, where they did, and from whom. The line of the foremost is drawn strong.",
        ("lineage",),
        wide=True,
        silent=True,
    ),
    Shown(
        "published",
        "Beside published scores",
        "Mean return and its spread as published, and ours after as many steps with its interval, read off or extrapolated where "
        "it was not trained that far. The numbers say why the two are not the same thing.",
        ("published",),
        wide=True,
        trials=False,
    ),
    Shown("budget", "Budget", "What the environment steps were spent on.", ("budget",), trials=False),
    Shown(
        "timeline",
        "Workers",
        "Every job, in as many lanes as there are workers; the log does not name them, so the lanes are a way to arrange it. "
        "Time in which nothing ran is cut out at the dashed lines.",
        ("timeline",),
        wide=True,
    ),
    Shown(
        "calibration",
        "Can the model be believed?",
        "Forecasts that were made from what was known at earlier moments, against the scores that came. On the left all bars "
        "should be equally high, on the right the line should follow the diagonal; above it the model was too careful.",
        ("calibration",),
        wide=True,
    ),
)


def frames_of(record: Record, beliefs: Beliefs) -> dict[str, Frame]:
    """Every frame, by name."""
    made = (
        frames.progress,
        frames.curves,
        frames.parallel,
        frames.rungs,
        frames.transfer,
        frames.seeds,
        frames.budget,
        timeline,
        evidence.front,
        evidence.exploration,
        evidence.lineage,
        evidence.published,
    )
    shares = beliefs.shares
    found = {each.__name__: each(record) for each in made}
    if shares is not None:
        found["parallel"] = frames.parallel(record, tuple(shares.main))
    return {**found, **beliefs.frames}
