"""Keep what studies have learnt, and see what is kept: add, list, show, remove, export, import, collect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperpilot.experience import Source
    from hyperpilot.experience.store import ExperienceStore
    from hyperpilot.records import History

    Tell = Callable[[int, int, str], None]

verbs = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=__doc__)

_Folder = Annotated[Path | None, typer.Option("--store", help="Folder of the store; $HYPERPILOT_HOME/experience.")]


@verbs.command()
def add(
    study: Annotated[Path, typer.Argument(help="Folder of a study.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the folder's name if not given.")] = None,
    store: _Folder = None,
) -> None:
    """Keep what a study has learnt; later studies of its algorithm draw on it."""
    from hyperpilot.api import read_history
    from hyperpilot.runtime.experienced import sources_of
    from hyperpilot.runtime.study import Study

    sources = sources_of(Study.read(study), read_history(study), name or study.resolve().name)
    _store(store).add(sources)
    for source in sources:
        print(f"added {source.name}: {_words(source)}")


@verbs.command("list")
def list_(
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False, store: _Folder = None
) -> None:
    """List what is kept, and what came with the package."""
    from json import dumps

    from hyperpilot.cli._options import print_table
    from hyperpilot.runtime.experienced import shipped

    known = [(source, "yours") for source in _store(store).all()] + [(source, "shipped") for source in shipped()]
    if json:
        rows = [
            {"name": s.name, "algorithm": s.algorithm, "env": s.env, "trainings": s.runs, "from": w} for s, w in known
        ]
        print(dumps(rows, indent=2))
    elif not known:
        print(f"nothing in {_store(store).folder} yet; hyperpilot experience add STUDY")
    else:
        cells = [
            (s.name, s.algorithm, s.env, str(len(s.configs)), f"{s.runs:,}", str(s.about.get("date", "")), whose)
            for s, whose in known
        ]
        print_table(("name", "algorithm", "environment", "configurations", "trainings", "date", "from"), cells)


@verbs.command()
def show(
    name: Annotated[str, typer.Argument(help="Its name, or a file of experience.")], store: _Folder = None
) -> None:
    """Show one in full: its ranges, its best configurations, and where it is from."""
    from hyperpilot.experience.files import read

    sources = read(Path(name)) if name.endswith(".npz") else (_named(name, store),)
    print("\n\n".join(map(_shown, sources)))


@verbs.command()
def remove(name: Annotated[str, typer.Argument(help="Its name.")], store: _Folder = None) -> None:
    """Forget one. Studies that draw on it have a copy."""
    _store(store).remove(name)
    print(f"removed {name}")


@verbs.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write, name.npz.")],
    names: Annotated[list[str] | None, typer.Argument(help="Which; all of yours if none is named.")] = None,
    store: _Folder = None,
) -> None:
    """Write some to a file, for another machine or for --experience."""
    from hyperpilot.errors import InvalidExperience
    from hyperpilot.experience.files import write

    sources = [_named(name, store) for name in names] if names else list(_store(store).all())
    if not sources:
        raise InvalidExperience("there is nothing to export", "hyperpilot experience add STUDY")
    write(sources, file)
    print(f"{file}: {', '.join(source.name for source in sources)} ({file.stat().st_size:,} bytes)")


@verbs.command("import")
def import_(file: Annotated[Path, typer.Argument(help="A file of experience.")], store: _Folder = None) -> None:
    """Keep what a file holds."""
    from hyperpilot.experience.files import read

    for name in _store(store).add(read(file)):
        print(f"added {name}")


@verbs.command()
def collect(
    algorithm: Annotated[str, typer.Argument(help="For example ppo.")],
    envs: Annotated[list[str], typer.Argument(help="Gymnasium ids, or module:Class.")],
    out: Annotated[Path, typer.Option(help="Folder of the collection; what is there already is not trained again.")],
    configs: Annotated[int, typer.Option(help="Configurations for each environment, the default among them.")] = 200,
    seeds: Annotated[int, typer.Option(help="Trainings of a configuration.")] = 3,
    horizon: Annotated[str, typer.Option(help="Environment steps of a training.")] = "100k",
    evaluations: Annotated[int, typer.Option(help="Of a training, evenly spaced.")] = 20,
    eval_episodes: Annotated[int, typer.Option(help="Episodes of an evaluation.")] = 10,
    workers: Annotated[int, typer.Option(help="Trainings at once.")] = 1,
    trainer: Annotated[str, typer.Option(help="What trains.")] = "sb3",
    seed: Annotated[int, typer.Option(help="Seed of the configurations.")] = 0,
    space: Annotated[list[str] | None, typer.Option("--set", help="A range: learning_rate=1e-6..1e-1:log")] = None,
    fix: Annotated[list[str] | None, typer.Option(help="A value for all: gamma=0.99")] = None,
) -> None:
    """Train random configurations in environments, to make experience on purpose; OUT.npz holds what has been finished."""
    from hyperpilot.cli._options import fixed_values, parse_assignments, parse_steps, progress
    from hyperpilot.experience.files import write
    from hyperpilot.runtime.collecting import collect as run
    from hyperpilot.runtime.collecting import collection

    chosen = {"workers": workers, "trainer": trainer, "seed": seed, "evaluations": evaluations}
    chosen |= {"eval_episodes": eval_episodes, "space": parse_assignments(space or ()), "fix": fixed_values(fix or ())}
    studies = {env: collection(algorithm, env, parse_steps(horizon), configs, seeds, **chosen) for env in envs}
    known: list[Source] = []
    for env, study in studies.items():
        name = f"{algorithm}-{env}".replace(":", "-").replace("/", "-").replace(",", "-")
        with progress(f"{env}: trainings") as tell:

            def watch(history: History, executor: object, events: object, tell: Tell = tell) -> None:
                done = sum(run.state != "active" for run in history.search)
                tell(done, configs * seeds, "")

            known += run(study, out / name, configs, seeds, name, watch)
        file = out.with_name(f"{out.name}.npz")
        write(known, file)
        print(f"{file}: {', '.join(source.name for source in known)} ({file.stat().st_size:,} bytes)")


def _store(folder: Path | None) -> ExperienceStore:
    from hyperpilot.experience.store import ExperienceStore

    return ExperienceStore(folder)


def _named(name: str, folder: Path | None) -> Source:
    """A source of the store, or else one that came with the package."""
    from hyperpilot.runtime.experienced import shipped

    store = _store(folder)
    found = next((source for source in shipped() if source.name == name), None)
    return found if found is not None and name not in store.names() else store.get(name)


def _words(source: Source) -> str:
    return f"{source.runs:,} trainings of {len(source.configs)} configurations of {source.algorithm} on {source.env}"


def _shown(source: Source, best: int = 3) -> str:
    import numpy as np

    trial, t, promise = source.promises()
    order = np.lexsort((-promise, -t))[:best]
    lines = [f"{source.name}: {_words(source)}", "", "Ranges"]
    lines += [f"    {name}: {text}" for name, text in source.ranges.items()]
    lines += ["", "Best of the longest trainings"]
    for i in order:
        values = ", ".join(f"{key}={value}" for key, value in source.configs[trial[i]].items())
        lines.append(f"    {promise[i]:.4g} at {t[i]:.0%}: {values}")
    lines += ["", "Where it is from"]
    return "\n".join([*lines, *(f"    {key}: {value}" for key, value in source.about.items() if key != "fingerprint")])
