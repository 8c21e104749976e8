"""Specs summed up so that those of two processes can be compared: `plan_changes` takes what comes out here."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from actors.recovery.retry import Retry
from actors.runtime import wire
from actors.runtime.settings import shown
from supervisor.planning import Kind, Origin, Setting, SpecSummary
from supervisor.specs.child import ChildSpec, PoolSpec
from supervisor.specs.classes import class_text
from supervisor.specs.group import GroupSpec, TreeSpec, settings_of
from supervisor.specs.naming import joined

_DEEPEST = 50
_LONGEST = 80


def summarise_tree(tree: TreeSpec, *, origin: Origin = "apply") -> dict[str, SpecSummary]:
    """Every spec of a tree by path, in start order, groups before what is in them."""
    return {path: each for member in tree.members for path, each in summarise(member, origin=origin).items()}


def summarise(
    spec: ChildSpec | PoolSpec | GroupSpec, *, group: str = "", origin: Origin = "code"
) -> dict[str, SpecSummary]:
    """A spec, and of a group everything in it, by path.

    Args:
        spec: What to sum up.
        group: The path of the group that it is in; empty at the top.
        origin: Who made it.
    """
    path = joined(group, spec.name)
    found = {path: summary_of(spec, path, origin)}
    for member in spec.members if isinstance(spec, GroupSpec) else ():
        found |= summarise(member, group=path, origin=origin)
    return found


def summary_of(spec: ChildSpec | PoolSpec | GroupSpec, path: str, origin: Origin) -> SpecSummary:
    """One spec, and of a group nothing that is in it.

    Args:
        spec: What to sum up.
        path: Its name behind those of its groups.
        origin: Who made it.
    """
    values = {name: value for name, value in settings_of(spec).items() if name != "name"}
    return SpecSummary(
        path=path,
        kind=_kind(spec),
        settings={name: Setting(same=_same(value), shown=_for_people(value)) for name, value in values.items()},
        changed=tuple(name for name, value in values.items() if value != _default(type(spec), name)),
        origin=origin,
    )


def renumbered(summary: SpecSummary, **numbers: int) -> SpecSummary:
    """The same with numbers that were changed live since; those that it does not have are left out."""
    changed = {name: Setting(same=_same(number), shown=_for_people(number)) for name, number in numbers.items()}
    known = {name: setting for name, setting in changed.items() if name in summary.settings}
    return replace(summary, settings={**summary.settings, **known})


def _kind(spec: ChildSpec | PoolSpec | GroupSpec) -> Kind:
    if isinstance(spec, GroupSpec):
        return "group"
    return "pool" if isinstance(spec, PoolSpec) else "child"


def _default(model: type[BaseModel], name: str) -> Any:
    return model.model_fields[name].get_default(call_default_factory=True)


def _same(value: object) -> str:
    """A text that is equal for equal values, in few characters."""
    text = _canonical(value, 0)
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _canonical(value: object, depth: int) -> str:
    """Plain data as it is read, mappings and sets in one order; anything else by its pickle."""
    match value:
        case type():
            return f"class {class_text(value)}"
        case None | bool() | float() | str() | bytes():
            return repr(value)
        case int():
            return hex(value)  # Python refuses to write thousands of decimal digits
        case _:
            held = _held(value, depth + 1) if depth < _DEEPEST else None
            return f"{type(value).__name__} {_digest_of(value) if held is None else held}"


def _held(value: object, depth: int) -> str | None:
    """What a container holds; None for anything else."""
    match value:
        case BaseModel():
            return _held(dict(value), depth)
        case dict():
            pairs = sorted((_canonical(key, depth), _canonical(item, depth)) for key, item in value.items())
            return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
        case list() | tuple():
            return f"[{', '.join(_canonical(item, depth) for item in value)}]"
        case set() | frozenset():
            return f"[{', '.join(sorted(_canonical(item, depth) for item in value))}]"
        case _:
            return None


def _digest_of(value: object) -> str:
    data, refs = wire.dumps(value)
    return f"{hashlib.sha256(data).hexdigest()} {[ref.hex() for ref in refs]}"


def _for_people(value: object) -> str:
    match value:
        case type():
            return class_text(value)
        case BaseModel():
            said = {name: getattr(value, name) for name in type(value).model_fields}
            told = {name: each for name, each in said.items() if each != _default(type(value), name)}
            return f"{{{', '.join(f'{name}: {_for_people(each)}' for name, each in told.items())}}}"
        case dict() if all(isinstance(each, Retry) for each in value.values()):
            return f"{{{', '.join(f'{name}: {_for_people(each)}' for name, each in value.items())}}}"
        case tuple():
            return f"[{', '.join(_for_people(each) for each in value)}]"
        case _:
            return shown(value)
