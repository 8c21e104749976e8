"""A tree that is written down is read as the same one; whatever else is given ends in a ConfigError with a path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from actors.recovery.retry import Retry
from actors.runtime.errors import ConfigError
from supervisor.specs import BackoffSettings, ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.specs.group import RESERVED
from supervisor.specs.summary import summarise_tree
from supervisor.treefile import dump_tree, load_tree, parse_tree
from tests.unit.specs.scene import HERE, Anything, BusyError, Cart

ROOT = Path(__file__).parents[2]
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_]{0,5}", fullmatch=True).filter(lambda name: name not in RESERVED)
SECONDS = st.floats(min_value=0.001, max_value=1000)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
RETRIES = st.builds(
    Retry,
    attempts=st.integers(1, 1000),
    on=st.lists(st.sampled_from([OSError, ValueError, BusyError]), max_size=2).map(tuple),
    unknown=st.sampled_from(["retry", "never"]),
)


@st.composite
def work(draw: st.DrawFn, name: str) -> dict[str, Any]:
    restart = draw(st.sampled_from(["permanent", "transient", "temporary"]))
    heartbeat_s = draw(SECONDS)
    shared = draw(st.sampled_from([False, True, "host"]))
    return {
        "name": name,
        "cls": draw(st.sampled_from([Cart, Anything, f"{HERE}:Cart.Line"])),
        "restart": restart,
        "standbys": 0 if restart == "temporary" or shared else draw(st.integers(0, 100)),
        "checkpoint": draw(st.none() | st.just("each_call") | SECONDS),
        "heartbeat_s": heartbeat_s,
        "hang_timeout_s": heartbeat_s * 2,
        "shutdown_s": draw(st.sampled_from(["brutal_kill", "infinity"]) | SECONDS),
        "share_process": shared,
        "num_cpus": 0 if shared else draw(st.floats(0, 64)),
        "retry": draw(RETRIES),
    }


@st.composite
def children(draw: st.DrawFn, name: str) -> ChildSpec:
    fields = draw(work(name))
    if fields["cls"] is Cart:
        fields |= {"args": (draw(PLAIN),), "kwargs": {"limit": draw(PLAIN)}, "methods": {"add": draw(RETRIES)}}
    return ChildSpec(**fields)


@st.composite
def pools(draw: st.DrawFn, name: str) -> PoolSpec:
    return PoolSpec(
        size=draw(st.integers(0, 10_000)),
        intensity=draw(st.none() | st.integers(0, 10**9)),
        period_s=draw(SECONDS),
        backoff=draw(st.none() | st.builds(BackoffSettings, jitter=st.floats(0, 1))),
        **draw(work(name)),
    )


@st.composite
def groups(draw: st.DrawFn, name: str, depth: int) -> GroupSpec:
    return GroupSpec(
        name=name,
        strategy=draw(st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])),
        intensity=draw(st.integers(0, 10**9)),
        period_s=draw(SECONDS),
        backoff=draw(st.none() | st.builds(BackoffSettings, jitter=st.floats(0, 1))),
        children=draw(members(depth - 1)),
    )


@st.composite
def members(draw: st.DrawFn, depth: int) -> tuple[ChildSpec | PoolSpec | GroupSpec, ...]:
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    kinds = [children, pools] if depth == 0 else [children, pools, lambda name: groups(name, depth)]
    return tuple(draw(draw(st.sampled_from(kinds))(name)) for name in names)


@given(members(2))
@example((ChildSpec(name="a", cls=Cart, args=("a\x85b \u2028\r",), kwargs={"limit": {"\x85": "\x85"}}),))
@settings(max_examples=60, deadline=None)
def test_a_tree_survives_being_written_and_read(top: tuple[ChildSpec | PoolSpec | GroupSpec, ...]) -> None:
    tree = TreeSpec(children=top)
    assert parse_tree(dump_tree(tree)) == tree


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError

    def __reduce__(self) -> Any:
        raise RuntimeError


KEYS = st.sampled_from(
    sorted({*ChildSpec.model_fields, *PoolSpec.model_fields, *GroupSpec.model_fields, *Retry.model_fields})
)
VALUES = (
    PLAIN
    | st.floats()
    | st.sampled_from([Cart, HERE, f"{HERE}:Cart", "no.module:A", "on", b"x", object(), {1: 2}])
    | st.integers(10**300, 10**301)
    | st.builds(Hostile)
)
BROKEN = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(), inner, max_size=6),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["children", "pools", "groups", "x"]), st.lists(BROKEN, min_size=1), min_size=1))
@settings(max_examples=300, deadline=None)
def test_whatever_is_wrong_is_a_config_error_with_a_path(data: dict[str, Any]) -> None:
    assert all(problem.startswith(("children", "pools", "groups", "x:")) for problem in problems_of(data))


FIELDS = st.sampled_from(sorted({*PoolSpec.model_fields}))


@given(FIELDS, BROKEN)
@settings(max_examples=300, deadline=None)
def test_one_field_that_is_wrong_is_named(field: str, value: Any) -> None:
    data = {"children": [{"name": "a", "cls": Cart, field: value}]}
    paths = [problem.partition(":")[0] for problem in problems_of(data)]
    related = {"cls": "kwargs", "args": "kwargs", "restart": "standbys", "heartbeat_s": "hang_timeout_s"}
    expected = (f"children[0].{field}", f"children[0].{related.get(field, field)}")
    assert all(path.startswith(expected) for path in paths)


def problems_of(data: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong with a tree; nothing, where it happens to be right."""
    try:
        load_tree(data)
    except ConfigError as error:
        return error.problems
    return ()


LISTED = """
from supervisor.specs.summary import summarise_tree
from supervisor.treefile import load_tree
tree = summarise_tree(load_tree("tests/unit/supervisor/tree.yaml"))
print(sorted((path, name, value.same) for path, spec in tree.items() for name, value in spec.settings.items()))
"""


def test_another_process_sums_a_file_up_the_same() -> None:
    tree = summarise_tree(load_tree(ROOT / "tests/unit/supervisor/tree.yaml"))
    here = sorted((path, name, value.same) for path, spec in tree.items() for name, value in spec.settings.items())
    env = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    there = subprocess.run(
        [sys.executable, "-c", LISTED], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert there.stdout == f"{here}\n"
