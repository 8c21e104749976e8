"""The verdict over an experiment, and its score.

    not started   the plan was refused, or the hypothesis did not hold before anything was done
    aborted       a guard, the halt flag, the deadline or a person ended it, or its runner was gone
    deviated      an invariant is broken; or a fault that acted left the hypothesis or a limit broken
    inconclusive  a fault cannot be shown to have acted, nothing was believed, or too little was measured
    held          everything was measured, every fault acted, and the belief held

A broken invariant is a fact by itself. Anything else that went wrong while no fault was seen to act may have other
causes: then nothing is concluded. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.model.lasting import LASTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.judging.facts import Observations, ProbeFact, When
    from experiments.model.experiment import Chaos, Expected

EXIT_CODES: Mapping[Expected, int] = {
    "held": 0,
    "deviated": 10,
    "inconclusive": 11,
    "aborted": 12,
    "not_started": 13,
}

_WEIGHTS = {"after": 40.0, "during": 10.0, "errors": 20.0, "recovery": 20.0, "latency": 10.0}
_NAMED_MAX = 5
_RECOVERY_HALF_S = 5.0
"""A recovery that takes so long is worth half of one that takes no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an experiment came to.

    Attributes:
        kind: In a word.
        reasons: Why, each in a sentence; of a verdict that held, what it rests on.
        score: 0 to 100, or None where not everything was measured.
    """

    kind: Expected
    reasons: tuple[str, ...]
    score: float | None = None

    @property
    def exit_code(self) -> int:
        """Of the command that ran it."""
        return EXIT_CODES[self.kind]


def may_start(seen: Observations) -> Verdict | None:
    """Why it must not start: the hypothesis does not hold before anything is done; None: it may."""
    reasons = tuple(_broken_probes(seen, "before"))
    return Verdict(kind="not_started", reasons=reasons) if reasons else None


def judge(seen: Observations, chaos: Chaos, *, stopped: str = "") -> Verdict:
    """Come to a verdict.

    Args:
        seen: Everything that was seen.
        chaos: The experiment's bounds.
        stopped: Why it did not come to its end; nothing: it did.
    """
    refused = may_start(seen)
    if refused is not None:
        return refused
    verdict = _judge(seen, chaos, stopped)
    return replace(verdict, reasons=(*verdict.reasons, *_lasting(seen)))


def _judge(seen: Observations, chaos: Chaos, stopped: str) -> Verdict:
    broken = tuple(_broken_invariants(seen))
    if stopped:
        return Verdict(kind="aborted", reasons=(stopped, *broken), score=0.0 if broken else None)
    if broken:
        return Verdict(kind="deviated", reasons=broken, score=0.0)
    unclear = tuple(_unclear(seen, chaos))
    wrong = tuple(_deviations(seen, chaos))
    if unclear:
        return Verdict(kind="inconclusive", reasons=(*unclear, *(f"not concluded from: {each}" for each in wrong)))
    score = _score(seen, chaos)
    if wrong:
        return Verdict(kind="deviated", reasons=wrong, score=score)
    return Verdict(kind="held", reasons=tuple(_grounds(seen)), score=score)


def _lasting(seen: Observations) -> Iterator[str]:
    """What was on in the rounds without the fault, too, and is on still."""
    for told in dict.fromkeys(f"{fault.fault} of {fault.target}" for fault in seen.faults if fault.lasts):
        yield f"{told} was on before the first round, and {LASTS}"


def _broken_invariants(seen: Observations) -> Iterator[str]:
    yield from seen.broken
    if seen.checked is not None:
        yield from seen.checked.problems()
    if seen.forgotten:
        named = ", ".join(seen.forgotten[:_NAMED_MAX])
        yield f"{len(seen.forgotten)} of {seen.acknowledged} durable calls that were acknowledged are lost: {named}"


def _broken_probes(seen: Observations, when: When) -> Iterator[str]:
    """Probes that did not hold, and of those that could not be judged the same: each once."""
    told: set[str] = set()
    for probe in seen.probes:
        if probe.when == when and probe.held is not True and probe.name not in told:
            told.add(probe.name)
            what = "cannot be judged" if probe.held is None else "does not hold"
            yield f"{when}: {probe.name} {what}: {probe.why}"


def _unclear(seen: Observations, chaos: Chaos) -> Iterator[str]:
    injected = [fault for fault in seen.faults if fault.injected_at_s is not None]
    if not injected:
        yield "no fault was injected"
    for fault in injected:
        if not fault.evidence:
            yield f"{fault.fault_id}: nothing but its injector tells that {fault.fault} of {fault.target} acted"
    if seen.checked is None:
        yield "no history of the tasks was checked"
    yield from _unclear_durable(seen, chaos)
    if not seen.invariants_seen:
        yield "the event log could not be read, so breakers and restarts were not looked at"
    if chaos.limits.latency_shift_s is not None and seen.shift is None:
        yield "the shift of the median latency has a limit, and there were no rounds without the fault to measure it by"
    yield from _unclear_samples(seen, chaos.interleaving.least_samples)
    yield from _unclear_belief([probe for probe in seen.probes if probe.when == "after"])
    if chaos.during_must_hold:
        yield from _unclear_meanwhile([probe for probe in seen.probes if probe.when == "during"])


def _unclear_samples(seen: Observations, least: int) -> Iterator[str]:
    """Too little, or a load that shows nothing."""
    for phase in ("baseline", "fault"):
        count = len(seen.in_phase(phase))
        if count < least:
            yield f"{count} calls in the rounds of kind {phase}; {least} at least say something"
    if (without := seen.in_phase("baseline")) and not any(call.ok for call in without):
        yield f"all {len(without)} calls without the fault failed, too: the load shows nothing of it"


def _unclear_durable(seen: Observations, chaos: Chaos) -> Iterator[str]:
    """What was never acknowledged cannot be lost: that shows nothing."""
    if not chaos.load.durable_per_s:
        return
    least = chaos.interleaving.least_samples
    if (seen.acknowledged or 0) < least:
        yield f"{seen.acknowledged or 0} durable calls were acknowledged; {least} at least say something"
    elif seen.forgotten is None:
        yield "what durable calls were acknowledged for could not be asked for"


def _unclear_belief(after: list[ProbeFact]) -> Iterator[str]:
    if not after:
        yield "nothing was believed: no probe of a hypothesis was looked at afterwards"
    for probe in after:
        if probe.held is None:
            yield f"after: {probe.name} cannot be judged: {probe.why}"


def _unclear_meanwhile(during: list[ProbeFact]) -> Iterator[str]:
    """What had to hold while the fault was on, and was not looked at, or could not be; what was seen broken is told."""
    if not during:
        yield "it had to hold while the fault was on, and nobody looked meanwhile"
    broken = {probe.name for probe in during if probe.held is False}
    unjudged = [probe for probe in during if probe.held is None and probe.name not in broken]
    told = {probe.name: probe.why for probe in reversed(unjudged)}
    yield from (f"during: {name} cannot be judged: {why}" for name, why in sorted(told.items()))


def _deviations(seen: Observations, chaos: Chaos) -> Iterator[str]:
    for probe in seen.probes:
        if probe.when == "after" and probe.held is False:
            yield f"after: {probe.name} does not hold: {probe.why}"
    if chaos.during_must_hold:
        judged = tuple(probe for probe in seen.probes if probe.held is not None)
        yield from _broken_probes(replace(seen, probes=judged), "during")
    limits = chaos.limits
    for fault in seen.faults:
        if fault.injected_at_s is not None and fault.loss and not fault.lasts:
            yield f"{fault.fault_id}: {fault.loss}"
    yield from _over("time to detect", seen.worst("detect_s"), limits.detect_s, "s")
    yield from _over("time to recover", seen.worst("recover_s"), limits.recover_s, "s")
    yield from _over("share of failed tasks", seen.error_share, limits.error_share, "")
    yield from _over("share of the error budget", seen.budget(limits.objective), limits.budget, "")
    if limits.latency_shift_s is not None and seen.shift is not None:
        rounds = chaos.interleaving
        if seen.shift.is_real(alpha=rounds.alpha, least_s=rounds.least_effect_s):
            yield from _over("shift of the median latency", seen.shift.shift_s, limits.latency_shift_s, "s")


def _over(what: str, value: float | None, limit: float | None, unit: str) -> Iterator[str]:
    if limit is None:
        return
    if value is None:
        yield f"{what} has a limit of {limit:g} {unit}".rstrip() + ", and it was never reached"
    elif value > limit:
        yield f"{what} is {value:.3g} {unit}".rstrip() + f", and its limit {limit:g}"


def _grounds(seen: Observations) -> Iterator[str]:
    proven = sum(bool(fault.evidence) for fault in seen.faults)
    yield f"{proven} of {proven} faults acted, as something else than their injector saw"
    if seen.checked is not None:
        yield f"{seen.checked.attempted} tasks ended, none lost, doubled or made up"
    if seen.acknowledged is not None:
        yield f"{seen.acknowledged} durable calls acknowledged, none lost; {seen.refused} refused"
    if seen.asked_again is not None:
        yield f"{seen.asked_again} effects asked for again"
    after = sum(probe.when == "after" for probe in seen.probes)
    yield f"{after} probes of the hypothesis hold afterwards"


def _score(seen: Observations, chaos: Chaos) -> float | None:
    """The weighted parts, or None as soon as one of them was not measured."""
    after, during = _share_held(seen, "after"), _share_held(seen, "during")
    recover_s, shift, errors = seen.worst("recover_s"), seen.shift, seen.error_share
    if after is None or during is None or recover_s is None or shift is None or errors is None:
        return None
    scale_s = chaos.limits.recover_s or _RECOVERY_HALF_S
    slower_s = max(0.0, shift.shift_s) if shift.p < chaos.interleaving.alpha else 0.0
    typical_s = max(chaos.interleaving.least_effect_s, chaos.load.work_s, 1e-3)
    parts = {
        "after": after,
        "during": during,
        "errors": max(0.0, 1 - errors / (1 - chaos.limits.objective)),
        "recovery": scale_s / (scale_s + recover_s),
        "latency": typical_s / (typical_s + slower_s),
    }
    return round(sum(_WEIGHTS[name] * part for name, part in parts.items()), 1)


def _share_held(seen: Observations, when: When) -> float | None:
    asked = [probe.held for probe in seen.probes if probe.when == when]
    return None if not asked or None in asked else sum(held is True for held in asked) / len(asked)
