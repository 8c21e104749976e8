"""The supervisor machine's commands about one life, filled in from what is known of it. Pure."""

from __future__ import annotations

from supervisor.messages import KillChild, KnownActor, RecordChild
from supervisor.tree import Child, ExitClass, Life


def record_of(
    child: Child, life: Life | None, event: str, detail: str = "", exit_class: ExitClass | None = None
) -> RecordChild:
    """Write down what happened to a child, or to one life of it."""
    return RecordChild(
        key=child.plan.key,
        incarnation=child.incarnation if life is None else life.incarnation,
        event=event,
        role="standby" if life is not None and life.standby else child.role,
        location=None if life is None else life.location,
        detail=detail,
        exit_class=exit_class,
    )


def kill_of(child: Child, life: Life) -> KillChild:
    """End a life's process, where it is known to run."""
    where = life.location
    process, node_id = (None, None) if where is None else (where.process, where.node_id)
    return KillChild(key=child.plan.key, incarnation=life.incarnation, process=process, node_id=node_id)


def kill_unlocated(actor: KnownActor) -> KillChild:
    """End an actor that is not a child of ours any more."""
    return KillChild(key=actor.key, incarnation=actor.incarnation, process=None, node_id=None)
