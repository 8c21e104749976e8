"""A process's way to one service: requests that find whichever life of it runs, and states that are read locally.

The actor is found in the supervisor's view, so that no leader is needed while it runs; one that has never been started
is asked for. A request goes on to the next life when one dies over it, under the same number.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorClosedError, SupervisorError
from actors.runtime.ids import NAMESPACE
from actors.runtime.replicated import Replica
from actors.runtime.replies import was_out_of_reach, when_answered
from actors.runtime.vital_threads import steady_thread
from actors.service.errors import ServiceUnreachableError
from actors.service.finding import Homes
from actors.service.follower import StateFollower
from actors.service.near_way import NearWay
from actors.service.node_board import NodeBoard

PATIENCE_S = 20.0
"""How long a request is waited for, seconds."""

ANSWER_S = 5.0
"""How long one answer is waited for before whichever life runs is asked again, seconds."""

LOOK_S = 0.005
"""How often the board is looked at where somebody wants to be told, seconds."""

FIND_S = 0.25
"""How often a process makes sure of its board, seconds."""

NEWS_S = 10.0
_PAUSE_S = 0.02
_THREADS = 8
_KEPT = "kept"

T = TypeVar("T")


class ServiceClient:
    """One process's, of one service. Any thread, any event loop.

    Args:
        key: The service, as `degradation/main`.
        homes: Which actors run.
        board: This node's board.
        own: The one that the service's owner writes itself, if it is on this node.
        near: The way to an owner on this node, for changes that cannot wait for Ray; None: there is none.
        supervisor: Whose service it is, for messages.
    """

    def __init__(
        self,
        key: str,
        homes: Homes,
        board: NodeBoard,
        *,
        own: NodeBoard | None = None,
        near: NearWay | None = None,
        supervisor: str = "",
    ) -> None:
        self.key = key
        self._supervisor = supervisor
        self._own = own
        self._near = near
        self._homes = homes
        self._board = board
        self._lock = threading.Lock()
        self._known: tuple[str, Any] | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._watch: _Watch | None = None
        self._stopped = False

    # -- requests -----------------------------------------------------------------------------------------------------

    def change(self, what: str, /, *arguments: Any, timeout_s: float = PATIENCE_S, **named: Any) -> Any:
        """Have something changed, and wait until it is; it is done once, whoever dies meanwhile.

        Args:
            what: Which of the service's changes.
            arguments: What it is given.
            timeout_s: How long to wait, seconds.
            named: The same by name.
        Raises:
            SupervisorError: What the service says to it.
            ServiceUnreachableError: It did not answer in time; it may or may not be done.
            SupervisorClosedError: The handle was shut down.
        """
        return self._call("change", what, (uuid4().hex, what, arguments, named), timeout_s, start=True)

    def ask(
        self, what: str, /, *arguments: Any, timeout_s: float = PATIENCE_S, start: bool = True, **named: Any
    ) -> Any:
        """Ask for something that changes nothing.

        Args:
            what: Which of the service's questions.
            arguments: What it is given.
            timeout_s: How long to wait, seconds.
            start: Whether a service that nobody has used is started for it.
            named: The same by name.
        Raises: as `change`.
        """
        return self._call("ask", what, (what, arguments, named), timeout_s, start=start)

    def is_running(self) -> bool:
        """Whether the view has it running."""
        return self._homes.owner_of(self.key) is not None

    def start(self) -> None:
        """See to it that it runs, in the background."""
        if not self.is_running():
            with suppress(SupervisorClosedError):  # whoever asks for nothing more is not told
                self.in_thread(self._want)

    def is_at_hand(self) -> bool:
        """Whether the life that runs can be asked without a look in Ray's table, which may not answer then."""
        owner, known = self._homes.owner_of(self.key), self._known
        return owner is not None and known is not None and known[0] == owner

    def handle(self) -> Any | None:
        """The Ray handle of the life that runs, or None: for calls that are neither changes nor questions."""
        owner = self._homes.owner_of(self.key)
        known = self._known
        if owner is None or (known is not None and known[0] == owner):
            return None if known is None or owner is None else known[1]
        try:
            self._known = (owner, ray.get_actor(owner, namespace=NAMESPACE))
        except ValueError:
            return None  # it has just died
        return self._known[1]

    def in_thread(self, act: Callable[[], T]) -> Future[T]:
        """Call it on a thread of the client's own, which may wait.

        Raises:
            SupervisorClosedError: The handle was shut down.
        """
        with self._lock:
            self._check_open()
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_THREADS, f"service-{self.key}")
            return self._threads.submit(act)

    def _check_open(self) -> None:
        if self._stopped:
            raise SupervisorClosedError(self._supervisor)

    def _want(self) -> None:
        try:
            self._homes.want(self.key)
        except (RayError, RuntimeError):
            return  # Ray is out of reach: whoever needs it asks again

    def _call(self, method: str, what: str, arguments: tuple[Any, ...], timeout_s: float, *, start: bool) -> Any:
        self._check_open()
        until = SYSTEM_CLOCK.now() + timeout_s
        trouble = "it does not run"
        while (left_s := until - SYSTEM_CLOCK.now()) > 0 and not self._stopped:
            try:
                handle = self.handle()
                if handle is None and start:
                    self._homes.want(self.key, left_s)
                    handle = self.handle()
                if handle is not None:
                    self._say_near(method, arguments)
                    return ray.get(getattr(handle, method).remote(*arguments), timeout=min(left_s, ANSWER_S))
            except (RayError, GetTimeoutError, RuntimeError) as error:
                if isinstance(error, RayTaskError) and not was_out_of_reach(error):
                    raise (error.cause if isinstance(error.cause, Exception) else error) from None
                self._known = None  # it has died, or hangs: its next life is asked
                trouble = str(error).strip().split("\n", 1)[0] or type(error).__name__
            sleep(_PAUSE_S)
        raise ServiceUnreachableError(self.key, what=what, waited_s=timeout_s, reason=trouble)

    def _say_near(self, method: str, arguments: tuple[Any, ...]) -> None:
        known = self._known
        if self._near is not None and known is not None and method == "change":
            with suppress(OSError, pickle.PicklingError, TypeError, AttributeError):  # Ray carries it, or says why not
                self._near.say(known[0], pickle.dumps(arguments))

    # -- states -------------------------------------------------------------------------------------------------------

    def follow(
        self, topic: str, on_change: Callable[[Replica], None] | None = None, *, eager: bool = True
    ) -> StateFollower:
        """One of its states, to be read locally from now on.

        Args:
            topic: Which.
            on_change: Called with each later one, by whoever came upon it; it returns at once.
            eager: Whether that is to be within milliseconds; else it is when somebody looks, or after a while.
        """
        follower = StateFollower(self.key, topic, self._board, on_change, own=self._own)
        follower.find()
        with self._lock:
            if self._watch is None:
                self._watch = _Watch(self, self._board)
            watch = self._watch
        watch.add(follower, eager=eager and on_change is not None)
        return follower

    def unfollow(self, follower: StateFollower) -> None:
        """It is read no more."""
        if self._watch is not None:
            self._watch.remove(follower)

    def stop(self) -> None:
        """Follow and ask no more."""
        with self._lock:
            self._stopped = True
            threads, watch = self._threads, self._watch
        if self._near is not None:
            self._near.close()
        if watch is not None:
            watch.stop()
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)


class _Watch:
    """Sees to it that the states which a process follows are followed, by one thread.

    It makes sure of the board; looks at it for those who want to be told; and where there is none asks the owner, and
    brings what an earlier life has kept to the next one.
    """

    def __init__(self, client: ServiceClient, board: NodeBoard) -> None:
        self._client = client
        self._kept = StateFollower(client.key, _KEPT, board)
        self._changed = threading.Condition()
        self._followers: dict[StateFollower, bool] = {}
        self._asking: dict[StateFollower, str] = {}
        self._met = ""
        self._stopped = False
        steady_thread(self._run, name=f"service-watch-{client.key}").start()

    def add(self, follower: StateFollower, *, eager: bool) -> None:
        with self._changed:
            self._followers[follower] = eager
            self._changed.notify_all()

    def remove(self, follower: StateFollower) -> None:
        with self._changed:
            self._followers.pop(follower, None)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _run(self) -> None:
        find_at = 0.0
        while not self._stopped:
            with self._changed:
                followers = dict(self._followers)
                eager = any(followers.values())
                self._changed.wait(LOOK_S if eager else FIND_S)
            for follower, wants_it in followers.items():
                if wants_it:
                    follower.look()
            if SYSTEM_CLOCK.now() >= find_at:
                find_at = SYSTEM_CLOCK.now() + FIND_S
                self._make_sure(list(followers))

    def _make_sure(self, followers: list[StateFollower]) -> None:
        for follower in followers:
            follower.find()
            follower.look()
        missing = [follower for follower in followers if not follower.is_on_board]
        if missing:
            try:
                self._ask_owner([*missing, self._kept])
            except (RayError, RuntimeError, SupervisorError):
                return  # out of reach: what is known is read

    def _ask_owner(self, followers: list[StateFollower]) -> None:
        handle = self._client.handle()
        owner = "" if handle is None else str(handle._actor_id)  # noqa: SLF001 - one life of it from another
        if handle is None:
            return
        if owner != self._met:
            self._met = owner
            if self._kept.replica is not None:
                handle.introduce.remote(self._kept.replica)
        for follower in followers:
            if self._asking.get(follower) != owner:
                self._asking[follower] = owner
                asked = handle.observe.remote(follower.topic, *follower.known, NEWS_S)
                when_answered(asked, partial(self._on_news, follower))

    def _on_news(self, follower: StateFollower, reply: object) -> None:
        if isinstance(reply, Replica):
            follower.offer(reply)
        with self._changed:
            self._asking.pop(follower, None)
        if not isinstance(reply, BaseException) and follower in (*self._followers, self._kept):
            self._listen_on()

    def _listen_on(self) -> None:
        """Ask again at once: news must not wait until the board is looked for again."""
        with self._changed:
            followers = [follower for follower in self._followers if not follower.is_on_board]
        if followers and not self._stopped:
            try:
                self._ask_owner([*followers, self._kept])
            except (RayError, RuntimeError, SupervisorError):
                return
