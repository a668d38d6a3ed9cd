"""Finds plug-ins by file name, and third parties' by entry point, without importing any before it is asked for.

A plug-in is a module in the package of its kind that names what it offers `plugin`. Third parties declare an entry point in
the group `hyperpilot.<kind>` that points to such an object.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hyperpilot.errors import MissingExtra, UnknownPlugin

KINDS = ("algorithms", "trainers", "surrogates", "acquisition", "schedules", "strategies", "sinks")

# What a leaf imports, and the extra that brings it.
_EXTRAS = {
    "torch": "sb3",
    "stable_baselines3": "sb3",
    "sb3_contrib": "sb3",
    "gymnasium": "sb3",
    "cloudpickle": "sb3",
    "Box2D": "box2d",
    "imageio": "video",
    "psycopg": "postgres",
    "matplotlib": "plots",
    "seaborn": "plots",
    "plotly": "report",
    "botorch": "botorch",
    "gpytorch": "botorch",
    "jax": "tfp",
    "gymnax": "jax",
    "optax": "jax",
    "mujoco": "mjx",
    "tensorflow_probability": "tfp",
    "sklearn": "forest",
    "optuna": "optuna",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "ray": "ray",
    "fsspec": "ray",
    "qtpy": "gui",
    "pyqtgraph": "gui",
    "PySide6": "gui",
}


def available(kind: str) -> tuple[str, ...]:
    """Names of the plug-ins of a kind, sorted."""
    folder = Path(__file__).parent / kind
    own = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    others = {point.name for point in entry_points(group=f"hyperpilot.{kind}")}
    return tuple(sorted(own | others))


def known(kind: str, name: str) -> str | None:
    """The name as it is registered, where a hyphen may stand for an underscore; None where there is none of that name."""
    names = available(kind)
    return next((each for each in (name, name.replace("-", "_")) if each in names), None)


def load(kind: str, name: str) -> Any:
    """What the plug-in offers; a hyphen may stand for an underscore in its name.

    Raises:
        UnknownPlugin: there is none of that kind and name.
        MissingExtra: a package that it needs is not installed.
    """
    own = known(kind, name)
    if own is None:
        raise UnknownPlugin(f"{kind}: there is no {name!r}", f"Available: {', '.join(available(kind))}.")
    for point in entry_points(group=f"hyperpilot.{kind}", name=own):
        return point.load()
    try:
        return import_module(f"hyperpilot.{kind}.{own}").plugin
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error


def require(package: str) -> None:
    """Passes a package that is installed, without importing it.

    Raises:
        MissingExtra: it is not.
    """
    try:
        there = find_spec(package) is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise missing_extra(ModuleNotFoundError(name=package))


def missing_extra(error: ModuleNotFoundError) -> ModuleNotFoundError | MissingExtra:
    """The error that tells which extra to install; the given one where no extra would help."""
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package)
    if extra is None:
        return error
    return MissingExtra(f"{error.name} is not installed", f"pip install 'hyperpilot-rl[{extra}]'")
