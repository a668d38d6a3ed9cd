"""How a training can fail other than by crashing."""

from __future__ import annotations

from hyperpilot.errors import HyperPilotError


class Diverged(Exception):
    """The numbers of a training left the finite."""


class MissingCheckpoint(HyperPilotError):
    """The state that a job is to start from is not there."""
