"""How many have opened themselves, of how many: k of n, for people and their programs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Electorate = Literal["reporters", "nodes"]
"""Whose votes are counted: each process has one, or all processes of a node have one together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """The votes to open a breaker, at one moment.

    Attributes:
        agreed: So many say open now (k).
        needed: So many open the cluster's breaker, see `quorum`; None: the sum of all calls does.
        known: So many were heard lately (n).
        of: What is counted: "reporters" are processes; a "node" says open as soon as one of its processes does.
    """

    agreed: int
    needed: int | None
    known: int
    of: Electorate = "reporters"

    def __str__(self) -> str:
        told = f"{self.agreed} of {self.known} {self.of} {'says' if self.agreed == 1 else 'say'} open"
        if self.needed is None:
            return f"{told}; the sum of all calls decides"
        return f"{told}, {self.needed} {'is' if self.needed == 1 else 'are'} needed"
