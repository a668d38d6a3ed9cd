"""A study while it runs and afterwards: curves with forecasts, the best beside the default, and the table of trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QProgressBar, QVBoxLayout, QWidget

from hyperpilot.gui import processes, watcher
from hyperpilot.gui.asking import Question
from hyperpilot.gui.board import Board
from hyperpilot.gui.models import study as studies
from hyperpilot.gui.models.words import number
from hyperpilot.gui.pages.page import Host
from hyperpilot.gui.report_page import ReportPage
from hyperpilot.gui.theme import Colours
from hyperpilot.gui.widgets.curves import Band, Curve, Curves
from hyperpilot.gui.widgets.parts import Card, Facts, beside, button, label, row, scrolled
from hyperpilot.gui.widgets.table import TrialTable


class Live(QWidget):
    """One study; `changed` carries each new snapshot."""

    changed = Signal(object)

    def __init__(self, host: Host, folder: Path) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.host, self.folder = host, folder
        self.snapshot: studies.Snapshot | None = None
        self.trial: int | None = None
        self._bands: dict[int, Band] = {}
        self._levels: dict[str, float] = {}
        self._asked_of: tuple[int, int] | None = None
        self._forecast, self._published = Question(self), Question(self)
        self._report = ReportPage(self)
        self._forecast.answered.connect(self._forecasted)
        self._forecast.failed.connect(self._not_forecasted)
        self._published.answered.connect(self._compared)
        self._report.failed.connect(host.say)
        self._report.ended.connect(self._reported)
        self._board = Board(self)
        self._board.failed.connect(host.say)
        self._build()
        self._watcher = watcher.of_study(folder, self)
        self._watcher.seen.connect(self._seen)
        self._watcher.failed.connect(host.say)
        QTimer.singleShot(0, self._watcher.start)  # once the page is there: the fold would slow its making down

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self._head())
        plot = Card()
        self.curves = Curves()
        self.forecast = QCheckBox("Forecast the chosen trial")
        self.forecast.setToolTip("Asks the study's model how its training will go on; takes some seconds")
        self.forecast.toggled.connect(self._ask_forecast)
        self.forecast_words = label("", "soft")
        plot.add(self.curves, 1)
        plot.add(row(self.forecast, self.forecast_words, 1))
        side = Card("How it stands")
        self.standing = Facts(stacked=True)
        self.picked_name = label("", "heading", wrap=True)
        self.config = Facts()
        inner = QWidget()
        inner_layout = QVBoxLayout(inner)
        inner_layout.setContentsMargins(0, 0, 8, 0)
        inner_layout.setSpacing(10)
        for part in (self.standing, self.picked_name, self.config):
            inner_layout.addWidget(part)
        inner_layout.addStretch(1)
        side.add(scrolled(inner), 1)
        self.table = TrialTable()
        self.table.picked.connect(self.pick)
        lower = Card()
        lower.add(self.table, 1)
        lower.add(row(self._below(), 1, self._to_compare, self._to_watch))
        upper = beside(plot, side, sizes=(670, 370))
        layout.addWidget(beside(upper, lower, sizes=(400, 300), vertical=True), 1)

    def _head(self) -> QWidget:
        self.what = label(self.folder.name, "big")
        self.state = label("opening …", "soft")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.spent = label("", "soft")
        self.stop = button("Stop", self._stop, tip="End it; nothing that was evaluated is lost")
        self.resume = button("Resume", self._resume, main=True, tip="Go on where it was stopped")
        report = button("Report", self._open_report, tip="Write the HTML report and open it in the browser")
        board = button("TensorBoard", lambda: self._board.open(self.folder))
        holder = QWidget()
        holder.setObjectName("clear")
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(row(self.what, self.state, 1, report, board, self.stop, self.resume))
        column.addWidget(row(self.progress, self.spent, gap=12))
        self.stop.setVisible(False)
        self.resume.setVisible(False)
        return holder

    def _below(self) -> QWidget:
        self.summary = label("", "soft")
        self._to_watch = button("Watch", self._watch, tip="Play the chosen trial's agent")
        self._to_compare = button("Compare", self._compare, tip="Set the selected trials beside each other")
        return self.summary

    def pick(self, trial: int | None) -> None:
        """Marks a trial in the curves and shows its configuration."""
        self.trial = trial
        self._draw()
        self._ask_forecast()

    def recolour(self, colours: Colours) -> None:
        self.curves.recolour(colours)
        self._draw()

    def finish(self) -> None:
        """Ends what watches; the study goes on."""
        self._watcher.finish()
        for question in (self._forecast, self._published, self._report):
            question.drop()
        self._board.close()

    def _seen(self, snapshot: studies.Snapshot) -> None:
        first = self.snapshot is None
        ended = not first and self.snapshot is not None and self.snapshot.state != snapshot.state
        self.snapshot = snapshot
        self.table.show_rows(snapshot.rows, snapshot.names)
        self._show_head(snapshot)
        self._draw()
        if (first or ended) and snapshot.record.study.command is None:
            self._published.command(["compare", str(self.folder), "--json"])
        self.changed.emit(snapshot)

    def _show_head(self, snapshot: studies.Snapshot) -> None:
        study, facts, state = snapshot.record.study, snapshot.facts, snapshot.state
        self.what.setText(f"{study.algorithm.replace(',', ', ')} on {study.env}")
        self.state.setText(f"{self.folder.name}: {state}")
        used, total = facts["steps_used"], facts["steps_total"]
        self.progress.setValue(1000 if facts["finished"] else round(1000 * min(1.0, used / total)))
        self.spent.setText(f"{used:,} of {total:,} steps")
        failed = ", ".join(f"{count} {kind}" for kind, count in facts["failed"].items())
        trials = f"{facts['trials']} trials, {facts['reports']} evaluations, {facts['running']} running"
        self.summary.setText(trials + (f"; failed: {failed}" if failed else ""))
        ours = processes.alive(snapshot.launch)
        self.stop.setVisible(state == "running")
        self.resume.setVisible(state == "stopped")
        self.stop.setEnabled(ours)
        if not ours:
            self.stop.setToolTip("It was started elsewhere: Ctrl-C ends it there")
        if snapshot.fault:
            self.host.say(snapshot.fault, processes.said(self.folder))

    def _draw(self) -> None:
        snapshot = self.snapshot
        if snapshot is None:
            return
        best, default = snapshot.best, 0
        marked: dict[str, Curve] = {}
        chosen = [(best.trial, f"best so far, trial {best.trial}")] if best else []
        chosen += (
            [(self.trial, f"trial {self.trial}")] if self.trial not in (None, best.trial if best else None) else []
        )
        chosen += [(default, "default")] if default not in [trial for trial, _ in chosen] else []
        bands: dict[str, Band] = {}
        for trial, name in chosen:
            lines = snapshot.lines.get(trial or 0, [])
            if lines:
                marked[name] = max(lines, key=lambda line: len(line[0]))
                if self.forecast.isChecked() and trial in self._bands:
                    bands[name] = self._bands[trial]
        self.curves.draw(marked, snapshot.behind, bands, self._levels, dashed=["default"])
        self.standing.show_rows([*snapshot.standing, *self._published_rows()])
        self._show_config(snapshot)

    def _show_config(self, snapshot: studies.Snapshot) -> None:
        shown = self.trial if self.trial is not None else snapshot.best.trial if snapshot.best else None
        row_of = next((each for each in snapshot.rows if each.trial == shown), None)
        if row_of is None:
            return
        self.picked_name.setText(f"Trial {row_of.trial}, other than the default in bold")
        lines = studies.config_lines(snapshot, row_of)
        rows = [(name, f"{value}, not {default}" if other else value) for name, value, default, other in lines]
        self.config.show_rows(rows, [other for *_, other in lines])

    def _published_rows(self) -> list[tuple[str, str]]:
        return [(name, number(level)) for name, level in self._levels.items()]

    def _compared(self, answer: Any) -> None:
        found = studies.published(
            answer, [each.name for each in self.snapshot.record.algorithms] if self.snapshot else []
        )
        self._levels = {found[0]: found[1]} if found else {}
        self._draw()

    def _ask_forecast(self) -> None:
        snapshot = self.snapshot
        if not self.forecast.isChecked() or snapshot is None:
            self.forecast_words.setText("")
            self._draw()
            return
        trial = self.trial if self.trial is not None else snapshot.best.trial if snapshot.best else None
        step = next((each.step for each in snapshot.rows if each.trial == trial), 0)
        if trial is None or self._asked_of == (trial, step):
            return
        self._asked_of = (trial, step)
        self.forecast_words.setText(f"asking the model about trial {trial} …")
        self._forecast.command(["forecast", str(self.folder), str(trial), "--json"])

    def _forecasted(self, answer: Any) -> None:
        at = answer["forecast"]
        steps = [answer["step"], *(each["step"] for each in at)]
        low = [answer["score"], *(each["quantiles"][0] for each in at)]
        high = [answer["score"], *(each["quantiles"][-1] for each in at)]
        self._bands[answer["trial"]] = Band(steps, low, high)
        leads = answer["leads"]
        beats = "it leads" if leads is None else f"it ends above the leader with a probability of {leads:.0%}"
        end = at[-1]["quantiles"]
        self.forecast_words.setText(f"{number(end[0])} to {number(end[-1])} at the end (90%); {beats}")
        self._draw()

    def _not_forecasted(self, words: str, _details: str) -> None:
        self.forecast_words.setText(words)

    def _open_report(self) -> None:
        self.state.setText("writing the report …")
        self._report.open(self.folder)

    def _reported(self) -> None:
        if self.snapshot is not None:
            self._show_head(self.snapshot)

    def _stop(self) -> None:
        launch = processes.found(self.folder)
        if launch is not None and processes.alive(launch):
            processes.stop(self.folder, launch)
            self.state.setText("stopping …")

    def _resume(self) -> None:
        processes.launch(["resume", str(self.folder)], self.folder)
        self.state.setText("starting …")
        self.resume.setVisible(False)
        self._watcher.look_now()

    def _watch(self) -> None:
        self.host.watch(self.folder, self.trial)

    def _compare(self) -> None:
        chosen = self.table.chosen or [row.trial for row in self.snapshot.rows[:2]] if self.snapshot else []
        self.host.compare(self.folder, chosen)
