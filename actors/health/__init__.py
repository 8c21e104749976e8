"""Judging whether a process lives, hangs or only is slow, and how well each component and the system is."""
