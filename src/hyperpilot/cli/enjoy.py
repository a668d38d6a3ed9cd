"""Watch a trained agent, or record it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import gymnasium

_FIRST_SEED = 20_000_000
"""Seed of the first episode; far from those of trainings, evaluations and tests."""
_LONGEST = 100_000
_MODEL, _NORMALIZE = "model.zip", "vecnormalize.pkl"
_SETTINGS = ("study.yaml", "train.yaml")


@dataclass
class _Agent:
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


def command(
    path: Annotated[Path, typer.Argument(help="Folder of a study, a training, a run or a checkpoint; or a model.zip.")],
    trial: Annotated[int | None, typer.Option(min=0, help="This trial, instead of the study's result.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Its run with this seed; by default the newest.")] = None,
    step: Annotated[int | None, typer.Option(min=0, help="Its checkpoint at this step; by default the newest.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes.")] = 3,
    env: Annotated[str | None, typer.Option(help="Another environment.")] = None,
    video: Annotated[Path | None, typer.Option(help="Record to this .mp4 or .gif instead of a window.")] = None,
    stochastic: Annotated[bool, typer.Option("--stochastic", help="Draw actions from the policy.")] = False,
    trust: Annotated[bool, typer.Option("--trust", help="Load it wherever it comes from.")] = False,
    algo: Annotated[str | None, typer.Option(help="Algorithm of a bare model.zip.")] = None,
) -> None:
    """Watch a trained agent, or record it.

    What lies in the folder of a study or training of your own is loaded; any other agent only with --trust, because
    loading one runs whatever code it holds. A study that you downloaded looks like your own: know who made it.
    """
    from hyperpilot.cli._options import extras

    agent = _settle(_find(path, trial, seed, step), env, algo, trust)
    _check_output(video)
    with extras():
        returns = []
        for total in _play(agent, episodes, video, not stochastic):
            returns.append(total)
            print(f"episode {len(returns)}  return {total:.2f}", flush=True)
    print(f"mean return {sum(returns) / len(returns):.2f}")
    if video is not None:
        print(f"video  {video}")


def _settle(agent: _Agent, env: str | None, algo: str | None, trust: bool) -> _Agent:
    """The agent with its algorithm and environment decided."""
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


def _check_output(video: Path | None) -> None:
    """Passes where there is something to show the agent on; sets up drawing without a screen."""
    import os
    import sys

    from hyperpilot.errors import EnvironmentUnavailable, InvalidStudy

    screen = not sys.platform.startswith("linux") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if video is None:
        if not screen:
            raise EnvironmentUnavailable("there is no screen to show the agent on", "Record it: --video FILE.mp4")
        return
    if video.suffix.lower() not in (".mp4", ".gif"):
        raise InvalidStudy(f"{video} is no kind of video that can be written", "Name a .mp4 or a .gif file.")
    os.environ |= {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    if not screen:
        os.environ.setdefault("MUJOCO_GL", "egl")


def _find(path: Path, trial: int | None, seed: int | None, step: int | None) -> _Agent:
    from hyperpilot.errors import InvalidStudy

    if not path.exists():
        raise InvalidStudy(f"{path} is not there", "Name the folder of a study or a training, or a model.zip.")
    if path.is_file() or (path / _MODEL).exists():
        if not (trial is None and seed is None and step is None):
            raise InvalidStudy(f"{path} is one model", "Leave --trial, --seed and --step out, or name the study.")
        return _at(path if path.is_file() else path / _MODEL)
    if (path / "checkpoints").is_dir():
        if not (trial is None and seed is None):
            raise InvalidStudy(f"{path} is one run", "Leave --trial and --seed out, or name the study.")
        return _at(_checkpoint([path], step) / _MODEL)
    if not (path / "train.yaml").exists():
        if not (path / "study.yaml").exists():
            mend = "Name the folder of a study, a training, a run or a checkpoint; or a model.zip."
            raise InvalidStudy(f"{path} holds no agent", mend)
        if trial is None:
            return _at(_result(path, asked=not (seed is None and step is None)))
    return _at(_checkpoint(_runs(path / "trials", trial or 0, seed), step) / _MODEL)


def _result(study: Path, asked: bool) -> Path:
    """The model that a study handed over. `asked`: a seed or a step was asked for, which it has none of."""
    from hyperpilot.errors import InvalidStudy

    if asked:
        raise InvalidStudy("--seed and --step need a trial", "Add --trial N.")
    model = study / "result" / _MODEL
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

    found = [p for run in runs for p in (run / "checkpoints").glob("*") if p.name.isdecimal() and (p / _MODEL).exists()]
    fit = [p for p in found if step is None or int(p.name) == step]
    if not fit:
        steps = ", ".join(map(str, sorted({int(p.name) for p in found}))) or "none"
        what = f"{runs[0]} has no checkpoint" + ("" if step is None else f" at step {step}")
        raise InvalidStudy(f"{what} (it has: {steps})", "Name another --step, or wait for the first evaluation.")
    return max(fit, key=lambda p: ((p / _MODEL).stat().st_mtime_ns, int(p.name)))


def _at(model: Path) -> _Agent:
    """The agent of a file, with what the folders around it tell."""
    # result/model.zip, or trials/TRIAL/SEED/checkpoints/STEP/model.zip
    folders = [*model.resolve().parents[1:2], *model.resolve().parents[5:6]]
    settings = [known for folder in folders for file in _SETTINGS if (known := _mapping(folder / file))]
    agent = _Agent(model, _doubt(model) if settings else "lies in no folder of a study or a training")
    beside = _mapping(model.parent / "report.json") or _mapping(model.parent / "best.yaml")
    if model.name != _MODEL or "algorithm" not in beside:
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


def _play(agent: _Agent, episodes: int, video: Path | None, deterministic: bool) -> Iterator[float]:
    import numpy as np

    from hyperpilot.environments import EnvSpec, make
    from hyperpilot.errors import UnsupportedEnvironment

    model, normalize = _load(agent)
    spec = EnvSpec(str(agent.env), agent.env_kwargs)
    env = make(spec, "human" if video is None else "rgb_array")
    try:
        if env.action_space != model.action_space:
            what = f"the agent's actions are {model.action_space}, those of {spec.id} are {env.action_space}"
            raise UnsupportedEnvironment(what, "Name the environment that it was trained in: --env.")
        with _camera(env, video) as shoot:
            for episode in range(episodes):
                observation, _ = env.reset(seed=_FIRST_SEED + episode)
                shoot()
                total, state, start = 0.0, None, True
                for _ in range(_LONGEST):
                    seen = observation if normalize is None else normalize.normalize_obs(observation)
                    action, state = model.predict(seen, state, np.array([start]), deterministic)
                    observation, reward, terminated, truncated, _ = env.step(action[()] if action.ndim == 0 else action)
                    total, start = total + float(reward), False
                    shoot()
                    if terminated or truncated:
                        break
                yield total
    finally:
        env.close()  # type: ignore[no-untyped-call]


def _load(agent: _Agent) -> tuple[Any, Any]:
    """The model and the statistics that its observations are normalised with. Unpickles both."""
    from hyperpilot.errors import HyperPilotError, InvalidStudy
    from hyperpilot.trainers._sb3_checkpoint import load_model

    try:
        return load_model(agent.model, str(agent.algorithm))
    except (ModuleNotFoundError, HyperPilotError):
        raise
    except Exception as error:
        what = f"{agent.model} cannot be loaded as {agent.algorithm}: {type(error).__name__}: {error}"
        raise InvalidStudy(what, "Name a file that Stable-Baselines3 saved, and its algorithm.") from error


@contextmanager
def _camera(env: gymnasium.Env[Any, Any], video: Path | None) -> Iterator[Callable[[], None]]:
    """What draws the environment once: into the film, or on the screen where the environment does not by itself."""
    if video is None:
        by_itself = getattr(env, "render_mode", None) == "human"
        yield (lambda: None) if by_itself else (lambda: None if env.render() is None else None)
        return
    import imageio.v2 as imageio

    from hyperpilot.errors import EnvironmentUnavailable

    fps = float(env.metadata.get("render_fps") or 30)
    film: dict[str, Any] = {"duration": 1000 / min(fps, 50), "loop": 0}
    if video.suffix.lower() == ".mp4":
        _need_ffmpeg()
        film = {"fps": fps, "macro_block_size": 2}
    video.parent.mkdir(parents=True, exist_ok=True)
    writer: Any
    with imageio.get_writer(video, **film) as writer:

        def shoot() -> None:
            frame: Any = env.render()
            if getattr(frame, "ndim", 0) != 3:
                raise EnvironmentUnavailable(
                    f"{env} draws no pictures", 'Support render_mode="rgb_array": render() returns an array.'
                )
            writer.append_data(frame)

        yield shoot


def _need_ffmpeg() -> None:
    from importlib.util import find_spec

    if find_spec("imageio_ffmpeg") is None:
        raise ModuleNotFoundError("No module named 'imageio'", name="imageio")  # the extra brings both
