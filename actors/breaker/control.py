"""What people ask of a breaker, and what it inherits: the transitions that no call causes. Pure.

any --force_open | disable | shadow--> that state --reset | enable--> closed
any --configure--> the same state, begun anew where calls are judged or probed
a predecessor's state --recover--> the same state in a new generation
any --recover_late--> what somebody had asked for, once the log tells
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actors.breaker import messages as m
from actors.breaker.leases import Lease
from actors.breaker.published import OVERRIDING, State
from actors.breaker.settings import describe_difference

if TYPE_CHECKING:
    from actors.breaker.standing import Standing

_LOG, _LATE = "the event log", "asked for before; the log was silent until now"

_OVERRIDES: dict[m.Action, State] = {"force_open": "forced_open", "disable": "disabled", "shadow": "shadow"}


def control(standing: Standing, event: m.ControlRequested) -> None:
    """Somebody wants another state. To enable what nobody disabled, forced or shadowed changes nothing."""
    action = event.action
    cause = m.Cause(
        kind="controlled", detail=_words(action, event.who, event.reason), who=event.who, reason=event.reason
    )
    if action in _OVERRIDES:
        standing.enter(_OVERRIDES[action], cause)
    elif action == "reset" or standing.state in OVERRIDING:
        standing.close(cause)


def configure(standing: Standing, event: m.ConfigureRequested) -> None:
    """Somebody wants other settings.

    What calls said under the former settings is forgotten: they may have been slow, or failures, by those alone. A ramp
    begins anew, and is over if there is none any more. What is open stays so, for `open_s_max` at most.
    """
    difference = describe_difference(standing.settings, event.settings)
    standing.judge_by(event.settings)
    standing.rules += 1
    standing.emit(m.RecordConfigured(rules=standing.rules, difference=difference, who=event.who, reason=event.reason))
    detail = _words("configure", event.who, event.reason)
    cause = m.Cause(kind="configured", detail=detail, who=event.who, reason=event.reason)
    match standing.state:
        case "closed" | "shadow":
            standing.enter(standing.state, cause)
        case "half_open":
            standing.half_open(cause)
        case "ramping":
            standing.recover(cause)
        case "open":
            assert standing.until is not None
            standing.until = min(standing.until, standing.now + event.settings.open_s_max)
            standing.publish()
        case "disabled" | "forced_open":
            standing.publish()
        case _:
            assert_never(standing.state)


def recover(standing: Standing, event: m.StateRecovered) -> None:
    """Go on where a predecessor was, in a generation of this life: what calls of its say changes nothing any more."""
    kept, now = event.kept, standing.now
    found = kept.published
    standing.judge_by(kept.settings)
    standing.rules = found.rules
    standing.openings = found.openings
    standing.opened_by, standing.opened_at = kept.opened_by, now - kept.opened_ago_s
    standing.overridden_by = kept.overridden_by
    standing.generation = max(standing.generation, found.generation)
    standing.leases.shut_until = now + event.unknown_leases_s
    for lease in kept.leases:
        standing.leases.add(
            Lease(
                permit=lease.permit,
                holder=lease.holder,
                request=lease.request,
                generation=lease.generation,
                expires_at=now + lease.left_s,
            )
        )
    standing.resume(found)
    standing.emit(m.NoteRecovered(state=standing.state, generation=standing.generation, shut_s=event.unknown_leases_s))


def recover_late(standing: Standing, event: m.LogAnswered) -> None:
    """What only the log knew holds from now on: what somebody asked for, and a wait that is left."""
    kept, found = event.kept, event.kept.published
    if event.takes_settings and found.rules > 1:
        configure(standing, m.ConfigureRequested(settings=kept.settings, who=_LOG, reason=_LATE))
    if event.takes_state and found.state in OVERRIDING:
        detail = _words(found.state, _LOG, _LATE)
        standing.generation = max(standing.generation, found.generation)
        standing.enter(found.state, kept.overridden_by or m.Cause(kind="controlled", detail=detail, who=_LOG))
    elif event.takes_wait and found.state == "open" and found.wait_s > 0:
        standing.openings, standing.opened_by = found.openings, kept.opened_by
        standing.opened_at = standing.now - kept.opened_ago_s
        cause = kept.opened_by or m.Cause(kind="tripped", detail="its predecessor was open")
        standing.generation = max(standing.generation, found.generation)
        standing.enter("open", cause, until=standing.now + min(found.wait_s, standing.settings.open_s_max))


def _words(action: str, who: str, reason: str) -> str:
    return f"{action.replace('_', ' ')} by {who}: {reason}"
