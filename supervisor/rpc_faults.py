"""Loss and delay of Ray's own calls between its processes, for experiments: decided when Ray starts, or not at all.

Ray reads them once in each process and cannot take them back: who asks for them asks for a cluster that is thrown away
afterwards. They are Ray's testing flags `testing_rpc_failure` and `testing_asio_delay_us`. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from actors.runtime.errors import ConfigError

_LOSS, _DELAY = "testing_rpc_failure", "testing_asio_delay_us"
FLAGS = (_LOSS, _DELAY)
"""Ray's names for them."""

EVERY_CALL = "*"
"""The name that means every call of Ray's: then no other may be given."""

UNLIMITED = -1

_LOST_CALL = re.compile(r"^\w+\.grpc_client\.\w+$")
_DELAYED_CALL = re.compile(r"^[\w.]+$")
_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcLoss:
    """Some of the calls of one kind are lost.

    Attributes:
        call: Which, as `CoreWorkerService.grpc_client.PushTask`: the call of an actor's method; "*": every one.
        request_percent: They do not arrive.
        reply_percent: They run, and nobody is told.
        first_requests: So many requests are lost first, for certain; then the percentages hold.
        first_replies: So many replies after those.
        times: At most so many in each process.
    """

    call: str
    request_percent: int = 0
    reply_percent: int = 0
    first_requests: int = 0
    first_replies: int = 0
    times: int = UNLIMITED


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcDelay:
    """Calls of one kind are handled later.

    Attributes:
        call: Which, as `NodeManagerService.grpc_server.RequestWorkerLease`; "*": every one.
        least_s: By so much at least, seconds.
        most_s: And so much at most.
    """

    call: str
    least_s: float
    most_s: float


def rpc_flags(faults: Sequence[RpcLoss | RpcDelay]) -> dict[str, str]:
    """Ray's flags for these faults, by name.

    Raises:
        ConfigError: One of them cannot be; every one is named.
    """
    losses = [fault for fault in faults if isinstance(fault, RpcLoss)]
    delays = [fault for fault in faults if isinstance(fault, RpcDelay)]
    problems = [problem for fault in faults for problem in _problems(fault)]
    problems += _clashes("RpcLoss", [loss.call for loss in losses])
    problems += _clashes("RpcDelay", [delay.call for delay in delays])
    if problems:
        raise ConfigError("rpc_faults", problems=tuple(problems))
    flags: dict[str, str] = {}
    if losses:
        flags[_LOSS] = json.dumps({loss.call: _loss(loss) for loss in losses})
    if delays:
        flags[_DELAY] = ",".join(f"{delay.call}={_range_us(delay)}" for delay in delays)
    return flags


def _loss(fault: RpcLoss) -> dict[str, int]:
    return {
        "num_failures": fault.times,
        "req_failure_prob": fault.request_percent,
        "resp_failure_prob": fault.reply_percent,
        "in_flight_failure_prob": 0,
        "num_lower_bound_req_failures": fault.first_requests,
        "num_lower_bound_resp_failures": fault.first_replies,
    }


def _range_us(delay: RpcDelay) -> str:
    """Ray draws between the two, and stands still when they are the same (seen with 2.60)."""
    least_us = round(delay.least_s * 1e6)
    return f"{least_us}:{max(round(delay.most_s * 1e6), least_us + 1)}"


def _clashes(kind: str, calls: Sequence[str]) -> list[str]:
    twice = sorted({call for call in calls if calls.count(call) > 1})
    problems = [f"{call}: given twice as {kind}" for call in twice]
    if EVERY_CALL in calls and len(calls) > 1:
        problems.append(f"{EVERY_CALL}: means every call; give no other {kind} beside it")
    return problems


def _problems(fault: RpcLoss | RpcDelay) -> list[str]:
    pattern = _LOST_CALL if isinstance(fault, RpcLoss) else _DELAYED_CALL
    told: list[str] = []
    if fault.call != EVERY_CALL and not pattern.match(fault.call):
        told.append(f"{fault.call}: is no call; write Service.grpc_client.Method, or {EVERY_CALL}")
    if isinstance(fault, RpcDelay):
        if not 0 <= fault.least_s <= fault.most_s or fault.most_s <= 0:
            told.append(f"{fault.call}: from {fault.least_s:g} to {fault.most_s:g} s is no delay")
        return told
    shares = (fault.request_percent, fault.reply_percent)
    if min(shares) < 0 or sum(shares) > _PERCENT:
        told.append(f"{fault.call}: request_percent and reply_percent are from 0 to {_PERCENT}, both together")
    if min(fault.first_requests, fault.first_replies) < 0 or fault.times < UNLIMITED:
        told.append(f"{fault.call}: numbers of calls must be at least 0 (times: {UNLIMITED} for no limit)")
    if sum(shares) == 0 and fault.first_requests + fault.first_replies == 0:
        told.append(f"{fault.call}: nothing of it is lost")
    return told
