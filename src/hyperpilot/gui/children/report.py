"""Writes a study's report as pictures and prints its words: `python -m hyperpilot.gui.children.report STUDY FOLDER`.

A process of its own, as the study's model is fitted and the figures are drawn in it, which takes seconds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hyperpilot.errors import HyperPilotError
from hyperpilot.registry import missing_extra
from hyperpilot.reports.catalogue import SHOWN
from hyperpilot.reports.study import report

_DPI = 150
"""Twice what most screens show, which is what dense ones do."""


def told(study: Path, folder: Path) -> dict[str, Any]:
    """The report: its words, and its figures as files in a folder.

    Raises:
        InvalidStudy: there is none.
        MissingExtra: what draws the figures is not installed.
    """
    found = report(study)
    try:
        from hyperpilot.reports.paper import save

        paths = {path.stem: str(path) for path in save(found.figures, folder, "png", dpi=_DPI)}
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    return {
        "evaluations": found.history.reports,
        "words": [{"heading": each.heading, "sentences": each.sentences} for each in found.summary],
        "figures": [
            {"title": each.title, "caption": each.caption, "path": paths[each.name]}
            for each in SHOWN
            if each.name in paths
        ],
    }


def main() -> None:
    try:
        print("\n" + json.dumps(told(Path(sys.argv[1]), Path(sys.argv[2]))))
    except HyperPilotError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
