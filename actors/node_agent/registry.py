"""Which processes of this node are children of ours: an agent kills no others. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from actors.runtime.process import ProcessIdentity

FORMER_MAX = 1000
"""How many processes are remembered that no view announces any more; the longest gone are forgotten first."""


class Registry:
    """The node's children as the views announced them, the present ones and the last former ones."""

    def __init__(self, former_max: int = FORMER_MAX) -> None:
        self._former_max = former_max
        self._present: dict[str, ProcessIdentity] = {}
        self._former: dict[str, ProcessIdentity] = {}

    def announce(self, processes: Mapping[str, ProcessIdentity]) -> None:
        """A view names these, by full actor name."""
        for name in self._present.keys() - processes.keys():
            self._former.pop(name, None)
            self._former[name] = self._present[name]
        self._present = dict(processes)
        while len(self._former) > self._former_max:
            del self._former[next(iter(self._former))]

    def present(self, name: str) -> ProcessIdentity | None:
        """The process of a child that is announced now."""
        return self._present.get(name)

    def knows(self, process: ProcessIdentity) -> bool:
        """Whether that life of the pid is or was a child of ours."""
        life = (process.pid, process.started_ticks)
        return any(
            (known.pid, known.started_ticks) == life
            for names in (self._present, self._former)
            for known in names.values()
        )
