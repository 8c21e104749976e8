"""Before anything is touched: what there is, the plan, and every reason why it may not be carried out here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.model.scenes import SCENES
from experiments.planning.foreseeing import as_if_built, lacking, not_asked, not_built, scene_is_lacking
from experiments.planning.inventory import Active, Inventory
from experiments.planning.plan import Refusal
from experiments.planning.planning import make_plan
from experiments.planning.preflight import preflight
from experiments.running.books import standing
from experiments.running.survey import LOG, hosts_of, survey
from experiments.running.vitals import vitals
from experiments.scheduling.cron import moment
from supervisor.config import DEFAULT_POOL

if TYPE_CHECKING:
    from experiments.hands.hands import Hands
    from experiments.hands.orders import NodeFacts
    from experiments.model.experiment import Experiment
    from experiments.planning.plan import Plan
    from experiments.running.books import Standing
    from experiments.running.survey import Survey
    from supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """An experiment on a cluster.

    Attributes:
        plan: What would be done, with all refusals.
        survey: Who is there.
        hosts: The dependencies that its faults name.
    """

    plan: Plan
    survey: Survey
    hosts: tuple[str, ...]


def arrange(
    sup: Supervisor,
    hands: Hands,
    experiment: Experiment,
    *,
    seed: int | None,
    family: str = "",
    foresee: bool | None = None,
) -> Arranged:
    """Plan it; nothing is touched.

    Args:
        sup: The supervisor.
        hands: The hands of its nodes.
        experiment: What is to be done.
        seed: Instead of the experiment's own.
        family: What the names of all runs of this experiment begin with, if it has several: together they are one.
        foresee: Of a dry run: whether it is planned as if what its scene lacks were there. None: it is no dry run.
    """
    hosts = hosts_of(fault for _, fault in experiment.faults())
    seen = survey(sup, dependencies=hosts)
    runs, nodes = standing(hands)
    there = inventory_of(sup, seen, runs, nodes, experiment)
    own = sum(each.run.startswith(family) for each in there.active) if family else 0
    inventory = replace(there, limit=there.limit + own)
    missing = lacking(SCENES[experiment.chaos.scene], inventory)
    to_build = missing if foresee else ()
    inventory = as_if_built(inventory, to_build, sup.config.chaos.labels_of)
    plan = make_plan(experiment, inventory, seed=seed)
    log = seen.spots.get(LOG)
    folders = {} if log is None else {log.node_id: str(Path(sup.config.log.path).parent)}
    machines = {node.node_id: hands.on(node.node_id).machine(folders.get(node.node_id, "")) for node in nodes}
    refusals = [Refusal(rule="selection", words=words) for words in preflight(plan, machines)]
    if experiment.chaos.load.calls == "tasks" and DEFAULT_POOL not in sup.config.pools:
        pools = ", ".join(sup.config.pools) or "none"
        words = f"the load's tasks run in the pool {DEFAULT_POOL!r}, and there is none; there are {pools}"
        refusals.append(Refusal(rule="selection", words=words))
    if missing and not foresee and any(each.rule == "selection" for each in plan.refusals):
        refusals.append(Refusal(rule="selection", words=scene_is_lacking(experiment.chaos.scene, missing)))
    unchecked = () if foresee is None else (*not_built(experiment.chaos.scene, to_build), *not_asked(experiment))
    whole = replace(plan, refusals=(*plan.refusals, *refusals), unchecked=unchecked)
    return Arranged(plan=whole, survey=seen, hosts=hosts)


def inventory_of(
    sup: Supervisor, seen: Survey, runs: Standing, nodes: list[NodeFacts], experiment: Experiment
) -> Inventory:
    """The cluster as a plan is made on it."""
    settings, seen_now = sup.config.chaos, vitals(sup)
    now_us = SYSTEM_CLOCK.wall_us()
    zones = {hours.zone for hours in (*experiment.chaos.safety.hours, *settings.hours)}
    return Inventory(
        targets=seen.targets,
        embedded=sup.embedded,
        ephemeral=settings.ephemeral or sup.embedded,
        safe_mode=settings.safe_mode,
        protected=settings.protected,
        opt_in=settings.opt_in or "",
        health=None if seen_now is None else seen_now.score,
        nodes=len(nodes),
        active=tuple(Active(run=run.run, ground=run.ground) for run in runs.going),
        limit=settings.experiments_max,
        blast_radius=settings.blast_radius,
        hours=settings.hours,
        least_health=settings.least_health,
        moments={zone: moment(zone, now_us) for zone in zones},
        halted=next((node.halted for node in nodes if node.halted), ""),
    )
