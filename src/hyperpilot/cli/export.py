"""Write the winning configuration in another tool's format, or mirror the study in Optuna, MLflow or W&B."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.environments import EnvSpec

_ZOO_NAMES = {"recurrent_ppo": "ppo_lstm"}


def command(
    study: Annotated[Path, typer.Argument(help="Folder of a study; of a finished one unless it is mirrored.")],
    target: Annotated[
        str | None,
        typer.Argument(help="Where to mirror it: sqlite:///optuna.db, sqlite:///mlflow.db, or a project of W&B."),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            help="sb3-zoo: an entry of rl-baselines3-zoo's hyperparams. schedule: what changed when, of a winner that was bred. "
            "Mirrors: optuna, mlflow, wandb."
        ),
    ] = "sb3-zoo",
    out: Annotated[Path | None, typer.Option(help="File for a text; without it, the text is printed.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Go on mirroring until the study has ended.")] = False,
    name: Annotated[str | None, typer.Option(help="What the study is called there; its folder by default.")] = None,
) -> None:
    """Write the winning configuration in another tool's format, or mirror the study in Optuna, MLflow or W&B."""
    from hyperpilot.cli._mirror import SINKS, mirror
    from hyperpilot.errors import InvalidStudy

    if format in SINKS:
        if target is None or out is not None:
            what = f"{format} needs to know where to, and takes no --out" if out else f"{format} needs to know where to"
            raise InvalidStudy(what, f"hyperpilot export {study} --format {format} {SINKS[format]}")
        return mirror(study, format, target, name, live)
    if target is not None or live or name is not None:
        raise InvalidStudy(f"{format} is a text, not a mirror", f"Mirrors: --format {', '.join(SINKS)}.")
    _write(study, format, out)


def _write(study: Path, format: str, out: Path | None) -> None:
    import yaml

    from hyperpilot.cli._mirror import SINKS
    from hyperpilot.cli._options import extras
    from hyperpilot.errors import InvalidStudy

    if format not in _FORMATS:
        raise InvalidStudy(f"there is no format {format!r}", f"Known: {', '.join([*_FORMATS, *SINKS])}.")
    path = study / "result" / "best.yaml"
    try:
        best = yaml.safe_load(path.read_text())
        if "command" in best:
            what = f"{study} tuned a command: there is nothing of Stable-Baselines3 to write"
            raise InvalidStudy(what, f"The words to run and the configuration are in {path}.")
        missing = {"algorithm", "env", "horizon", "config"} - best.keys()
    except FileNotFoundError as error:
        if not (study / "study.yaml").exists():
            raise InvalidStudy(f"{study} holds no study", "Name the folder of a finished study.") from error
        mend = f"It has to finish first: hyperpilot resume {study}"
        raise InvalidStudy(f"{study} holds no result yet", mend) from error
    except (yaml.YAMLError, AttributeError) as error:
        raise InvalidStudy(f"{path} cannot be read: {error}", "Name the folder of a finished study.") from error
    if missing:
        raise InvalidStudy(f"{path} lacks {', '.join(sorted(missing))}", "Name the folder of a finished study.")
    with extras():
        text = _FORMATS[format](best)
    if out is None:
        print(text, end="")
        return
    if out.exists():
        raise InvalidStudy(f"{out} is there already", "Name another file, or print the text without --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    print(out)


def _zoo(best: Mapping[str, Any]) -> str:
    import yaml

    from hyperpilot.environments import EnvSpec
    from hyperpilot.errors import InvalidStudy
    from hyperpilot.registry import load

    if best.get("schedule"):
        what = "the winner was bred: its hyperparameters changed during the training, which the zoo cannot express"
        raise InvalidStudy(what, "Write the whole schedule: --format schedule.")
    algorithm = load("algorithms", best["algorithm"])
    config = {**algorithm.defaults, **best["config"]}
    kwargs = dict(algorithm.sb3(config))
    env_kwargs = dict(best.get("env_kwargs") or {})
    entry: dict[str, Any] = {
        "n_timesteps": float(best["horizon"]),
        "n_envs": config.get("n_envs", 1),
        "policy": _policy(str(kwargs.pop("policy")), EnvSpec(str(best["env"]), env_kwargs)),
    }
    if env_kwargs:
        entry["env_kwargs"] = env_kwargs
    if config.get("normalize"):
        entry["normalize"] = True
    policy_kwargs = kwargs.pop("policy_kwargs", {})
    noise = kwargs.pop("action_noise", None)
    for name, value in kwargs.items():
        told = name in algorithm.space or config[name] != algorithm.defaults[name]
        if told or f"{name}_schedule" in algorithm.space:
            entry[name] = f"lin_{value['linear']}" if isinstance(value, Mapping) else value
    if noise is not None:
        entry |= {"noise_type": noise["type"], "noise_std": noise["std"]}
    if policy_kwargs:
        entry["policy_kwargs"] = _python(policy_kwargs)
    zoo = _ZOO_NAMES.get(best["algorithm"], best["algorithm"])
    head = f"# rl-baselines3-zoo: hyperparams/{zoo}.yml\n"
    if env_kwargs:
        head += "# A zoo of before 2026 does not read env_kwargs here: give them with its option --env-kwargs.\n"
    return head + yaml.safe_dump({best["env"]: entry}, sort_keys=False, width=1000)


def _policy(policy: str, env: EnvSpec) -> str:
    """The alias that Stable-Baselines3 has for the observations; as it is where the environment is not installed."""
    from hyperpilot.environments import traits
    from hyperpilot.errors import EnvironmentUnavailable

    try:
        observation = traits(env).observation
    except EnvironmentUnavailable:
        return policy
    prefix = {"dict": "MultiInput", "image": "Cnn"}.get(observation, "Mlp")
    return policy.replace("Mlp", prefix)


def _python(value: Any, name: str = "") -> str:
    """Python source of a value, as the zoo evaluates it."""
    if isinstance(value, Mapping):
        return f"dict({', '.join(f'{key}={_python(part, key)}' for key, part in value.items())})"
    if name == "activation_fn":
        return f"nn.{value}"
    return repr(value)


def _schedule(best: Mapping[str, Any]) -> str:
    """The whole schedule, also of a configuration that never changed."""
    import yaml

    parts = best.get("schedule") or [{"from_step": 0, "config": best["config"]}]
    about = {key: best[key] for key in ("algorithm", "env", "env_kwargs", "horizon") if key in best}
    return yaml.safe_dump({**about, "schedule": parts}, sort_keys=False)


_FORMATS = {"sb3-zoo": _zoo, "schedule": _schedule}
