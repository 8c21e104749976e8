"""A plan on what is not there yet, and what a plan could not look at. Pure.

A dry run touches nothing, so it builds no scene: it is planned as if the scene stood, and says of what that is true.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.planning.inventory import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from experiments.model.experiment import Experiment
    from experiments.model.scenes import Scene, SceneName
    from experiments.planning.inventory import Inventory

_ONE_OF = ("monitor", "healer")
"""Of these a cluster has one, whatever it is called."""

_NOT_BUILT = ("supervisor", "event_log", "injector", "clock", "gcs", "node", "dependency")
"""What a cluster has without a scene; dependencies are whoever is named."""

_POOL = "default"


def lacking(scene: Scene, inventory: Inventory) -> tuple[Target, ...]:
    """What the scene would build, on the supervisor's node."""
    there = {target.name for target in inventory.targets}
    kinds = {target.kind for target in inventory.targets if target.running}
    node = next((target.node for target in inventory.targets if target.kind == "supervisor"), "")
    found = [
        Target(name=name, kind=kind, node=node, group=scene.groups.get(name, ""))
        for name, kind in scene.targets.items()
        if kind not in (*_NOT_BUILT, "worker") and name not in there and not (kind in _ONE_OF and kind in kinds)
    ]
    return (*found, *_workers(scene, inventory, there, node))


def _workers(scene: Scene, inventory: Inventory, there: set[str], node: str) -> tuple[Target, ...]:
    wanted = sum(kind == "worker" for kind in scene.targets.values())
    serve = sum(target.group == _POOL for target in inventory.running("worker"))
    names = (f"worker/{_POOL}-{number}" for number in range(wanted + len(there)))
    free = [name for name in names if name not in there][: max(0, wanted - serve)]
    return tuple(Target(name=name, kind="worker", node=node, group=_POOL) for name in free)


def as_if_built(
    inventory: Inventory, targets: tuple[Target, ...], labels_of: Callable[[str], Mapping[str, str]]
) -> Inventory:
    """The inventory with what a scene would build."""
    labelled = [replace(target, labels=labels_of(target.name)) for target in targets]
    return replace(inventory, targets=tuple(sorted((*inventory.targets, *labelled), key=lambda each: each.name)))


def not_built(scene: SceneName, targets: tuple[Target, ...]) -> tuple[str, ...]:
    """What a plan says of targets that are not there yet."""
    if not targets:
        return ()
    return (f"whether the scene {scene!r} can be built: {', '.join(each.name for each in targets)} are not there yet",)


def scene_is_lacking(scene: SceneName, targets: tuple[Target, ...]) -> str:
    """What a plan says whose targets may be those that its scene would have."""
    names = ", ".join(each.name for each in targets)
    return f"{names} of its scene {scene!r} are not there: --scene (scene=True) builds them, and takes them away"


def not_asked(experiment: Experiment) -> tuple[str, ...]:
    """What no dry run asks, because it would look at the cluster's work: it is asked when the run begins."""
    found: list[str] = []
    if experiment.hypothesis is not None and experiment.hypothesis.probes:
        found.append("whether the hypothesis holds: a plan asks no probe")
    if experiment.chaos.safety.guards:
        found.append("whether the guards can be read: a plan asks none")
    return tuple(found)


def without_cluster(experiment: Experiment, scene: Scene) -> tuple[str, ...]:
    """What cannot be known where no cluster is meant."""
    chaos = experiment.chaos
    found = [
        f"who is there: names are those of the scene {chaos.scene!r}, and made up",
        "what a cluster's owner allows: safe mode and labels, protected names, hours, blast radius, least health",
        "whether chaos is halted, and what else runs",
    ]
    if chaos.safety.least_health:
        found.append(f"whether the health is {chaos.safety.least_health:g} at least")
    if max(chaos.nodes, scene.nodes) > 1:
        found.append(
            f"what other machines than this one can do: it needs {chaos.nodes} nodes, and an embedded cluster has one, "
            "so that `run` takes --name or --address"
        )
    return (*found, *not_asked(experiment))
