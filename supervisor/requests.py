"""What can be asked of the tree, and what can be wrong with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from supervisor.tree import ChildPlan, GroupPlan

Problem = Literal[
    "already_started", "already_present", "running", "restarting", "not_found", "given_up", "no_group", "start_failed",
    "not_a_pool", "stopping", "protected", "keeps_no_state", "not_running",
    "takes_no_standbys", "shares_process", "shares_elsewhere", "ends_nothing", "name_of_a_member", "no_room",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMembers:
    """Add groups and children, and start them in order; one that fails to start leaves none of them behind.

    Attributes:
        groups: New groups, an outer one before those in it; the first one holds all the others.
        children: New children, in the order of their start; without groups there is one.
        order: Keys and paths in the order of their start; left out, a group's groups start before its children.
    """

    groups: tuple[GroupPlan, ...] = ()
    children: tuple[ChildPlan, ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate:
    """End a member; its spec stays, unless it is temporary."""

    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartMember:
    """Start a member again that has ended.

    Attributes:
        member: The member.
        ends_first: One that runs is ended in order before, as a part of the same: its callers wait for its next life.
    """

    member: str
    ends_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Forget a member that has ended."""

    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Change how many stand by for a child, or how many members a pool has."""

    member: str
    size: int | None = None
    standbys: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Replace plans in place: what bounds a child holds at once, how it is built from its next start on.

    Attributes:
        groups: The new plans of groups that are there.
        children: The new plans of children that are there.
        order: Members in the order that they are to have within their groups.
    """

    groups: tuple[GroupPlan, ...] = ()
    children: tuple[ChildPlan, ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """See to it that a breaker has an actor that owns it, and that this runs.

    Attributes:
        breaker: Its name.
        own_max: So many breakers have an actor of their own.
    """

    breaker: str
    own_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Serve:
    """See to it that a service runs.

    Attributes:
        key: The service's.
    """

    key: str


Request = AddMembers | Terminate | RestartMember | Delete | Resize | Change | House | Serve
