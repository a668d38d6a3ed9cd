"""What the peers that ask for a configuration at a budget share: their space, and the way from requests to trainings."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

import ConfigSpace

Config = dict[str, Any]


def configuration_space(space: dict[str, Any], seed: int) -> ConfigSpace.ConfigurationSpace:
    """Returns the table's space for ConfigSpace."""
    built = ConfigSpace.ConfigurationSpace(seed=seed)
    for each in space["hyperparameters"]:
        name = each["name"]
        if each["type"] == "categorical":
            built.add(ConfigSpace.CategoricalHyperparameter(name, each["choices"]))
        elif each["type"] == "uniform_int":
            built.add(
                ConfigSpace.UniformIntegerHyperparameter(name, int(each["lower"]), int(each["upper"]), log=each["log"])
            )
        else:
            built.add(ConfigSpace.UniformFloatHyperparameter(name, each["lower"], each["upper"], log=each["log"]))
    for each in space["conditions"]:
        built.add(ConfigSpace.EqualsCondition(built[each["child"]], built[each["parent"]], each["value"]))
    return built


def plain(config: Config, space: dict[str, Any]) -> Config:
    """Returns the configuration in the table's own types, which ConfigSpace and JSON both change."""
    typed: Config = {}
    for each in space["hyperparameters"]:
        if each["name"] in config:
            value = config[each["name"]]
            if each["type"] == "categorical":
                typed[each["name"]] = each["choices"][each["choices"].index(value)]
            else:
                typed[each["name"]] = int(value) if each["type"] == "uniform_int" else float(value)
    return typed


@dataclass(frozen=True)
class Request:
    """A configuration that a library wants at a budget; `key` is the library's own identity of the configuration."""

    key: Hashable
    config: Config
    unit: int
    ticket: Any


class Library(Protocol):
    """What a peer's file has to provide; costs are smaller-is-better."""

    def request(self) -> Request: ...

    def answer(self, request: Request, cost: float, config: Config) -> None: ...

    def incumbent(self) -> Hashable | None: ...


class Continued:
    """Serves a library's requests so that a configuration is one training, continued when it comes back at a higher budget.

    What has been reached already is answered from memory. A request for a training that is running waits for it.
    """

    def __init__(self, library: Library) -> None:
        """Args: the library, started."""
        self.library = library
        self.trials: dict[Hashable, int] = {}
        self.scores: dict[int, list[float]] = {}
        self.asked: dict[int, Config] = {}
        self.trained: dict[int, Config] = {}
        self.running: dict[int, Request] = {}
        self.waiting: list[Request] = []

    def ask(self) -> tuple[int, Config, int]:
        """Returns the first request that needs training, those that waited before new ones."""
        waited, self.waiting = deque(self.waiting), []
        job = None
        while job is None:
            job = self.serve(waited.popleft() if waited else self.library.request())
        self.waiting.extend(waited)
        return job

    def serve(self, request: Request) -> tuple[int, Config, int] | None:
        """Returns the job that a request needs, if it needs one now."""
        trial = self.trials.setdefault(request.key, len(self.trials))
        scores = self.scores.setdefault(trial, [])
        if trial in self.running:
            self.waiting.append(request)
        elif len(scores) >= request.unit:
            self.library.answer(request, -scores[request.unit - 1], self.trained[trial])
        else:
            self.running[trial] = request
            return trial, self.asked.setdefault(trial, request.config), request.unit
        return None

    def tell(self, trial: int, unit: int, score: float, last: bool, config: Config) -> None:
        """Remembers a unit, and answers the request once it is reached."""
        self.scores[trial].append(score)
        self.trained[trial] = config
        if last:
            self.library.answer(self.running.pop(trial), -score, config)

    def best(self) -> int:
        """Returns the library's incumbent; before it names one, the best of the furthest trained."""
        key = self.library.incumbent()
        if key is not None:
            return self.trials[key]
        return max(self.trained, key=lambda trial: (len(self.scores[trial]), self.scores[trial][-1]))
