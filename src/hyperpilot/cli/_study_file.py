"""A study's settings: those typed on the command line, joined with those of a study file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperpilot.cli._options import fixed_values, parse_assignments, parse_steps
from hyperpilot.runtime.named import as_text
from hyperpilot.trainers._command_line import words

if TYPE_CHECKING:
    import typer

_TYPED: Mapping[str, Callable[[Any], Any]] = {
    "algorithm": as_text,
    "objective": as_text,
    "total_steps": parse_steps,
    "horizon": parse_steps,
    "checkpoint_every": parse_steps,
    "interval": parse_steps,
    "eval_steps": lambda text: [parse_steps(step) for step in text.split(",")],
    "space": parse_assignments,
    "fix": fixed_values,
    "env_kwargs": fixed_values,
    "defaults": fixed_values,
    "command": words,
    "experience": lambda path: str(Path(path).resolve()),
}


def settings(ctx: typer.Context, file: Path | None) -> dict[str, Any]:
    """The fields of a study, from the options that bear their names, and from the file.

    A mapping is joined key by key. The defaults of options give way to the file.

    Raises:
        InvalidStudy: the file cannot be read, or an option was typed that contradicts it.
    """
    from hyperpilot.runtime.study import Study

    options = {
        name: _TYPED[name](value) if name in _TYPED else value
        for name, value in ctx.params.items()
        if name in Study.model_fields and value is not None
    }
    written = {} if file is None else read(file)
    typed = {name for name in options if _is_typed(ctx, name)}
    for name in {"schedule", "trainer", "device"} - typed:
        options.pop(name, None)  # what a study has by default depends on what is trained
    return {**options, **written, **{name: _joined(name, options[name], written, file) for name in typed}}


def read(path: Path) -> dict[str, Any]:
    """The settings that a study file gives, its numbers read as on the command line.

    Raises:
        InvalidStudy: naming the file, and the key where one is unknown.
    """
    import yaml

    from hyperpilot.errors import InvalidStudy
    from hyperpilot.runtime.study import Study
    from hyperpilot.space.rules import suggestion

    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidStudy(f"{path} cannot be read: {error}", "Name a YAML file of settings.") from error
    if not isinstance(found, dict):
        mend = "For example: space: {learning_rate: 1e-5..1e-2:log}"
        raise InvalidStudy(f"{path} is not a mapping of settings", mend)
    for key in found:
        if key not in Study.model_fields:
            raise InvalidStudy(f"{path}: unknown setting {key!r}", suggestion(str(key), Study.model_fields))
    return {key: _read_value(key, value) for key, value in found.items() if value is not None}


def _read_value(key: str, value: Any) -> Any:
    if key == "eval_steps" and isinstance(value, list):
        return [parse_steps(str(step)) for step in value]
    if _TYPED.get(key) is parse_steps:
        return parse_steps(str(value))
    if key in ("algorithm", "objective"):
        return as_text(value)
    if key == "command":
        return words(value)
    if key in ("fix", "env_kwargs", "defaults", "conditions", "forbid", "eta", "test_share", "stall_limit_s"):
        return _values(value)
    if key == "storage":
        from hyperpilot.stores.sql import checked_url

        return checked_url(str(value))  # before it can be compared and shown
    return value


def _values(value: Any) -> Any:
    """A value whose words are read as on the command line: YAML takes 1e-3 for a word."""
    from hyperpilot.space.grammar import parse_value

    if isinstance(value, dict):
        return {key: _values(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_values(inner) for inner in value]
    return parse_value(value) if isinstance(value, str) else value


def _is_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _joined(name: str, typed: Any, written: Mapping[str, Any], file: Path | None) -> Any:
    """What was typed, together with what the file says of it.

    Raises:
        InvalidStudy: they differ.
    """
    from hyperpilot.errors import InvalidStudy

    other = written.get(name)
    if isinstance(typed, dict) and isinstance(other, dict):
        return {**other, **{key: _joined(key, value, other, file) for key, value in typed.items()}}
    if name == "storage":
        from hyperpilot.stores.sql import checked_url

        typed = checked_url(typed)
    if other is not None and other != typed:
        what = f"{name} is {typed!r} on the command line and {other!r} in {file}"
        raise InvalidStudy(what, "Give it in one of the two places.")
    return typed
