"""What `apply` changes: the specs that are, held against those that are wanted. Pure.

New specs are added. Changed ones take effect at once where nothing has to be built anew, else at their next start or
on request. Removed ones are ended, and nothing else restarts. Only what an earlier `apply` made is changed or removed:
what code has made is left alone, and a name that both want is an error.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from actors.runtime.errors import ConfigError

Kind = Literal["child", "pool", "group"]
Origin = Literal["apply", "code"]
Effect = Literal["at once", "at its next start", "restarts now"]

LIVE = frozenset(
    "restart standbys heartbeat_s hang_timeout_s shutdown_s start_timeout_s significant methods retry breaker size "
    "strategy intensity period_s backoff auto_shutdown".split()
)
"""Settings that the supervisor reads whenever it decides: a change of them restarts nothing."""

NEXT_START = frozenset(
    "cls args kwargs checkpoint checkpoint_path num_cpus num_gpus resources max_concurrency share_process node".split()
)
"""Settings that are built into what runs: a change of them needs a start."""

ANEW = frozenset({"supervisor"})
"""Settings that decide whose a group is: with a change of them it ends, and begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a spec.

    Attributes:
        same: Equal texts mean equal values, also from two processes.
        shown: The value for people, in few characters.
    """

    same: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecSummary:
    """What has to be known of a spec to compare it, without its class and arguments themselves.

    Attributes:
        path: Its name behind those of its groups: `shop.cart`.
        kind: What it is.
        settings: Its own settings by name; of a group, without what is in it.
        changed: The names of settings that are not at their default, for people.
        origin: Who made it: a tree file, or code.
    """

    path: str
    kind: Kind
    settings: Mapping[str, Setting]
    changed: tuple[str, ...] = ()
    origin: Origin = "apply"

    @property
    def group(self) -> str:
        """The path of the group it is in; empty at the top."""
        return self.path.rpartition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One setting before and after, for people; `live` says that it restarts nothing."""

    name: str
    before: str
    after: str
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A spec whose settings change."""

    path: str
    kind: Kind
    settings: tuple[SettingChange, ...]
    effect: Effect

    @property
    def needs_start(self) -> bool:
        """Whether a part of it takes effect only when it starts anew."""
        return self.effect != "at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `apply` does, or would do; its text is for people.

    Attributes:
        added: In start order, groups before what is in them.
        changed: In start order.
        removed: In the order of their end, what is in a group before the group. What changes its kind is here, too,
            and a group that becomes a supervisor actor of its own, or is one no more, with all that is in it.
        moved: Paths whose place in the start order of their group changes; nothing restarts for it.
        unchanged: Paths that stay as they are.
        restart_changed: Whether changes that need a start restart what runs.
    """

    added: tuple[SpecSummary, ...] = ()
    changed: tuple[Change, ...] = ()
    removed: tuple[SpecSummary, ...] = ()
    moved: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    restart_changed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether everything is as it is wanted."""
        return not (self.added or self.changed or self.removed or self.moved)

    @property
    def ended_tops(self) -> tuple[str, ...]:
        """The removed paths that are in no removed group: with each of them everything in it ends."""
        gone = {each.path for each in self.removed}
        return tuple(each.path for each in self.removed if not any(above in gone for above in _above(each.path)))

    def __str__(self) -> str:
        return "\n".join((*_lines(self), _total(self)))


def plan_changes(
    current: Mapping[str, SpecSummary], wanted: Mapping[str, SpecSummary], *, restart_changed: bool = False
) -> Plan:
    """Compare the specs that are with those that are wanted.

    Args:
        current: Every spec of the supervisor by path, in start order, groups before what is in them.
        wanted: The specs of the tree to apply, likewise.
        restart_changed: Whether changes that need a start are to restart what runs.
    Raises:
        ConfigError: A wanted name was made by code, or code put something into a group that is to be removed.
    """
    kept = _kept(current, wanted)
    removed = [spec for path, spec in current.items() if spec.origin == "apply" and path not in kept]
    _refuse_clashes(current, wanted, removed)
    changes = {path: _change(current[path], wanted[path], restart_changed=restart_changed) for path in kept}
    moved = set(_moved(current, wanted, kept))
    return Plan(
        added=tuple(spec for path, spec in wanted.items() if path not in kept),
        changed=tuple(change for path in wanted if (change := changes.get(path)) is not None),
        removed=tuple(reversed(removed)),
        moved=tuple(path for path in wanted if path in moved),
        unchanged=tuple(path for path in wanted if path in kept and changes[path] is None and path not in moved),
        restart_changed=restart_changed,
    )


def _kept(current: Mapping[str, SpecSummary], wanted: Mapping[str, SpecSummary]) -> set[str]:
    """The paths of what goes on. Another supervisor keeps the books of what moves to it: that begins there anew."""
    same = {path for path, spec in wanted.items() if path in current and current[path].kind == spec.kind}
    moved = {path for path in same if _owners(current[path]) != _owners(wanted[path])}
    return {path for path in same if not moved.intersection((path, *_above(path)))}


def _owners(spec: SpecSummary) -> list[str]:
    return [spec.settings[name].same for name in ANEW if name in spec.settings]


def _refuse_clashes(
    current: Mapping[str, SpecSummary], wanted: Mapping[str, SpecSummary], removed: Sequence[SpecSummary]
) -> None:
    problems = [
        f"{path}: is a {current[path].kind} that code has made, and a file does not change it; "
        "choose another name, or delete that one first"
        for path in wanted
        if path in current and current[path].origin == "code"
    ]
    gone = {spec.path for spec in removed}
    problems += [
        f"{above}: would end, but holds {spec.path}, which code has made; delete that one first, "
        f"or keep {above} in the file as the group it is"
        for spec in current.values()
        if spec.origin == "code"
        for above in _above(spec.path)
        if above in gone
    ]
    if problems:
        raise ConfigError("apply", problems=tuple(problems))


def _change(before: SpecSummary, after: SpecSummary, *, restart_changed: bool) -> Change | None:
    names = [*after.settings, *(name for name in before.settings if name not in after.settings)]
    nothing = Setting(same="", shown="(none)")
    pairs = [(name, before.settings.get(name, nothing), after.settings.get(name, nothing)) for name in names]
    settings = tuple(
        SettingChange(name=name, before=old.shown, after=new.shown, live=name in LIVE)
        for name, old, new in pairs
        if old.same != new.same
    )
    if not settings:
        return None
    effect: Effect = "restarts now" if restart_changed else "at its next start"
    if all(setting.live for setting in settings):
        effect = "at once"
    return Change(path=after.path, kind=after.kind, settings=settings, effect=effect)


def _moved(current: Mapping[str, SpecSummary], wanted: Mapping[str, SpecSummary], kept: set[str]) -> Iterator[str]:
    """The fewest specs that have to change their place among those of their group that stay."""
    place = {path: number for number, path in enumerate(current)}
    groups: dict[str, list[str]] = {}
    for path in wanted:
        if path in kept:
            groups.setdefault(wanted[path].group, []).append(path)
    for paths in groups.values():
        staying = _longest_rise([place[path] for path in paths])
        yield from (path for path in paths if place[path] not in staying)


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The longest rising subsequence of different numbers (patience sorting)."""
    tops: list[int] = []
    under: dict[int, int | None] = {}
    for number in numbers:
        pile = bisect_left(tops, number)
        under[number] = tops[pile - 1] if pile else None
        tops[pile : pile + 1] = [number]
    rise: set[int] = set()
    last = tops[-1] if tops else None
    while last is not None:
        rise.add(last)
        last = under[last]
    return rise


def _above(path: str) -> Iterator[str]:
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


def _lines(plan: Plan) -> Iterator[str]:
    for spec in plan.removed:
        yield f"- {spec.kind} {spec.path}: ends"
    for spec in plan.added:
        said = ", ".join(f"{name} {spec.settings[name].shown}" for name in spec.changed)
        yield f"+ {spec.kind} {spec.path}: {said}".removesuffix(": ")
    for change in plan.changed:
        yield f"~ {change.kind} {change.path}: {change.effect}"
        for setting in change.settings:
            at_once = " (at once)" if setting.live and change.needs_start else ""
            yield f"    {setting.name}: {setting.before} -> {setting.after}{at_once}"
    for path in plan.moved:
        yield f"> {path}: another place in the start order"


def _total(plan: Plan) -> str:
    if plan.is_empty:
        return f"nothing to change: {len(plan.unchanged)} as they are"
    counts = {
        "to add": len(plan.added),
        "to change": len(plan.changed),
        "to move": len(plan.moved),
        "to end": len(plan.removed),
        "as they are": len(plan.unchanged),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
