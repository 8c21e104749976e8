"""Loss and delay of Ray's own calls become its flags; what cannot be is named, every problem at once."""

from __future__ import annotations

import json

import pytest

from actors.runtime.errors import ConfigError
from supervisor.rpc_faults import EVERY_CALL, RpcDelay, RpcLoss, rpc_flags

PUSH = "CoreWorkerService.grpc_client.PushTask"
LEASE = "NodeManagerService.grpc_server.RequestWorkerLease"


def test_nothing_asked_for_is_no_flag() -> None:
    assert rpc_flags(()) == {}


def test_losses_and_delays_are_rays_flags() -> None:
    flags = rpc_flags(
        (RpcLoss(call=PUSH, request_percent=20, first_replies=1), RpcDelay(call=LEASE, least_s=0.05, most_s=0.2))
    )
    assert json.loads(flags["testing_rpc_failure"]) == {
        PUSH: {
            "num_failures": -1,
            "req_failure_prob": 20,
            "resp_failure_prob": 0,
            "in_flight_failure_prob": 0,
            "num_lower_bound_req_failures": 0,
            "num_lower_bound_resp_failures": 1,
        }
    }
    assert flags["testing_asio_delay_us"] == f"{LEASE}=50000:200000"
    same = RpcDelay(call=LEASE, least_s=0.05, most_s=0.05)
    assert rpc_flags((same,)) == {"testing_asio_delay_us": f"{LEASE}=50000:50001"}, "of two that are the same Ray hangs"
    assert rpc_flags((RpcDelay(call=EVERY_CALL, least_s=0, most_s=0.01),)) == {"testing_asio_delay_us": "*=0:10000"}


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ((RpcLoss(call="PushTask", request_percent=1),), "is no call"),
        ((RpcLoss(call=PUSH, request_percent=60, reply_percent=60),), "both together"),
        ((RpcLoss(call=PUSH, request_percent=-1),), "from 0 to 100"),
        ((RpcLoss(call=PUSH),), "nothing of it is lost"),
        ((RpcLoss(call=PUSH, request_percent=1, times=-2),), "numbers of calls"),
        ((RpcDelay(call=LEASE, least_s=2, most_s=1),), "is no delay"),
        ((RpcDelay(call=LEASE, least_s=0, most_s=0),), "is no delay"),
        ((RpcDelay(call="a=b", least_s=0, most_s=1),), "is no call"),
        ((RpcLoss(call=PUSH, request_percent=1), RpcLoss(call=PUSH, reply_percent=1)), "given twice as RpcLoss"),
        ((RpcLoss(call=PUSH, request_percent=1), RpcLoss(call="*", reply_percent=1)), "means every call"),
    ],
)
def test_what_cannot_be_is_named(faults: tuple[RpcLoss | RpcDelay, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        rpc_flags((*faults, RpcDelay(call=EVERY_CALL, least_s=0, most_s=1)) if "delay" not in told else faults)
