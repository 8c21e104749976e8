"""The halt flag as a file: while it is there nothing is injected on this host, and what is on is undone.

It is looked at by every watchdog and every runner, needs no actor, no supervisor and no log, and outlives them all. A
flag that cannot be read counts: somebody wanted an end.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """Who halted chaos, why, and when: wall-clock microseconds since the Unix epoch, for people."""

    who: str
    why: str
    at_us: int = 0

    def as_text(self) -> bytes:
        """As it stands in the file."""
        return json.dumps({"who": self.who, "why": self.why, "at_us": self.at_us}).encode()


class HaltFlag:
    """The flag of one host.

    Args:
        path: Its file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def is_up(self) -> bool:
        """Whether chaos is halted; one system call."""
        return os.path.lexists(self._path)

    def read(self) -> Halted | None:
        """Who halted it and why, or None if nobody did."""
        try:
            fields: Any = json.loads(self._path.read_bytes())
            return Halted(who=str(fields["who"]), why=str(fields["why"]), at_us=int(fields["at_us"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            return Halted(who="(unknown)", why=f"{self._path} cannot be read: {error}")

    def put_up(self, halted: Halted) -> None:
        """Halt chaos; halting again says who was the last.

        Raises:
            OSError: It could not be written.
        """
        data = halted.as_text()
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.rename(self._path)

    def take_down(self) -> None:
        """Allow chaos again; without a flag it does nothing."""
        with suppress(FileNotFoundError):
            self._path.unlink()
