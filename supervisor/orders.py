"""The supervisor machine's commands about one child, filled in from what is known of it. Pure."""

from __future__ import annotations

from supervisor.messages import KillChild, KnownActor, RecordChild, RecordRestart, StopChild
from supervisor.tree import Child


def record_of(child: Child, event: str, detail: str = "") -> RecordChild:
    """Write down what happened to a child."""
    return RecordChild(
        key=child.spec.key,
        incarnation=child.incarnation,
        event=event,
        role=child.role,
        location=child.location,
        detail=detail,
    )


def records_of_found_dead(child: Child, incarnation: int) -> list[RecordChild | RecordRestart]:
    """Write down the end of a child's life `incarnation` that no leader saw, and its restart; 0: it never lived."""
    if not incarnation:
        return []
    key, reason = child.spec.key, "found dead by a new leader"
    return [
        RecordChild(key=key, incarnation=incarnation, event="died", role=child.role, location=None, detail=reason),
        RecordRestart(
            key=key,
            from_incarnation=incarnation,
            to_incarnation=incarnation + 1,
            exit_class="killed",
            reason=reason,
            group=child.spec.group,
            delay_ms=0,
        ),
    ]


def stop_of(child: Child) -> StopChild:
    """Ask a child to finish."""
    return StopChild(key=child.spec.key, incarnation=child.incarnation, within_s=child.spec.shutdown_s)


def kill_of(child: Child) -> KillChild:
    """End a child's process, where it is known to run."""
    where = child.location
    process, node_id = (None, None) if where is None else (where.process, where.node_id)
    return KillChild(key=child.spec.key, incarnation=child.incarnation, process=process, node_id=node_id)


def kill_unlocated(actor: KnownActor) -> KillChild:
    """End an actor that is not a child of ours any more."""
    return KillChild(key=actor.key, incarnation=actor.incarnation, process=None, node_id=None)
