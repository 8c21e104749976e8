"""Names of actors, with the number of their life in them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMESPACE = "supervisor"
"""The Ray namespace that all our actors live in."""

ROOT_KEY = "supervisor/root"
"""The key of a supervisor's own lives: the leader's and its standby's."""

_NAME = re.compile(r"(?P<supervisor>[^/#]+)/(?P<concern>[^/#]+)/(?P<child>[^/#]+)#(?P<incarnation>[0-9]+)")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,62}")


@dataclass(frozen=True, order=True, slots=True)
class ActorName:
    """`<supervisor>/<concern>/<child>#<incarnation>`: who it is, and which life of it.

    Every life of a child has a number of its own; whatever an earlier one still sends is refused.
    """

    supervisor: str
    concern: str
    child: str
    incarnation: int

    def __str__(self) -> str:
        return f"{self.supervisor}/{self.concern}/{self.child}#{self.incarnation}"

    @property
    def key(self) -> str:
        """`<concern>/<child>`: the child without supervisor and incarnation."""
        return f"{self.concern}/{self.child}"

    def successor(self) -> ActorName:
        """The name of this child's next life."""
        return ActorName(self.supervisor, self.concern, self.child, self.incarnation + 1)

    @classmethod
    def parse(cls, text: str) -> ActorName | None:
        """The parts of an actor's name, or None when it is not one of ours."""
        match = _NAME.fullmatch(text)
        if match is None:
            return None
        return cls(match["supervisor"], match["concern"], match["child"], int(match["incarnation"]))


def is_valid_name(text: str) -> bool:
    """Whether `text` can name a supervisor, pool or child: letters, digits, `_ . -`, at most 63 of them."""
    return _PART.fullmatch(text) is not None
