"""A new study: what is searched, with which budget, and what it would do before it is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from hyperpilot.errors import HyperPilotError
from hyperpilot.gui import processes
from hyperpilot.gui.asking import Question
from hyperpilot.gui.models import plugins, ranges
from hyperpilot.gui.models.commands import TuneForm, free_folder
from hyperpilot.gui.models.words import duration, fault, steps
from hyperpilot.gui.pages.page import Host
from hyperpilot.gui.widgets.parts import (
    Card,
    beside,
    button,
    combo,
    field_label,
    form,
    label,
    padded,
    row,
    scrolled,
    spin,
)
from hyperpilot.gui.widgets.space_editor import SpaceEditor
from hyperpilot.runtime.named import as_text, named

_TIPS = {
    "Environment": "An id as CartPole-v1, or module:Class.",
    "Algorithms": "One, or several that share the budget: ppo,a2c,dqn.",
    "Budget": "Environment steps to spend, the test included; or hours, which a short timing turns into steps.",
    "Horizon": "Environment steps of a full training.",
    "Workers": "Trainings at once; one for each core.",
    "Strategy": "How configurations are proposed.",
    "Schedule": "How steps are spent over trials.",
    "Surrogate": "The model of the scores.",
    "Evaluations": "How often a training is evaluated over the horizon.",
    "Objective": "What is maximised: return, iqm, cvar, ... or a sum: iqm:1,cvar:0.5.",
    "Seed": "Of every random number of the search.",
    "Trainer": "What trains: Stable-Baselines3, JAX for many quick trainings in a few environments, or RLlib.",
    "Further options": "As they are typed after `hyperpilot tune`: --test-share 0.2 --eval-episodes 10 --device cuda.",
    "Folder": "Where the study is kept; empty takes a new one below studies.",
}


class Setup(QWidget):
    """The first tab of the page Tune; `started` carries the folder of a study that was started."""

    started = Signal(object)

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.host = host
        self._plan = Question(self)
        self._plan.answered.connect(self._planned)
        self._plan.failed.connect(self._not_planned)
        self._shown_for = ""
        self._build()
        self._restore()

    def _build(self) -> None:
        left = Card()
        inner = QWidget()
        inner_layout = QVBoxLayout(inner)
        inner_layout.setContentsMargins(0, 0, 10, 0)
        inner_layout.addLayout(self._what())
        inner_layout.addStretch(1)
        left.add(scrolled(inner), 1)
        self.wrong = label("", "fault", wrap=True)
        self.plan_words = label("", "soft", wrap=True)
        self.plan_words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plan = button("Forecast", self._ask_plan, tip="Times short trainings and says what the study would do")
        self.start = button("Start", self._start, main=True, tip="Tune in a process of its own", keys="Ctrl+Return")
        for part in (self.plan_words, self.wrong):
            left.add(part)
        left.add(row(self.plan, 1, self.start))
        right = Card()
        reset = button("As it was", self._reset, tip="Take back all changes")
        right.add(row(label("Search space", "heading"), 1, reset))
        self.space = SpaceEditor()
        self.space.edited.connect(self._check)
        self.rules = label("", "soft", wrap=True)
        right.add(label("Double-click to change: 1e-5..1e-2 is a range, 0.9|0.99 a list of values.", "soft", wrap=True))
        right.add(self.space, 1)
        right.add(self.rules)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(beside(left, right, sizes=(310, 770)))

    def _what(self) -> Any:
        self.env, self.algorithms = QLineEdit(), combo(plugins.trainable(), "ppo", editable=True)
        self.steps, self.hours = QLineEdit("2M"), padded(QDoubleSpinBox())
        self.hours.setRange(0.05, 10_000)
        self.hours.setValue(1.0)
        self.hours.setSuffix(" h")
        self.unit = combo(["steps", "hours"])
        self.unit.setMinimumContentsLength(5)
        self.amount = QStackedWidget()
        self.amount.addWidget(self.steps)
        self.amount.addWidget(self.hours)
        self.amount.setMaximumHeight(self.steps.sizeHint().height() + 4)
        self.unit.currentIndexChanged.connect(self.amount.setCurrentIndex)
        self.horizon = QLineEdit("100k")
        self.workers, self.seed, self.evaluations = spin(1, 4096), spin(0, 499_999), spin(1, 10_000, 20)
        self.strategy = combo(plugins.names("strategies"), "bayes")
        self.schedule = combo(plugins.names("schedules"), "racing")
        self.surrogate = combo(plugins.names("surrogates"), "bnn")
        self.trainer = combo(plugins.trainers(), "sb3")
        self.objective, self.folder, self.more = QLineEdit("return"), QLineEdit(), QLineEdit()
        self.more.setPlaceholderText("--test-share 0.2")
        self.folder.setPlaceholderText("a new one below studies")
        fields: dict[str, QWidget] = {
            "Environment": self.env,
            "Algorithms": self.algorithms,
            "Budget": row(self.amount, self.unit),
            "Horizon": self.horizon,
            "Workers": self.workers,
            "Strategy": self.strategy,
            "Schedule": self.schedule,
            "Surrogate": self.surrogate,
            "Evaluations": self.evaluations,
            "Objective": self.objective,
            "Seed": self.seed,
            "Trainer": self.trainer,
            "Further options": self.more,
            "Folder": self.folder,
        }
        layout = form()
        for name, field in fields.items():
            layout.addRow(field_label(name, _TIPS[name], self.steps if name == "Budget" else field), field)
        for edit in (self.env, self.steps, self.horizon, self.objective, self.more):
            edit.textChanged.connect(lambda _text: self._check())
        self.algorithms.currentTextChanged.connect(lambda _text: self._check())
        self.unit.currentIndexChanged.connect(lambda _at: self._check())
        self.strategy.currentTextChanged.connect(lambda _text: self._check())
        return layout

    def choose_env(self, env: str) -> None:
        self.env.setText(env)
        self.env.setFocus()

    def finish(self) -> None:
        self._plan.drop()
        kept = {
            "env": self.env.text(),
            "algorithms": self.algorithms.currentText(),
            "steps": self.steps.text(),
            "hours": self.hours.value(),
            "unit": self.unit.currentText(),
            "horizon": self.horizon.text(),
            "workers": self.workers.value(),
            "strategy": self.strategy.currentText(),
            "schedule": self.schedule.currentText(),
            "surrogate": self.surrogate.currentText(),
            "objective": self.objective.text(),
            "trainer": self.trainer.currentText(),
            "more": self.more.text(),
            "seed": self.seed.value(),
            "evaluations": self.evaluations.value(),
            "space": ranges.kept(self.space.rows),
        }
        self.host.settings.keep_form("tune", kept)

    @property
    def form(self) -> TuneForm:
        """What the fields say."""
        return TuneForm(
            algorithms=as_text(self.algorithms.currentText()),
            env=self.env.text().strip(),
            total_steps=self.steps.text(),
            hours=self.hours.value() if self.unit.currentText() == "hours" else 0.0,
            horizon=self.horizon.text(),
            workers=self.workers.value(),
            strategy=self.strategy.currentText(),
            schedule=self.schedule.currentText(),
            surrogate=self.surrogate.currentText(),
            objective=self.objective.text().strip() or "return",
            evaluations=self.evaluations.value(),
            seed=self.seed.value(),
            trainer=self.trainer.currentText(),
            more=self.more.text(),
            space=ranges.words(self.space.rows),
        )

    def _restore(self) -> None:
        kept = self.host.settings.form("tune")
        self.env.setText(str(kept.get("env", "CartPole-v1")))
        for edit, name in (
            (self.steps, "steps"),
            (self.horizon, "horizon"),
            (self.objective, "objective"),
            (self.more, "more"),
        ):
            edit.setText(str(kept.get(name, edit.text())))
        for box, name in (
            (self.algorithms, "algorithms"),
            (self.unit, "unit"),
            (self.strategy, "strategy"),
            (self.schedule, "schedule"),
            (self.surrogate, "surrogate"),
            (self.trainer, "trainer"),
        ):
            box.setCurrentText(str(kept.get(name, box.currentText())))
        self.hours.setValue(float(kept.get("hours", 1.0)))
        self.workers.setValue(int(kept.get("workers", 1)))
        self.seed.setValue(int(kept.get("seed", 0)))
        self.evaluations.setValue(int(kept.get("evaluations", 20)))
        self._check()
        if kept.get("space"):
            self.space.show_rows(ranges.restored(self.space.rows, kept["space"]))

    def _reset(self) -> None:
        self._shown_for = ""
        self._check()

    def _check(self) -> None:
        said = self._algorithms_fault() or self.space.wrong
        if not self.env.text().strip():
            said = said or "Name an environment."
        try:
            self.form.words(Path("."))
        except HyperPilotError as error:
            said = said or fault(error)[0]
        self.schedule.setEnabled("pbt" not in self.strategy.currentText())
        self.wrong.setText(said)
        self.wrong.setVisible(bool(said))
        self.start.setEnabled(not said)
        self.plan.setEnabled(not said and not self._plan.busy)

    def _algorithms_fault(self) -> str:
        """What is wrong with the algorithms; shows their space where nothing is."""
        text = as_text(self.algorithms.currentText())
        try:
            algorithms = named(text)
        except HyperPilotError as error:
            return fault(error)[0]
        if self._shown_for != text:
            self._shown_for = text
            self.space.show_rows(ranges.rows(algorithms))
            rules = dict.fromkeys(rule.text for each in algorithms for rule in each.constraints)
            self.rules.setText("Rules:  " + ";  ".join(rules) if rules else "")
        return ""

    def _ask_plan(self) -> None:
        self.plan_words.setText("Timing short trainings …")
        self._plan.command(self.form.words(None), 900)
        self.plan.setEnabled(False)

    def _planned(self, found: Any) -> None:
        self.plan.setEnabled(True)
        took = found["seconds"]
        longest = found["seconds_long"] or 0.0
        said = [
            f"{steps(found['total_steps'])} steps: {found['trials']:,} trials, "
            f"then {_count(found['finalists'], 'finalist')} and the default on {_count(found['test_seeds'], 'unseen seed')} each."
        ]
        if took is not None:
            said.append(
                f"About {duration(took)}"
                + (f", or {duration(longest)} if episodes grow long" if longest > 1.2 * took else "")
            )
        warnings = [line.partition("warning")[2].strip() for line in found["words"].splitlines() if "warning " in line]
        said += [warning[:1].upper() + warning[1:] + "." for warning in warnings]
        self.plan_words.setText("\n".join(said))

    def _not_planned(self, words: str, details: str) -> None:
        self.plan.setEnabled(True)
        self.plan_words.setText("")
        self.host.say(words, details)

    def _start(self) -> None:
        asked = self.form
        typed = self.folder.text().strip()
        root = self.host.here / "studies"
        folder = self.host.here / typed if typed else free_folder(root, asked.algorithms, asked.env)
        if (folder / "study.yaml").exists() or processes.alive(processes.found(folder)):
            self.host.say(f"{folder} holds a study already. Name another folder, or open that one.")
            return
        try:
            processes.launch(asked.words(folder), folder)
        except (HyperPilotError, OSError) as error:
            self.host.say(*fault(error))
            return
        self.host.say("")
        self.started.emit(folder)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("s" if n != 1 else "")
