"""How a command is written: words in which names in braces stand for values.

    {learning_rate}   the value of a hyperparameter
    {flags}           every hyperparameter that no word names, as `--learning-rate 0.001`; a switch as `--name` or `--no-name`
    {config}          path of a JSON file with everything, which is the standard input as well
    {seed}, {until}, {horizon}
                      the training's seed, the step to train to now, and that of a full training
    {checkpoint}      a folder of the run's own that outlives the process: who has it in the command saves there and goes on

Braces that mean themselves are doubled. There is no shell: a word with a space in it stays one word.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter

from hyperpilot.errors import InvalidStudy
from hyperpilot.space import Config, Value
from hyperpilot.space.rules import suggestion

GIVEN = ("flags", "config", "seed", "until", "horizon", "checkpoint")
"""What a command can name besides hyperparameters."""


def words(command: str | Sequence[str]) -> list[str]:
    """The words of a command, which a text is split into as a shell would, without its expansions.

    Raises:
        InvalidStudy: there is none, or a quotation does not end.
    """
    try:
        found = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
    except ValueError as error:
        raise InvalidStudy(
            f"command: {command!r} cannot be split into words: {error}", "Close the quotation."
        ) from error
    if not found:
        raise InvalidStudy("command: it is empty", "Name the program, for example: python train.py {flags}")
    return found


def named_in(command: Iterable[str]) -> set[str]:
    """The names in braces.

    Raises:
        InvalidStudy: a brace is not closed, or there is more than a name between two of them.
    """
    return {name for word in command for _, name in _parts(word) if name}


def check_names(command: Sequence[str], hyperparameters: Iterable[str]) -> None:
    """Passes a command by which every hyperparameter reaches the program, and in which every name means something.

    Raises:
        InvalidStudy: naming the name and the mend.
    """
    known, named = set(hyperparameters), named_in(command)
    for name in sorted(known & set(GIVEN)):
        what = f"space: a hyperparameter of a command cannot be called {name}"
        raise InvalidStudy(what, f"In a command {{{name}}} means something else: choose another name.")
    for name in sorted(named - known - set(GIVEN)):
        raise InvalidStudy(f"command: {{{name}}} is no hyperparameter", suggestion(name, [*known, *GIVEN]))
    if "flags" in named and "{flags}" not in command:
        raise InvalidStudy("command: {flags} stands inside a word", "Make it a word of its own: it becomes several.")
    silent = sorted(known - named)
    if silent and named & known and not named & {"flags", "config"}:
        what = f"command: {silent[0]} is searched, and the program is not told"
        raise InvalidStudy(what, f"Write {{{silent[0]}}} where its value belongs, or {{flags}} for all that is left.")


def filled(command: Sequence[str], config: Config, given: Mapping[str, str | int]) -> list[str]:
    """The words that are run.

    Args:
        command: as it is written.
        config: the configuration; what is inactive in it is an empty text where it is named.
        given: values of `GIVEN`.
    """
    named = named_in(command)
    flags = [word for name, value in config.items() if name not in named for word in _flag(name, value)]
    values = {**{name: text(value) for name, value in config.items()}, **given}
    found: list[str] = []
    for word in command:
        if word == "{flags}":
            found += flags
        else:
            found.append("".join(literal + str(values.get(name, "") if name else "") for literal, name in _parts(word)))
    return found


def text(value: Value) -> str:
    """A value as programs read it."""
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def _flag(name: str, value: Value) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}={text(value)}"] if text(value).startswith("-") else [f"--{flag}", text(value)]


def _parts(word: str) -> list[tuple[str, str]]:
    """The text before each name of a word, and the name; empty after the last."""
    try:
        parts = list(Formatter().parse(word))
    except ValueError as error:
        raise InvalidStudy(
            f"command: {word!r}: {error}", "Braces that mean themselves are doubled: {{ and }}."
        ) from error
    for _, name, spec, conversion in parts:
        if name is not None and (spec or conversion or not name.isidentifier()):
            what = f"command: {word!r} has more than a name in braces"
            raise InvalidStudy(what, "Write {learning_rate}; braces that mean themselves are doubled: {{ and }}.")
    return [(literal, name or "") for literal, name, _, _ in parts]
