"""`GroupSpec` and `TreeSpec`: what is restarted together, how often, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from actors.runtime.settings import Settings
from supervisor.specs.backoff import BackoffSettings
from supervisor.specs.child import ChildSpec, PoolSpec, RestartType
from supervisor.specs.naming import name_problem
from supervisor.specs.nesting import nesting_problems
from supervisor.specs.problems import problem, require

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
AutoShutdown = Literal["never", "any_significant", "all_significant"]

RESERVED = ("root", "supervisor", "system")
"""The groups of the tree itself."""


def _kind_of(value: object) -> str | None:
    """Which of the three an entry of `children` is: by its type, else by the keys that only one of them has."""
    match value:
        case ChildSpec():
            return "child"
        case PoolSpec():
            return "pool"
        case GroupSpec():
            return "group"
        case Mapping() if not {"cls", "size"} & {*value} and GROUP_KEYS & {*value}:
            return "group"
        case Mapping():
            return "pool" if "size" in value else "child"
        case _:
            return None


Member = Annotated[
    Annotated[ChildSpec, Tag("child")] | Annotated[PoolSpec, Tag("pool")] | Annotated["GroupSpec", Tag("group")],
    Discriminator(
        _kind_of,
        custom_error_type="problem",
        custom_error_message="is no child (cls), no pool (cls, size) and no group (children)",
    ),
]


class GroupSpec(Settings):
    """A group: a strategy and an allowance of restarts for what is in it.

    `pools` and `groups` are another way to write what may also stand in `children`; they start after it, in this order,
    and are found there once the spec is made.

    Example: `GroupSpec(name="shop", strategy="rest_for_one", children=(ChildSpec(...), PoolSpec(...), GroupSpec(...)))`
    """

    name: str = Field(description="Unique in its group: letters, digits, '_', '-'.")
    strategy: Strategy = Field(default="one_for_one", description="Who else is restarted with a child.")
    intensity: int = Field(default=1, ge=0, description="Restarts within period_s that are borne.")
    period_s: float = Field(
        default=5.0, gt=0, le=86_400, description="The window in which restarts are counted, in seconds."
    )
    backoff: BackoffSettings | None = Field(default=None, description="Waits between restarts; left out, the defaults.")
    auto_shutdown: AutoShutdown = Field(
        default="never", description="Whether the ends of significant children end the group."
    )
    restart: RestartType = Field(default="permanent", description="Which ends of the group are followed by a restart.")
    supervisor: bool = Field(default=False, description="Run as a supervisor actor of its own.")
    node: str | None = Field(
        default=None, min_length=1, description="The node's id or IP address, for a supervisor of its own."
    )
    children: tuple[Member, ...] = Field(default=(), description="Children, pools and groups, in their start order.")
    pools: tuple[PoolSpec, ...] = Field(default=(), description="Pools that start after the children.")
    groups: tuple[GroupSpec, ...] = Field(default=(), description="Groups that start after the pools.")

    @field_validator("name")
    @classmethod
    def _name_fits(cls, name: str) -> str:
        require(name_problem(name))
        if name in RESERVED:
            raise problem(f"{name!r} is taken: {', '.join(RESERVED)} are groups of the tree itself")
        return name

    @field_validator("node")
    @classmethod
    def _own_place(cls, node: str | None, info: ValidationInfo) -> str | None:
        if node is not None and info.data.get("supervisor") is False:
            raise problem(
                f"{node!r} given, but only a group with supervisor: true runs somewhere itself; "
                "place its children by their own node"
            )
        return node

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        # Set past the freeze: the spec is in the making, and nobody has seen it yet.
        vars(self).update(children=self.members, pools=(), groups=())
        return self

    @property
    def members(self) -> tuple[ChildSpec | PoolSpec | GroupSpec, ...]:
        """Everything in it, in start order."""
        return self.children + self.pools + self.groups

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        return nesting_problems(data)


GROUP_KEYS = frozenset(GroupSpec.model_fields) - frozenset(ChildSpec.model_fields)


class TreeSpec(Settings):
    """Everything that is supervised: what a tree file holds. The group of it all is `one_for_one`."""

    children: tuple[Member, ...] = Field(default=(), description="Children, pools and groups, in their start order.")
    pools: tuple[PoolSpec, ...] = Field(default=(), description="Pools that start after the children.")
    groups: tuple[GroupSpec, ...] = Field(default=(), description="Groups that start after the pools.")

    @property
    def members(self) -> tuple[ChildSpec | PoolSpec | GroupSpec, ...]:
        """Everything at its top, in start order."""
        return self.children + self.pools + self.groups

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        return nesting_problems(data)


def settings_of(spec: ChildSpec | PoolSpec | GroupSpec) -> dict[str, Any]:
    """A spec's own settings by name, without what is in it."""
    return {
        name: getattr(spec, name) for name in type(spec).model_fields if name not in ("children", "pools", "groups")
    }
