"""The halt flag of a node, and the flags that end one run: what they speak of is undone, and not injected any more.

They are looked at by every watchdog and every runner, need no actor, no supervisor and no log, and outlive them all. A
flag that cannot be read counts: somebody wanted an end. Where they are kept: see `actors.node_agent.flags`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.node_agent import flags

if TYPE_CHECKING:
    from pathlib import Path


_WHO_MAX, _WHY_MAX = 200, 1000
"""Characters, each of which takes up to 12 octets of `flags.BYTES_MAX`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """Who halted chaos, why, and when: wall-clock microseconds since the Unix epoch, for people."""

    who: str
    why: str
    at_us: int = 0

    def as_text(self) -> bytes:
        """As it stands in the file; what is too long for a flag is cut: no halt may fail by its reason."""
        return json.dumps({"who": self.who[:_WHO_MAX], "why": self.why[:_WHY_MAX], "at_us": self.at_us}).encode()


class HaltFlag:
    """A flag of one node.

    Args:
        board: The file of the node's board.
        flag: Which; left out, the one that halts everything.
    """

    def __init__(self, board: Path, flag: str = flags.HALT) -> None:
        self._board = board
        self._flag = flag

    @property
    def path(self) -> Path:
        """Its file."""
        return flags.flag_path(self._board, self._flag)

    def is_up(self) -> bool:
        """Whether it is up; a system call or two."""
        return flags.is_up(self._board, self._flag)

    def read(self) -> Halted | None:
        """Who put it up and why, or None if nobody did."""
        try:
            for _ in range(2):  # it may have been put up, or taken down, since the first look at its words
                text = flags.text_of(self._board, self._flag)
                if text is not None:
                    return self._parsed(text)
                if not self.is_up():
                    return None
        except OSError as error:
            return self._unread(error)
        why = f"the board alone says so: {self.path} was taken away, or could not be written"
        return Halted(who="(unknown)", why=why)

    def _parsed(self, text: bytes) -> Halted:
        try:
            fields: Any = json.loads(text)
            return Halted(who=str(fields["who"]), why=str(fields["why"]), at_us=int(fields["at_us"]))
        except (ValueError, KeyError, TypeError) as error:
            return self._unread(error)

    def _unread(self, error: Exception) -> Halted:
        return Halted(who="(unknown)", why=f"{self.path} cannot be read: {error}")

    def put_up(self, halted: Halted) -> None:
        """Put it up; put up again it says who was the last.

        Raises:
            OSError: It could not be written.
        """
        flags.put_up(self._board, self._flag, halted.as_text())

    def take_down(self) -> None:
        """Allow again what it forbids; without a flag it does nothing."""
        flags.take_down(self._board, self._flag)
