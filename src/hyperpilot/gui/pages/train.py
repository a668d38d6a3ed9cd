"""One configuration: chosen, started, watched while it trains, held on, stopped and continued."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from hyperpilot.cli._options import parse_steps
from hyperpilot.errors import HyperPilotError
from hyperpilot.gui import processes
from hyperpilot.gui.models import plugins
from hyperpilot.gui.models.commands import TrainForm, free_folder
from hyperpilot.gui.models.words import fault
from hyperpilot.gui.pages.page import Host, Page
from hyperpilot.gui.pages.progress import Progress
from hyperpilot.gui.theme import Colours
from hyperpilot.gui.widgets.form import HyperForm
from hyperpilot.gui.widgets.parts import Card, beside, button, combo, field_label, label, row, scrolled, spin
from hyperpilot.protocols import Algorithm

_TIPS = {
    "Environment": "An id as CartPole-v1, or module:Class.",
    "Algorithm": "Only those that serve the environment's actions will start.",
    "Timesteps": "Environment steps of the training: 5000, 100k, 2M.",
    "Iterations": "Updates of the policy, each after a rollout of n_steps times n_envs; it sets the timesteps.",
    "First seed": "Training seed.",
    "Seeds": "Trainings, one after the other, with the seeds that follow.",
    "Evaluations": "How often the agent is evaluated over the training.",
    "Save interval": "Steps between saved states; empty saves one with each evaluation.",
    "Log interval": "Rollouts (off-policy: episodes) between two lines of the log; 0 leaves it to Stable-Baselines3.",
    "Folder": "Where the agent and the logs are kept; empty takes a new one below runs.",
}


class Train(Page):
    """The page."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Train")
        self._build()
        self._restore()

    def _build(self) -> None:
        left = Card()
        left.add(self._what())
        self.hyper = HyperForm()
        self.hyper.edited.connect(self._check)
        left.add(label("Hyperparameters", "heading"))
        left.add(scrolled(self.hyper), 1)
        self.wrong = label("", "fault", wrap=True)
        self.start = button("Start", self._start, main=True, tip="Train in a process of its own", keys="Ctrl+Return")
        self.defaults = button("Defaults", self._defaults, tip="Empty all fields")
        left.add(self.wrong)
        left.add(row(self.defaults, 1, self.start))
        self.progress = Progress(self.host)
        self.body.addWidget(beside(left, self.progress, sizes=(420, 660)), 1)
        self.algorithm.currentTextChanged.connect(self._chosen)

    def _what(self) -> QWidget:
        self.env = QLineEdit()
        self.env.setPlaceholderText("CartPole-v1")
        self.algorithm = combo(plugins.trainable())
        self.steps, self.save, self.folder = QLineEdit("100k"), QLineEdit(), QLineEdit()
        self.save.setPlaceholderText("every one")
        self.folder.setPlaceholderText("a new one")
        self.iterations, self.seed, self.seeds = spin(0, 10**9), spin(0, 2**31 - 1), spin(1, 1000, 1)
        self.evaluations, self.log = spin(1, 100_000, 20), spin(0, 100_000)
        self.log.setSpecialValueText("as SB3")
        self.steps.textChanged.connect(self._steps_changed)
        self.iterations.valueChanged.connect(self._iterations_changed)
        for each in (self.env, self.steps, self.save):
            each.textChanged.connect(lambda _text: self._check())
        holder = QWidget()
        holder.setObjectName("clear")
        column_layout = QVBoxLayout(holder)
        column_layout.setContentsMargins(0, 0, 0, 0)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        rows: list[dict[str, QWidget]] = [
            {"Environment": self.env},
            {"Algorithm": self.algorithm},
            {"Timesteps": self.steps, "Iterations": self.iterations},
            {"First seed": self.seed, "Seeds": self.seeds},
            {"Evaluations": self.evaluations, "Save interval": self.save},
            {"Log interval": self.log, "Folder": self.folder},
        ]
        for place, fields in enumerate(rows):
            for column, (name, field) in enumerate(fields.items()):
                grid.addWidget(field_label(name, _TIPS[name], field), place, 2 * column)
                grid.addWidget(field, place, 2 * column + 1, 1, 1 if len(fields) > 1 else 3)
        column_layout.addLayout(grid)
        return holder

    def choose_env(self, env: str) -> None:
        self.env.setText(env)
        self.env.setFocus()

    def open(self, folder: Path) -> None:
        """Shows a training."""
        self.host.settings.remember(folder)
        self.host.settings.keep("training", str(folder))
        self.progress.open(folder)

    def recolour(self, colours: Colours) -> None:
        self.progress.recolour(colours)

    def finish(self) -> None:
        typed = {
            "env": self.env.text(),
            "algorithm": self.algorithm.currentText(),
            "steps": self.steps.text(),
            "save": self.save.text(),
            "seed": self.seed.value(),
            "seeds": self.seeds.value(),
            "evaluations": self.evaluations.value(),
            "log": self.log.value(),
            "hyper": self.hyper.typed,
        }
        self.host.settings.keep_form("train", typed)
        self.progress.finish()

    @property
    def form(self) -> TrainForm:
        """What the fields say."""
        return TrainForm(
            algorithm=self.algorithm.currentText(),
            env=self.env.text().strip(),
            steps=self.steps.text(),
            seed=self.seed.value(),
            seeds=self.seeds.value(),
            evaluations=self.evaluations.value(),
            save_every=self.save.text(),
            log_interval=self.log.value(),
            values=self.hyper.values,
        )

    def _restore(self) -> None:
        kept = self.host.settings.form("train")
        self.env.setText(str(kept.get("env", "CartPole-v1")))
        self.steps.setText(str(kept.get("steps", "100k")))
        self.save.setText(str(kept.get("save", "")))
        for field, name in (
            (self.seed, "seed"),
            (self.seeds, "seeds"),
            (self.evaluations, "evaluations"),
            (self.log, "log"),
        ):
            field.setValue(int(kept.get(name, field.value())))
        self._chosen(str(kept.get("algorithm", "ppo")), dict(kept.get("hyper", {})))
        folder = self.host.settings.text("training")
        if folder and Path(folder).is_dir():
            self.progress.open(Path(folder))

    def _chosen(self, name: str, typed: dict[str, str] | None = None) -> None:
        if self.algorithm.currentText() != name:
            self.algorithm.blockSignals(True)
            self.algorithm.setCurrentText(name)
            self.algorithm.blockSignals(False)
        same = {k: v for k, v in self.hyper.typed.items() if self._algorithm() is not self.hyper.algorithm}
        self.hyper.show_algorithm(self._algorithm(), typed if typed is not None else same)
        self._steps_changed()

    def _algorithm(self) -> Algorithm:
        return plugins.algorithm(self.algorithm.currentText())

    def _defaults(self) -> None:
        self.hyper.show_algorithm(self._algorithm())

    def _rollout(self) -> int:
        """Steps between two updates, of algorithms that learn from rollouts; 0 of others."""
        values = {**self._algorithm().defaults, **(self.hyper.values if not self.hyper.wrong else {})}
        if "n_epochs" not in values and "gae_lambda" not in values:
            return 0
        return int(values["n_steps"]) * int(values["n_envs"])

    def _steps_changed(self) -> None:
        rollout = self._rollout()
        self.iterations.setEnabled(bool(rollout))
        try:
            count = -(-parse_steps(self.steps.text()) // rollout) if rollout else 0
        except HyperPilotError:
            count = 0
        self.iterations.blockSignals(True)
        self.iterations.setValue(count)
        self.iterations.blockSignals(False)

    def _iterations_changed(self, count: int) -> None:
        if rollout := self._rollout():
            self.steps.blockSignals(True)
            self.steps.setText(str(max(1, count) * rollout))
            self.steps.blockSignals(False)
            self._check()

    def _check(self) -> None:
        if not hasattr(self, "start"):
            return  # the page is still being made
        if self.sender() is self.hyper:
            self._steps_changed()
        said = self.hyper.wrong or ("" if self.env.text().strip() else "Name an environment.")
        try:
            self.form.words(Path("."))
        except HyperPilotError as error:
            said = said or f"{error.what}. {error.mend}"
        self.wrong.setText(said)
        self.wrong.setVisible(bool(said))
        self.start.setEnabled(not said)

    def _start(self) -> None:
        asked = self.form
        typed = self.folder.text().strip()
        folder = self.host.here / typed if typed else free_folder(self.host.here / "runs", asked.algorithm, asked.env)
        if processes.alive(processes.found(folder)):
            self.host.say(f"{folder} is being trained already. Name another folder, or stop that training.")
            return
        try:
            processes.launch(asked.words(folder), folder)
        except (HyperPilotError, OSError) as error:
            self.host.say(*fault(error))
            return
        self.host.say("")
        self.open(folder)
