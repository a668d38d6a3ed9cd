"""One agent at play: its picture, and beside it what it does, what it expects, and what it has got."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from hyperpilot.gui.models.words import number
from hyperpilot.gui.playing import Playing
from hyperpilot.gui.widgets.parts import Card, Facts, button, label
from hyperpilot.gui.widgets.picture import Picture


class Stage(Card):
    """The agent, which is moved by whoever holds the stage.

    `loaded` carries what was loaded; `untrusted` why an agent is not loaded unasked; `failed` words and details.
    """

    loaded = Signal(object)
    moved = Signal()
    untrusted = Signal(str)
    failed = Signal(str, str)
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__()
        self.request: dict[str, Any] = {}
        self.agent: dict[str, Any] = {}
        self.done = False
        self.steps = 0
        self.returns: list[float] = []
        self.player = Playing(self)
        self.player.answered.connect(self._answered)
        self.player.failed.connect(self._failed)
        self.player.untrusted.connect(self._untrusted)
        self.player.silent.connect(self._silent)
        self.name = label("No agent", "heading", wrap=True)
        self.picture = Picture("Open a study, a training or a model.zip.")
        self.about = Facts()
        self.restart = button("End the player", self._end, tip="It does not answer; end its process")
        self.restart.hide()
        for part, stretch in ((self.name, 0), (self.picture, 1), (self.about, 0), (self.restart, 0)):
            self.add(part, stretch)

    @property
    def ready(self) -> bool:
        """Whether it has an agent that waits for its next step."""
        return bool(self.agent) and not self.player.busy

    def load(self, request: dict[str, Any]) -> None:
        """Loads an agent; `request` is the player's, without what it does."""
        if self.player.busy:
            self.player.end()  # whatever it does; else it is asked again, as to start one takes seconds
        self.request, self.agent, self.returns = request, {}, []
        self.name.setText("Loading …")
        self.picture.show_text("Loading the agent and its environment …")
        self.about.show_rows([])
        self.player.ask({"do": "load", **request})

    def step(self) -> None:
        """Takes one step, where it is not over."""
        if self.ready and not self.done:
            self.player.ask({"do": "step"})

    def reset(self, seed: int) -> None:
        """Begins another episode."""
        if self.agent:
            self.player.ask({"do": "reset", "seed": seed})

    def record(self, path: Path | None) -> None:
        """Writes a film of what comes, or ends it."""
        if self.agent:
            self.player.ask({"do": "record", "path": str(path)} if path else {"do": "end record"})

    def finish(self) -> None:
        self.player.end()

    def _answered(self, head: dict[str, Any], frame: bytes) -> None:
        self.restart.hide()
        if head["to"] == "load":
            self.agent = head
            self.name.setText(f"{head['algorithm']} on {head['env']}   {_place(Path(head['agent']))}")
            self.loaded.emit(head)
        if head["to"] in ("load", "reset", "step"):
            width, height = head["size"]
            self.picture.show_frame(width, height, frame)
            self.steps, self.done = head["step"], head["done"]
            if self.done:
                self.returns.append(head["total"])
            self._tell(head)
            self.moved.emit()
            if self.done:
                self.ended.emit()

    def _tell(self, head: dict[str, Any]) -> None:
        value = head.get("value")
        action = head.get("action")
        rows = [
            ("Step", f"{head['step']:,}" + ("   the episode is over" if head["done"] else "")),
            ("Return so far", number(head["total"])),
            ("Action", "–" if action is None else _action(action)),
            ("Value it expects", "–" if value is None else number(value)),
        ]
        if self.returns:
            mean = sum(self.returns) / len(self.returns)
            rows.append(("Episodes", f"{len(self.returns)}, mean return {number(mean)}"))
        self.about.show_rows(rows)

    def _untrusted(self, words: str) -> None:
        self._nothing("Not loaded", "It was not opened.")
        self.untrusted.emit(words)

    def _failed(self, words: str, details: str) -> None:
        if not self.agent:
            self._nothing("No agent", words)
        self.failed.emit(words, details)

    def _silent(self) -> None:
        self.restart.show()
        self.name.setText("The player does not answer")

    def _end(self) -> None:
        self.player.end()
        self._nothing("No agent", "The player was ended.")

    def _nothing(self, name: str, text: str) -> None:
        self.agent = {}
        self.name.setText(name)
        self.picture.show_text(text)
        self.restart.hide()


def _action(action: Any) -> str:
    if isinstance(action, list):
        return "  ".join(f"{part:+.2f}" if isinstance(part, float) else str(part) for part in action)
    return str(action)


def _place(model: Path) -> str:
    """Which checkpoint it is, as short as possible."""
    parts = model.parent.parts  # .../STUDY/trials/TRIAL/seed-SEED/checkpoints/STEP
    if model.parent.name.isdecimal() and len(parts) > 5:
        seed = parts[-3].replace("-", " ")
        return f"{parts[-6]}, trial {int(parts[-4])}, {seed}, step {int(parts[-1]):,}"
    return str(Path(*parts[-2:]))
