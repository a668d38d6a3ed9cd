"""How a training can fail other than by crashing."""

from __future__ import annotations

import re

from hyperpilot.errors import HyperPilotError

NOT_FINITE = re.compile(r"\bnan\b|\binfinity\b|invalid values|constraint Real|without overflow", re.IGNORECASE)
"""What errors say that numbers have caused which are not finite."""


class Diverged(Exception):
    """The numbers of a training left the finite."""


class MissingCheckpoint(HyperPilotError):
    """The state that a job is to start from is not there."""
