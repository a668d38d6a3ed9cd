"""A trainer without trainings: curves that are known, states kept in a dictionary that stands for the disk."""

from dataclasses import dataclass, field

from hyperpilot.records import Job, Report


@dataclass
class Simulated:
    """Scores rise towards 1 - (x - 0.3)^2; every report is saved before it is yielded, as a real trainer does."""

    disk: dict = field(default_factory=dict)
    every: int = 3
    trained: int = 0
    scores: dict = field(default_factory=dict)

    def train(self, job: Job, beat):
        start = max((s for s in self.disk.get(job.run, ()) if s <= job.until), default=0)
        if job.parent and job.parent.step > start:
            raise RuntimeError("the parent's state is missing")
        if start > job.start:
            yield self._report(job, start)
        for step in [*range(start - start % self.every + self.every, job.until, self.every), job.until]:
            if step <= start:
                continue
            self.trained += step - start
            start = step
            beat(step)
            self.disk.setdefault(job.run, []).append(step)
            yield self._report(job, step)

    def _report(self, job: Job, step: int) -> Report:
        score = (1 - (job.config["x"] - 0.3) ** 2) * step / job.horizon + 0.01 * (job.seed % 7)
        return Report(job.run, step, self.scores.get(job.trial, score))
