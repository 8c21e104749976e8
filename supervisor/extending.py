"""The parts of a `Supervisor` handle that another room brings, found by entry point: `sup.chaos`.

This room never imports that one; who has not installed it is told so.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from experiments.running.chaos import ChaosHandle
    from supervisor.launch import Cluster

EXTENSIONS = "ray_supervisor.extensions"
"""The group of entry points: commands by their names, and parts of the handle as `sup.<name>`."""

OF_HANDLE = "sup."


class ExtensionMissingError(SupervisorError):
    """What would bring this part of a handle is not installed."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"sup.{name} comes with an entry point {OF_HANDLE}{name} of the group {EXTENSIONS}, and there is none; "
            "install ray-supervisor whole, with its room `experiments`"
        )


class ExtendedHandle:
    """See `Supervisor`."""

    _cluster: Cluster

    @property
    def embedded(self) -> bool:
        """Whether the cluster was started by this process, and ends with it."""
        return self._cluster.embedded

    @property
    def chaos(self) -> ChaosHandle:
        """Chaos experiments: `sup.chaos.run("kill-worker")`.

        Raises:
            ExtensionMissingError: The room that they live in is not installed.
        """
        return extension("chaos")(self)


def extension(name: str) -> Any:
    """What makes that part of a handle, given the handle.

    Raises:
        ExtensionMissingError: Nobody brings it.
    """
    for point in entry_points(group=EXTENSIONS, name=f"{OF_HANDLE}{name}"):
        return point.load()
    raise ExtensionMissingError(name)
