"""Asking the leader for a change of the tree, and what its refusals mean to a person."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import (
    AdministrationError,
    ChildStartError,
    LeaderUnreachableError,
    StaleIncarnationError,
    SupervisorError,
)
from supervisor.messages import Answer
from supervisor.requests import Problem, Request

_ASK_S = 10.0
_AGAIN_S = 0.02
_SLACK_S = 5.0

_REMEDIES: dict[Problem, str] = {
    "already_started": "it runs: take its handle, or choose another name",
    "already_present": "its spec is there, ended: restart it, or delete it first",
    "running": "terminate it first",
    "restarting": "it is being restarted already; terminate it to stop that",
    "not_found": "see `supervisor ps` for what there is",
    "given_up": "restart the group first, once the cause is mended",
    "no_group": "create the group first",
    "start_failed": "mend the cause; nothing of it was left behind",
    "not_a_pool": "only pools have a size",
    "stopping": "wait until that has ended",
    "keeps_no_state": "give it checkpoint=<seconds> or checkpoint='each_call'",
    "not_running": "see `supervisor status` for what it waits for, and ask again",
    "takes_no_standbys": "only a child that is restarted has somebody to stand by for",
    "shares_process": "let it have a process of its own first: share_process=False",
    "shares_elsewhere": "give both the same node, or let it share another process: share_process='<name>'",
    "ends_nothing": "choose any_significant or all_significant there, or leave significant out",
    "name_of_a_member": "choose another name",
    "no_room": "nothing was changed",
    "protected": "it is the supervisor's own; only `shutdown` ends it",
}


class Administrator:
    """Asks whoever leads, until there is an answer.

    Args:
        leader: Gives the leader's handle, or None while nobody is known.
        supervisor: The supervisor's name, for errors.
    """

    def __init__(self, leader: Callable[[], Any], supervisor: str) -> None:
        self._leader = leader
        self._supervisor = supervisor

    def ask(self, wish: Request, *, subject: str, timeout_s: float, request: str | None = None) -> None:
        """Have a change made; the same request goes to the next leader if this one dies over it.

        Args:
            wish: The change.
            subject: The key or path that it is about, for errors.
            timeout_s: How long to wait for it, seconds.
            request: Identifies the asking, where the wish names it too.

        Raises:
            AdministrationError: It was refused.
            ChildStartError: Its start failed; the constructor's exception is the cause.
            LeaderUnreachableError: No leader answered in time. The change may still be made.
        """
        answer = self.request(request or uuid4().hex, wish, timeout_s=timeout_s)
        if answer is None:
            raise LeaderUnreachableError(self._supervisor, what=subject, waited_s=timeout_s)
        raise_problem(answer, subject)

    def request(self, request: str, wish: Request, *, timeout_s: float) -> Answer | None:
        """Ask until there is an answer; None when time is out."""
        until = SYSTEM_CLOCK.now() + timeout_s
        data = pickle.dumps(wish)
        while (left_s := until - SYSTEM_CLOCK.now()) > 0:
            leader = self._leader()
            if leader is None:
                sleep(_AGAIN_S)
                continue
            asked_s = min(left_s, _ASK_S)
            try:
                said: bytes | None = ray.get(
                    leader.administer.remote(request, data, asked_s), timeout=asked_s + _SLACK_S
                )
            except (RayError, GetTimeoutError, StaleIncarnationError):
                sleep(_AGAIN_S)
                continue
            if said is not None:
                return pickle.loads(said)  # noqa: S301 - our own leader made it
        return None


def raise_problem(answer: Answer, subject: str) -> None:
    """Raise what a refusal means; nothing for a request that was granted."""
    if answer.problem is None:
        return
    if answer.problem == "start_failed":
        cause = _cause(answer.cause)
        raise ChildStartError(subject, answer.detail) from cause
    raise refusal(subject, answer.problem, answer.detail)


def refusal(subject: str, problem: Problem, detail: str = "") -> AdministrationError:
    """The error for a person, with its remedy."""
    return AdministrationError(subject, problem=problem, detail=detail, remedy=_REMEDIES[problem])


def _cause(data: bytes | None) -> BaseException | None:
    if data is None:
        return None
    try:
        found: object = pickle.loads(data)  # noqa: S301 - our own child made it
    except Exception as error:  # noqa: BLE001 - a user's exception may fail to load in any way
        return SupervisorError(f"its exception cannot be loaded here: {type(error).__name__}: {error}")
    return found if isinstance(found, BaseException) else None
