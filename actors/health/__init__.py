"""Judging whether a process lives, hangs or only is slow."""
