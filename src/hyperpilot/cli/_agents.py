"""Finds a trained agent on disk, and loads it where that is safe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODEL, _NORMALIZE = "model.zip", "vecnormalize.pkl"
_SETTINGS = ("study.yaml", "train.yaml")


@dataclass
class Agent:
    """A model on disk and what is known about it.

    Args:
        model: the file.
        doubt: why it should not be loaded unasked; empty where it may be.
    """

    model: Path
    doubt: str
    algorithm: str | None = None
    env: str | None = None
    env_kwargs: dict[str, Any] = field(default_factory=dict)


def find(path: Path, trial: int | None, seed: int | None, step: int | None) -> Agent:
    """The agent of a model.zip, or of the folder of a study, a training, a run or a checkpoint.

    Raises:
        InvalidStudy: there is none; the reason is given.
    """
    from hyperpilot.errors import InvalidStudy
    from hyperpilot.trainers._playable import make_playable

    if not path.exists():
        raise InvalidStudy(f"{path} is not there", "Name the folder of a study or a training, or a model.zip.")
    if path.is_file() or make_playable(path):
        if not (trial is None and seed is None and step is None):
            raise InvalidStudy(f"{path} is one model", "Leave --trial, --seed and --step out, or name the study.")
        return _at(path if path.is_file() else path / MODEL)
    if (path / "checkpoints").is_dir():
        if not (trial is None and seed is None):
            raise InvalidStudy(f"{path} is one run", "Leave --trial and --seed out, or name the study.")
        return _at(_checkpoint([path], step) / MODEL)
    if not (path / "train.yaml").exists():
        if not (path / "study.yaml").exists():
            mend = "Name the folder of a study, a training, a run or a checkpoint; or a model.zip."
            raise InvalidStudy(f"{path} holds no agent", mend)
        if _mapping(path / "study.yaml").get("command"):
            what = f"{path} tuned a command, whose agents only that program can load"
            raise InvalidStudy(what, f"What its runs have left is in {path / 'trials'}.")
        if trial is None:
            return _at(_result(path, asked=not (seed is None and step is None)))
    return _at(_checkpoint(_runs(path / "trials", trial or 0, seed), step) / MODEL)


def _result(study: Path, asked: bool) -> Path:
    """The model that a study handed over. `asked`: a seed or a step was asked for, which it has none of."""
    from hyperpilot.errors import InvalidStudy

    if asked:
        raise InvalidStudy("--seed and --step need a trial", "Add --trial N.")
    model = study / "result" / MODEL
    if not model.exists():
        mend = f"Finish it: hyperpilot resume {study}; or name a trial: --trial N."
        raise InvalidStudy(f"{study} holds no result yet", mend)
    return model


def _runs(trials: Path, trial: int, seed: int | None) -> list[Path]:
    """The runs of a trial, or the one with a seed."""
    from hyperpilot.errors import InvalidStudy

    folder = trials / f"{trial:04d}"
    found = sorted(folder.glob("seed-*"))
    if not found:
        known = ", ".join(str(int(path.name)) for path in sorted(trials.glob("*")) if path.name.isdecimal()) or "none"
        raise InvalidStudy(f"{trials.parent} has no trial {trial} (it has: {known})", "Name another, or wait for it.")
    runs = [run for run in found if seed is None or run.name == f"seed-{seed}"]
    if not runs:
        known = ", ".join(run.name.removeprefix("seed-") for run in found)
        raise InvalidStudy(f"trial {trial} was not trained with seed {seed} (it has: {known})", "Name another --seed.")
    return runs


def _checkpoint(runs: list[Path], step: int | None) -> Path:
    """The newest checkpoint of some runs, or the newest at a step."""
    from hyperpilot.errors import InvalidStudy
    from hyperpilot.trainers._playable import holds_agent, make_playable

    found = [p for run in runs for p in (run / "checkpoints").glob("*") if p.name.isdecimal() and holds_agent(p)]
    fit = [p for p in found if step is None or int(p.name) == step]
    if not fit:
        steps = ", ".join(map(str, sorted({int(p.name) for p in found}))) or "none"
        what = f"{runs[0]} has no checkpoint" + ("" if step is None else f" at step {step}")
        raise InvalidStudy(f"{what} (it has: {steps})", "Name another --step, or wait for the first evaluation.")
    newest = max(fit, key=lambda p: ((p / "report.json").stat().st_mtime_ns, int(p.name)))
    make_playable(newest)
    return newest


def _at(model: Path) -> Agent:
    """The agent of a file, with what the folders around it tell."""
    # result/model.zip, or trials/TRIAL/SEED/checkpoints/STEP/model.zip
    folders = [*model.resolve().parents[1:2], *model.resolve().parents[5:6]]
    settings = [known for folder in folders for file in _SETTINGS if (known := _mapping(folder / file))]
    agent = Agent(model, _doubt(model) if settings else "lies in no folder of a study or a training")
    if any(known.get("trainer") == "rllib" for known in settings):
        from hyperpilot.errors import InvalidStudy

        what = f"{model} was trained with RLlib, and can only be played with RLlib"
        raise InvalidStudy(what, "Run the load_agent.py of the study's result folder; it shows how.")
    beside = _mapping(model.parent / "report.json") or _mapping(model.parent / "best.yaml")
    if model.name != MODEL or "algorithm" not in beside:
        return agent
    agent.algorithm, agent.env = str(beside["algorithm"]), str(beside["env"]) if "env" in beside else None
    told = (known.get("env_kwargs") for known in (beside, *settings) if known.get("env") == agent.env)
    agent.env_kwargs = dict(next(filter(None, told), {}))
    return agent


def _doubt(model: Path) -> str:
    """Why an agent that lies where one's own would may be another's.

    Only the owner tells. A hash or a mark beside the files would prove nothing: who writes these could write those.
    """
    import os
    import sys

    if sys.platform == "win32":
        return ""
    owners = {path.stat().st_uid for path in (model, model.parent / _NORMALIZE) if path.exists()}
    return "" if owners <= {0, os.getuid()} else "belongs to another user"


def _mapping(path: Path) -> dict[str, Any]:
    import yaml

    try:
        known = yaml.safe_load(path.read_text())  # JSON is YAML
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return {}
    return known if isinstance(known, dict) else {}


def settle(agent: Agent, env: str | None, algo: str | None, trust: bool) -> Agent:
    """The agent with its algorithm and environment decided.

    Raises:
        UntrustedFile: it is another's, and nobody said that it may be loaded.
        InvalidStudy: its algorithm or environment is not known, or contradicted.
    """
    from hyperpilot.errors import InvalidStudy, UntrustedFile

    if agent.doubt and not trust:
        what = f"{agent.model} {agent.doubt}, and loading it would run whatever code it holds"
        raise UntrustedFile(what, "If you trust who made it, add --trust.")
    if algo and agent.algorithm and algo != agent.algorithm:
        raise InvalidStudy(f"{agent.model} was trained with {agent.algorithm}, not {algo}", "Leave --algo out.")
    if env and env != agent.env:
        agent.env, agent.env_kwargs = env, {}
    agent.algorithm = agent.algorithm or algo
    missing = [name for name, known in (("--algo", agent.algorithm), ("--env", agent.env)) if not known]
    if missing:
        raise InvalidStudy(f"{agent.model} does not tell what it is", f"Add {' and '.join(missing)}.")
    return agent


def load_agent(agent: Agent) -> tuple[Any, Any]:
    """The model and the statistics that its observations are normalised with. Unpickles both.

    Raises:
        InvalidStudy: the file is not what it is said to be.
    """
    from hyperpilot.errors import HyperPilotError, InvalidStudy
    from hyperpilot.trainers._sb3_checkpoint import load_model

    try:
        return load_model(agent.model, str(agent.algorithm))
    except (ModuleNotFoundError, HyperPilotError):
        raise
    except Exception as error:
        what = f"{agent.model} cannot be loaded as {agent.algorithm}: {type(error).__name__}: {error}"
        raise InvalidStudy(what, "Name a file that Stable-Baselines3 saved, and its algorithm.") from error
