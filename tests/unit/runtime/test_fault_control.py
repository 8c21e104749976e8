"""What is put in this process acts, ends by itself with nothing left, and is counted; what waits for it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from actors.runtime import fault_passing
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import ConfigError
from actors.runtime.fault_control import fault_exit, fault_put, fault_seen, fault_take
from actors.runtime.fault_passing import EXIT_CODE, pass_point, through, through_soon
from actors.runtime.fault_points import ON, SERVICE_CALL, InjectedFaultError, InjectedUnavailableError
from experiments.faults.proof import Sight, prove
from experiments.judging.verdict import judge
from tests.unit.judging.scene import FAULT, chaos, good

DEADLINE_S = 20.0


@pytest.fixture(autouse=True)
def nothing_is_left_on() -> Iterator[None]:
    yield
    fault_take(list(ON))


def order(fault_id: str, kind: str = "error", left_s: float = 60.0, **changed: Any) -> dict[str, Any]:
    base = {"fault_id": fault_id, "run": "r1", "point": SERVICE_CALL, "subject": "health", "kind": kind}
    return {**base, "left_s": left_s, **changed}


def eventually(condition: Any) -> bool:
    until = SYSTEM_CLOCK.now() + DEADLINE_S
    while not condition() and SYSTEM_CLOCK.now() < until:
        sleep(0.005)
    return bool(condition())


def test_it_is_put_acts_is_counted_and_is_taken() -> None:
    assert fault_put([order("a"), order("b", subject="healer")]) == ["a", "b"]
    for _ in range(3):
        with pytest.raises(InjectedFaultError):
            pass_point(SERVICE_CALL, "health")
    assert {"a": 3, "b": 0}.items() <= fault_seen().items()
    assert fault_take(["a", "unknown"]) == ["a"]
    pass_point(SERVICE_CALL, "health")
    assert fault_seen()["a"] == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_share_of_the_calls_is_not_the_same_in_all_forked_workers() -> None:
    """Else all of them fail at once: of a fifth of their calls half, now and then."""
    fault_put([order("half", share=0.5)])
    assert hits_in_a_fork(64) != hits_in_a_fork(64)


def hits_in_a_fork(calls: int) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "".join("x" if is_hit() else "." for _ in range(calls)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "r", encoding="ascii") as answer:
        found = answer.read()
    os.waitpid(child, 0)
    assert len(found) == calls
    return found


def is_hit() -> bool:
    try:
        pass_point(SERVICE_CALL, "health")
    except InjectedFaultError:
        return True
    return False


def test_what_was_decided_and_did_nothing_is_not_counted_and_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fault_put([order("late", "latency", delay_s=0.02), order("wrong")])
    monkeypatch.setattr(fault_passing, "sleep", lambda _: fault_take(["late"]))
    monkeypatch.setattr(fault_passing, "_conclude", lambda _: None)
    pass_point(SERVICE_CALL, "health")
    assert {"late": 0, "wrong": 0}.items() <= fault_seen().items()
    told = prove("error", {}, before=Sight(met=0), now=Sight(met=fault_seen()["wrong"]))
    assert judge(good(faults=(replace(FAULT, evidence=told),)), chaos()).kind == "inconclusive"


def test_a_wait_is_counted_while_it_lasts() -> None:
    fault_put([order("long", "hang")])
    held = threading.Thread(target=pass_point, args=(SERVICE_CALL, "health"))
    held.start()
    assert eventually(lambda: fault_seen()["long"] == 1)
    assert held.is_alive()
    fault_take(["long"])
    held.join(DEADLINE_S)
    assert fault_seen()["long"] == 1


def test_it_ends_by_itself_and_leaves_nothing() -> None:
    began = SYSTEM_CLOCK.now()
    fault_put([order("soon", left_s=0.05), order("later", left_s=0.1)])
    assert eventually(lambda: not ON), "no call came by, and yet nothing is on"
    assert SYSTEM_CLOCK.now() >= began + 0.1
    assert {"soon", "later"} <= fault_seen().keys()
    assert eventually(lambda: "supervisor-faults" not in {thread.name for thread in threading.enumerate()})


def test_what_is_over_is_not_put_and_what_is_put_again_has_another_end() -> None:
    assert fault_put([order("late", left_s=0.0)]) == []
    fault_put([order("a", left_s=60.0)])
    assert fault_put([order("a", left_s=0.05)]) == ["a"]
    assert eventually(lambda: not ON)


def test_one_that_is_wrong_keeps_all_from_being_put() -> None:
    with pytest.raises(ConfigError, match=r"faults\[1\]"):
        fault_put([order("a"), order("b", kind="fire")])
    with pytest.raises(ConfigError, match="cannot be imported here"):
        fault_put([order("a"), order("b", error="nowhere:Error")])
    assert not ON


def test_a_call_that_hangs_goes_on_when_its_fault_is_taken_whatever_else_is_on() -> None:
    fault_put([order("hang", "hang"), order("other", "latency", subject="healer", delay_s=60.0)])
    hung = threading.Thread(target=pass_point, args=(SERVICE_CALL, "health"), daemon=True)
    hung.start()
    assert eventually(lambda: fault_seen()["hang"] == 1)
    assert hung.is_alive()
    fault_take(["hang"])
    hung.join(DEADLINE_S)
    assert not hung.is_alive()


async def test_a_lost_reply_has_an_effect_and_a_lost_request_none() -> None:
    effects: list[str] = []

    async def soon() -> None:
        effects.append("soon")

    fault_put([order("reply", "lost_reply")])
    with pytest.raises(InjectedUnavailableError, match="the reply did not arrive"):
        through(SERVICE_CALL, "health", lambda: effects.append("now"))
    with pytest.raises(InjectedUnavailableError, match="the reply did not arrive"):
        await through_soon(SERVICE_CALL, "health", soon)
    assert effects == ["now", "soon"]
    fault_put([order("request", "lost_request")])
    with pytest.raises(InjectedUnavailableError, match="the request did not arrive"):
        through(SERVICE_CALL, "health", lambda: effects.append("now"))
    with pytest.raises(InjectedUnavailableError, match="the request did not arrive"):
        await through_soon(SERVICE_CALL, "health", soon)
    assert effects == ["now", "soon"]


def test_a_program_of_the_users_is_not_ended() -> None:
    fault_exit()
    with pytest.raises(ConfigError, match="a program of the user's"):
        fault_put([order("exit", "exit")])


def test_the_point_of_an_exit_ends_its_process_as_a_crash() -> None:
    program = (
        "from actors.runtime.fault_passing import pass_point\n"
        "from actors.runtime.fault_points import PointFault, put\n"
        "put(PointFault(fault_id='f', run='r', point='p', subject='*', kind='exit', until=float('inf')))\n"
        "pass_point('p', 'child/cart')\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == EXIT_CODE
