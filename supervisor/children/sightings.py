"""What a view says about single children and pools. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from supervisor.tree import Location

GONE = {
    "given_up": "it was given up",
    "stopped": "it was stopped, or ended normally",
    "ignored": "its constructor said that there is nothing to run",
}
"""What the statuses mean from which no child comes back by itself."""


class ChildSight(Protocol):
    """What callers need of `supervisor.messages.ChildView`."""

    @property
    def key(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def location(self) -> Location | None: ...
    @property
    def last_error(self) -> str: ...
    @property
    def incarnation(self) -> int: ...
    @property
    def host(self) -> str: ...
    @property
    def standbys(self) -> tuple[str, ...]: ...
    @property
    def group(self) -> str: ...
    @property
    def adopted(self) -> bool: ...
    @property
    def interface(self) -> str: ...
    @property
    def outdated(self) -> bool: ...


class GroupSight(Protocol):
    """What callers need of `supervisor.messages.GroupView`."""

    @property
    def status(self) -> str: ...
    @property
    def failure(self) -> str | None: ...


class View(Protocol):
    """What callers need of `supervisor.messages.ClusterView`."""

    @property
    def children(self) -> Sequence[ChildSight]: ...
    @property
    def groups(self) -> Mapping[str, GroupSight]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One child: its accepted incarnation, and the actor to call; None while it serves nobody.

    Attributes:
        interface: The digest of how it is called; empty where nothing is said of that.
        outdated: That incarnation was built of another spec than the one whose interface that is.
    """

    key: str
    incarnation: int
    host: str | None
    location: Location | None
    interface: str = ""
    outdated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A child (it is its only member) or a pool.

    Attributes:
        known: Whether the view knows it at all.
        gone: Why it does not come back by itself, or None.
        ended: Whether it can have ended by itself, and well.
        actors: Everybody worth a connection, standbys included.
    """

    known: bool
    gone: str | None
    ended: bool
    members: tuple[Member, ...]
    actors: frozenset[str]


_UNKNOWN = Seen(known=False, gone=None, ended=False, members=(), actors=frozenset())


def look_at(view: View, keys: Iterable[str]) -> list[Seen]:
    """What the view says of each key: `child/<name>` for a child, a group's path for a pool."""
    wanted = list(keys)
    pools: dict[str, list[ChildSight]] = {key: [] for key in wanted if "/" not in key}
    singles = {key for key in wanted if "/" in key}
    found: dict[str, ChildSight] = {}
    for child in view.children:
        if child.key in singles:
            found[child.key] = child
        members = pools.get(child.group)
        if members is not None:
            members.append(child)
    return [_pool(view, key, pools[key]) if key in pools else _single(found.get(key)) for key in wanted]


def _single(child: ChildSight | None) -> Seen:
    if child is None:
        return _UNKNOWN
    return Seen(
        known=True,
        gone=_why_gone(child),
        ended=child.status == "stopped",
        members=(_member(child),),
        actors=_actors(child),
    )


def _pool(view: View, path: str, children: list[ChildSight]) -> Seen:
    group = view.groups.get(path)
    gone = None
    if group is not None and group.status in GONE:
        gone = f"{GONE[group.status]}: {group.failure}" if group.failure else GONE[group.status]
    return Seen(
        known=group is not None or bool(children),
        gone=gone,
        ended=False,
        members=tuple(_member(child) for child in children if child.status not in GONE),
        actors=frozenset().union(*(_actors(child) for child in children)),
    )


def _member(child: ChildSight) -> Member:
    host = child.host if _is_there(child) and child.role != "standby" else None
    return Member(
        key=child.key,
        incarnation=child.incarnation,
        host=host,
        location=child.location,
        interface=child.interface,
        outdated=child.outdated,
    )


def _actors(child: ChildSight) -> frozenset[str]:
    return frozenset((*child.standbys, child.host) if _is_there(child) else child.standbys)


def _is_there(child: ChildSight) -> bool:
    """Whether it takes calls: a change of leaders is none of its callers' business."""
    return child.status == "running" or child.adopted


def _why_gone(child: ChildSight) -> str | None:
    if child.status not in GONE:
        return None
    return f"{GONE[child.status]} (last error: {child.last_error})" if child.last_error else GONE[child.status]
