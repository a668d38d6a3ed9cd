"""How much a candidate is worth: one file each, and the greedy choice of a batch."""

from hyperpilot.acquisition._select import select

__all__ = ["select"]
