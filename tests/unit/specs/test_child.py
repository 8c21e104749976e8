"""A child's spec: every field's meaning is checked, and every problem is told with its path."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fsspec.registry import known_implementations

from actors.recovery.retry import Retry
from actors.runtime.errors import ConfigError
from supervisor.children.settings import CALL_RETRY
from supervisor.specs import ChildSpec, PoolSpec
from tests.unit.specs.scene import (
    HERE,
    BusyError,
    Cart,
    Hooked,
    Needy,
    WrongHooks,
    WrongStateHooks,
    WrongVersion,
    problems,
)


def test_the_least_that_is_said() -> None:
    spec = ChildSpec(name="cart", cls=Cart)
    assert (spec.restart, spec.standbys, spec.checkpoint, spec.shutdown_s) == ("permanent", 0, None, 5.0)
    assert (spec.heartbeat_s, spec.hang_timeout_s, spec.start_timeout_s) == (1.0, 3.0, 60.0)
    assert (spec.args, spec.kwargs, spec.methods, spec.retry) == ((), {}, {}, CALL_RETRY)


def test_a_class_may_be_given_by_text() -> None:
    assert ChildSpec(name="cart", cls=f"{HERE}:Cart") == ChildSpec(name="cart", cls=Cart)


@pytest.mark.parametrize(
    "fields",
    [
        {"args": ["eu"], "kwargs": {"limit": 3}},
        {"checkpoint": "each_call", "checkpoint_path": "/tmp/x"},
        {"checkpoint": 60, "checkpoint_path": "memory://states"},
        {"checkpoint": 60, "checkpoint_path": "simplecache::memory://states"},
        {"checkpoint": 60, "checkpoint_path": "here/below"},
        {"checkpoint": None},
        {"checkpoint": 5},
        {"cls": Hooked, "checkpoint": 0.5},
        {"cls": WrongStateHooks},
        {"shutdown_s": "brutal_kill"},
        {"shutdown_s": "infinity"},
        {"shutdown_s": 0},
        {"share_process": True},
        {"share_process": "host"},
        {"share_process": False, "num_cpus": 1},
        {"significant": True, "restart": "transient"},
        {"standbys": 2, "restart": "transient"},
        {"resources": {"disk": 1}},
        {"methods": {"add": Retry(attempts=1), "total": {"attempts": 2, "unknown": "never"}}},
        {"retry": {"on": "ConnectionError"}},
        {"retry": {"on": [f"{HERE}:BusyError", OSError]}},
    ],
)
def test_what_is_allowed_is_taken(fields: dict[str, Any]) -> None:
    spec = ChildSpec.parse({"name": "cart", "cls": Cart, **fields}, source="here")
    for name, value in fields.items():
        kept = getattr(spec, name)
        assert kept == (tuple(value) if isinstance(value, list) else value) or isinstance(value, dict)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "a/b"}, "name: 'a/b' is no name; use letters"),
        ({"name": "\ud800"}, r"name: '\ud800' is no name"),
        ({"cls": "x"}, "cls: 'x' does not name a class"),
        ({"cls": 3}, "cls: a value of type int is not a class"),
        ({"cls": WrongHooks}, "cls: WrongHooks: its hook stop(self, when) is called as stop()"),
        ({"cls": WrongStateHooks, "checkpoint": 1}, "checkpoint: WrongStateHooks: its hook checkpoint(self, path)"),
        (
            {"cls": WrongVersion, "checkpoint": 1},
            "checkpoint: WrongVersion.checkpoint_version is '2'; give a whole number",
        ),
        ({"args": "eu"}, "args: 'eu' is a text, not a list of arguments; did you mean ['eu']?"),
        ({"args": 3}, "args: Input should be a valid tuple (given: 3)"),
        ({"args": [threading.Lock()]}, "args: argument 0, <unlocked _thread.lock object at"),
        ({"kwargs": {"limit": threading.Lock()}}, "kwargs: argument 'limit', <unlocked _thread.lock"),
        ({"kwargs": {"limt": 1}}, "kwargs: got an unexpected keyword argument 'limt'"),
        ({"cls": Needy}, "kwargs: missing a required argument: 'must'"),
        ({"restart": "sometimes"}, "restart: 'sometimes' is not one of permanent, transient, temporary"),
        ({"standbys": 101}, "standbys: Input should be less than or equal to 100 (given: 101)"),
        ({"standbys": True}, "standbys: True is no number"),
        ({"heartbeat_s": True}, "heartbeat_s: True is no number"),
        ({"shutdown_s": True}, "shutdown_s: True is none of"),
        ({"resources": {"disk": True}}, "resources: disk: True is no number"),
        ({"retry": {"attempts": True}}, "retry.attempts: True is no number"),
        ({"standbys": 1, "restart": "temporary"}, "standbys: 1 given, but nothing follows the end"),
        ({"checkpoint": "often"}, "checkpoint: 'often' is none of: null, a number of seconds above 0, \"each_call\""),
        ({"checkpoint": 0}, "checkpoint: 0 is none of"),
        ({"checkpoint": True}, "checkpoint: True is none of"),
        ({"checkpoint": float("nan")}, "checkpoint: nan is none of"),
        ({"checkpoint": 10**400}, "checkpoint: 1000"),
        ({"checkpoint": [1]}, "checkpoint: [1] is none of"),
        (
            {"checkpoint": 1, "checkpoint_path": "nosuch://x"},
            "checkpoint_path: 'nosuch://x': fsspec knows no protocol 'nosuch'; name a local path or a URL such as s3://",
        ),
        (
            {"checkpoint": 1, "checkpoint_path": "simplecache::nosuch://x"},
            "checkpoint_path: 'simplecache::nosuch://x': fsspec knows no protocol 'nosuch'",
        ),
        (
            {"checkpoint": 1, "checkpoint_path": "needy://x"},
            "checkpoint_path: 'needy://x': Install nosuchfs to reach it; do that here and on every node",
        ),
        (
            {"checkpoint_path": "/tmp/x"},
            "checkpoint_path: '/tmp/x' given, but nothing is kept there without checkpoint; set checkpoint to a number",
        ),
        ({"checkpoint_path": ""}, "checkpoint_path: String should have at least 1 character"),
        ({"heartbeat_s": 0}, "heartbeat_s: Input should be greater than 0"),
        ({"hang_timeout_s": 1}, "hang_timeout_s: 1 given, but it must be larger than heartbeat_s, which is 1"),
        ({"heartbeat_s": 4}, "hang_timeout_s: 3 given, but it must be larger than heartbeat_s, which is 4"),
        ({"shutdown_s": -1}, 'shutdown_s: -1 is none of: a number of seconds from 0, "brutal_kill", "infinity"'),
        ({"shutdown_s": float("inf")}, "shutdown_s: inf is none of"),
        ({"shutdown_s": "soon"}, "shutdown_s: 'soon' is none of"),
        ({"start_timeout_s": float("inf")}, "start_timeout_s: Input should be"),
        ({"significant": True}, "significant: true, but what is permanent always comes back"),
        ({"num_cpus": -1}, "num_cpus: Input should be greater than or equal to 0"),
        ({"resources": {"CPU": 1}}, "resources: CPU is not given here but as num_cpus"),
        ({"resources": {"disk": -1}}, "resources: disk: -1 is less than 0"),
        ({"max_concurrency": 0}, "max_concurrency: Input should be greater than or equal to 1"),
        ({"methods": {"ad": {}, "tot": {}}}, "methods: Cart has no method 'ad'; did you mean 'add'?; Cart has no"),
        ({"methods": {"add": {"attempt": 1}}}, "methods.add.attempt: unknown key; known keys here: attempts, backoff"),
        ({"methods": {"add": {"on": "Nope"}}}, "methods.add: on: 'builtins' has no 'Nope'"),
        ({"retry": {"on": "int"}}, "retry: on: int is not a subclass of BaseException"),
        ({"retry": {"on": [3]}}, "retry.on[0]: Input should be a subclass of BaseException (given: 3)"),
        ({"share_process": True, "standbys": 1}, "share_process: True given, but a standby in the same process"),
        ({"share_process": 3}, "share_process: 3 is none of: true, false, a word"),
        ({"share_process": "a b"}, "share_process: 'a b' is none of"),
        (
            {"share_process": "a", "num_cpus": 1, "resources": {"x": 1}},
            "share_process: 'a' given, but num_cpus and reso",
        ),
        ({"node": ""}, "node: String should have at least 1 character"),
        ({"naem": 1}, "naem: unknown key; known keys here: args, breaker"),
    ],
)
def test_what_is_wrong_is_named_with_its_path_and_what_is_allowed(
    fields: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needy = {"class": "nosuchfs.Files", "err": "Install nosuchfs to reach it"}
    monkeypatch.setitem(known_implementations, "needy", needy)
    (problem,) = problems(ChildSpec, {"name": "cart", "cls": Cart, **fields})
    assert problem.startswith(said)


def test_everything_wrong_is_told_at_once_also_what_depends_on_another_field() -> None:
    found = problems(
        ChildSpec,
        {
            "restart": "temporary",
            "cls": Cart,
            "standbys": 1,
            "hang_timeout_s": 0.1,
            "methods": {"x": {}},
            "args": [1, 2],
        },
    )
    assert [problem.partition(":")[0] for problem in found] == [
        "name",
        "kwargs",
        "standbys",
        "hang_timeout_s",
        "methods",
    ]


def test_a_field_that_others_look_at_is_told_alone_when_it_is_wrong() -> None:
    found = problems(
        ChildSpec,
        {"name": "a", "cls": 3, "heartbeat_s": -1, "methods": {"x": {}}, "checkpoint": 1, "kwargs": {"a": 1}},
    )
    assert [problem.partition(":")[0] for problem in found] == ["cls", "heartbeat_s"]


def test_a_spec_made_by_hand_fails_alike() -> None:
    with pytest.raises(ConfigError, match="ChildSpec: name: 'a b' is no name"):
        ChildSpec(name="a b", cls=Cart)


def test_a_pool_has_a_size() -> None:
    assert PoolSpec(name="p", cls=Cart, size=0).size == 0
    assert problems(PoolSpec, {"name": "p", "cls": Cart}) == ("size: is missing, and must be given",)
    (problem,) = problems(PoolSpec, {"name": "p", "cls": Cart, "size": -1})
    assert problem == "size: Input should be greater than or equal to 0 (given: -1)"


def test_exceptions_named_by_text_are_found() -> None:
    spec = ChildSpec.parse({"name": "c", "cls": Cart, "retry": {"on": ["OSError", f"{HERE}:BusyError"]}}, source="here")
    assert spec.retry.on == (OSError, BusyError)
    (problem,) = problems(ChildSpec, {"name": "c", "cls": Cart, "retry": 3})
    assert problem.startswith("retry: Input should be a valid dictionary or instance of Retry")
