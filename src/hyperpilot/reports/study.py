"""A study's report from Python, for scripts and notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hyperpilot.records.history import History
from hyperpilot.reports import beliefs, record
from hyperpilot.reports.catalogue import frames_of
from hyperpilot.reports.record import Frame
from hyperpilot.reports.summary import Passage, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class StudyReport:
    """What is known of a study, as words, columns, figures and a page. The model is fitted when first something needs it.

    Args:
        record: the study as it was read.
        model: whether a model is fitted at all.
    """

    record: record.Record
    model: bool = True

    @property
    def history(self) -> History:
        return self.record.history

    @cached_property
    def beliefs(self) -> beliefs.Beliefs:
        return beliefs.beliefs(self.record) if self.model else beliefs.without("It was asked to do without a model.")

    @cached_property
    def frames(self) -> dict[str, Frame]:
        """The columns of every figure, or why there are none."""
        return frames_of(self.record, self.beliefs)

    @cached_property
    def summary(self) -> list[Passage]:
        return summary(self.record, self.beliefs.shares)

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Every figure as Matplotlib's, which a notebook shows; needs the extra `plots`."""
        from hyperpilot.reports.paper import draw

        return draw(self.record, self.beliefs)

    def save(self, path: str | Path) -> Path:
        """Writes the page; needs the extra `report`."""
        from hyperpilot.reports.page import contents, render, write

        target = Path(path)
        write(render(contents(self.record, self.beliefs)), target)
        return target

    def __repr__(self) -> str:
        """The summary in words."""
        return "\n\n".join(
            "\n".join([each.heading, *(f"  {text}" for text in each.sentences)]) for each in self.summary
        )


def report(folder: str | Path, model: bool = True) -> StudyReport:
    """The report of a study, also while it runs.

    Args:
        folder: the study's.
        model: whether to fit the study's model, which takes seconds.

    Raises:
        InvalidStudy: the folder holds no study.
    """
    return StudyReport(record.read(Path(folder)), model)
