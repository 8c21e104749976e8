"""Whether a plan keeps within its bounds and those of the cluster. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import floor
from typing import TYPE_CHECKING

from experiments.model.selector import EPHEMERAL_KINDS
from experiments.planning.plan import Refusal
from experiments.planning.reach import ground_of, reached

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from experiments.model.experiment import Experiment
    from experiments.model.safety import Safety
    from experiments.planning.inventory import Inventory, Moment, Target
    from experiments.planning.reach import Aim
    from supervisor.chaos_settings import BlastRadius, BusinessHours


MORE_NODES = "add one: ray start --address=HEAD:PORT"

_PLACES = {"target": "", "process": "process", "node": "node"}
_BESIDE = " because their node is"


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of the patterns: whole (`child/shop.cart`), or what is behind its kind, or its group."""
    own = name.rpartition("/")[2]
    return any(fnmatchcase(each, pattern) for pattern in patterns for each in (name, own, own.rpartition(".")[2]))


def cluster_refusals(experiment: Experiment, inventory: Inventory) -> Iterator[Refusal]:
    """What forbids it before anybody was drawn."""
    safety = experiment.chaos.safety
    if inventory.halted:
        yield Refusal(rule="halted", words=inventory.halted)
    if len(inventory.active) >= inventory.limit:
        runs = ", ".join(each.run for each in inventory.active)
        yield Refusal(rule="limit", words=f"{inventory.limit} experiments may run at a time, and these do: {runs}")
    if inventory.nodes < experiment.chaos.nodes:
        words = f"it needs {experiment.chaos.nodes} nodes, and the cluster has {inventory.nodes}; {MORE_NODES}"
        yield Refusal(rule="nodes", words=words)
    yield from _hours(safety.hours, inventory, "it may run only")
    yield from _hours(inventory.hours, inventory, "this cluster lets experiments run only")
    least = max(safety.least_health, inventory.least_health)
    if least > 0:
        yield from _health(least, inventory.health)


def bystander_refusals(aims: Sequence[Aim], protected: Collection[str]) -> Iterator[Refusal]:
    """What forbids hitting who is beside the selected: it is protected, or it dies with them and was not selected."""
    hits = {each.target.name for each in aims}
    for one in aims:
        told, place = f"method[{one.place}]: {one.target.name}", _PLACES[one.scope]
        spared = sorted(each.name for each in one.there if each.name in protected)
        if spared:
            yield Refusal(rule="protected", words=f"{told} shares its {place} with {', '.join(spared)}, protected")
        others = sorted({each.name for each in one.beside} - hits)
        if others and one.scope == "process":
            yield Refusal(rule="selection", words=f"{told} shares its {place} with {', '.join(others)}, not selected")


def target_refusals(aims: Sequence[Aim], safety: Safety, inventory: Inventory) -> Iterator[Refusal]:
    """What forbids hitting these, all of them that are hit at a time, and those beside them with them."""
    drawn = list({each.target.name: each.target for each in aims}.values())
    beside = reached(each for each in aims if each.scope == "node")
    yield from _overlaps(aims, inventory)
    yield from _ephemeral(drawn, safety, inventory)
    yield from _opted_in(drawn, beside, safety, inventory)
    yield from _radius(drawn, beside, safety.blast_radius, inventory, "")
    if inventory.blast_radius is not None:
        yield from _radius(drawn, beside, inventory.blast_radius, inventory, "this cluster's ")


def _hours(hours: Sequence[BusinessHours], inventory: Inventory, told: str) -> Iterator[Refusal]:
    if hours and not any(_is_open(each, inventory.moments.get(each.zone)) for each in hours):
        words = " or ".join(f"{'/'.join(each.days)} {each.begins}-{each.ends} {each.zone}" for each in hours)
        yield Refusal(rule="hours", words=f"{told} {words}")


def _is_open(hours: BusinessHours, moment: Moment | None) -> bool:
    """Closed, where nobody can tell what time it is."""
    return moment is not None and moment.day in hours.days and hours.begins <= moment.clock < hours.ends


def _health(least: float, score: float | None) -> Iterator[Refusal]:
    if score is None:
        words = f"it starts at a health of {least:g}, and no monitor says what it is; start one, or set least_health: 0"
        yield Refusal(rule="health", words=words)
    elif score < least:
        yield Refusal(rule="health", words=f"the system's health is {score:g}, and it starts at {least:g}")


def _overlaps(aims: Sequence[Aim], inventory: Inventory) -> Iterator[Refusal]:
    ground = ground_of(aims)
    for active in inventory.active:
        shared = ground.shared_with(active.ground)
        if shared:
            yield Refusal(rule="overlap", words=f"{', '.join(shared)} are hit by {active.run} already")


def _ephemeral(drawn: Sequence[Target], safety: Safety, inventory: Inventory) -> Iterator[Refusal]:
    clusterwide = sorted({target.kind for target in drawn if target.kind in EPHEMERAL_KINDS})
    if not clusterwide:
        return
    whose = [
        name for name, said in (("the experiment", safety.ephemeral), ("the cluster", inventory.ephemeral)) if not said
    ]
    if whose:
        says = "say" if len(whose) > 1 else "says"
        words = f"{', '.join(clusterwide)} may be hit only where {' and '.join(whose)} {says} that it is ephemeral"
        yield Refusal(rule="ephemeral", words=words)


def _opted_in(
    drawn: Sequence[Target], beside: Sequence[Target], safety: Safety, inventory: Inventory
) -> Iterator[Refusal]:
    if not inventory.is_safe:
        return
    for asked in dict.fromkeys(each for each in (safety.opt_in, inventory.opt_in) if each):
        label, _, value = asked.partition("=")
        for targets, told in ((drawn, ""), (beside, f" are hit, too,{_BESIDE}, and")):
            without = sorted(target.name for target in targets if target.labels.get(label) != value)
            if without:
                yield Refusal(rule="opt_in", words=f"{', '.join(without)}{told} did not opt in; label them {asked}")


def _radius(
    drawn: Sequence[Target], beside: Sequence[Target], bound: BlastRadius, inventory: Inventory, whose: str
) -> Iterator[Refusal]:
    everybody = [*drawn, *beside]
    among = f", {len(beside)} of them{_BESIDE}" if beside else ""
    if len(everybody) > bound.targets:
        words = f"{len(everybody)} targets are hit at a time{among}, and {whose}blast_radius.targets is {bound.targets}"
        yield Refusal(rule="blast_radius", words=words)
    nodes = {target.node for target in drawn if target.node}
    if len(nodes) > bound.nodes:
        words = f"targets on {len(nodes)} nodes are hit, and {whose}blast_radius.nodes is {bound.nodes}"
        yield Refusal(rule="blast_radius", words=words)
    for kind in sorted({target.kind for target in everybody}):
        there = len(inventory.running(kind))
        hit = sum(target.kind == kind and target.running for target in everybody)
        if hit > max(1, floor(there * bound.share)):
            words = f"{hit} of {there} of kind {kind} are hit{among}, and {whose}blast_radius.share is {bound.share:g}"
            yield Refusal(rule="blast_radius", words=words)
