"""Every page's main job, done by clicks on a real short training."""

import shutil
from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QMessageBox

from hyperpilot.gui import processes
from hyperpilot.gui.models import training as trainings
from hyperpilot.gui.pages import environments

LONG = 60_000

OWN = """
import os, time
import gymnasium, numpy as np

class Corridor(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        return np.zeros(3, np.float32), {}

    def step(self, action):
        return np.zeros(3, np.float32), 1.0, False, False, {}

    def render(self):
        return np.full((40, 60, 3), 200, np.uint8)

class Deadly(Corridor):
    def __init__(self):
        os._exit(3)

class Endless(Corridor):
    def __init__(self):
        time.sleep(3600)
"""


def press(qtbot, button):
    """Clicks a button that can be clicked."""
    assert button.isEnabled() and not button.isHidden(), button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def texts(part):
    """What the labels of a part say."""
    return [each.text() for each in part.findChildren(QLabel)]


def test_environments_are_searched_looked_at_and_chosen(show, qtbot, here, monkeypatch):
    (here / "own.py").write_text(OWN)
    page = show().environments
    page.host.turn_to(page)
    qtbot.waitUntil(lambda: len(page.entries) > 50, timeout=LONG)
    qtbot.keyClicks(page.search, "cartp clas")
    family = page.tree.model().index(0, 0)
    assert family.data() == "Classic control" and page.tree.model().rowCount(family) >= 2
    page.tree.setCurrentIndex(page.tree.model().index(1, 0, family))
    assert page.chosen == "CartPole-v1"
    qtbot.waitUntil(lambda: page.picture.image is not None, timeout=LONG)
    assert ("Actions", "Discrete(2)") in page.about.rows
    page.choose("Ant-v5")
    missing = next(entry for entry in page.entries if entry.id == "Ant-v5")
    assert missing.available or (missing.needs in page.missing.text() and not page.to_train.isEnabled())
    qtbot.keyClicks(page.own, "own:Corridor")
    qtbot.keyClick(page.own, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: ("From", "own.Corridor") in page.about.rows, timeout=LONG)
    assert page.picture.image.width() == 60
    page.choose("own:Deadly")  # ends its own process, and nothing else
    qtbot.waitUntil(lambda: bool(page.missing.text()), timeout=LONG)
    monkeypatch.setattr(environments, "_LIMIT_S", 1)
    page.choose("own:Endless")
    qtbot.waitUntil(lambda: "no answer" in page.missing.text(), timeout=LONG)
    page.choose("CartPole-v1")
    press(qtbot, page.to_train)
    assert page.host.train.env.text() == "CartPole-v1" and page.host.stack.currentWidget() is page.host.train


def test_a_training_is_started_held_on_stopped_and_continued(show, qtbot, here):
    window = show()
    page = window.train
    window.turn_to(page)
    page.algorithm.setCurrentText("ppo")
    for editor, text in ((page.steps, "1024"), (page.folder, "runs/first"), (page.env, "CartPole-v1")):
        editor.clear()
        qtbot.keyClicks(editor, text)
    page.hyper.set_text("n_steps", "-4")
    assert not page.start.isEnabled() and "n_steps has to be above 0" in page.wrong.text()
    page.hyper.set_text("n_steps", "64")
    page.hyper.set_text("n_epochs", "1")
    assert page.start.isEnabled() and page.iterations.value() == 16
    page.evaluations.setValue(4)
    page.log.setValue(2)
    press(qtbot, page.start)
    progress, folder = page.progress, here / "runs" / "first"
    qtbot.waitUntil(lambda: bool(progress.training and progress.training.returns.get("evaluation")), timeout=LONG)
    press(qtbot, progress.pause)
    qtbot.waitUntil(lambda: progress.training.state == "paused", timeout=LONG)
    press(qtbot, progress.go_on)
    qtbot.waitUntil(lambda: progress.training.state in ("running", "finished"), timeout=LONG)
    if progress.training.state == "running":
        press(qtbot, progress.stop)
        qtbot.waitUntil(lambda: progress.training.state in ("stopped", "finished"), timeout=LONG)
    if progress.training.state == "stopped":
        press(qtbot, progress.go_on)
    qtbot.waitUntil(lambda: progress.training.state == "finished", timeout=LONG)
    drawn = {name: dict(plot.drawn) for name, plot in progress.plots.items()}
    assert len(drawn["return"]["evaluation"][0]) == 4 and drawn["return"]["evaluation"][0][-1] == 1024
    assert "loss" in drawn["loss"] and drawn["entropy"]
    assert trainings.read(folder).about["config"]["n_steps"] == 64
    assert not window.notice.text


def test_a_training_that_cannot_begin_says_why(show, qtbot, here):
    window = show()
    page = window.train
    window.turn_to(page)
    page.env.setText("NoSuchPole-v1")
    page.folder.setText("runs/none")
    press(qtbot, page.start)
    qtbot.waitUntil(lambda: "There is no environment" in window.notice.text, timeout=LONG)


def test_agents_are_watched_stepped_and_filmed_and_foreign_ones_only_with_trust(show, qtbot, here, monkeypatch):
    window = show()
    page = window.watch_page
    window.watch(here / "runs" / "first")
    stage = page.stages[0]
    assert page.checkpoint.count() == 4
    qtbot.waitUntil(lambda: stage.ready, timeout=LONG)
    film = here / "film.gif"
    page.record_to(film)
    qtbot.waitUntil(lambda: stage.ready, timeout=LONG)
    press(qtbot, page.one_step)
    qtbot.waitUntil(lambda: stage.ready and stage.steps == 1, timeout=LONG)
    shown = dict(stage.about.rows)
    assert shown["Action"] in ("0", "1") and shown["Value it expects"] != "–" and stage.picture.image.width() == 600
    page.speed.setValue(page.speed.maximum())
    press(qtbot, page.play)
    qtbot.waitUntil(lambda: stage.steps >= 8, timeout=LONG)
    press(qtbot, page.play)
    qtbot.waitUntil(lambda: stage.ready, timeout=LONG)
    page._record()
    qtbot.waitUntil(lambda: stage.ready and film.exists() and film.stat().st_size > 1000, timeout=LONG)
    seed = page.seed.value()
    press(qtbot, page.next)
    qtbot.waitUntil(lambda: stage.ready and stage.steps == 0, timeout=LONG)
    assert page.seed.value() == seed + 1

    # A file of unknown origin is opened only by who trusts it.
    found = next((here / "runs" / "first").rglob("model.zip"))
    foreign = here / "downloads" / "agent.zip"
    foreign.parent.mkdir(exist_ok=True)
    shutil.copy(found, foreign)
    asked = []

    def answer(role):
        def exec_(box):
            asked.append(box.informativeText())
            chosen = next(each for each in box.buttons() if box.buttonRole(each) == role)
            monkeypatch.setattr(QMessageBox, "clickedButton", lambda _box: chosen)

        monkeypatch.setattr(QMessageBox, "exec_", exec_)

    answer(QMessageBox.ButtonRole.RejectRole)
    page.path.setText(str(foreign))
    page.env.setText("CartPole-v1")
    page.algo.setCurrentText("ppo")
    press(qtbot, page.load_one)
    qtbot.waitUntil(lambda: bool(asked), timeout=LONG)
    assert "pickles" in asked[0] and not stage.agent
    answer(QMessageBox.ButtonRole.AcceptRole)
    press(qtbot, page.load_one)
    qtbot.waitUntil(lambda: stage.ready, timeout=LONG)
    (here / "downloads" / "notes.zip").write_text("no agent at all")
    page.path.setText(str(here / "downloads" / "notes.zip"))
    press(qtbot, page.load_one)
    qtbot.waitUntil(lambda: "cannot be loaded" in window.notice.text, timeout=LONG)


def test_a_study_goes_on_when_the_window_closes_and_is_found_again(show, qtbot, here):
    window = show()
    page = window.tune
    window.tune_in("CartPole-v1")
    setup = page.setup
    setup.algorithms.setCurrentText("ppo")
    for editor, text in ((setup.steps, "3600"), (setup.horizon, "400"), (setup.folder, "studies/small")):
        editor.clear()
        qtbot.keyClicks(editor, text)
    setup.space.change("learning_rate", text="5e-3..1e-3")
    assert not setup.start.isEnabled() and "empty" in setup.wrong.text()
    setup.space.change("learning_rate", text="1e-4..1e-2")
    setup.space.change("gamma", use="fix", text="0.98")
    setup.strategy.setCurrentText("random")
    setup.schedule.setCurrentText("full")
    setup.evaluations.setValue(2)
    press(qtbot, setup.start)
    live = page.live[0]
    qtbot.waitUntil(lambda: live.snapshot is not None and len(live.snapshot.rows) >= 3, timeout=LONG)
    folder = here / "studies" / "small"
    launch = processes.found(folder)
    window.close()
    assert processes.alive(launch), processes.said(folder)

    again = show()
    assert again.stack.currentWidget() is again.tune and [each.folder for each in again.tune.live] == [folder.resolve()]
    live = again.tune.live[0]
    qtbot.waitUntil(lambda: live.snapshot is not None, timeout=LONG)
    if live.snapshot.state == "running":
        press(qtbot, live.stop)
        qtbot.waitUntil(lambda: live.snapshot.state in ("stopped", "finished"), timeout=LONG)
    if live.snapshot.state == "stopped":
        press(qtbot, live.resume)
    qtbot.waitUntil(lambda: live.snapshot.state == "finished", timeout=2 * LONG)
    study = live.snapshot.record.study
    assert study.fix == {"gamma": 0.98} and study.space == {"learning_rate": "1e-4..1e-2:log"}
    assert live.table.rows.rowCount() == len(live.snapshot.rows) >= 3
    live.table.selectRow(1)
    assert "trial 1" in live.curves.drawn or live.snapshot.best.trial == 1
    assert any(name.startswith("Winner") for name, _ in live.standing.rows)


def test_trials_are_compared(show, qtbot, here):
    window = show(here / "studies" / "small")
    live = window.tune.live[0]
    qtbot.waitUntil(lambda: live.snapshot is not None, timeout=LONG)
    live.table.selectAll()
    live.table.clearSelection()
    for place in (0, 1):
        live.table.selectionModel().select(
            live.table.model().index(place, 0),
            live.table.selectionModel().SelectionFlag.Select | live.table.selectionModel().SelectionFlag.Rows,
        )
    press(qtbot, live._to_compare)
    page = window.compare_page
    qtbot.waitUntil(lambda: page.found is not None, timeout=LONG)
    assert [each.name for each in page.found.sides] == ["trial 0 (default)", "trial 1"]
    differ = {row[0] for row, marked in zip(page.found.configs, page.found.marked, strict=True) if marked}
    assert "learning_rate" in differ and "gamma" not in differ
    assert set(page.curves.drawn) == {"trial 0 (default)", "trial 1"}
    assert page.statistics.rowCount() == 2
    page.tabs.setCurrentWidget(page.report)
    assert "What was tuned" in texts(page.report)  # the words at once, the figures as soon as they are drawn
    sheet = page.report.sheet
    qtbot.waitUntil(lambda: bool(sheet.figures) and all(each.loaded for each in sheet.figures), timeout=LONG)
    assert {"Learning curves", "Budget"} <= set(texts(page.report))
    assert page.report.anew.isEnabled() and "evaluations" in page.report.about.text()


def test_what_is_there_is_listed(show, qtbot, here):
    window = show()
    page = window.studies
    window.turn_to(page)
    qtbot.waitUntil(lambda: {"small", "first"} <= {item.folder.name for item in page.items.items}, timeout=LONG)
    small = next(k for k, item in enumerate(page.items.items) if item.folder.name == "small")
    assert page.items.items[small].state == "finished"
    page.table.selectRow(small)
    press(qtbot, page.open)
    assert window.stack.currentWidget() is window.tune and window.tune.live[0].folder.name == "small"


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_the_theme_is_remembered(show, mode):
    window = show()
    window._choose_theme(mode)
    window.close()
    again = show()
    assert again.theme.mode == mode
    assert Path(again.settings._store.fileName()).name == "window.ini"
