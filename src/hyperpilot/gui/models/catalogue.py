"""The registered environments as a tree of families, and what a search of them keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TITLES = {
    "classic_control": "Classic control",
    "box2d": "Box2D",
    "mujoco": "MuJoCo",
    "toy_text": "Toy text",
    "phys2d": "Classic control in JAX",
    "tabular": "Toy text in JAX",
    "ale_py": "Atari",
    "minigrid": "MiniGrid",
    "other": "Older interfaces",
}


@dataclass(frozen=True, slots=True)
class Known:
    """A registered environment.

    Args:
        id: its id.
        family: what it belongs to.
        available: whether what it needs is installed.
        needs: what would install that; empty where nothing is missing.
    """

    id: str
    family: str
    available: bool
    needs: str


def known(answer: Iterable[Mapping[str, Any]]) -> tuple[Known, ...]:
    """The environments of what `hyperpilot envs --json` has printed."""
    return tuple(Known(each["id"], each["family"], each["available"], each["needs"]) for each in answer)


def tree(entries: Sequence[Known], searched: str = "", installed: bool = False) -> dict[str, list[Known]]:
    """Families with their environments, those with installed ones first.

    Args:
        entries: all of them.
        searched: words that the id or the family has to contain, all of them, in whatever case.
        installed: whether only what is installed is kept.
    """
    words = searched.lower().split()
    found: dict[str, list[Known]] = {}
    for entry in entries:
        text = f"{entry.id} {entry.family} {title(entry.family)}".lower()
        if all(word in text for word in words) and (entry.available or not installed):
            found.setdefault(entry.family, []).append(entry)
    return dict(sorted(found.items(), key=lambda item: (not any(e.available for e in item[1]), title(item[0]).lower())))


def title(family: str) -> str:
    """The name of a family for people."""
    return TITLES.get(family, family.replace("_", " ").capitalize())


def facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a look at one environment has brought, as names and texts."""
    rows = [("Observations", found.get("observations")), ("Actions", found.get("actions"))]
    limit, threshold = found.get("steps"), found.get("solved")
    rows += [
        ("Episode ends after", f"{limit:,} steps" if limit else None),
        ("Counts as solved from", f"a return of {threshold:g}" if threshold is not None else None),
        ("Algorithms", ", ".join(found.get("algorithms", ())) or found.get("unfit")),
        ("From", found.get("source")),
    ]
    return [(name, str(text)) for name, text in rows if text]
