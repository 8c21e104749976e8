"""From what users write to what the tree holds: specs become plans, and recipes that a shell can build."""

from __future__ import annotations

import hashlib
import inspect
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ray import cloudpickle

from actors.checkpoint.folder import absolute_url
from actors.child.protocol import Recipe
from actors.runtime import wire
from supervisor.children.interface import ChildInterface
from supervisor.planning import NEXT_START, SpecSummary
from supervisor.planning import Origin as Maker
from supervisor.requests import AddMembers
from supervisor.room import Want, wanted
from supervisor.specs import BackoffSettings, ChildSpec, GroupSpec, PoolSpec
from supervisor.specs.summary import renumbered, summary_of
from supervisor.tree import SUBTREE, TOP, BackoffPlan, ChildPlan, GroupPlan, Origin, child_key, group_path


class PickledOnce:
    """A value whose pickle is kept: a leader hands its whole tree on at every change, and recipes hardly change."""

    __slots__ = ("_pickled",)

    def __reduce__(self) -> tuple[Any, ...]:
        pickled: bytes | None = getattr(self, "_pickled", None)
        if pickled is None:
            values = {each.name: getattr(self, each.name) for each in fields(self)}  # pyright: ignore[reportArgumentType] - each is a dataclass
            pickled = pickle.dumps(values, 5)
            object.__setattr__(self, "_pickled", pickled)
        return _unpickled, (type(self), pickled)


def _unpickled(cls: type[Any], pickled: bytes) -> Any:
    made = cls(**pickle.loads(pickled))  # noqa: S301 - our own, see above
    object.__setattr__(made, "_pickled", pickled)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRecipe(PickledOnce):
    """What is needed to build a child and to call it. It loads without the user's modules: those parts are pickles.

    Attributes:
        recipe: How its object is built.
        resources: Ray's options for its actor.
        node: The node's id or address that it must run on, or None.
        share: The name of the process that it shares with others, or None.
        interface: The pickled `ChildInterface`: how it is called.
        summary: Its spec for comparison, see `supervisor.planning`.
    """

    recipe: Recipe
    resources: dict[str, Any] = field(default_factory=dict[str, Any])
    node: str | None = None
    share: str | None = None
    interface: bytes = b""
    summary: SpecSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecipe(PickledOnce):
    """What the tree keeps of a group's spec.

    Attributes:
        summary: For comparison.
        member: The recipe of a pool's members.
    """

    summary: SpecSummary
    member: ChildRecipe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtreeRecipe(PickledOnce):
    """A group that is a supervisor actor of its own.

    Attributes:
        groups: Its groups, itself first, directly under the top of its own tree.
        children: Its children.
        order: Keys and paths of all in it, in start order.
        node: The node's id or address that it must run on, or None.
        summary: For comparison.
    """

    groups: tuple[GroupPlan, ...]
    children: tuple[ChildPlan, ...]
    order: tuple[str, ...]
    node: str | None
    summary: SpecSummary


def plans_of(spec: ChildSpec | PoolSpec | GroupSpec, *, parent: str, origin: Origin, request: str = "") -> AddMembers:
    """The groups and children that a spec asks for, in the order of their start.

    Args:
        spec: A child, a pool, or a group with all that is in it.
        parent: The path of the group that it goes into.
        origin: Who wants it.
        request: The asking, see `ChildPlan.request`.

    Raises:
        ConfigError: Something of it cannot travel.
    """
    groups: list[GroupPlan] = []
    children: list[ChildPlan] = []
    order: list[str] = []
    for plan in _plans(spec, parent, origin):
        if isinstance(plan, GroupPlan):
            groups.append(plan)
            order.append(plan.path)
        else:
            children.append(plan)
            order.append(plan.key)
    if groups:
        groups[0] = replace(groups[0], request=request)
    else:
        children[0] = replace(children[0], request=request)
    return AddMembers(groups=tuple(groups), children=tuple(children), order=tuple(order))


def _plans(spec: ChildSpec | PoolSpec | GroupSpec, parent: str, origin: Origin) -> Iterator[GroupPlan | ChildPlan]:
    if isinstance(spec, ChildSpec):
        yield _child_plan(spec, parent, child_key(parent, spec.name), origin)
    elif isinstance(spec, PoolSpec):
        yield from _pool_plans(spec, parent, origin)
    elif spec.supervisor:
        yield _subtree_plan(spec, parent, origin)
    else:
        yield from _group_plans(spec, parent, origin)


def _subtree_plan(spec: GroupSpec, parent: str, origin: Origin) -> ChildPlan:
    path = group_path(parent, spec.name)
    plans = list(_group_plans(spec, parent, origin))
    groups = [plan for plan in plans if isinstance(plan, GroupPlan)]
    recipe = SubtreeRecipe(
        groups=(replace(groups[0], parent=TOP), *groups[1:]),
        children=tuple(plan for plan in plans if isinstance(plan, ChildPlan)),
        order=tuple(plan.path if isinstance(plan, GroupPlan) else plan.key for plan in plans),
        node=spec.node,
        summary=summary_of(spec, path, _maker(origin)),
    )
    return ChildPlan(
        key=f"{SUBTREE}{path}",
        group=parent,
        restart=spec.restart,
        shutdown_s="infinity",
        wanted_node=spec.node,
        origin=origin,
        recipe=recipe,
        fingerprint=fingerprint(recipe),
    )


def _group_plans(spec: GroupSpec, parent: str, origin: Origin) -> Iterator[GroupPlan | ChildPlan]:
    path = group_path(parent, spec.name)
    yield GroupPlan(
        path=path,
        parent=parent,
        strategy=spec.strategy,
        intensity=spec.intensity,
        period_s=spec.period_s,
        backoff=_backoff(spec.backoff),
        auto_shutdown=spec.auto_shutdown,
        restart=spec.restart,
        origin=origin,
        recipe=GroupRecipe(summary=summary_of(spec, path, _maker(origin))),
    )
    for member in spec.members:
        yield from _plans(member, path, origin)


def _pool_plans(spec: PoolSpec, parent: str, origin: Origin) -> Iterator[GroupPlan | ChildPlan]:
    path = group_path(parent, spec.name)
    template = replace(_child_plan(spec, path, f"child/{path}", origin), pool=path, standbys=0)
    yield GroupPlan(
        path=path,
        parent=parent,
        starts_together=True,
        ends_together=True,
        intensity=spec.intensity,
        period_s=spec.period_s,
        backoff=_backoff(spec.backoff),
        restart=spec.restart,
        pool_size=spec.size,
        pool_standbys=spec.standbys,
        template=template,
        origin=origin,
        recipe=GroupRecipe(summary=summary_of(spec, path, _maker(origin)), member=template.recipe),
    )
    for number in range(spec.size + spec.standbys):
        yield replace(template, key=f"{template.key}-{number}")


def _backoff(settings: BackoffSettings | None) -> BackoffPlan:
    if settings is None:
        return BackoffPlan()
    return BackoffPlan(
        min_s=settings.min_s,
        max_s=settings.max_s,
        jitter=settings.jitter,
        reset_after_s=settings.reset_after_s,
    )


def _child_plan(spec: ChildSpec | PoolSpec, group: str, key: str, origin: Origin) -> ChildPlan:
    interface = interface_of(spec)
    recipe = child_recipe(spec, key, group, origin, interface)
    return ChildPlan(
        key=key,
        group=group,
        restart=spec.restart,
        significant=isinstance(spec, ChildSpec) and spec.significant,
        heartbeat_s=spec.heartbeat_s,
        hang_timeout_s=spec.hang_timeout_s,
        shutdown_s=spec.shutdown_s,
        start_timeout_s=spec.start_timeout_s,
        standbys=spec.standbys,
        share=recipe.share or "",
        wanted_node=recipe.node,
        reserves=bool(wanted(recipe.resources)),
        origin=origin,
        recipe=recipe,
        fingerprint=fingerprint(recipe),
        interface=interface.digest,
    )


def child_recipe(
    spec: ChildSpec | PoolSpec, key: str, group: str, origin: Origin, interface: ChildInterface
) -> ChildRecipe:
    """How a spec's object is built and called."""
    cls: type[Any] = spec.cls
    arguments, refs = wire.dumps((spec.args, spec.kwargs))
    share = None if spec.share_process is False else "main" if spec.share_process is True else spec.share_process
    resources: dict[str, Any] = {"num_cpus": spec.num_cpus, "num_gpus": spec.num_gpus}
    if spec.resources:
        resources["resources"] = dict(spec.resources)
    return ChildRecipe(
        recipe=Recipe(
            key=key,
            cls=wire.pickle_class(cls),
            class_name=f"{cls.__module__}.{cls.__qualname__}",
            arguments=arguments,
            refs=tuple(refs),
            asynchronous=is_asynchronous(cls),
            max_concurrency=spec.max_concurrency,
            checkpoint=spec.checkpoint,
            checkpoint_path=None if spec.checkpoint_path is None else absolute_url(spec.checkpoint_path),
            state_version=1 if spec.checkpoint is None else getattr(cls, "checkpoint_version", 1),
            heartbeat_s=spec.heartbeat_s,
        ),
        resources=resources,
        node=spec.node,
        share=None if share is None else f"{group}.{share}",
        interface=cloudpickle.dumps(interface),
        summary=summary_of(spec, key.partition("/")[2], _maker(origin)),
    )


def wants_of(spec: ChildSpec | PoolSpec | GroupSpec, path: str) -> Iterator[Want]:
    """What a spec asks of the cluster, with all that is in it.

    Args:
        spec: A child, a pool or a group.
        path: Its path.
    """
    if isinstance(spec, GroupSpec):
        yield Want(path=path, asked={}, node=spec.node if spec.supervisor else None)
        for member in spec.members:
            yield from wants_of(member, group_path(path, member.name))
        return
    asked = wanted({"num_cpus": spec.num_cpus, "num_gpus": spec.num_gpus, "resources": spec.resources})
    serving = spec.size if isinstance(spec, PoolSpec) else 1
    yield Want(path=path, asked=asked, count=serving + spec.standbys, node=spec.node)


def want_resized(plan: ChildPlan | GroupPlan, path: str, *, size: int | None, standbys: int | None) -> Want | None:
    """What a pool or a child asks of the cluster with other numbers; None for what reserves nothing.

    Args:
        plan: What it is now.
        path: Its path.
        size: How many members the pool is to have, or None: as many as now.
        standbys: How many are to stand by, or None: as many as now.
    """
    recipe = plan.recipe.member if isinstance(plan.recipe, GroupRecipe) else plan.recipe
    if not isinstance(recipe, ChildRecipe):
        return None
    if isinstance(plan, ChildPlan):
        serving, spare = 1, plan.standbys
    else:
        serving, spare = (plan.pool_size or 0) if size is None else size, plan.pool_standbys
    count = serving + (spare if standbys is None else standbys)
    return Want(path=path, asked=wanted(recipe.resources), count=count, node=recipe.node)


def interface_of(spec: ChildSpec | PoolSpec) -> ChildInterface:
    """How a spec's object is called."""
    return ChildInterface.of(
        spec.cls,
        retry=spec.retry,
        retries=dict(spec.methods),
        each_call=spec.checkpoint == "each_call",
        concurrency=spec.max_concurrency,
        breaker=spec.breaker,
    )


def summary_now(plan: ChildPlan | GroupPlan) -> SpecSummary | None:
    """What a user's spec is by now: how many there are was perhaps changed since it was made. None of what is ours."""
    summary: SpecSummary | None = None if plan.recipe is None else plan.recipe.summary
    if summary is None or isinstance(plan.recipe, SubtreeRecipe):
        return summary
    if isinstance(plan, ChildPlan):
        return summary if plan.pool is not None else renumbered(summary, standbys=plan.standbys)
    return summary if plan.pool_size is None else renumbered(summary, size=plan.pool_size, standbys=plan.pool_standbys)


def fingerprint(recipe: ChildRecipe | SubtreeRecipe) -> str:
    """Two recipes have the same one, also from two processes, if what is built into a life is the same in both."""
    settings = {} if recipe.summary is None else recipe.summary.settings
    built_in = sorted((name, setting.same) for name, setting in settings.items() if name in NEXT_START)
    version = recipe.recipe.state_version if isinstance(recipe, ChildRecipe) else 0
    return hashlib.blake2b(repr((built_in, version)).encode(), digest_size=8).hexdigest()


def _maker(origin: Origin) -> Maker:
    return "apply" if origin == "apply" else "code"


def is_asynchronous(cls: type[Any]) -> bool:
    """Whether a class has coroutine or async-generator methods: it then lives on an event loop."""
    for name in dir(cls):
        member = inspect.getattr_static(cls, name, None)
        member = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member):
            return True
    return False
