"""A supervisor's tree as the log keeps it, for a leader that finds nobody to ask. Pure."""

from __future__ import annotations

from dataclasses import dataclass

KEEP = 3
"""How many versions of a supervisor's tree are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRecord:
    """The tree at one moment.

    Attributes:
        supervisor: Whose tree.
        leader_incarnation: Which of its leaders wrote this.
        version: The how-manieth of that leader's life.
        at_us: When, wall-clock microseconds since the Unix epoch; for people.
        data: The tree, encoded by the leader.
        era: Which life of the cluster this is; a new cluster counts leaders from 1 again.
    """

    supervisor: str
    leader_incarnation: int
    version: int
    at_us: int
    data: bytes
    era: int = 0

    @property
    def order(self) -> tuple[int, int, int]:
        """Later records of a supervisor have greater ones."""
        return self.era, self.leader_incarnation, self.version
