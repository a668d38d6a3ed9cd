"""Mirrors of a study in the tools that people look at studies with."""
