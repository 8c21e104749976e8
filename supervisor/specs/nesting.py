"""What is wrong between the members of a group, found in unchecked data beside what is wrong in each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actors.runtime.settings import path_text, shown
from supervisor.specs.naming import joined, path_problem, pool_of_number
from supervisor.tree import ROOT

if TYPE_CHECKING:
    from supervisor.specs.child import ChildSpec, PoolSpec
    from supervisor.specs.group import GroupSpec

Place = tuple[int | str, ...]
_LISTS = ("children", "pools", "groups")
_DEEPEST = 64
"""A name of 63 characters has no more parts than that."""


def nesting_problems(data: object) -> tuple[str, ...]:
    """Names in use, names too long with their groups, significance without effect, one process in two places.

    Args:
        data: A tree or a group: a mapping as it was given, or the settings themselves. Nothing in it has been checked.
    Returns: Problems, each beginning with its path.
    """
    return tuple(_problems(data, (), "", is_root=_value(data, "name") is None, around=()))


def placing_problems(spec: ChildSpec | PoolSpec | GroupSpec, *, group: str) -> tuple[str, ...]:
    """Names too long with the groups that a spec is put into.

    Args:
        spec: One that is right by itself.
        group: The path of the group that it goes into.
    Returns: Problems, each beginning with its path in the spec; of a name and those in it the name's only.
    """
    above = "" if group == ROOT else group
    long = path_problem(joined(above, spec.name), pool=_is_pool(spec))
    return (f"name: {long}",) if long else tuple(_problems(spec, (), above, is_root=False, around=()))


def _problems(group: object, place: Place, above: str, *, is_root: bool, around: tuple[int, ...]) -> Iterator[str]:
    """What is wrong in a group; below a name that is too long every other is, too, and data may hold itself."""
    if len(around) > _DEEPEST or id(group) in around:
        return
    own = _text(group, "name")
    path = joined(above, own)
    members = list(_members(group, place))
    yield from _names_in_use(members)
    yield from _without_effect(group, members, is_root=is_root)
    yield from _two_places(members)
    for where, member in members:
        name = _text(member, "name")
        if name and (long := path_problem(joined(path, name), pool=_is_pool(member))):
            yield f"{path_text((*where, 'name'))}: {long}"
        else:
            yield from _problems(member, where, path, is_root=False, around=(*around, id(group)))


def _names_in_use(members: list[tuple[Place, object]]) -> Iterator[str]:
    first: dict[str, Place] = {}
    for where, member in members:
        name = _text(member, "name")
        if name and name in first:
            yield f"{path_text((*where, 'name'))}: {name!r} is already the name of {path_text(first[name])}"
        first.setdefault(name, where)
    pools = {_text(member, "name") for _, member in members if _is_pool(member)} - {""}
    for where, member in members:
        name = _text(member, "name")
        if pool_of_number(name) in pools:
            yield (
                f"{path_text((*where, 'name'))}: {name!r} is what a member of the pool {pool_of_number(name)!r} is "
                "called; choose another name"
            )


def _without_effect(group: object, members: list[tuple[Place, object]], *, is_root: bool) -> Iterator[str]:
    auto_shutdown = _value(group, "auto_shutdown")
    if auto_shutdown not in (None, "never"):
        return
    for where, member in members:
        if _value(member, "significant") is True and _value(member, "cls") is not None:
            remedy = (
                "everything's own group never ends so; put it into a group with auto_shutdown"
                if is_root
                else "its group's auto_shutdown is never; choose any_significant or all_significant there"
            )
            yield f"{path_text((*where, 'significant'))}: true, but {remedy}"


def _two_places(members: list[tuple[Place, object]]) -> Iterator[str]:
    first: dict[object, tuple[Place, object]] = {}
    for where, member in members:
        shared, node = _value(member, "share_process"), _value(member, "node")
        if shared is not True and not (isinstance(shared, str) and shared):
            continue
        before, other = first.setdefault(shared, (where, node))
        if other != node:
            yield (
                f"{path_text((*where, 'node'))}: {shown(node)}, but it shares a process with {path_text(before)}, "
                f"whose node is {shown(other)}"
            )


def _members(group: object, place: Place) -> Iterator[tuple[Place, object]]:
    for key in _LISTS:
        listed = _value(group, key)
        if isinstance(listed, Sequence) and not isinstance(listed, str | bytes):
            yield from (((*place, key, number), member) for number, member in enumerate(listed))


def _is_pool(member: object) -> bool:
    return _value(member, "size") is not None


def _text(spec: object, key: str) -> str:
    value = _value(spec, key)
    return value if isinstance(value, str) else ""


def _value(spec: Any, key: str) -> Any:
    if isinstance(spec, Mapping):
        return spec.get(key)
    return getattr(spec, key, None) if hasattr(type(spec), "model_fields") else None
