"""What trainings elsewhere make one expect: sources, how their hyperparameters are read, and what they promise here."""

from hyperpilot.experience.promised import Experience
from hyperpilot.experience.source import Source

__all__ = ["Experience", "Source"]
