"""Builds the scene of an experiment on a running supervisor, and takes away afterwards what it has built."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from actors.breaker.settings import BreakerSettings
from actors.runtime.errors import SupervisorError
from experiments.model.scenes import BREAKER, GROUP, OURS, TILL
from experiments.running.cast import Audit, Cart, Stock, Till
from experiments.running.durable import DurableLoad
from experiments.running.vitals import vitals
from experiments.running.work import treat, work, work_upstream, work_without
from supervisor import Fallback, Policy, Retry
from supervisor.link import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from types import TracebackType

    from actors.breaker.handle import BreakerHandle
    from actors.health.report import ComponentHealth
    from experiments.model.experiment import Load
    from experiments.model.scenes import SceneName
    from experiments.running.witness import Address, Witness
    from supervisor import Supervisor

POOL_SIZE, POOL_STANDBYS = 4, 1
PAYMENTS = BreakerSettings(failure_rate=0.5, minimum_calls=20, window_calls=50, open_s=1.0, open_s_max=3.0)
PROBE = f"{OURS}scene"
PATIENT = f"{OURS}patient"
"""What the components are called whose calls fail, so that they are healed; each has its key behind that."""

RETRY = Retry(attempts=4, min_s=0.02, max_s=0.5)

_WORKERS_S = 30.0
_NOTED_S = 10.0
_PATIENTS_MAX = 16
_DEFAULT = "default"
_POOL = "pool:default"


@dataclass(slots=True)
class _Shared:
    """How many stand on a supervisor's scenes in this process, and how that is taken away which nobody stands on.

    One at a time builds or takes away.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    users: dict[str, int] = field(default_factory=dict[str, int])
    built: dict[str, list[Callable[[], None]]] = field(default_factory=dict[str, "list[Callable[[], None]]"])


_SHARED = _Shared()


class Stage:
    """A scene, in a `with` block.

    Args:
        sup: The supervisor.
        scene: Which; it is built only if `build`.
        build: Make what the scene lacks; left out, the load runs on what there is.
        settings: Of what is built, by subject and field, as recommendations change them.
    """

    def __init__(
        self,
        sup: Supervisor,
        scene: SceneName,
        *,
        build: bool,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._sup = sup
        self._scene: SceneName = scene
        self._build = build
        self._settings = settings or {}
        self._size_before: int | None = None
        self._made_group = False
        self._made_till = False
        self._made_probe = False
        self._breaker: BreakerHandle | None = None
        self._patients = ThreadPoolExecutor(_PATIENTS_MAX, thread_name_prefix=PATIENT)

    def __enter__(self) -> Self:
        if self._build:
            with _SHARED.lock:
                _SHARED.users[self._sup.name] = _SHARED.users.get(self._sup.name, 0) + 1
                try:
                    self._widen_pool()
                    self._make()
                except BaseException:
                    self._leave()
                    raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._patients.shutdown(wait=False, cancel_futures=True)
        if self._build:
            self._leave()

    def _leave(self) -> None:
        """Take away what this one built, or have whoever leaves last do it: others of this process stand on it."""
        with _SHARED.lock:
            left = _SHARED.users[self._sup.name] = _SHARED.users[self._sup.name] - 1
            built = _SHARED.built.setdefault(self._sup.name, [])
            built.append(self._take_down)
            if left:
                return
            del _SHARED.built[self._sup.name], _SHARED.users[self._sup.name]
            for take_down in reversed(built):
                take_down()

    def submit(self, load: Load, witness: Witness, key: str) -> Future[Any]:
        """Submit one task of the load, or one call of the cart."""
        if load.calls == "cart":
            return self._sup.child(f"{GROUP}.cart").order.remote(witness.address, key, load.work_s)
        if load.calls == "heal":
            return self._patients.submit(self._heal, witness.address, key, load.work_s)
        submitter = self._sup.options(key=key, name="chaos load", on_full="wait", policy=self._policy())
        if self._breaker is not None:
            return submitter.submit(work_upstream, witness.address, key, load.work_s, self._breaker)
        return submitter.submit(work, witness.address, key, load.work_s)

    def durable(self, load: Load, *, prefix: str) -> DurableLoad | None:
        """Calls that are answered when the event log has them; None: the load has none."""
        if not load.durable_per_s:
            return None
        return DurableLoad(
            load.durable_per_s,
            self._note,
            self._noted,
            prefix=prefix,
            timeout_s=load.timeout_s,
        )

    def _note(self, key: str) -> Any:
        return self._sup.child(TILL).note.remote(key)

    def _noted(self) -> list[str]:
        return self._sup.child(TILL).noted.remote().result(timeout=_NOTED_S)

    def _heal(self, witness: Address, key: str, work_s: float) -> str:
        return self._sup.heal(f"{PATIENT}-{key}", treat, args=(witness, key, work_s, os.getpid()), failure="network")

    def made_with(self) -> dict[str, dict[str, Any]]:
        """What scene and load are made with, by subject and field, where that is not what the supervisor says."""
        policy = self._policy()
        fields: dict[str, Any] = {
            "timeout_s": policy.timeout_s,
            "attempts": policy.retry.attempts,
            "unknown": policy.retry.unknown,
        }
        return {"policy": fields, **({"pool/default": {"standbys": self._standbys}} if self._build else {})}

    @property
    def _standbys(self) -> int:
        return int(self._settings.get(f"pool/{_DEFAULT}", {}).get("standbys", POOL_STANDBYS))

    def _policy(self) -> Policy:
        """The supervisor's own, as far as it says; with a fallback where the service may be gone."""
        given = self._settings.get("policy", {})
        policy = self._sup.config.policy
        if self._build and policy.retry == Retry():
            policy = policy.model_copy(update={"retry": RETRY})
        if "attempts" in given:
            policy = policy.model_copy(
                update={"retry": policy.retry.model_copy(update={"attempts": given["attempts"]})}
            )
        if "unknown" in given:
            policy = policy.model_copy(update={"retry": policy.retry.model_copy(update={"unknown": given["unknown"]})})
        if "timeout_s" in given:
            policy = policy.model_copy(update={"timeout_s": given["timeout_s"]})
        return policy if self._breaker is None else policy.model_copy(update={"fallback": Fallback(work_without)})

    # -- building -----------------------------------------------------------------------------------------------------

    def _widen_pool(self) -> None:
        pool = self._sup.status().pools.get(_DEFAULT)
        standbys = self._standbys
        if pool is None:
            return  # what needs it is refused by the plan
        if pool.size >= POOL_SIZE and standbys == POOL_STANDBYS:
            return
        self._size_before = pool.size
        size = max(POOL_SIZE, pool.size)
        self._sup.tree_client.resize(_POOL, size=size, standbys=standbys)
        wait_until(lambda: len(self._sup.status().pools[_DEFAULT].workers) >= size + standbys, _WORKERS_S, every_s=0.05)

    def _make(self) -> None:
        match self._scene:
            case "household":
                self._make_household()
            case "kept":
                self._made_till = f"child/{TILL}" not in {child.key for child in self._sup.status().tree}
                if self._made_till:
                    given: dict[str, Any] = {"checkpoint": "each_call", **self._settings.get(f"child/{TILL}", {})}
                    self._sup.supervise(Till, name=TILL, heartbeat_s=0.5, hang_timeout_s=2.0, **given)
            case "dependency":
                self._breaker = self._sup.breaker(BREAKER, self._payments())
                self._use(self._breaker)
            case "observed":
                self._use(self._sup.breaker(BREAKER, self._payments()))
                if self._probe_now() is None:
                    self._sup.health.register(PROBE, _is_well, interval_s=0.5, timeout_s=0.5)
                    self._made_probe = True
                wait_until(self._knows_the_probe, _WORKERS_S, every_s=0.1)
                self._sup.healer.plan(f"{PATIENT}-*", [Retry(attempts=6, min_s=0.1, max_s=1.0)], failure="network")
            case "pool" | "two_nodes":
                pass

    def _knows_the_probe(self) -> bool:
        """The monitor does, and so does the board: that may still tell of the probe of a scene before this one."""
        seen, now = vitals(self._sup), self._probe_now()
        return seen is not None and seen.of(PROBE) is not None and now is not None and now.score is not None

    def _probe_now(self) -> ComponentHealth | None:
        """As the monitor has it; None: nobody watches it."""
        if self._sup.health_standing() is None:
            return None  # no monitor ever ran: none is started to be asked
        try:
            return self._sup.health.component(PROBE)
        except SupervisorError:
            return None

    def _use(self, breaker: BreakerHandle) -> None:
        """Its owner begins with its first call; until that runs, nobody but this process knows of it."""
        breaker.call(int)
        wait_until(lambda: BREAKER in self._sup.breakers().names, _WORKERS_S, every_s=0.1)
        if self._sup.breakers()[BREAKER].state != "closed":
            self._sup.breakers().reset(BREAKER, reason="a chaos experiment's scene begins anew")

    def _payments(self) -> BreakerSettings:
        return PAYMENTS.model_copy(update=dict(self._settings.get(f"breaker/{BREAKER}", {})))

    def _make_household(self) -> None:
        given = {"intensity": 3, "period_s": 30.0, **self._settings.get(f"group/{GROUP}", {})}
        there = {child.key for child in self._sup.status().tree}
        self._made_group = not any(key.startswith(f"child/{GROUP}.") for key in there)
        if self._made_group:
            intensity, period_s = int(given["intensity"]), float(given["period_s"])
            group = self._sup.group(GROUP, intensity=intensity, period_s=period_s, restart="temporary")
        else:
            group = self._sup.group_of(GROUP)  # a scene around this one has made it, or one whose runner was killed
        plans: dict[str, tuple[type[Any], dict[str, Any]]] = {
            "cart": (Cart, {"standbys": 1, "checkpoint": "each_call"}),
            "stock": (Stock, {}),
            "audit": (Audit, {}),
        }
        for name, (cls, settings) in plans.items():
            if f"child/{GROUP}.{name}" not in there:
                changed = self._settings.get(f"child/{GROUP}.{name}", {})
                own: dict[str, Any] = {"heartbeat_s": 0.5, "hang_timeout_s": 2.0, **settings, **changed}
                group.supervise(cls, name=name, **own)

    def _take_down(self) -> None:
        with suppress(SupervisorError):
            if self._made_group:
                self._sup.root.terminate(GROUP)
                self._sup.root.delete(GROUP)
        with suppress(SupervisorError):
            if self._made_till:
                self._sup.root.terminate(TILL)
                self._sup.root.delete(TILL)
        with suppress(SupervisorError):
            if self._made_probe:
                self._sup.health.unregister(PROBE)
        with suppress(SupervisorError):
            if self._size_before is not None:
                standbys = self._sup.config.pools[_DEFAULT].standbys
                self._sup.tree_client.resize(_POOL, size=self._size_before, standbys=standbys)


def _is_well() -> bool:
    return True
