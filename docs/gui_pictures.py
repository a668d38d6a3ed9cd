"""Draws the pictures of docs/gui.md: a real window on a real screen, with a training and a study that it has started itself.

    xvfb-run -s '-screen 0 1280x900x24' python docs/gui_pictures.py [FOLDER]

Trains for some minutes on two cores; with a FOLDER, what was trained there before is taken up. Needs the extras gui, sb3 and
video, and the fonts that a desktop has.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QWidget

from hyperpilot.gui.app import open_window
from hyperpilot.gui.window import Window

OUT = Path(__file__).parent / "gui"
PATIENCE_S = 900


def wait(seconds: float) -> None:
    """Lets the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec_()


def until(holds: Callable[[], object]) -> None:
    """Lets it live until something holds."""
    for _ in range(PATIENCE_S * 5):
        if holds():
            return
        wait(0.2)
    raise TimeoutError("the window did not come that far")


def shoot(window: QWidget, name: str) -> None:
    """Keeps what the window shows, in 256 colours, which makes a third of the file and no difference to the eye."""
    wait(0.6)
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.png"
    window.grab().save(str(path))
    few = Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(path, path.stat().st_size)


def environments(window: Window) -> None:
    page = window.environments
    window.turn_to(page)
    until(lambda: page.entries)
    page.choose("LunarLander-v3")
    until(lambda: page.picture.image is not None)
    shoot(window, "environments")


def train(window: Window) -> None:
    page = window.train
    window.turn_to(page)
    page.env.setText("CartPole-v1")
    page.steps.setText("20000")
    for name, value in {"learning_rate": "0.001", "n_envs": "4", "n_steps": "256", "ent_coef": "0.01"}.items():
        page.hyper.set_text(name, value)
    folder = window.here / "runs" / "cartpole"
    page.folder.setText("runs/cartpole")
    if folder.exists():
        page.open(folder)
    else:
        page.start.click()
    until(lambda: page.progress.training and page.progress.training.state == "finished")
    shoot(window, "train")


def tune(window: Window) -> None:
    window.tune_in("CartPole-v1")
    setup = window.tune.setup
    setup.steps.setText("400k")
    setup.horizon.setText("10k")
    setup.evaluations.setValue(10)
    setup.space.change("learning_rate", text="1e-4..1e-2")
    setup.space.change("gamma", use="fix", text="0.99")
    setup.folder.setText("studies/cartpole")
    shoot(window, "tune")
    folder = window.here / "studies" / "cartpole"
    if folder.exists():
        window.open_folder(folder)
    else:
        setup.start.click()
    live = window.tune.live[0]
    until(lambda: live.snapshot and len(live.snapshot.rows) > 24)
    until(lambda: live._levels)
    open_end = [row for row in live.snapshot.rows if row.state == "paused" and row.step >= 4000]
    if open_end:
        trial = max(open_end, key=lambda row: (row.score or 0, row.trial)).trial
        live.table.selectRow(live.table.rows.place_of(trial))
        live.forecast.setChecked(True)
        until(lambda: live._bands or "asking" not in live.forecast_words.text())
    shoot(window, "study")
    window.compare(folder, [row.trial for row in (live.snapshot.best, live.snapshot.rows[0]) if row])
    page = window.compare_page
    until(lambda: page.found)
    shoot(window, "compare")
    page.tabs.setCurrentIndex(1)
    shoot(window, "compare-configurations")
    page.tabs.setCurrentWidget(page.report)
    sheet = page.report.sheet
    until(lambda: sheet.figures and all(figure.loaded for figure in sheet.figures))
    slices = next(figure for figure in sheet.figures if figure.accessibleName() == "Slices")
    sheet.bar.setValue(slices.y() - 40)
    shoot(window, "compare-report")


def watch(window: Window) -> None:
    page = window.watch_page
    window.watch(window.here / "runs" / "cartpole")
    until(lambda: page.stages[0].ready)
    page.checkpoint.setCurrentIndex(page.checkpoint.count() - 1)
    page.load_other.click()
    until(lambda: page.stages[1].ready)
    page.speed.setValue(page.speed.maximum())
    page.play.click()
    until(lambda: page.stages[1].done or page.stages[0].steps > 60)
    page.play.click()
    until(lambda: all(stage.ready for stage in page.stages))
    shoot(window, "watch")


def main() -> None:
    here = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    here.mkdir(exist_ok=True)
    window = open_window(here.resolve(), settings=here / "window.ini")
    window._choose_theme("light")
    environments(window)
    train(window)
    watch(window)
    tune(window)
    window.turn_to(window.studies)
    until(lambda: len(window.studies.items.items) > 1)
    shoot(window, "studies")
    window._choose_theme("dark")
    window.turn_to(window.tune)
    shoot(window, "study-dark")
    window.close()


if __name__ == "__main__":
    main()
