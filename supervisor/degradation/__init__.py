"""Degradation as a supervisor's handle offers it: where its owner is, and what a process tells it."""
