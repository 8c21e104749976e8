"""How one incident's recovery goes on: record, run, verify, next. Pure.

    its turn --> recorded as begun --confirmed--> run --ended--> next step, or verified --good--> resolved
                                                   |                       +--bad--> next strategy, or escalated
                                                   +--nobody knows--> verified, and if that is bad the strategy goes on

A step is on record before it is run, so a successor knows that it may have been; it takes it again only if that has no
effect, else it looks at the component first. Success is what the probe says. Only the result of a called function,
which is there to be seen, counts where a component has no probe.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actors.healer import messages as m
from actors.healer.incident import Entry
from actors.healer.routing import pick_healer
from actors.recovery.course import Step, Taken, next_step
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import title

if TYPE_CHECKING:
    from actors.healer.case import Case
    from actors.healer.incident import Incident
    from actors.healer.standing import Standing
    from actors.recovery.course import Action, Outcome

_BY_RESULT: tuple[Action, ...] = ("call", "provider", "stale")
"""What these did is seen in what they returned."""

_UNDOING: Action = "roll_back"
"""What was half done is undone, whoever has taken the incident over."""

_ENDING: tuple[Action, ...] = ("restart", "cut_over", "roll_back")
"""These end a component and start it again."""


def advance(standing: Standing, case: Case) -> None:
    """Find the next step of the strategy that is tried, or of the next one."""
    while True:
        incident = case.incident
        if incident.position >= len(incident.strategies):
            standing.close(case, "escalated", "nothing that was planned has helped")
            return
        strategy = incident.strategies[incident.position]
        if isinstance(strategy, Retry | Fallback) and not incident.call and not has_result(incident):
            next_strategy(standing, case)  # its call has its answer, or waits no more
            continue
        following = next_step(strategy, incident.taken, rng=standing.rng)
        if isinstance(following, Step):
            if incident.owner and following.action != _UNDOING:
                _hand_over(standing, case)
                return
            case.following, case.next_verify = following, False
            _wait(standing, case, following.wait_s)
            return
        if following == "succeeded":
            begin_verification(standing, case)
            return
        if following == "acknowledged":
            _hand_over(standing, case)
            return
        next_strategy(standing, case)


def _hand_over(standing: Standing, case: Case) -> None:
    """It is a person's: nothing more is tried."""
    standing.close(case, "escalated", f"{case.incident.owner or 'somebody'} has taken it over")


def next_strategy(standing: Standing, case: Case) -> None:
    """The one that was tried has not helped."""
    standing.learn(case, worked=False)
    case.incident = replace(case.incident, position=case.incident.position + 1, taken=())
    case.strategy_at = standing.now


def _wait(standing: Standing, case: Case, wait_s: float) -> None:
    if wait_s > 0:
        standing.set(case, "waiting", due_at=standing.now + wait_s)
    else:
        standing.set(case, "ready")


def fill(standing: Standing) -> None:
    """Let those begin whose turn it is, as many as the limit allows."""
    passed: list[Case] = []
    while (case := standing.next_turn()) is not None:
        if case.next_verify:
            _verify(standing, case)
        elif _route(standing, case) is None:
            passed.append(case)  # no healer may: others may be for others
        else:
            _begin(standing, case)
    for case in passed:
        standing.set(case, "ready")


def _route(standing: Standing, case: Case) -> str | None:
    incident = case.incident
    found = pick_healer(
        standing.healers.values(),
        failing_node=incident.node,
        labels=dict(incident.labels),
        running=standing.running,
    )
    return None if found is None else found.name


def _begin(standing: Standing, case: Case) -> None:
    step = case.following
    assert step is not None
    if _is_idle(case.incident, step):
        advance(standing, case)
        return
    cause = "" if step.action == _UNDOING else standing.cause_of(case)
    if cause:
        _wait_for_cause(standing, case, cause)
        return
    if step.action == "call" and not standing.budget.take(standing.now):
        standing.set(case, "waiting", due_at=standing.now + standing.budget.wait_s(standing.now))
        return
    if case.incident.phase != "recovering":
        standing.move(case, "recovering", title(case.incident.strategies[case.incident.position]))
    standing.set(case, "recording", due_at=standing.now + standing.settings.record_timeout_s)
    standing.record(case, begun=step)


def _wait_for_cause(standing: Standing, case: Case, cause: str) -> None:
    """What it depends on has fallen sick, too: that is mended first, then this is looked at, and goes on if need be."""
    case.goes_on = True
    standing.record(case, caused_by=cause)
    standing.set(case, "blocked")


def on_recorded(standing: Standing, case: Case, version: int) -> None:
    """What it is about to do outlives every process: do it."""
    if case.doing != "recording" or version != case.incident.version:
        return
    healer = _route(standing, case)
    step = case.incident.begun
    assert step is not None
    is_idle = _is_idle(case.incident, step)
    if healer is None or is_idle or standing.held_by(case.incident):  # it was not run: that is certain
        standing.record(case, begun=None)
        standing.set(case, "ready")
        return
    case.healer = healer
    standing.running[healer] = standing.running.get(healer, 0) + 1
    standing.set(case, "running", due_at=standing.now + step.timeout_s)
    incident = case.incident
    strategy = incident.strategies[incident.position]
    standing.emit(m.RunStep(healer=healer, incident=incident, strategy=strategy, step=step))


def on_step_ended(standing: Standing, case: Case, event: m.StepEnded) -> None:
    """A healer says how its step ended."""
    if case.doing == "running" and event.version == case.incident.version:
        standing.running[case.healer] -= 1
        take(standing, case, event.outcome, event.detail, result=event.result)


def take(standing: Standing, case: Case, outcome: Outcome, detail: str, *, result: object = None) -> None:
    """The step that was begun has ended so."""
    incident = case.incident
    step = incident.begun
    assert step is not None
    name = f"{title(incident.strategies[incident.position])}: {step.action}"
    taken = (*incident.taken, Taken(step=step, outcome=outcome, detail=detail))
    kept = result if outcome == "succeeded" and step.action in _BY_RESULT else None
    case.incident = replace(incident, begun=None, taken=taken, result=kept)
    standing.note(case, Entry(what=name, outcome=outcome, detail=detail))
    standing.set(case, "waiting")
    standing.record(case)
    if has_result(case.incident):
        standing.answer(case, "result", result)
    if _is_unsure(case.incident):
        begin_verification(standing, case)
    else:
        advance(standing, case)


# -- verification -----------------------------------------------------------------------------------------------------


def begin_verification(standing: Standing, case: Case) -> None:
    """Its probe is to say whether it is well, when it is its turn."""
    case.next_verify = True
    standing.set(case, "ready")


def _verify(standing: Standing, case: Case) -> None:
    case.verify_until = standing.now + standing.settings.verify_s
    standing.set(case, "verifying")
    if case.incident.phase != "verifying":
        standing.move(case, "verifying", "its probe is asked")
    _ask(standing, case)


def _ask(standing: Standing, case: Case) -> None:
    case.verification += 1
    standing.set(case, "verifying", due_at=case.verify_until)
    incident = case.incident
    number = case.verification
    standing.emit(m.Verify(incident_id=incident.incident_id, component=incident.component, number=number))


def on_verified(standing: Standing, case: Case, event: m.VerificationEnded) -> None:
    """Its probe has said something."""
    if case.doing != "verifying" or event.number != case.verification:
        return
    if event.verdict == "unprobed" and case.calls and _was_answered_by_another(case.incident):
        _for_next_call(standing, case)
    elif event.verdict == "passed" or (event.verdict == "unprobed" and has_result(case.incident)):
        standing.learn(case, worked=True)
        verified = event.verdict == "passed"
        words = "its probe is good" if verified else "its function has returned, and it has no probe"
        standing.close(case, "resolved", words, verified=verified)
    elif event.verdict == "unprobed":
        verification_failed(standing, case, "it has no probe, and success is not assumed")
    else:
        again_at = standing.now + standing.settings.verify_every_s
        if again_at >= case.verify_until:
            verification_failed(standing, case, event.detail)
        else:
            case.verification += 1  # what is still told of this question is late
            standing.set(case, "verifying", due_at=again_at)


def _for_next_call(standing: Standing, case: Case) -> None:
    """Others wait with functions of their own, and nothing says that these would work now: what has helped goes on."""
    standing.learn(case, worked=True)
    standing.note(case, Entry(what="next call", detail="another call waits, and what it calls may not be well"))
    case.incident = replace(case.incident, call=case.calls.pop(0), taken=())
    case.strategy_at = standing.now
    standing.set(case, "waiting")
    advance(standing, case)


def on_verification_due(standing: Standing, case: Case) -> None:
    """It is time to ask again, or to give up."""
    if standing.now >= case.verify_until:
        verification_failed(standing, case, "its probe gave no answer in time")
    else:
        _ask(standing, case)


def verification_failed(standing: Standing, case: Case, detail: str) -> None:
    """It is not well: the strategy goes on if a step's end was not known, else the next one is tried."""
    standing.note(case, Entry(what="verification", outcome="failed", detail=detail))
    standing.set(case, "waiting")
    goes_on, case.goes_on = case.goes_on, False
    if case.incident.taken and not goes_on and not _is_unsure(case.incident):
        next_strategy(standing, case)
    advance(standing, case)


def may_have_ended_it(incident: Incident) -> bool:
    """Whether a healer may have died after it ended the component, and before it started it again."""
    latest = incident.taken[-1] if incident.taken else None
    return latest is not None and latest.outcome == "unknown" and latest.step.action in _ENDING


def _is_idle(incident: Incident, step: Step) -> bool:
    """Whether a function was to be called for a call that waits no more."""
    return step.action in _BY_RESULT and not incident.call


def has_result(incident: Incident) -> bool:
    """Whether a step has proved by its result that it worked."""
    latest = incident.taken[-1] if incident.taken else None
    return latest is not None and latest.outcome == "succeeded" and latest.step.action in _BY_RESULT


def _was_answered_by_another(incident: Incident) -> bool:
    """Whether its result came from a provider, or from earlier: what the call itself was to do may fail as before."""
    return has_result(incident) and incident.taken[-1].step.action != "call"


def _is_unsure(incident: Incident) -> bool:
    """Whether a step with an effect may have been taken: its component is looked at before anything else is tried."""
    latest = incident.taken[-1] if incident.taken else None
    if latest is None or latest.outcome != "unknown":
        return False
    return not latest.step.repeatable and latest.step.action not in _BY_RESULT
