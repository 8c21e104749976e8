"""One circuit per name and process, whoever asks for it, from wherever; a fork begins anew; no Ray anywhere."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError, TooManyBreakersError
from actors.breaker.handle import BreakerHandle, local_breaker
from actors.breaker.link import THIS_PROCESS
from actors.breaker.local_link import LocalLink
from actors.breaker.registry import REGISTRY, Registry, identity
from actors.breaker.settings import BreakerSettings
from actors.runtime.asker import who
from actors.runtime.errors import ConfigError
from actors.runtime.ids import is_valid_name
from tests.unit.breaker.scene import Steady, fast
from tests.unit.breaker.town import BreakError, Town, bad, good

WITHOUT_RAY = """
import sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("ray", "duckdb", "opentelemetry"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Nowhere())
from actors.breaker.handle import local_breaker
from actors.breaker.errors import CircuitOpenError
from actors.breaker.settings import BreakerSettings
breaker = local_breaker("payments", BreakerSettings(window_calls=2))
assert breaker.call(max, 1, 2) == 2
try:
    breaker.call(int, "x")
except ValueError:
    pass
try:
    breaker.call(int, "1")
except CircuitOpenError as error:
    print(error)
"""


def test_it_imports_and_works_where_ray_cannot_be_imported():
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_RAY], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout.startswith("breaker 'payments' is open; next probe in"), ended.stderr


def test_a_name_has_one_circuit_and_another_supervisors_name_another():
    town = Town()
    assert town.registry.local("b") is town.circuit
    assert town.registry.circuits(THIS_PROCESS) == (town.circuit,)
    assert town.registry.circuits("other") == ()


def test_a_supervisor_may_be_called_as_it_likes_and_its_breakers_are_not_this_processs():
    town = Town()
    theirs = LocalLink(clock=town.clock, rng=Steady(), keeper=town.keeper, supervisor="local")
    assert town.registry.circuit(theirs, "b").link is theirs
    assert not is_valid_name(THIS_PROCESS)


def test_a_name_that_is_none_is_refused_before_anything_is_made():
    town = Town()
    with pytest.raises(ConfigError, match="control"):
        town.registry.local("a\tb")
    assert len(town.registry.circuits(THIS_PROCESS)) == 1


def test_settings_that_are_none_are_refused_before_anything_is_made():
    town = Town()
    unfit: Any = {"failure_rate": 0.2}
    with pytest.raises(ConfigError, match=r"settings of breaker 'c'.*must be BreakerSettings, not dict"):
        town.registry.local("c", unfit)
    assert len(town.registry.circuits(THIS_PROCESS)) == 1


def test_one_name_too_many_is_told_which_and_the_known_ones_go_on():
    registry = Registry(names_max=3)
    for number in range(3):
        registry.local(f"user-{number}")
    with pytest.raises(TooManyBreakersError) as refused:
        registry.local("user-3")
    error = pickle.loads(pickle.dumps(refused.value))
    assert (error.name, error.limit, error.scope) == ("user-3", 3, "this process")
    assert "'user-2'" in str(error)
    assert "not after a user" in str(error)
    registry.local("user-1")


def test_a_forgotten_supervisor_begins_with_new_circuits():
    town = Town()
    former = town.circuit
    town.registry.forget(THIS_PROCESS)
    assert town.registry.circuits(THIS_PROCESS) == ()
    assert town.registry.local("b") is not former


def test_a_definition_stands_also_when_an_earlier_use_had_none(caplog: pytest.LogCaptureFixture):
    town = Town()
    first = town.handle("late")
    first.call(good)
    second = town.handle("late", BreakerSettings(failure_rate=0.2))
    assert (first.settings.failure_rate, second.settings.failure_rate) == (0.2, 0.2)
    assert caplog.records == []
    town.handle("late", BreakerSettings(failure_rate=0.3))
    assert first.settings.failure_rate == 0.2
    (told,) = [record.getMessage() for record in caplog.records]
    assert "failure_rate: 0.2 stands, 0.3 was given" in told


def test_what_was_configured_by_hand_stands_before_a_late_definition(caplog: pytest.LogCaptureFixture):
    town = Town()
    breaker = town.handle("late")
    breaker.configure(reason="tighter", failure_rate=0.1)
    town.handle("late", BreakerSettings(failure_rate=0.2))
    assert breaker.settings.failure_rate == 0.1
    (told,) = [record.getMessage() for record in caplog.records]
    assert "failure_rate: 0.1 stands, 0.2 was given" in told


def test_who_and_which_process_are_told_apart():
    assert identity() != identity()
    assert f"/{os.getpid()}/" in identity()
    assert who().endswith(f"pid {os.getpid()}")


def test_a_handle_that_arrives_where_its_name_is_unknown_brings_its_settings():
    code = f"""
import pickle, sys
breaker = pickle.loads(bytes.fromhex({pickle.dumps(local_breaker("travels", fast(window_calls=3))).hex()!r}))
print(breaker.settings.window_calls, breaker.call(max, 1, 2), "ray" in sys.modules)
"""
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout == "3 2 False\n", ended.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_a_process_of_its_own():
    breaker = local_breaker("forked", BreakerSettings(window_calls=2, half_open_permits=1, open_s=0.2, open_jitter=0))
    breaker.call(good)
    former = REGISTRY.process

    def in_child() -> None:
        assert REGISTRY.process != former
        assert breaker._circuit.process == REGISTRY.process
        assert breaker.call(good) == "fine"
        with pytest.raises(BreakError):
            breaker.call(bad)
        with breaker.subscribe() as changes:
            assert any(change.after == "half_open" for change in changes)
            assert breaker.call(good) == "fine"
            # The background thread may be the one who carries the probe's outcome out.
            assert any(change.after == "closed" for change in changes)

    assert child_of(in_child) == 0
    assert (breaker.state, REGISTRY.process) == ("closed", former)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_the_background_thread_begins_anew_in_a_forked_child():
    breaker = local_breaker("forked-keeper")
    breaker.call(good)
    assert REGISTRY.keeper._thread is not None

    def in_child() -> None:
        assert REGISTRY.keeper._thread is None
        breaker.call(good)
        assert REGISTRY.keeper._thread is not None
        with breaker.subscribe() as changes:
            breaker.force_open(reason="test")
            assert changes.next(10) is not None

    assert child_of(in_child) == 0
    assert isinstance(breaker, BreakerHandle)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_children_do_not_wait_alike_before_they_probe():
    settings = BreakerSettings(window_calls=2, minimum_calls=2, open_s=1000.0, open_s_max=1000.0, open_jitter=0.5)
    breakers = [local_breaker(f"forked-jitter-{number}", settings) for number in range(20)]

    def waits() -> list[int]:
        reading, writing = os.pipe()

        def in_child() -> None:
            for breaker in breakers:
                for _ in range(2):
                    with pytest.raises(BreakError):
                        breaker.call(bad)
                with pytest.raises(CircuitOpenError) as refused:
                    breaker.call(good)
                os.write(writing, b"%d\n" % (refused.value.retry_after_s // 10))

        assert child_of(in_child) == 0
        os.close(writing)
        with os.fdopen(reading) as answer:
            return [int(line) for line in answer]

    assert waits() != waits()


def child_of(run) -> int:
    """Run it in a forked child; 0 if nothing was raised."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            run()
            code = 0
        except BaseException:  # noqa: BLE001 - told to the parent by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
