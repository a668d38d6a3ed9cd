"""Adapters for those who own the loop: they call us."""
