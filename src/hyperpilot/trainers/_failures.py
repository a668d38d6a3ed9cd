"""How a training can fail."""

from __future__ import annotations

from hyperpilot.errors import HyperPilotError


class Diverged(Exception):
    """The numbers of a training left the finite."""


class Killed(Exception):
    """Somebody ended a program that was training, which says nothing about its configuration."""


class Crashed(Exception):
    """A program that was training ended with an error of its own, or without a score."""


class MissingCheckpoint(HyperPilotError):
    """The state that a job is to start from is not there."""
