"""`Group`: a group of supervised children, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown
from supervisor.specs import BackoffSettings, ChildSpec, GroupSpec, PoolSpec
from supervisor.specs.child import SIZE_MAX, STANDBYS_MAX
from supervisor.tree import SUBTREE, is_group

if TYPE_CHECKING:
    from actors.recovery.retry import Retry
    from supervisor.children.handle import ChildHandle, PoolHandle
    from supervisor.messages import ChildView, GroupView
    from supervisor.specs.child import EndingTime, RestartType
    from supervisor.specs.group import AutoShutdown, Strategy
    from supervisor.tree_client import TreeClient


class WorkSettings(TypedDict, total=False):
    """What `supervise` and `pool` take beside the class and its name; `ChildSpec` says what each means."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] | None
    restart: RestartType
    standbys: int
    checkpoint: float | str | None
    checkpoint_path: str | None
    heartbeat_s: float
    hang_timeout_s: float
    shutdown_s: EndingTime
    start_timeout_s: float
    num_cpus: float
    num_gpus: float
    resources: Mapping[str, float] | None
    max_concurrency: int
    methods: Mapping[str, Retry]
    retry: Retry
    breaker: str | None
    share_process: bool | str
    node: str | None


class ChildSettings(WorkSettings, total=False):
    """What `supervise` takes beside; `ChildSpec` says what it means."""

    significant: bool


class PoolSettings(WorkSettings, total=False):
    """What `pool` takes beside; `PoolSpec` says what each means."""

    intensity: int | None
    period_s: float
    backoff: BackoffSettings | Mapping[str, float] | None


class GroupSettings(TypedDict, total=False):
    """What `group` takes beside the name; `GroupSpec` says what each means."""

    strategy: Strategy
    intensity: int
    period_s: float
    backoff: BackoffSettings | Mapping[str, float] | None
    auto_shutdown: AutoShutdown
    restart: RestartType
    supervisor: bool
    node: str | None
    children: tuple[ChildSpec | PoolSpec | GroupSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many members a group has, as OTP's `count_children` tells it.

    Attributes:
        specs: Members in all, the ended ones included.
        active: Members that run, start or end at this moment.
        supervisors: Members that are groups, those with a supervisor actor of their own included.
        workers: Members that are children.
    """

    specs: int
    active: int
    supervisors: int
    workers: int


class Group:
    """A group of a supervisor's tree. Get one by `sup.group(name)`; its members are named within it.

    Every method that changes something returns once the change is made and survives the supervisor's death.
    """

    def __init__(self, client: TreeClient, path: str) -> None:
        self._client = client
        self.path = path

    def __repr__(self) -> str:
        return f"<group {self.path} of supervisor {self._client.supervisor!r}>"

    # -- adding -----------------------------------------------------------------------------------------------------

    def supervise(self, cls: type[Any], *, name: str, **settings: Unpack[ChildSettings]) -> ChildHandle:
        """Supervise an object of any class; returns its handle once it runs.

        Args:
            cls: The class, as it is. Optional hooks: `checkpoint()`, `restore(state)`, `health()`, `stop()`.
            name: Unique in the group.
            **settings: See `ChildSpec`.

        Raises:
            ConfigError: Settings are wrong; all of them are named, and nothing was started.
            ChildStartError: Its constructor failed (that exception is the cause); nothing of it was left.
            AdministrationError: The name is in use, or the group was given up.
            LeaderUnreachableError: No leader answered in time.
        """
        return self._client.supervise(self.path, cls, name, dict(settings))

    def pool(
        self,
        cls: type[Any],
        *,
        size: int,
        name: str | None = None,
        **settings: Unpack[PoolSettings],
    ) -> PoolHandle:
        """Supervise `size` objects of a class that are all alike, and `standbys` more that step in.

        Args:
            cls: See `supervise`.
            size: How many of them serve.
            name: Unique in the group; left out, the class's.
            **settings: See `PoolSpec`.

        Raises: As `supervise`.
        """
        return self._client.pool(self.path, cls, name or cls.__name__, size, dict(settings))

    def group(self, name: str, **settings: Unpack[GroupSettings]) -> Group:
        """The group of that name in this one; made with these settings if there is none.

        Raises:
            ConfigError: Settings are wrong.
            AdministrationError: There is one, and the settings given are not its own.
        """
        return self._client.group(self.path, name, dict(settings))

    def start(self, member: str | ChildSpec | PoolSpec | GroupSpec) -> None:
        """Start what a spec says, or a member again that has ended, by its name.

        Raises: As `supervise`.
        """
        if isinstance(member, str):
            self.restart(member)
        else:
            self._client.add(self.path, member)

    # -- administration ---------------------------------------------------------------------------------------------

    def terminate(self, name: str) -> None:
        """End a member in order; its spec stays, unless it is temporary.

        Raises:
            AdministrationError: There is none.
        """
        self._client.terminate(self._client.member(self.path, name))

    def restart(self, name: str, *, terminate_first: bool = False) -> None:
        """Start a member again that has ended.

        Args:
            name: The member's.
            terminate_first: One that runs is ended in order before, as one change: its callers wait for its next life.

        Raises:
            AdministrationError: There is none, it runs, or it is being restarted.
            ChildStartError: It could not start; its spec stays.
        """
        self._client.restart(self._client.member(self.path, name), ends_first=terminate_first)

    def delete(self, name: str) -> None:
        """Forget a member that has ended, with its spec.

        Raises:
            AdministrationError: There is none, or it runs.
        """
        self._client.delete(self._client.member(self.path, name))

    def resize(self, name: str, *, size: int | None = None, standbys: int | None = None) -> None:
        """Change how many members a pool has, or how many stand by for it or for a child; nothing restarts.

        Raises:
            ConfigError: A number is none that can be had.
            AdministrationError: There is none, it is no pool, it can have no standbys, or the cluster has not the room.
        """
        numbers = (("size", size, SIZE_MAX), ("standbys", standbys, STANDBYS_MAX))
        problems = tuple(
            f"{what}: {shown(number)} given; give a whole number from 0 to {highest}"
            for what, number, highest in numbers
            if number is not None and not (type(number) is int and 0 <= number <= highest)
        )
        if problems:
            raise ConfigError(f"resize {name}", problems=problems)
        self._client.resize(self._client.member(self.path, name), size=size, standbys=standbys)

    def checkpoint(self, name: str) -> int:
        """Put a child's state into its store now, or that of every child in a pool or a group that keeps one.

        It is taken behind the calls that the child has already. Returns: how many children were asked.

        Raises:
            AdministrationError: There is none, none of them has `checkpoint` set, or one did not run in time.
            Exception: What its `checkpoint()` or its store raised.
        """
        return self._client.checkpoint(self._client.member(self.path, name))

    # -- looking ----------------------------------------------------------------------------------------------------

    def children(self) -> list[ChildView | GroupView]:
        """The members, in the order of their start."""
        view = self._client.present_view()
        children = {child.key: child for child in view.children}
        return [view.groups[member] if is_group(member) else children[member] for member in self._members(view)]

    def count(self) -> Counts:
        """How many members there are."""
        members = self.children()
        groups = sum(_is_supervisor(member) for member in members)
        active = sum(member.status in ("starting", "running", "restarting", "stopping") for member in members)
        return Counts(specs=len(members), active=active, supervisors=groups, workers=len(members) - groups)

    def status(self) -> GroupView:
        """The group itself: whether it runs, its restarts, and why it was given up.

        Raises:
            AdministrationError: It was deleted.
        """
        return self._client.group_view(self.path)

    def spec(self, name: str) -> Mapping[str, str]:
        """A member's settings, as texts.

        Raises:
            AdministrationError: There is none.
        """
        return self._client.spec(self._client.member(self.path, name))

    def _members(self, view: Any) -> tuple[str, ...]:
        return self._client.group_view(self.path, view).members


def _is_supervisor(member: ChildView | GroupView) -> bool:
    key = getattr(member, "key", None)
    return key is None or key.startswith(SUBTREE)
