"""Keeps an arena run as the reference, and gives it back so that further methods can join it.

    python benchmarks/reference.py keep RESULTS      after `hyperpilot arena TABLES --out RESULTS`
    python benchmarks/reference.py unpack RESULTS    then `hyperpilot arena TABLES --methods MINE --out RESULTS`

`benchmarks/results` holds every contest (`contests.jsonl.xz`), what they were played on (`arena.json`), and the quoted units
with the version of whatever each method comes from and the date (`arena.csv`), the tables (`summary.md`); `docs/arena` the
pictures.
"""

from __future__ import annotations

import csv
import lzma
import re
import shutil
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from hyperpilot.arena.pipe import peer_methods
from hyperpilot.arena.summary import quoted

HERE = Path(__file__).resolve().parent
KEPT, PICTURES = HERE / "results", HERE.parent / "docs" / "arena"
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


def keep(results: Path) -> None:
    """Writes the reference and the pictures."""
    KEPT.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    (KEPT / "contests.jsonl.xz").write_bytes(lzma.compress((results / "contests.jsonl").read_bytes()))
    shutil.copyfile(results / "arena.json", KEPT / "arena.json")
    tables = [line for line in (results / "summary.md").read_text().splitlines() if not line.startswith("![")]
    (KEPT / "summary.md").write_text("\n".join(tables).rstrip() + "\n")
    for path in results.glob("*.png"):
        shutil.copyfile(path, PICTURES / path.name)
    theirs, ours = versions(), f"hyperpilot-rl {version('hyperpilot-rl')}"
    with (results / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    units = {str(unit) for unit in quoted(max(int(row["units"]) for row in rows))}
    with (KEPT / "arena.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["version", "date", *rows[0]])
        writer.writeheader()
        for row in rows:
            if row["units"] in units:
                made = {"version": theirs.get(row["method"], ours), "date": date.today().isoformat()}
                writer.writerow({**made, **row})


def unpack(results: Path) -> None:
    """Puts the kept contests into a folder that has none yet."""
    results.mkdir(parents=True, exist_ok=True)
    with (results / "contests.jsonl").open("xb") as file:
        file.write(lzma.decompress((KEPT / "contests.jsonl.xz").read_bytes()))
    shutil.copyfile(KEPT / "arena.json", results / "arena.json")


if __name__ == "__main__":
    {"keep": keep, "unpack": unpack}[sys.argv[1]](Path(sys.argv[2]))
