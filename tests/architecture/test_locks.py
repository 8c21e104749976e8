"""Ray is called under no lock: it may wait for the thread that brings answers, which may wait for the lock."""

from __future__ import annotations

import ast
from collections.abc import Iterator

LOCKS = ("lock", "news", "owned", "changed", "due", "acting")
"""What the attributes that hold locks and conditions are called by, in part."""


def test_nothing_is_asked_of_ray_under_a_lock(house):
    found = [f"{file.module}:{line}: {call}" for file in house.sources for line, call in calls_under_locks(file.tree)]
    assert not found, "\n".join(found)


def test_the_rule_finds_a_call_under_a_lock():
    """Guards the guard: a rule that matches nothing would pass."""
    held = "with self._news:\n    if ended:\n        ray.kill(handle)\nwith self._news:\n    actor.hear.remote(1)\n"
    free = "with self._news:\n    ended = self._ended\nif ended:\n    ray.kill(handle)\n"
    assert list(calls_under_locks(ast.parse(held))) == [(3, "ray.kill"), (5, "actor.hear.remote")]
    assert list(calls_under_locks(ast.parse(free))) == []


def calls_under_locks(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The lines in which Ray is called while a lock is held by the same function, and what is called."""
    for block in ast.walk(tree):
        if isinstance(block, ast.With) and any(is_lock(item.context_expr) for item in block.items):
            for call in ast.walk(block):
                if isinstance(call, ast.Call):
                    called = ast.unparse(call.func)
                    if called.startswith("ray.") or called.endswith(".remote"):
                        yield call.lineno, called


def is_lock(context: ast.expr) -> bool:
    return isinstance(context, ast.Attribute | ast.Name) and any(part in ast.unparse(context) for part in LOCKS)
