"""A study as studies of Optuna, which optuna-dashboard and Optuna's plots show.

Every training is a trial: further seeds of a configuration are trials of their own, since a trial cannot be changed once it has
ended. The test has a study of its own, so that the best of the search is not one that only the test has seen. A value is the
mean of the second half of a training, by which we judge it. A paused training counts as running for as long as it may go on.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Report
from hyperpilot.registry import missing_extra
from hyperpilot.reports.record import Record
from hyperpilot.sinks._trainings import Training, goal_signs, judged, measurements, trainings
from hyperpilot.space import Config

try:
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.storages import BaseStorage
    from optuna.study import StudyDirection
    from optuna.trial import FrozenTrial, TrialState

    from hyperpilot.hosts._optuna_suggest import distributions
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

_KEY, _ORIGIN = "hyperpilot", "hyperpilot_study"
_STATES = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "failed": TrialState.FAIL}
_PHASES = {"search": "", "test": " (test)"}


class OptunaSink:
    """Mirrors a study in a database of Optuna.

    Args:
        url: of the database, such as `sqlite:///optuna.db`.
        name: of the study there; by default that of the folder.

    Raises:
        InvalidStudy: the database cannot be opened.
    """

    def __init__(self, url: str, name: str | None = None) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self._storage: BaseStorage = optuna.storages.get_storage(url)
        except Exception as error:  # whatever the driver of a database raises
            what = f"the database cannot be opened: {str(error).splitlines()[0]}"
            raise InvalidStudy(what, "Write it as sqlite:///optuna.db or postgresql://user@host/database.") from error
        self._name = name
        self._phases: dict[str, _Phase] = {}

    def update(self, record: Record) -> int:
        """Adds trials that are new and what is new of those that run.

        Raises:
            InvalidStudy: the database has another study of that name.
        """
        found: dict[str, list[Training]] = {"search": []}
        for training in trainings(record):
            found.setdefault(training.run.phase, []).append(training)
        changed = 0
        for phase, each in found.items():
            if phase not in self._phases:
                name = (self._name or record.study.name or record.folder) + _PHASES[phase]
                self._phases[phase] = _Phase.opened(self._storage, name, record)
            changed += self._phases[phase].update(record, each)
        return changed

    def close(self) -> None:
        self._storage.remove_session()


@dataclass(frozen=True, slots=True)
class _Phase:
    """One of Optuna's studies.

    Args:
        storage: of Optuna.
        id: of its study.
        distributions: of every hyperparameter, wide enough for the default as well.
        signs: of every goal.
    """

    storage: BaseStorage
    id: int
    distributions: Mapping[str, BaseDistribution]
    signs: Sequence[int]

    @classmethod
    def opened(cls, storage: BaseStorage, name: str, record: Record) -> _Phase:
        """The study of a name, made where it is not there yet."""
        signs = goal_signs(record)
        directions = [StudyDirection.MINIMIZE if sign < 0 else StudyDirection.MAXIMIZE for sign in signs]
        study = optuna.create_study(study_name=name, storage=storage, directions=directions, load_if_exists=True)
        origin = json.dumps(record.study.model_dump(mode="json"), sort_keys=True)
        known = study.user_attrs.get(_ORIGIN)
        if known is None and study.trials:
            known = "another tool's"
        if known not in (None, origin):
            raise InvalidStudy(f"the database has another study {name!r}", "Give this one another name: --name NAME.")
        if known is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                study.set_metric_names([n.removeprefix("-") for n in record.study.goals().names])
            study.set_user_attr("environment", record.study.env or "")
            study.set_user_attr("algorithm", record.study.algorithm)
            study.set_user_attr("fixed", dict(record.space.fixed))
            study.set_user_attr(_ORIGIN, origin)
        wide = _wide(distributions(record.space), record.study.baselines(record.space))
        return cls(storage, storage.get_study_id_from_name(name), wide, signs)

    def update(self, record: Record, found: Sequence[Training]) -> int:
        trials = self.storage.get_all_trials(self.id, deepcopy=False)
        known = {trial.user_attrs[_KEY]: trial for trial in trials if _KEY in trial.user_attrs}
        changed = 0
        for training in found:
            trial = known.get(training.key)
            if trial is None:
                self.storage.create_new_trial(self.id, template_trial=self._trial(record, training))
                changed += 1
            elif not trial.state.is_finished():
                changed += self._go_on(record, training, trial)
        return changed

    def _trial(self, record: Record, training: Training) -> FrozenTrial:
        """A trial as it is now."""
        params = {n: v for n, v in training.run.config.items() if _fits(self.distributions.get(n), v)}
        state = _STATES.get(training.state, TrialState.RUNNING)
        trial = optuna.trial.create_trial(
            state=state,
            values=self._values(record, training),
            params=params,
            distributions={name: self.distributions[name] for name in params},
            intermediate_values=self._curve(record, training.run.reports),
            user_attrs={_KEY: training.key, **self._about(training)},
        )
        if training.started:
            trial.datetime_start = datetime.fromtimestamp(training.started)
            if state.is_finished():
                trial.datetime_complete = datetime.fromtimestamp(training.ended or training.started)
        return trial

    def _go_on(self, record: Record, training: Training, trial: FrozenTrial) -> bool:
        """Brings a running trial up to date."""
        curve = self._curve(record, training.run.reports)
        later = {step: value for step, value in curve.items() if step not in trial.intermediate_values}
        for step, value in later.items():
            self.storage.set_trial_intermediate_value(trial._trial_id, step, value)
        changed = bool(later) or trial.user_attrs.get("state") != training.state
        if changed:  # before the state, after which nothing can be set
            about = self._about(training)
            for name in about if training.over else ("state", "step"):
                self.storage.set_trial_user_attr(trial._trial_id, name, about[name])
        if training.over:
            self.storage.set_trial_state_values(
                trial._trial_id, _STATES[training.state], self._values(record, training)
            )
        return changed

    def _values(self, record: Record, training: Training) -> list[float] | None:
        if training.state not in ("complete", "stopped") or not training.run.reports:
            return None
        return [sign * value for sign, value in zip(self.signs, judged(training.run, record), strict=True)]

    def _curve(self, record: Record, reports: Sequence[Report]) -> dict[int, float]:
        """The goal at every evaluation; nothing where there are several, for which Optuna knows no curves."""
        goals = record.study.goals()
        return {} if goals.several else {r.step: self.signs[0] * goals.values(r)[0] for r in reports}

    def _about(self, training: Training) -> dict[str, Any]:
        found = training.about
        if training.over:
            found["config"] = dict(training.run.config)
            if training.run.reports:
                found |= {f"last {name}": value for name, value in measurements(training.run.reports[-1]).items()}
        return found


def _fits(distribution: BaseDistribution | None, value: Any) -> bool:
    if distribution is None:
        return False
    try:
        return distribution._contains(distribution.to_internal_repr(value))
    except ValueError:
        return False


def _wide(found: Mapping[str, BaseDistribution], defaults: Sequence[Config]) -> dict[str, BaseDistribution]:
    """Distributions that have the defaults, too, which may lie outside what is searched; but for 0 on a log scale."""
    wide = dict(found)
    for name, value in ((name, value) for config in defaults for name, value in config.items()):
        of = wide.get(name)
        if of is None or _fits(of, value):
            continue
        if isinstance(of, CategoricalDistribution):
            wide[name] = CategoricalDistribution([*of.choices, value])
        elif isinstance(of, FloatDistribution) and not (of.log and float(value) <= 0):
            wide[name] = FloatDistribution(min(of.low, float(value)), max(of.high, float(value)), log=of.log)
        elif isinstance(of, IntDistribution) and isinstance(value, int) and not (of.log and value < 1):
            wide[name] = IntDistribution(min(of.low, value), max(of.high, value), log=of.log)
    return wide


plugin = OptunaSink
