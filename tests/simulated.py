"""A trainer without trainings: curves that are known, states kept in a dictionary that stands for the disk."""

from dataclasses import dataclass, field

import numpy as np

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


@dataclass
class Drifting(Simulated):
    """Trainings whose state carries on to whoever takes it over, and whose best x moves from 0.1 to 0.9 on the way.

    A state is the sum of what every step has gained, at most 1 for each; `fails` names trials that diverge in their first step.
    """

    states: dict = field(default_factory=dict)
    fails: tuple = ()

    def train(self, job: Job, beat):
        if job.trial in self.fails and job.phase == "search":
            raise FloatingPointError("nan")
        done = [step for run, step in self.states if run == job.run and job.start < step <= job.until]
        begin = max(done, default=job.start)
        for step in sorted(done):
            yield self._at(job, step)
        value = self.states[job.run, begin] if done else self.states[job.parent] if job.parent else 0.0
        stages = job.stages()
        for step in range(begin + 1, job.until + 1):
            x = next(stage for stage in stages if step <= stage.until).config["x"]
            value += 1 - abs(x - (0.1 + 0.8 * step / job.horizon))
            self.trained += 1
            if step % self.every == 0 or step == job.until:
                self.states[job.run, step] = value
                yield self._at(job, step)

    def _at(self, job: Job, step: int) -> Report:
        noise = 0.01 * np.random.default_rng([job.trial, step]).standard_normal()
        return Report(job.run, step, self.states[job.run, step] + noise)
