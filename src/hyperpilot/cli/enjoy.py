"""Watch a trained agent, or record it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import gymnasium

    from hyperpilot.cli._agents import Agent

_FIRST_SEED = 20_000_000
"""Seed of the first episode; far from those of trainings, evaluations and tests."""
_LONGEST = 100_000


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
    from hyperpilot.cli._agents import find, settle
    from hyperpilot.cli._options import extras

    agent = settle(find(path, trial, seed, step), env, algo, trust)
    _check_output(video)
    with extras():
        returns = []
        for total in _play(agent, episodes, video, not stochastic):
            returns.append(total)
            print(f"episode {len(returns)}  return {total:.2f}", flush=True)
    print(f"mean return {sum(returns) / len(returns):.2f}")
    if video is not None:
        print(f"video  {video}")


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


def _play(agent: Agent, episodes: int, video: Path | None, deterministic: bool) -> Iterator[float]:
    import numpy as np

    from hyperpilot.cli._agents import load_agent
    from hyperpilot.environments import EnvSpec, make
    from hyperpilot.errors import UnsupportedEnvironment

    model, normalize = load_agent(agent)
    spec = EnvSpec(str(agent.env), agent.env_kwargs)
    env = make(spec, "human" if video is None else "rgb_array")
    try:
        if env.action_space != model.action_space:
            what = f"the agent's actions are {model.action_space}, those of {spec.id} are {env.action_space}"
            raise UnsupportedEnvironment(what, "Name the environment that it was trained in: --env.")
        with camera(env, video) as shoot:
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


@contextmanager
def camera(env: gymnasium.Env[Any, Any], video: Path | None) -> Iterator[Callable[[], None]]:
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
