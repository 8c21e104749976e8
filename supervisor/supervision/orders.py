"""The supervisor machine's commands about one life, filled in from what is known of it. Pure."""

from __future__ import annotations

from supervisor.messages import FenceMember, KillChild, KnownActor, RecordChild
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


def end_of(child: Child, life: Life) -> KillChild | FenceMember:
    """End a life: its process, where it is known to run; one that shares its process alone, unless that ends anyway."""
    if life.shared and not life.fell_with:
        return FenceMember(key=child.plan.key, incarnation=life.incarnation, host=life.host)
    where = life.location
    process, node_id = (None, None) if where is None else (where.process, where.node_id)
    return KillChild(key=child.plan.key, incarnation=life.incarnation, process=process, node_id=node_id)


def end_unlocated(actor: KnownActor) -> KillChild | FenceMember:
    """End what is not a child of ours any more."""
    if actor.host:
        return FenceMember(key=actor.key, incarnation=actor.incarnation, host=actor.host)
    return KillChild(key=actor.key, incarnation=actor.incarnation, process=None, node_id=None)
