"""How a training can fail."""

from __future__ import annotations

import re

from hyperpilot.errors import HyperPilotError

NOT_FINITE = re.compile(r"\bnan\b|\binfinity\b|invalid values|constraint Real|without overflow", re.IGNORECASE)
"""What errors say that numbers have caused which are not finite."""


class Diverged(Exception):
    """The numbers of a training left the finite."""


class Killed(Exception):
    """Somebody ended a program that was training, which says nothing about its configuration."""


class Crashed(Exception):
    """A program that was training ended with an error of its own, or without a score."""


class MissingCheckpoint(HyperPilotError):
    """The state that a job is to start from is not there."""
