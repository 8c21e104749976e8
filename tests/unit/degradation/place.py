"""A degradation in one process: the owner's machine, and a handle that reads what it says as if from a board."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from actors.degradation import messages as m
from actors.degradation.handle import DegradationHandle
from actors.degradation.recent import Recent
from actors.degradation.saying import STATE, Said, pack
from actors.degradation.settings import LEVELS, FeatureSettings, OverrideSettings
from actors.runtime.errors import ConfigError
from actors.runtime.replicated import OwnedState, Replica
from actors.service.client import ServiceClient
from actors.service.follower import StateFollower
from actors.service.node_board import NodeBoard
from tests.unit.degradation.scene import Scene

T = TypeVar("T")


class Place:
    """Stands in for the way to the owner; what is asked is decided at once.

    Attributes:
        running: Whether the owner is said to run.
        lag: While it is true, followers are not told what changes.
    """

    def __init__(self) -> None:
        self.scene = Scene()
        self.running = True
        self.lag = False
        self._recent = Recent()
        self._owned = OwnedState(1)
        self._followers: list[StateFollower] = []
        self.handle = DegradationHandle(cast("ServiceClient", self), LEVELS, lambda: self.handle)

    def follow(
        self, topic: str, on_change: Callable[[Replica], None] | None = None, *, eager: bool = True
    ) -> StateFollower:
        del eager
        assert topic == STATE
        follower = StateFollower("degradation/main", topic, NodeBoard(None), on_change)
        self._followers.append(follower)
        if self._owned.current is not None:
            follower.offer(self._owned.current)
        return follower

    def is_running(self) -> bool:
        return self.running and self._owned.current is not None

    def change(self, what: str, *arguments: Any) -> Replica:
        match what, arguments:
            case "feature", (FeatureSettings() as feature,):
                return self.tell(m.FeatureDeclared(feature=feature))
            case "withdraw", (name,):
                return self.tell(m.FeatureWithdrawn(name=name))
            case "tenant", (feature, tenant, on):
                return self.tell(m.TenantOverridden(feature=feature, tenant=tenant, on=on))
            case "set_level", (OverrideSettings() as override,):
                return self.tell(m.LevelSet(override=override))
            case "auto", (who, reason):
                return self.tell(m.AutoRequested(who=who, reason=reason))
            case _:
                raise AssertionError(f"nobody asks for {what}")

    def in_thread(self, act: Callable[[], T]) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(act())
        return done

    def tell(self, event: m.Event) -> Replica:
        """The owner is told; what it publishes is there for all."""
        for command in self.scene.tell(event):
            if isinstance(command, m.Refuse):
                raise ConfigError("degradation", problems=command.problems)
            self._recent.note(command, self.scene.machine.level)
        said = Said(published=self.scene.machine.published, changes=self._recent.all())
        replica = self._owned.publish(pack(said))
        self.catch_up()
        return replica

    def catch_up(self) -> None:
        """Followers are told, if they may be."""
        current = self._owned.current
        if current is not None and not self.lag:
            for follower in self._followers:
                follower.offer(current)
