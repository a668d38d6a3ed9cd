"""Keeps the results of an arena run as the reference: `python benchmarks/reference.py RESULTS`.

Writes `benchmarks/results/arena.csv` (the quoted units, with the version of whatever each method comes from and the date)
and the pictures of docs/arena.md.
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from hyperpilot.arena.pipe import peer_methods
from hyperpilot.arena.summary import quoted

HERE = Path(__file__).resolve().parent
PACKAGES = {
    "optuna_peer": "optuna",
    "smac_peer": "smac",
    "dehb_peer": "dehb",
    "neps_peer": "neural-pipeline-search",
    "syne_tune_peer": "syne-tune",
    "hebo_peer": "HEBO",
    "ax_peer": "ax-platform",
}


def versions() -> dict[str, str]:
    """What each peer's method comes from, with its pinned version."""
    found = {}
    for method, peer in peer_methods(HERE / "peers").items():
        pins = (HERE / "peers" / "requirements" / f"{peer}.txt").read_text()
        pin = re.search(rf"^{re.escape(PACKAGES[peer])}(\[.*\])?==(\S+)", pins, re.MULTILINE | re.IGNORECASE)
        if pin is None:
            raise ValueError(f"requirements/{peer}.txt does not pin {PACKAGES[peer]}")
        found[method] = f"{PACKAGES[peer]} {pin[2]}"
    return found


def main(results: Path) -> None:
    """Writes the reference and the pictures."""
    theirs, ours = versions(), f"hyperpilot-rl {version('hyperpilot-rl')}"
    with (results / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    units = {str(unit) for unit in quoted(max(int(row["units"]) for row in rows))}
    (HERE / "results").mkdir(exist_ok=True)
    with (HERE / "results" / "arena.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["version", "date", *rows[0]])
        writer.writeheader()
        for row in rows:
            if row["units"] in units:
                made = {"version": theirs.get(row["method"], ours), "date": date.today().isoformat()}
                writer.writerow({**made, **row})
    pictures = HERE.parent / "docs" / "arena"
    pictures.mkdir(exist_ok=True)
    for path in results.glob("*.png"):
        shutil.copyfile(path, pictures / path.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
