"""The part of a `Supervisor` handle that is about users' own classes: supervising, grouping, finding, applying."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from supervisor.group import ChildSettings, Group, GroupSettings
from supervisor.tree import ROOT

if TYPE_CHECKING:
    from supervisor.children.handle import ChildHandle, PoolHandle
    from supervisor.planning import Plan
    from supervisor.specs import TreeSpec
    from supervisor.subscription import Subscription
    from supervisor.tree_client import TreeClient


class TreeHandle:
    """See `Supervisor`."""

    _client: TreeClient

    def _check_open(self) -> None:
        raise NotImplementedError

    def supervise(self, cls: type[Any], *, name: str, **settings: Unpack[ChildSettings]) -> ChildHandle:
        """Supervise an object of any class, directly under the supervisor; returns its handle once it runs.

        Its methods are called as `child.method.remote(...)`. The class stays as it is; `checkpoint()`,
        `restore(state)`, `health()` and `stop()` are called if it has them.

        Args:
            cls: The class.
            name: Unique among what is directly under the supervisor.
            **settings: `args`, `kwargs`, `restart`, `standbys`, `checkpoint`, `heartbeat_s`, `hang_timeout_s`,
                `shutdown_s`, `num_cpus`, `resources`, `max_concurrency` and more; `ChildSpec` says what each means.

        Raises:
            ConfigError: Settings are wrong; all of them are named, and nothing was started.
            ChildStartError: Its constructor failed (that exception is the cause); nothing of it was left.
            AdministrationError: The name is in use.
            LeaderUnreachableError: No leader answered in time.
        """
        return self.root.supervise(cls, name=name, **settings)

    def group(self, name: str, **settings: Unpack[GroupSettings]) -> Group:
        """The group of that name; made with these settings if there is none yet.

        Args:
            name: Unique among what is directly under the supervisor.
            **settings: `strategy`, `intensity`, `period_s`, `backoff`, `auto_shutdown`, `restart` and more; `GroupSpec`
                says what each means.

        Raises:
            ConfigError: Settings are wrong.
            AdministrationError: There is one, and the settings given are not its own.
        """
        return self.root.group(name, **settings)

    @property
    def tree_client(self) -> TreeClient:
        """This process's hand on the tree, for what is built on it."""
        return self._client

    @property
    def root(self) -> Group:
        """What is directly under the supervisor, as a group."""
        self._check_open()
        return Group(self._client, ROOT)

    def child(self, name: str) -> ChildHandle:
        """The handle of a child that is supervised already.

        Args:
            name: Its name, behind those of its groups: "cart", "shop.cart".

        Raises:
            AdministrationError: There is none.
        """
        self._check_open()
        return self._client.child(name)

    def pool_of(self, path: str) -> PoolHandle:
        """The handle of a pool of children that is there already.

        Args:
            path: Its name, behind those of its groups: "shop.clerks".

        Raises:
            AdministrationError: There is none.
        """
        self._check_open()
        return self._client.pool_of(path)

    def subscribe(self, *, keys: Collection[str] | None = None, kinds: Collection[str] | None = None) -> Subscription:
        """Changes of children's states from now on: `for change in sup.subscribe()`, or `async for`.

        Args:
            keys: The children to hear of, as "child/shop.cart" or "shop.cart"; left out, all.
            kinds: What to hear of (`ready`, `died`, `promoted`, ...); left out, everything.

        Raises:
            ConfigError: A kind is none.
        """
        self._check_open()
        return self._client.subscribe(keys=keys, kinds=kinds)

    def group_of(self, path: str) -> Group:
        """A group that is there already; unlike `group`, nothing is made.

        Args:
            path: Its name, behind those of its groups: "shop.eu".

        Raises:
            AdministrationError: There is none.
        """
        self._check_open()
        return self._client.group_of(path)

    def apply(
        self,
        tree: TreeSpec | Mapping[str, Any] | str | Path,
        *,
        dry_run: bool = False,
        restart_changed: bool = False,
    ) -> Plan:
        """Make the tree what a file says: what is new is added, what is gone is ended, nothing else restarts.

        Args:
            tree: A YAML file's path, a mapping, or a `TreeSpec`.
            dry_run: Only tell what would be done.
            restart_changed: Restart what has to be built anew; left out, that takes effect at its next start.

        Returns: What was done, or would be; its text is for people.
        Raises:
            ConfigError: Something in the file is wrong; all of it is named, and nothing was done.
            ChildStartError: A new child does not start; what was done before it stays.
        """
        self._check_open()
        return self._client.apply(tree, dry_run=dry_run, restart_changed=restart_changed)
