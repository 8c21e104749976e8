"""What needs what: cycles, order and closure of named things. Pure.

Edges lead from a name to those that it needs. Names that are needed but not given have no needs of their own. Nothing
recurses: a chain of 10,000 is walked as one of three.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def find_cycle(needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Names that need each other in a ring, the first one also at the end; empty when there is no ring."""
    in_ring = set(needs).difference(in_order(needs))
    if not in_ring:
        return ()
    path = [min(in_ring)]  # all that are left need another that is left: to follow these leads into a ring
    place = {path[0]: 0}
    while True:
        following = min(each for each in needs[path[-1]] if each in in_ring)
        if following in place:
            return (*path[place[following] :], following)
        place[following] = len(path)
        path.append(following)


def in_order(needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """All names, each after those that it needs; names in a ring are left out, with all that need one."""
    waiting = {name: {each for each in needed if each in needs} for name, needed in needs.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, missing in waiting.items():
        for each in missing:
            needed_by[each].append(name)
    ready = deque(sorted(name for name, missing in waiting.items() if not missing))
    ordered: list[str] = []
    while ready:
        name = ready.popleft()
        ordered.append(name)
        for each in needed_by[name]:
            waiting[each].discard(name)
            if not waiting[each]:
                ready.append(each)
    return tuple(ordered)


def closure(needs: Mapping[str, Collection[str]], name: str) -> frozenset[str]:
    """All that `name` needs, however far away; `name` itself only if it is in a ring."""
    found: set[str] = set()
    ways = list(needs.get(name, ()))
    while ways:
        each = ways.pop()
        if each not in found:
            found.add(each)
            ways.extend(needs.get(each, ()))
    return frozenset(found)
