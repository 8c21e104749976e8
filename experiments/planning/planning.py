"""From an experiment and an inventory to a plan, with every reason why it may not be carried out. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown
from experiments.errors import HaltedError, PlanRefusedError, SafeModeError
from experiments.model.experiment import SEED_END
from experiments.model.matrix import may_hit
from experiments.planning.lots import fraction
from experiments.planning.plan import SAFE_MODE_RULES, Hit, Phase, Plan, PlannedFault, Refusal
from experiments.planning.radius import bystander_refusals, cluster_refusals, is_named, target_refusals
from experiments.planning.reach import aim, ground_of, reached
from experiments.planning.selecting import select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.model.activities import Activity
    from experiments.model.experiment import Experiment
    from experiments.model.faults import Fault
    from experiments.planning.inventory import Inventory, Target
    from experiments.planning.reach import Aim


def make_plan(experiment: Experiment, inventory: Inventory, *, seed: int | None = None) -> Plan:
    """Draw the plan; nothing is touched.

    Args:
        experiment: What is to be done.
        inventory: What there is.
        seed: Instead of the experiment's own.

    Raises:
        ConfigError: That is no seed.
    """
    chaos = experiment.chaos
    chosen = seed_of(experiment, seed)
    patterns = (*inventory.protected, *chaos.safety.protected)
    protected = frozenset(target.name for target in inventory.targets if is_named(target.name, patterns))
    refusals = [*cluster_refusals(experiment, inventory), *_passed_over(experiment)]
    planned: list[PlannedFault] = []
    aims: list[Aim] = []
    for place, fault in experiment.faults():
        fits = may_hit(fault.fault, fault.how_fields())
        selected = select(fault.target, inventory, fits=fits, seed=chosen, place=place, excluded=protected)
        if selected.problem:
            rule = "protected" if "only what is protected" in selected.problem else "selection"
            refusals.append(Refusal(rule=rule, words=f"method[{place}]: {selected.problem}"))
        one = _planned(place, fault, selected.drawn, chaos.lease_s, _pauses_s(experiment.method, place))
        own = [aim(place, one.fault, one.how, target, inventory) for target in selected.drawn]
        aims += own
        planned.append(replace(one, reaches=tuple(target.name for target in reached(own))))
    refusals += bystander_refusals(aims, protected)
    refusals += target_refusals(aims, chaos.safety, inventory)
    refusals += _leases(planned, chaos.deadline_s)
    if not planned:
        refusals.append(Refusal(rule="no_fault", words="its method injects nothing, so it would show nothing"))
    return Plan(
        experiment=experiment.name,
        seed=chosen,
        safe_mode=inventory.is_safe,
        phases=_phases(chosen, chaos.interleaving.rounds),
        faults=tuple(planned),
        refusals=tuple(refusals),
        ground=ground_of(aims),
    )


def seed_of(experiment: Experiment, seed: int | None) -> int:
    """The seed that counts: the experiment's own, unless another is given.

    Raises:
        ConfigError: What is given is none; the log keeps seeds of 63 bits.
    """
    chosen = cast("object", experiment.chaos.seed if seed is None else seed)
    if isinstance(chosen, bool) or not isinstance(chosen, int) or not 0 <= chosen < SEED_END:
        raise ConfigError("run", problems=(f"seed: {shown(chosen)} is no whole number from 0 to 2**63 - 1",))
    return chosen


def require(plan: Plan) -> Plan:
    """The plan, if it may be carried out.

    Raises:
        HaltedError: Chaos is halted.
        SafeModeError: Its bounds, or safe mode, forbid it, and nothing else does.
        PlanRefusedError: It cannot be carried out here.
    """
    if not plan.refusals:
        return plan
    halted = next((refusal for refusal in plan.refusals if refusal.rule == "halted"), None)
    if halted is not None:
        who, _, reason = halted.words.partition(": ")
        raise HaltedError(who=who, reason=reason)
    problems = tuple(refusal.words for refusal in plan.refusals)
    if all(refusal.rule in SAFE_MODE_RULES for refusal in plan.refusals):
        raise SafeModeError(plan.experiment, problems=problems, safe_mode=plan.safe_mode)
    raise PlanRefusedError(plan.experiment, problems=problems)


def _passed_over(experiment: Experiment) -> Iterator[Refusal]:
    """Steps that nobody here carries out: what a file says is done, or nothing of it is."""
    parts = (("method", experiment.method, "inject"), ("rollbacks", experiment.rollbacks, "clear"))
    for part, steps, func in parts:
        for place, step in enumerate(steps):
            if not step.is_ours or step.provider.func != func:
                told = f"{part}[{place}]: {step.name} is no {func} of ours, and would be passed over"
                yield Refusal(rule="step", words=f"{told}; Chaos Toolkit's `chaos run` carries it out")


def _pauses_s(method: Sequence[Activity], place: int) -> float:
    """How long a step waits for the pauses around those before it, and for its own."""
    return sum(step.pauses.before + step.pauses.after for step in method[:place]) + method[place].pauses.before


def _planned(place: int, fault: Fault, drawn: tuple[Target, ...], lease_s: float, pauses_s: float) -> PlannedFault:
    return PlannedFault(
        place=place,
        fault=fault.fault,
        hits=tuple(Hit(name=each.name, kind=each.kind, node=each.node, incarnation=each.incarnation) for each in drawn),
        after_s=fault.after_s + pauses_s,
        lease_s=fault.lease_s or lease_s,
        how=fault.how_fields(),
    )


def _leases(planned: list[PlannedFault], deadline_s: float) -> list[Refusal]:
    return [
        Refusal(
            rule="lease",
            words=f"method[{fault.place}]: it ends at {fault.after_s + fault.lease_s:g} s, past {deadline_s:g} s",
        )
        for fault in planned
        if fault.after_s + fault.lease_s > deadline_s
    ]


def _phases(seed: int, rounds: int) -> tuple[Phase, ...]:
    """A baseline beside each fault; which of the two comes first is drawn, but for the first: that is a baseline."""
    found: list[Phase] = []
    for number in range(rounds):
        first_fault = number > 0 and fraction(seed, "round", number) < 1 / 2
        pair: tuple[Phase, Phase] = ("fault", "baseline") if first_fault else ("baseline", "fault")
        found += pair
    return tuple(found)
